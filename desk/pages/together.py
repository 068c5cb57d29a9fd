"""Approve several shots at once, which have the same finding and were all looked at by the person."""

from __future__ import annotations

from collections.abc import Iterable

import httpx
from anyio import to_thread
from prefect.exceptions import PrefectException
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from desk.access import audit
from desk.access.roles import Person
from desk.pages.decisions import LONGEST_NOTE
from desk.pages.forms import own_fields_of, person_of
from desk.pages.queues import place, wanted_in
from desk.pages.rendering import desk_of
from desk.state import Desk
from desk.work.waiting import Queue
from packshot.blind import is_blind
from packshot.decision import Choice
from packshot.errors import NamingError, PackshotError
from packshot.naming import ShotId
from packshot.record import ShotRecord, State
from tasks.people.job_commands import shot_id
from tasks.people.sent_answers import CheckedAnswer, checked_answer
from tasks.records.stored import load_record

FIELD = "shot:"
"""How the name of a form's field begins that selects a shot; the shot's name follows."""


async def approve(request: Request) -> Response:
    """Approve several shots in one step, and return a redirect to the list.

    A shot is approved only if it is in review, the person has had its picture on the screen, nobody else has it open,
    and its most important finding is the one by which the list is filtered. The approval is about the picture that the
    person saw. The list shows why a shot was not approved; the others still count. All approvals can be taken back in
    one step.

    The query has the list's filters, with ``finding``. The form has a field ``shot:CLIENT/BATCH/SHOT`` for each shot
    (its value is not read), ``reason`` and ``note``.

    Raises:
        HTTPException: 403: the person may not approve; 400: no shot is selected, or the list is not filtered by a
            finding.
    """
    desk, person, fields = desk_of(request), person_of(request), await own_fields_of(request)
    if not person.decides(State.IN_REVIEW):
        raise HTTPException(403, "Your roles do not approve.")
    wanted = wanted_in(request.query_params)
    try:
        shots = [shot_id(name.removeprefix(FIELD)) for name in fields if name.startswith(FIELD)]
    except NamingError:
        raise HTTPException(400, "The selection cannot be read.") from None
    if not wanted.finding or not shots:
        raise HTTPException(400, "Filter the list by a finding, and select shots that you have looked at.")
    given = {"reason": fields.get("reason", ""), "note": fields.get("note", "")[:LONGEST_NOTE].strip()}
    answers = await to_thread.run_sync(lambda: list(_checked(desk, person, shots, finding=wanted.finding, given=given)))
    late = desk.outbox.hold(*answers, person=person.name)
    for shot in late:
        desk.outbox.tell(person.name, shot, "somebody has just decided about it.")
    for answer in answers:
        if answer.shot not in late:
            audit.note("decided", person=person.name, shot=answer.shot, more=answer.decision.sentence)
    return RedirectResponse(f"/queues/{Queue.REVIEW.value}{place(request, Queue.REVIEW, wanted).query}", 303)


def _checked(
    desk: Desk, person: Person, shots: Iterable[ShotId], *, finding: str, given: dict[str, str]
) -> Iterable[CheckedAnswer]:
    """Yield the approvals that can be followed; tell the person why of the others."""
    for shot in shots:
        try:
            record = load_record(shot)
            refused = _obstacle(desk, person, record, finding=finding)
            if not refused:
                yield _answer(desk, person, record, given)
        except PackshotError as error:
            refused = str(error)
        except (httpx.HTTPError, OSError, PrefectException) as error:
            refused = f"the line cannot be reached now ({type(error).__name__}); try again."
        if refused:
            desk.outbox.tell(person.name, shot, refused)


def _obstacle(desk: Desk, person: Person, record: ShotRecord, *, finding: str) -> str:
    """Return why a shot can't be approved together with others; empty if nothing is in the way."""
    holder = desk.claims.who(str(record.shot))
    if holder not in ("", person.name):
        return f"{holder} has it open."
    if not desk.seen.picture(person.name, str(record.shot)):
        return "you have not looked at it yet."
    if record.state is not State.IN_REVIEW:
        return f"it is '{record.state.replace('_', ' ')}' by now."
    if is_blind(record):
        return "it is judged without findings, on its own page."
    worst = record.worst_finding
    return "" if worst and worst.code == finding else "it has another finding than the others."


def _answer(desk: Desk, person: Person, record: ShotRecord, given: dict[str, str]) -> CheckedAnswer:
    """Return an approval of the picture that the person saw.

    Raises:
        DecisionRefusedError: the picture has changed since, or the reason does not fit.
    """
    picture = desk.seen.picture(person.name, str(record.shot))
    fields = {"decision": Choice.APPROVE.value, "person": person.name, "picture": picture, **given}
    return checked_answer(record, fields, signed_in=True)
