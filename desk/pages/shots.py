"""Show the page of one shot, on which a person looks at it and claims it (tells others that it is taken)."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from desk.access.roles import Person, Role
from desk.pages.forms import own_fields_of, person_of
from desk.pages.queues import place_of
from desk.pages.rendering import TITLES, desk_of, page, shot_in
from desk.work import showing
from desk.work.glances import PREVIEW, Glance
from desk.work.waiting import STATES, Queue, record_of
from packshot.blind import is_blind
from packshot.decision import ColourWord
from packshot.errors import ObjectMissingError, RecordDamagedError
from packshot.handoff.deciding import taken_by
from packshot.handoff.ticket import colour_off
from packshot.naming import ShotId
from packshot.record import ShotRecord, State
from packshot.specs.resolve import style_guide
from tasks.environment.configs import configs_in_force
from tasks.environment.style_guides import promise_shown
from tasks.people.products import siblings_of
from tasks.people.tickets import ticket_of, ticket_page_link
from tasks.records.stored import find_batch, find_record
from tasks.storage.shot_objects import fetch

MOST_BESIDE = 8
"""Other views of the product that are shown."""
MOST_EXAMPLES = 2
"""Names of other files that show how a client names them."""
MOST_NEIGHBOURS = 4
"""Other shots of the same shoot group that are shown."""
SHOWN_FIRST = 4
"""Findings that stand above the fold."""
_VIEWER = Path(__file__).parents[1] / "static" / "viewer" / "viewer.js"


async def shot_page(request: Request) -> Response:
    """Return the page of a waiting shot. If the person may decide about it, the shot is claimed for them.

    A claim shows other people that somebody has the shot open. If the shot waits for nobody now, the page says so
    (409).

    Raises:
        HTTPException: 404: there is no such shot; 403: the person may not see it; 409: its record can't be read.
    """
    shot = shot_in(request)
    return await shown(request, shot)


async def shown(
    request: Request, shot: ShotId, *, refused: str = "", said: dict[str, str] | None = None, opens: bool = True
) -> Response:
    """Return the page of a waiting shot; if it waits for nobody now, a page that says so (409).

    Args:
        request: the request of the signed-in person.
        shot: the shot.
        refused: why the decision that was just made did not count; then the page has the status 409. Empty if no
            decision was made.
        said: the person's input by field, so that the page can show it again.
        opens: True claims the shot for the person, if the person may decide about it. False only returns the page.

    Raises:
        HTTPException: 404: there is no such shot; 403: the person may not see it; 409: its record can't be read.
    """
    desk, person = desk_of(request), person_of(request)
    record = await to_thread.run_sync(readable_record, shot)
    if desk.outbox.has(shot):
        return _settled(request, record, "It has just been decided.", refused)
    if record.state not in STATES[Queue.OVERDUE]:
        return _settled(
            request, record, f"It is '{record.state.replace('_', ' ')}': it does not wait for anybody.", refused
        )
    if not person.sees(record.state):
        raise HTTPException(403, "Your roles do not open this shot.")
    offers, holder = showing.offers_of(record, person), ""
    claims = bool(offers) and person.decides(record.state)  # an answer to a client takes no job from its editor
    if claims:
        holder = desk.claims.take(str(shot), person.name) if opens else desk.claims.who(str(shot)) or person.name
        offers = offers if holder == person.name else []
    queue = next(one for one, states in STATES.items() if record.state in states)
    place = place_of(request, fallback=queue)
    before, after, number = place.beside(str(shot))
    told, passed = showing.findings_of(record)
    sent_back, work = showing.sent_back_of(record), desk.work.of(shot, person.name)
    own_checks = (work.checks or ()) if work else ()
    places, known = showing.places_of(record, own_checks), len(showing.places_of(record))
    link, job, naming, (beside, neighbours) = await asyncio.gather(
        to_thread.run_sync(_ticket_link, record),
        to_thread.run_sync(_job, record, person),
        to_thread.run_sync(_naming, record),
        _around(request, record),
    )
    return page(
        request,
        "shot",
        status=409 if refused else 200,
        refused=refused,
        said=said or {},
        shot=shot,
        queue=place.queue.value,
        query=place.query,
        title=TITLES[queue],
        before=before,
        after=after,
        number=number,
        count=len(place.shots),
        digest=showing.digest_of(record),
        kinds=json.dumps(showing.kinds_of(record)),
        places=json.dumps(places),
        marks_from=known - len(sent_back.marks if sent_back else ()),
        job=job,
        work=work,
        checks=showing.checks_of(work, first=known),
        standing=showing.standing_of(record),
        following=place.after(str(shot)),
        preview=_preview(record),
        viewer=_VIEWER.exists(),
        told_findings=told,
        shown_first=SHOWN_FIRST,
        passed_findings=passed,
        blind=is_blind(record),
        score=showing.score_of(record),
        colours=colour_off(record),
        facts=showing.facts_of(record),
        history=showing.history_of(record),
        sent_back=sent_back,
        missing=showing.missing_in(record),
        naming=naming,
        editor_asked=showing.editor_asked(record),
        is_signoff=record.state is State.AWAITING_SIGNOFF,
        to_be_done=showing.to_be_done(record),
        machine_edit=showing.machine_edit_of(record),
        platforms=showing.platforms_of(record),
        colour_words=[one.value for one in ColourWord if one is not ColourWord.REFUSED],
        offers=offers,
        claimed=claims and bool(offers),
        holder="" if holder == person.name else holder,
        beside=beside,
        neighbours=neighbours,
        ticket=link,
        due=_due(request, shot),
        seniors=promise_shown(shot.client).seniors if record.state is State.AWAITING_SIGNOFF else (),
    )


def readable_record(shot: ShotId) -> ShotRecord:
    """Return a shot's record as it is in storage now.

    Raises:
        HTTPException: 404: there is none; 409: it can't be read, and the message gives the reason.
    """
    try:
        record = find_record(shot)
    except RecordDamagedError as error:
        raise HTTPException(409, f"This shot cannot be shown: {error}") from None
    if record is None:
        raise HTTPException(404, "There is no such shot.")
    return record


def _settled(request: Request, record: ShotRecord, sentence: str, refused: str) -> Response:
    """Return a page about a shot that nothing can be decided about now."""
    place = place_of(request)
    return page(
        request,
        "settled",
        status=409,
        shot=record.shot,
        sentence=sentence,
        refused=refused,
        queue=place.queue.value,
        query=place.query,
        after=place.after(str(record.shot)),
    )


def _due(request: Request, shot: ShotId) -> str:
    known = desk_of(request).waiting.find(shot)
    return f"{known.wait.due:%Y-%m-%d %H:%M}" if known else ""


def _waiting_beside(request: Request, record: ShotRecord) -> list[ShotId]:
    product, shot = record.product, record.shot
    return [
        one.shot
        for one in desk_of(request).waiting.all()
        if product and one.product == product and one.shot.client == shot.client and one.shot != shot
    ]


def _ticket_link(record: ShotRecord) -> str:
    return ticket_page_link(record.shot) if record.state is State.AWAITING_EDITOR else ""


async def _around(request: Request, record: ShotRecord) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the other views of the product, and the shots that stand nearest in the shoot group.

    Both are only what the person may see. A shot that is among the views isn't repeated.
    """
    desk, person, waiting = desk_of(request), person_of(request), _waiting_beside(request, record)
    views, group = await asyncio.gather(
        to_thread.run_sync(_other_views, record, waiting),
        to_thread.run_sync(desk.groups.nearest, record.shot, MOST_BESIDE + MOST_NEIGHBOURS),
    )
    nearest = [one for one in group if one not in views][:MOST_NEIGHBOURS]
    found = {one.shot: one for one in await to_thread.run_sync(desk.glances.of, [*views, *nearest])}
    beside, neighbours = ([found[one] for one in names if one in found] for names in (views, nearest))
    return _small_pictures(beside, person), _small_pictures(neighbours, person)


