"""Let the next shot take the last one's place on a reviewer's screen, without loading a new page.

While a person looks at a shot, the browser already asks for the next shot's page (`ahead`). When the person goes on to
the next shot, the server says how that shot stands now, and claims it for the person (`arrival`). If nothing has
happened to the shot since its page was made, the browser shows this page. Otherwise it loads the page again.
"""

from __future__ import annotations

from typing import Any

from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from desk.pages.forms import own_fields_of, person_of
from desk.pages.queues import Place, place_of
from desk.pages.rendering import counts_of, desk_of, notices, shot_in, templates
from desk.pages.shots import shown
from desk.work import showing
from desk.work.waiting import STATES, Queue, record_of
from packshot.record import ShotRecord, State


async def ahead(request: Request) -> Response:
    """Return the page of a shot before the person opens it, so that the browser has it ready.

    The shot is not claimed, and messages to the person stay unread. The answer is empty (204) if the shot waits for
    nobody now.

    Raises:
        HTTPException: 404: there is no such shot; 403: the person may not see it; 409: its record can't be read.
    """
    answer = await shown(request, shot_in(request), opens=False)
    return answer if answer.status_code == 200 else Response(status_code=204)


async def arrive(request: Request) -> Response:
    """Return as JSON how a shot stands when a person goes on to it by a key on the keyboard: the fields of `arrival`.

    If the person may decide about the shot, it is claimed for them: other people see that somebody has it open. The
    browser has the shot's page ready, and shows it only if the JSON says that it is not out of date.

    Raises:
        HTTPException: 404: there is no such shot, or its record can't be read; 403: the person may not see it, or the
            request is not from the desk's page.
    """
    await own_fields_of(request)
    record = await to_thread.run_sync(record_of, shot_in(request))
    if record is None:
        raise HTTPException(404, "There is no such shot.")
    if not person_of(request).sees(record.state):
        raise HTTPException(403, "Your roles do not open this shot.")
    return JSONResponse(arrival(request, record, place_of(request, fallback=_queue_of(record.state))))


def arrival(request: Request, record: ShotRecord | None, place: Place) -> dict[str, Any]:
    """Return what a browser needs to show a shot whose page it has ready, as plain JSON.

    If the person may decide about the shot, it is claimed for them: others see that somebody has it open. The fields:

    - ``notices``: what the person can take back, and messages to the person, as HTML; empty if there is nothing.
    - ``lists``: name of a list (`Queue`) -> number of shots that the person can see in it.
    - ``shot`` (CLIENT/BATCH/SHOT) and ``address`` of its page.
    - ``standing``: a text that changes when anything happens to the shot; see `showing.standing_of`.
    - ``claimed``: the person's name if they have the claim, else empty.
    - ``way``: links to the shots beside it, HTML; ``following``: the address of the shot after it.

    If the shot can't be opened (it waits for nobody, somebody has just decided about it, or the person may not see it),
    there are only the first two.

    Args:
        request: the request of the signed-in person.
        record: the shot's record as it is now; None: no other shot is left, or the record can't be read.
        place: the list in which the shot stands.
    """
    desk, person = desk_of(request), person_of(request)
    told: dict[str, Any] = {
        "notices": notices(request, place.query),
        "lists": {queue.value: count for queue, count in counts_of(request).items()},
    }
    if record is None or not _opens(request, record):
        return told
    name = str(record.shot)
    claims = person.decides(record.state) and bool(showing.offers_of(record, person))
    return {
        **told,
        "shot": name,
        "address": f"/shots/{name}{place.query}",
        "standing": showing.standing_of(record),
        "claimed": person.name if claims and desk.claims.take(name, person.name) == person.name else "",
        "way": _way(place, name),
        "following": place.after(name),
    }


def _way(place: Place, name: str) -> str:
    """Return the links to the shots beside one as HTML."""
    before, after, number = place.beside(name)
    return (
        templates()
        .get_template("way.html.j2")
        .render(
            before=before,
            after=after,
            number=number,
            count=len(place.shots),
            queue=place.queue.value,
            query=place.query,
        )
    )


def _opens(request: Request, record: ShotRecord) -> bool:
    waits = record.state in STATES[Queue.OVERDUE] and not desk_of(request).outbox.has(record.shot)
    return waits and person_of(request).sees(record.state)


def _queue_of(state: State) -> Queue | None:
    return next((queue for queue, states in STATES.items() if state in states), None)
