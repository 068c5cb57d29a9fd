"""Answer a browser's requests for the lists of shots that wait for a person to judge or to edit them.

A shot is one photograph. The desk has a list for reviews, sign-offs, editors' jobs, shots on hold and overdue shots.
`Place` finds the shot before and after another one, so that a person works through a list without returning to it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from desk.pages.forms import person_of
from desk.pages.rendering import TITLES, counts_of, desk_of, page
from desk.work.showing import beginning_of
from desk.work.waiting import AGES, STATES, Queue, Waiting, Wanted, in_order, in_queue, queues_of, values_of
from packshot.decision import REASONS, Choice
from packshot.handoff.sla import Urgency
from packshot.naming import ShotId
from packshot.record import State
from tasks.records.bookkeeping import now

ROWS = 100
"""Shots on one page of a list."""


class Place(NamedTuple):
    """A list of waiting shots as one person works through it, from one shot to the next.

    Attributes:
        queue: which list it is, for example that of the reviews.
        wanted: the filters that the person has set for the list.
        shots: the shots in the order of the list. Shots that somebody else has open, or that were just decided, are
            left out.
        query: the part of an address that names this list; begins with ``?``.
    """

    queue: Queue
    wanted: Wanted
    shots: list[Waiting]
    query: str

    def beside(self, name: str) -> tuple[str, str, int]:
        """Return (address of the shot before, address of the shot after, the shot's own number in the list).

        The address of the shot before is empty for the first shot, and the address of the shot after is empty for the
        last. The number counts from 1. If the list does not have the shot, the number is 0, and the first shot of the
        list counts as the shot after.

        Args:
            name: the shot in the middle, CLIENT/BATCH/SHOT.
        """
        names = [one.name for one in self.shots]
        at = names.index(name) if name in names else -1
        before = names[at - 1] if at > 0 else ""
        after = names[at + 1] if at + 1 < len(names) else ""
        return self._address(before), self._address(after), at + 1

    def following(self, name: str) -> ShotId | None:
        """Return the shot that a person sees next: the one after the present shot; after the last one, the first one.

        None if no other shot is left.

        Args:
            name: the present shot, CLIENT/BATCH/SHOT. If it is not in the list, the first shot follows.
        """
        names = [one.name for one in self.shots]
        at = names.index(name) if name in names else -1
        others = [one for one in (*self.shots[at + 1 :], *self.shots[: max(at, 0)]) if one.name != name]
        return others[0].shot if others else None

    def after(self, name: str) -> str:
        """Return the address of the shot that a person sees next; empty if no other shot is left.

        It is the one after the present shot in the list; after the last one, the first one.

        Example: ``/shots/acme/spring/BTL201_MAIN?queue=review``.

        Args:
            name: the present shot, CLIENT/BATCH/SHOT.
        """
        return self._address(str(self.following(name) or ""))

    def without(self, name: str) -> Place:
        """Return the list without one shot.

        Args:
            name: the shot to leave out, CLIENT/BATCH/SHOT.
        """
        return self._replace(shots=[one for one in self.shots if one.name != name])

    def _address(self, name: str) -> str:
        return f"/shots/{name}{self.query}" if name else ""


def place_of(request: Request, *, fallback: Queue | None = None) -> Place:
    """Return the list of waiting shots that a request's address names by ``queue`` and filters.

    If the address names no list, or one that the person may not see, it is `fallback`, or else the person's first list.

    Args:
        request: the request of the signed-in person.
        fallback: a list; it counts only if the person may see it.
    """
    given = request.query_params
    queues = queues_of(person_of(request))
    named = given.get("queue", "")
    queue = Queue(named) if named in queues else fallback if fallback in queues else queues[0]
    return place(request, queue, wanted_in(given))


def wanted_in(given: Mapping[str, str]) -> Wanted:
    """Return the filters of a list of waiting shots that an address names.

    An age other than ``4``, ``24``, ``72`` and ``168`` (hours) filters nothing.

    Args:
        given: name in the address's query -> value; names that are no filters are ignored.
    """
    wanted = Wanted(**{one.name: given.get(one.name, "") for one in dataclasses.fields(Wanted)})
    return wanted if wanted.age in AGES else dataclasses.replace(wanted, age="")


def place(request: Request, queue: Queue, wanted: Wanted) -> Place:
    """Return a list of waiting shots as it is now for the person of a request, the most urgent shot first.

    Shots that somebody else has open or that were just decided are left out.

    Args:
        request: the request of the signed-in person.
        queue: which list.
        wanted: its filters.
    """
    desk, person = desk_of(request), person_of(request)
    claims, at = desk.claims.all(), now()
    shots = [
        one
        for one in in_queue(desk.waiting.all(), queue, person=person, at=at)
        if not desk.outbox.has(one.name)
        and claims.get(one.name, person.name) == person.name
        and wanted.takes(one, at=at, opened_by=claims.get(one.name, ""))
    ]
    return Place(queue, wanted, in_order(shots), f"?{urlencode({'queue': queue.value, **_set(wanted)})}")


async def first(request: Request) -> Response:
    """Return a redirect from the desk's first address to the first list of waiting shots that the person may see."""
    return RedirectResponse(f"/queues/{queues_of(person_of(request))[0].value}", status_code=303)


async def queue_page(request: Request) -> Response:
    """Return one page of a list of waiting shots, with 100 of them, the most urgent first.

    The address names the list (`Queue`). The query has the filters (`Wanted`) and ``page``, which counts from 1.

    Raises:
        HTTPException: 404: there is no such list; 403: the person may not see it.
    """
    desk, person, at = desk_of(request), person_of(request), now()
    named = request.path_params["queue"]
    if named not in list(Queue):
        raise HTTPException(404, "There is no such list.")
    queue = Queue(named)
    if queue not in queues_of(person):
        raise HTTPException(403, "Your roles do not open this list.")
    claims, wanted = desk.claims.all(), wanted_in(request.query_params)
    waiting = [
        one for one in in_queue(desk.waiting.all(), queue, person=person, at=at) if not desk.outbox.has(one.name)
    ]
    shots = in_order(one for one in waiting if wanted.takes(one, at=at, opened_by=claims.get(one.name, "")))
    number = page_number(request.query_params.get("page", ""), most=max(1, -(-len(shots) // ROWS)))
    query = urlencode({"queue": queue.value, **_set(wanted)})
    others = {name: who for name, who in claims.items() if who != person.name}
    told = State.IN_REVIEW not in STATES[queue]
    return page(
        request,
        "queue",
        queue=queue.value,
        title=TITLES[queue],
        rows=[
            {
                **_row(one, at=at, holder=others.get(one.name, ""), told=told),
                "seen": bool(desk.seen.picture(person.name, one.name)) and not one.blind,
            }
            for one in shots[(number - 1) * ROWS :][:ROWS]
        ],
        together=REASONS[Choice.APPROVE]
        if wanted.finding and queue is Queue.REVIEW and person.decides(State.IN_REVIEW)
        else (),
        says_worst=told,
        found=len(shots),
        number=number,
        pages=max(1, -(-len(shots) // ROWS)),
        query=query,
        filters=urlencode(_set(wanted)),
        wanted=dataclasses.asdict(wanted),
        values={
            **(values := values_of(waiting)),
            "person": sorted({*values["person"], *(claims[one.name] for one in waiting if one.name in claims)}),
            "age": list(AGES),
        },
        ages=AGES,
        first=next(
            (f"/shots/{one.name}?{query}" for one in shots if claims.get(one.name, "") in ("", person.name)), ""
        ),
        complete=desk.waiting.refreshed_at is not None,
    )


async def counts(request: Request) -> Response:
    """Return the number of waiting shots as JSON, for an open page that keeps its numbers fresh.

    ``lists`` is name of a list -> number of shots that the person can see in it. ``stale`` is a sentence if these
    numbers are old, else empty.
    """
    lists = {queue.value: count for queue, count in counts_of(request).items()}
    return JSONResponse({"lists": lists, "stale": desk_of(request).stale_at(now())})


def _row(one: Waiting, *, at: datetime, holder: str, told: bool) -> dict[str, object]:
    """Return a row of a list.

    Args:
        told: whether the list says what to look at first. An unfiltered list of reviews doesn't: the shots about which
            it could say nothing would be the blind ones.
    """
    urgency = one.urgency_at(at)
    return {
        "name": one.name,
        "shot": one.shot,
        "due": f"{one.wait.due:%Y-%m-%d %H:%M}",
        "urgency": "" if urgency is Urgency.IN_TIME else urgency.value,
        "todo": beginning_of(one.todo),
        "worst": beginning_of(one.worst) if told else "",
        "stops": told and one.stops,
        "category": one.category.replace("_", " "),
        "product": one.product,
        "state": one.wait.state.value.replace("_", " "),
        "with_whom": one.wait.with_whom,
        "holder": holder,
    }


def _set(wanted: Wanted) -> dict[str, str]:
    return {name: value for name, value in dataclasses.asdict(wanted).items() if value}


def page_number(text: str, *, most: int) -> int:
    """Return the page number that an address asks for, limited to 1 and the last page.

    It is 1 if the text is no number.

    Args:
        text: the number in the address.
        most: number of the last page.
    """
    return min(most, max(1, int(text))) if text.isascii() and text.isdigit() and len(text) < 6 else 1