def _other_views(record: ShotRecord, waiting: Iterable[ShotId]) -> list[ShotId]:
    known = (
        ShotId(client=record.shot.client, batch=one.batch, shot=one.shot)
        for one in siblings_of(record.shot.client, record.product)
    )
    return [one for one in dict.fromkeys([*waiting, *known]) if one != record.shot][:MOST_BESIDE]


def _small_pictures(glances: Iterable[Glance], person: Person) -> list[dict[str, Any]]:
    """Return those shots whose small picture there is and the person may see."""
    return [
        {
            "shot": one.shot,
            "preview": _preview_link(one.shot, one.preview),
            "view": one.view,
            "product": one.product,
            "state": one.state.replace("_", " "),
            "opens": person.sees(one.state),
        }
        for one in glances
        if one.preview and person.glances(one.state)
    ]


def _naming(record: ShotRecord) -> dict[str, Any] | None:
    """Return what helps to correct the name of a shot on hold; None in other states."""
    if record.state is not State.ON_HOLD:
        return None
    pattern = style_guide(configs_in_force(), record.shot.client).file_name_pattern
    try:
        batch = find_batch(record.shot.in_batch)
    except RecordDamagedError:
        batch = None
    files = [PurePosixPath(one.path) for one in batch.shots] if batch else []
    return {
        "file": record.source.key.rpartition("/")[2],
        "pattern": pattern,
        "examples": [one.name for one in files if pattern and re.search(pattern, one.stem)][:MOST_EXAMPLES],
        "services": record.fact("services"),
    }


