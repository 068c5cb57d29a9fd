"""Answer the requests by which a person decides about a shot, or takes a decision back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import httpx
from anyio import to_thread
from prefect.exceptions import PrefectException
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from desk.access import audit
from desk.access.roles import Person
from desk.pages.arriving import arrival
from desk.pages.forms import own_fields_of, person_of
from desk.pages.queues import Place, place_of
from desk.pages.rendering import desk_of, shot_in
from desk.pages.shots import readable_record, shown
from desk.work import showing
from desk.work.waiting import record_of
from packshot.decision import MOST_MARKS, Choice, Mark
from packshot.errors import PackshotError
from packshot.handoff.deciding import CHOICES
from packshot.naming import ShotId
from packshot.record import ShotRecord, State
from tasks.environment.troubles import AWAY
from tasks.people.sent_answers import CheckedAnswer, checked_answer, with_run

LONGEST_NOTE = 4000
CORRECTIONS = ("new_name", "new_services")
LATE = "Somebody has just decided about this shot."


async def decide(request: Request) -> Response:
    """Record what a person decides about a shot, and return a redirect to the next shot.

    If the decision does not count, the answer is the shot's page with the reason. A decision is checked, then held
    for a while. Until it is sent, the person can take it back (`desk.work.outbox`). A form that comes twice, because
    its answer was lost on the way, counts once, and is answered in the same way.

    The form's fields:

    - ``choice``: a `Choice`, such as ``approve``; ``reason``: a `Reason`; ``note``: the person's words, may be empty.
    - ``marks``: places on the picture, as a JSON list of objects with ``x``, ``y``, ``width`` and ``height`` in pixels.
    - ``picture``: the first 16 hex digits of the hash of the picture that the person saw.
    - Those of special decisions, such as ``new_name``.

    Raises:
        HTTPException: 400: the form can't be read; 403: the person may not decide so, or the form is not from the
            desk's page; 404: there is no such shot; 409: its record can't be read.
    """
    shot, person, desk = shot_in(request), person_of(request), desk_of(request)
    fields = await own_fields_of(request)
    coming = whats_next(request)
    record = await to_thread.run_sync(readable_record, shot)
    if desk.outbox.has(shot):
        if desk.outbox.repeats(shot, _answer_fields(record, fields, person), person=person.name):
            return await _next(request, coming)
        return await shown(request, shot, refused=LATE)
    if record.state in _WAITED_FOR and not _may(person, record.state, fields.get("choice", "")):
        raise HTTPException(403, "Your roles do not decide about this shot.")
    holder = desk.claims.take(str(shot), person.name)
    if holder != person.name:
        return await shown(request, shot, refused=f"{holder} has this shot open.", said=dict(fields))
    undone = _undone(record, fields)
    if undone:
        return await shown(request, shot, refused=undone, said=dict(fields))
    return await held(
        request,
        lambda: checked_answer(record, _answer_fields(record, fields, person), signed_in=True),
        coming=coming,
        said=dict(fields),
        nothing="Nothing was decided",
        noted=lambda answer: ("decided", answer.decision.sentence),
    )


class Coming(NamedTuple):
    """What a person sees after a decision: the list of shots, and the next shot in it.

    Attributes:
        place: the list that they work through.
        record: a task that reads the next shot's record. None if no other shot is left, or if their browser will load
            the next page anyway.
    """

    place: Place
    record: asyncio.Task[ShotRecord | None] | None


def whats_next(request: Request) -> Coming:
    """Return what the person of a request sees after the decision that the request makes.

    It returns at once. The next shot's record is read in the background while the decision is checked.

    Args:
        request: the request of the signed-in person; its address names the shot and the list.
    """
    place = place_of(request)
    following = place.following(str(shot_in(request)))
    in_place = _answered_in_place(request)
    return Coming(place, asyncio.create_task(to_thread.run_sync(_read, following)) if in_place and following else None)


def _answered_in_place(request: Request) -> bool:
    return "application/json" in request.headers.get("accept", "")


async def held(
    request: Request,
    make: Callable[[], CheckedAnswer],
    *,
    coming: Coming,
    said: dict[str, str],
    nothing: str,
    noted: Callable[[CheckedAnswer], tuple[str, str]],
) -> Response:
    """Hold a person's answer about a shot, and return a redirect to the next shot.

    Until a held answer is sent, the person can take it back (`desk.work.outbox`). If the answer does not count, the
    shot's page is returned with the reason. A page that has the next shot ready asks for JSON. The answer to it has the
    fields of `arriving.arrival` in place of the redirect, with the address in ``to``.

    To be fast, it asks Prefect nothing if the desk's lists have the shot. Only if they don't, it looks up the run that
    waits for the answer.

    Args:
        request: the request of the signed-in person; its address names the shot.
        make: called without arguments in a thread, because it may read the storage; returns the checked answer.
        coming: what the person sees next. Call `whats_next` for it as early as possible.
        said: the person's input by field. If the answer does not count, the page shows it again.
        nothing: a sentence that nothing was changed, such as ``Nothing was decided``. The message begins with it if the
            storage or Prefect can't be reached.
        noted: called with the checked answer; returns (act, details) for the audit log.
    """
    shot, person, desk = shot_in(request), person_of(request), desk_of(request)
    try:
        answer = await to_thread.run_sync(make)
        if desk.waiting.find(shot) is None:
            answer = await to_thread.run_sync(with_run, answer)
    except PackshotError as error:
        audit.note("decision refused", person=person.name, shot=shot, more=error.what)
        return await shown(request, shot, refused=str(error), said=said)
    except (httpx.HTTPError, OSError, PrefectException) as error:
        refused = f"The line cannot be reached now ({type(error).__name__}). {nothing}; try again."
        return await shown(request, shot, refused=refused, said=said)
    if not desk.outbox.hold(answer, person=person.name):
        desk.claims.release(person.name)
        act, more = noted(answer)
        audit.note(act, person=person.name, shot=shot, more=more)
    elif not desk.outbox.repeats(shot, answer.fields, person=person.name):
        return await shown(request, shot, refused=LATE)
    return await _next(request, coming)


async def _next(request: Request, coming: Coming) -> Response:
    """Return the answer to a decision that counts: what the person sees next."""
    shot, place = shot_in(request), coming.place
    following_record = await coming.record if coming.record else None
    to = place.after(str(shot)) or f"/queues/{place.queue.value}"
    if _answered_in_place(request):
        return JSONResponse({"to": to, **arrival(request, following_record, place.without(str(shot)))})
    return RedirectResponse(to, status_code=303)


def _read(shot: ShotId) -> ShotRecord | None:
    """Return a shot's record; None if it can't be read now: what was decided about another one counts all the same."""
    try:
        return record_of(shot)
    except AWAY:
        return None


async def undo(request: Request) -> Response:
    """Take back the person's last decision, and return a redirect to its shot.

    If the decision was about several shots, the redirect leads to their list. The form has no fields of its own.

    Raises:
        HTTPException: 409: the decision has been sent, or there is nothing to take back.
    """
    await own_fields_of(request)
    person = person_of(request)
    shots = desk_of(request).outbox.undo(person.name)
    if not shots:
        audit.note("took back too late", person=person.name)
        raise HTTPException(409, "Nothing was taken back: your last decision has been sent, or was taken back already.")
    for shot in shots:
        audit.note("took back", person=person.name, shot=shot)
    place = place_of(request)
    to = f"/shots/{shots[0]}" if len(shots) == 1 else f"/queues/{place.queue.value}"
    return RedirectResponse(f"{to}{place.query}", status_code=303)


def _undone(record: ShotRecord, fields: Mapping[str, str]) -> str:
    """Return why a sign-off does not count yet: something that was to be done is not ticked; empty if all is."""
    if record.state is not State.AWAITING_SIGNOFF or fields.get("choice") != Choice.SIGN:
        return ""
    left = [one for number, one in enumerate(showing.to_be_done(record)) if not fields.get(f"done:{number}")]
    said = f"Not ticked as done: {'; '.join(left[:3])}{' ...' if len(left) > 3 else ''}."
    return f"{said} Tick it, or reject the work." if left else ""


def _may(person: Person, state: State, named: str) -> bool:
    """Return whether a person may decide what a form names."""
    return person.may(state, Choice(named)) if named in list(Choice) else person.decides(state)


_WAITED_FOR = frozenset(CHOICES)


def _answer_fields(record: ShotRecord, fields: Mapping[str, str], person: Person) -> dict[str, Any]:
    """Return the fields of the line's own form.

    Raises:
        HTTPException: 400: the page can't have sent this.
    """
    try:
        choice = Choice(fields.get("choice", ""))
        marks = _marks(fields.get("marks", ""), text=fields.get("note", "").strip(), reason=fields.get("reason", ""))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise HTTPException(400, "The decision cannot be read.") from None
    if choice in showing.NOT_AT_THE_DESK:
        raise HTTPException(400, "This cannot be decided here.")
    return {
        "decision": choice.value,
        "person": person.name,
        "reason": fields.get("reason", ""),
        "picture": fields.get("picture", ""),
        "note": fields.get("note", "")[:LONGEST_NOTE].strip(),
        **({"marks": [one.model_dump(mode="json") for one in marks]} if marks else {}),  # not every form has marks
        **{name: fields[name] for name in ("colour", "edited_by", *CORRECTIONS) if fields.get(name)},
        **({"done": done} if choice is Choice.SIGN and (done := showing.to_be_done(record)) else {}),  # `_undone` asked
    }


def _marks(text_of_marks: str, *, text: str, reason: str) -> list[Mark]:
    """Return the marks that were drawn, each with the note or the reason as its text."""
    drawn = json.loads(text_of_marks) if text_of_marks else []
    if not isinstance(drawn, list) or len(drawn) > MOST_MARKS:
        raise ValueError("too many marks")
    words = text or showing.in_words(reason)
    try:
        return [
            Mark(
                left=(left := max(0, round(one["x"]))),
                top=(top := max(0, round(one["y"]))),
                right=left + max(1, round(one["width"])),
                bottom=top + max(1, round(one["height"])),
                text=words,
            )
            for one in drawn
        ]
    except (ValidationError, OverflowError):
        raise ValueError("a mark is none") from None
