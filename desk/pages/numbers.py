"""Show the pages with production numbers: the numbers of a day, shots that wait, and the shots behind each number."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import httpx
from anyio import to_thread
from prefect.exceptions import PrefectException
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from desk.pages.forms import person_of
from desk.pages.queues import ROWS, page_number
from desk.pages.rendering import TITLES, desk_of, page
from desk.work.waiting import Queue, Waiting, in_queue, queues_of
from packshot.errors import PackshotError
from packshot.handoff.sla import Urgency
from packshot.naming import ShotId
from packshot.outcomes.daily_lists import Number, value_of
from packshot.outcomes.daily_text import headline
from packshot.outcomes.daily_values import DayFigures
from tasks.records.bookkeeping import now
from tasks.reports.daily_lists import counted_dates, figures_on, lists_on
from tasks.reports.return_rate import Told, told_changes
from tasks.runs.addresses import night_runs, page_of_run

MOST_DATES = 30
SAID: Mapping[Number, str] = {
    Number.RECEIVED: "Came in",
    Number.DELIVERED: "Delivered",
    Number.READY: "Approved, not delivered yet",
    Number.WAITING: "Wait for people",
    Number.REFUSED: "Refused",
    Number.FAILED: "Failed",
    Number.MACHINE: "Went to the machine",
    Number.PEOPLE: "Went to people",
    Number.HANDED_OVER: "Handed over on the day",
    Number.JUDGED: "Editors' work, judged for the first time",
    Number.APPROVED_AT_ONCE: "Editors' work, approved at the first look",
    Number.AUDITED: "Audited",
    Number.ESCAPED: "Audited and refused",
}
FATES = (Number.RECEIVED, Number.DELIVERED, Number.READY, Number.WAITING, Number.REFUSED, Number.FAILED)
WORK = (Number.MACHINE, Number.PEOPLE, Number.HANDED_OVER)


class _Night(NamedTuple):
    """What is read from storage for the page."""

    dates: list[dt.date]
    figures: DayFigures | None
    shots: Mapping[Number, tuple[ShotId, ...]] | None
    changes: list[Told]


async def numbers_page(request: Request) -> Response:
    """Return the page with the production numbers of a day.

    The query ``date``, such as ``2026-03-01``, names the day; without it, it is the last day that was counted. If the
    day was not counted, the page has no numbers.

    Raises:
        HTTPException: 403: the person may not see production numbers.
    """
    _require_reader(request)
    chosen = _date(request.query_params.get("date", ""))
    night = await to_thread.run_sync(_read, chosen)
    figures = night.figures
    dates = night.dates
    at = dates.index(figures.day.date) if figures and figures.day.date in dates else -1
    return page(
        request,
        "numbers",
        figures=figures,
        date=figures.day.date.isoformat() if figures else "",
        dates=[one.isoformat() for one in dates[:MOST_DATES]],
        earlier=dates[at + 1].isoformat() if figures and at + 1 < len(dates) else "",
        later=dates[at - 1].isoformat() if figures and at > 0 else "",
        headline=headline(figures) if figures else "",
        fates=_tiles(figures, FATES),
        work=_tiles(figures, WORK),
        judged=_tile(figures, Number.JUDGED),
        approved=_tile(figures, Number.APPROVED_AT_ONCE),
        audited=_tile(figures, Number.AUDITED),
        escaped=_tile(figures, Number.ESCAPED),
        kept=night.shots is not None,
        batches=_batches(night.shots),
        clients=figures.clients if figures else (),
        changes=night.changes,
        lists=_lists_now(request),
    )


async def night_run(request: Request) -> Response:
    """Return a redirect to Prefect's page of the last nightly run that began on a day: ``/numbers/2026-03-01/run``.

    Raises:
        HTTPException: 403: the person may not see production numbers; 404: no such run is known; 503: Prefect can't be
            reached.
    """
    _require_reader(request)
    date = _date(request.path_params["date"])
    if date is None:
        raise HTTPException(404, "There is no such day.")
    try:
        address = await to_thread.run_sync(_run, date)
    except (httpx.HTTPError, OSError, PrefectException) as error:
        raise HTTPException(503, f"Prefect cannot be reached now ({type(error).__name__}).") from None
    if not address:
        raise HTTPException(404, f"Prefect knows no nightly run that began on {date}. It keeps runs for a while only.")
    return RedirectResponse(address, status_code=303)


async def list_page(request: Request) -> Response:
    """Return one page of the list of shots behind a number of a day, for example the shots that were refused.

    The address is ``/numbers/<day>/<figure>``, such as ``/numbers/2026-03-01/refused``. The query ``page`` counts from
    1.

    Raises:
        HTTPException: 403: the person may not see production numbers; 404: there is no such number, or its shots were
            not kept.
    """
    _require_reader(request)
    desk, at = desk_of(request), now()
    date = _date(request.path_params["date"])
    named = request.path_params["number"]
    if date is None or named not in list(Number):
        raise HTTPException(404, "There is no such list.")
    shots = await to_thread.run_sync(lists_on, date)
    if shots is None:
        raise HTTPException(404, f"Which shots are behind the numbers of {date} was not kept. Count the day again.")
    found = shots.get(Number(named), ())
    pages = max(1, -(-len(found) // ROWS))
    number = page_number(request.query_params.get("page", ""), most=pages)
    some = found[(number - 1) * ROWS :][:ROWS]
    return page(
        request,
        "numbers_list",
        date=date.isoformat(),
        title=SAID[Number(named)],
        named=named,
        found=len(found),
        rows=[_row(one, desk.waiting.find(one), at=at) for one in some],
        number=number,
        pages=pages,
    )


def _require_reader(request: Request) -> None:
    if not person_of(request).reads_numbers:
        raise HTTPException(403, "Your roles do not open this page.")


def _date(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def _read(chosen: dt.date | None) -> _Night:
    dates = counted_dates()
    date = chosen or (dates[0] if dates else None)
    figures = figures_on(date) if date else None
    shots = lists_on(date) if date and figures else None
    return _Night(dates, figures, shots, _changes())


def _changes() -> list[Told]:
    try:
        return told_changes()
    except PackshotError as error:
        return [Told(client="", sentence=str(error), failed=True)]


def _run(date: dt.date) -> str:
    figures = figures_on(date)
    pages = list(night_runs(figures.day.begins, figures.day.ends)) if figures else []
    return pages[-1] if pages else ""


def _tile(figures: DayFigures | None, number: Number) -> dict[str, Any]:
    return {"name": number.value, "said": SAID[number], "value": value_of(figures, number) if figures else 0}


def _tiles(figures: DayFigures | None, numbers: Iterable[Number]) -> list[dict[str, Any]]:
    return [_tile(figures, number) for number in numbers]


def _batches(shots: Mapping[Number, tuple[ShotId, ...]] | None) -> list[tuple[str, int]]:
    """Return the batches that came in, with how many photographs each has."""
    return sorted(Counter(str(one.in_batch) for one in (shots or {}).get(Number.RECEIVED, ())).items())


def _lists_now(request: Request) -> list[dict[str, Any]]:
    """Return each list of waiting shots as it is now: how many wait, are soon due, and overdue."""
    desk, person, at = desk_of(request), person_of(request), now()
    waiting = [one for one in desk.waiting.all() if not desk.outbox.has(one.name)]
    found = []
    for queue in queues_of(person):
        if queue is Queue.OVERDUE:
            continue
        urgencies = Counter(one.urgency_at(at) for one in in_queue(waiting, queue, person=person, at=at))
        found.append(
            {
                "name": queue.value,
                "said": TITLES[queue],
                "waiting": urgencies.total(),
                "soon": urgencies[Urgency.SOON_DUE],
                "overdue": urgencies[Urgency.OVERDUE],
            }
        )
    return found


def _row(shot: ShotId, waits: Waiting | None, *, at: dt.datetime) -> dict[str, Any]:
    urgency = waits.urgency_at(at) if waits else Urgency.IN_TIME
    return {
        "shot": shot,
        "waits": waits is not None,
        "with_whom": waits.wait.with_whom if waits else "",
        "product": waits.product if waits else "",
        "due": f"{waits.wait.due:%Y-%m-%d %H:%M}" if waits else "",
        "urgency": "" if urgency is Urgency.IN_TIME else urgency.value,
        "run": page_of_run(waits.run) if waits else "",
    }