def _job(record: ShotRecord, person: Person) -> dict[str, Any] | None:
    """Return what an editor's page says of the job; None if the shot waits for somebody else."""
    if record.state is not State.AWAITING_EDITOR:
        return None
    try:
        ticket = ticket_of(record.shot)
    except ObjectMissingError:
        ticket = None
    holder = taken_by(record)
    edits = Role.EDITOR in person.roles
    return {
        "holder": holder,
        "mine": edits and holder == person.name,
        "takes": edits and not holder,
        "gives_back": bool(holder) and ((edits and holder == person.name) or Role.SENIOR in person.roles),
        "services": ticket.services if ticket else (),
        "why": ticket.why if ticket else "",
        "files": [one.what for one in ticket.take] if ticket else [],
    }


def _preview(record: ShotRecord) -> str:
    return _preview_link(record.shot, record.objects.get(PREVIEW, ""))


def _preview_link(shot: ShotId, sha256: str) -> str:
    return f"/previews/{shot}/{sha256[: showing.DIGITS]}.webp" if sha256 else ""


async def preview(request: Request) -> Response:
    """Return a small picture of a shot as WebP: the photograph, and beside it the edit if there is one.

    Each is at most 560 px on its longest side. The address contains the first digits of the picture's hash, so it
    changes with the picture.

    Raises:
        HTTPException: 404: there is no such picture, the shot has another one by now, or the person may not see it.
    """
    shot, digest = shot_in(request), request.path_params["digest"]
    record = await to_thread.run_sync(record_of, shot)
    known = record is not None and len(digest) == showing.DIGITS and record.objects.get(PREVIEW, "").startswith(digest)
    if record is None or not known or not person_of(request).glances(record.state):
        raise HTTPException(404, "There is no such picture.")
    try:
        picture = await to_thread.run_sync(fetch, record, PREVIEW)
    except ObjectMissingError:
        raise HTTPException(404, "There is no such picture.") from None
    headers = {"Cache-Control": "private, max-age=86400, immutable"}
    return Response(picture, media_type="image/webp", headers=headers)


async def claim(request: Request) -> Response:
    """Renew the person's claim on an open shot, and return as JSON who has the shot (``holder``).

    A claim shows other people that somebody has the shot open. The shot's page sends this request each minute.

    Raises:
        HTTPException: 403: the shot does not wait, or the person may not decide about it.
    """
    await own_fields_of(request)
    desk, shot, person = desk_of(request), shot_in(request), person_of(request)
    known = desk.waiting.find(shot)
    if known is None or not person.decides(known.wait.state):
        raise HTTPException(403, "Your roles do not decide about this shot.")
    return JSONResponse({"holder": desk.claims.take(str(shot), person.name)})


async def seen(request: Request) -> Response:
    """Note that the person has had a shot's picture on the screen, and return an empty answer (204).

    Only shots that a person has seen can be approved together. The shot's page sends this request when the picture is
    loaded and shown. The form's field ``picture`` has the first 16 hex digits of its hash. If the lists don't know the
    shot yet, nothing is noted.

    Raises:
        HTTPException: 403: the person may not decide about the shot.
    """
    fields = await own_fields_of(request)
    desk, shot, person = desk_of(request), shot_in(request), person_of(request)
    known = desk.waiting.find(shot)
    if known is not None and not person.decides(known.wait.state):
        raise HTTPException(403, "Your roles do not decide about this shot.")
    if known is not None:  # else the lists don't know it yet; it is to be looked at once more
        desk.seen.note(person.name, str(shot), fields.get("picture", "")[: showing.DIGITS])
    return Response(status_code=204)


async def leave(request: Request) -> Response:
    """End the person's claim on a shot, so that others can open it, and return an empty answer (204).

    The shot's page sends this request when it is closed.
    """
    await own_fields_of(request)
    desk_of(request).claims.release(person_of(request).name, shot=str(shot_in(request)))
    return Response(status_code=204)
