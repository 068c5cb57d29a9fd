"""Count a day's events from the shots' records, and publish them as numbers, an HTML page and an artifact.

    reports/daily/<date>.json          the day's figures; the trend of later days is made from them
    reports/daily/<date>.html          the page
    reports/daily/<date>.shots.json    the shots behind the day's numbers

The index (a database table of all shots) gives the shots that may have changed since the last counted day: those with a
later event, and those that are not finished. No shot's record is read. The records of batches with unfinished shots are
read, because such a batch may be cancelled.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from prefect import task

from packshot.batch import Cancellation
from packshot.errors import RecordDamagedError, TerminalError
from packshot.handoff.deciding import since_restart
from packshot.keys import daily_figures_key, daily_page_key, daily_prefix, date_from_daily_figures_key
from packshot.learning.audits import Audit, audit_of, report_on
from packshot.naming import BatchId
from packshot.outcomes.daily import DailyReport, figures_of, report_of
from packshot.outcomes.daily_page import daily_page
from packshot.outcomes.daily_record import brief, is_open
from packshot.outcomes.daily_text import headline
from packshot.outcomes.daily_values import AuditCount, Day, DayFigures, Escapes, day_of, last_date
from packshot.record import ShotRecord
from packshot.specs.models import RoutingConfig
from tasks.environment.configs import configs_in_force
from tasks.environment.settings import get_settings
from tasks.queries.asking import received_since, records_since, repair
from tasks.records.bookkeeping import ALWAYS, now
from tasks.records.stored import find_batch
from tasks.reports.daily_artifact import daily_markdown
from tasks.reports.daily_lists import keep_lists
from tasks.storage.bucket import Storage, open_storage
from tasks.storage.links import LONGEST_LINK_S, link_to
from tasks.telling.artifacts import page_artifact

ARTIFACT = "daily-report"
_JSON = "application/json"


class _Read(NamedTuple):
    """The records that days are counted from, with the batches' times of arrival and the answered audits.

    Attributes:
        cancellations: of the batches in which a shot is open.
    """

    records: list[ShotRecord]
    received: Mapping[BatchId, dt.datetime]
    cancellations: Mapping[BatchId, Sequence[Cancellation]]
    audits: list[Audit]


@task(name="report the day", task_run_name="report the day", **ALWAYS)
def report_day(*, date: str, days: int) -> str:
    """Count what was produced on a day and publish the report; return the day's main numbers in one sentence.

    The sentence begins with the date. A day begins at the hour `begins_hour` in ``daily.yaml``, in the time zone of the
    nightly run. The report is a page in storage, and a page in Prefect's UI. Earlier days without numbers are counted
    too, as far back as the trend goes and as audits count (`window_days` in ``routing.yaml``).

    Args:
        date: for example 2026-03-01; empty means the last day that is over.
        days: length of the report's trend in days, the reported day included.
    Raises:
        TerminalError: the date is not valid, or the day is not over yet.
    """
    storage, zone = open_storage(), ZoneInfo(get_settings().nightly_timezone)
    configs = configs_in_force()
    hour = configs.daily.begins_hour
    over = last_date(now(), zone=zone, begins_hour=hour)
    last = _chosen(date, over=over) if date else over
    length = max(days, configs.routing.audit.window_days)
    wanted = [day_of(last - dt.timedelta(days=back), zone=zone, begins_hour=hour) for back in reversed(range(length))]
    known = _counted(storage, wanted, routing=configs.routing)
    report = report_of(known, last=last, length=days, config=configs.daily, zone=str(zone))
    return _shown(storage, report)


def _chosen(date: str, *, over: dt.date) -> dt.date:
    """Return the date that was asked for. A day that is not over is refused: its numbers would stay incomplete."""
    try:
        chosen = dt.date.fromisoformat(date)
    except ValueError as error:
        raise TerminalError("there is no such day", date, allowed="a date such as 2026-03-01") from error
    if chosen > over:
        raise TerminalError("this day is not over yet", date, allowed=f"up to {over}")
    return chosen


def _shown(storage: Storage, report: DailyReport) -> str:
    key = daily_page_key(report.figures.day.date)
    storage.put(key, daily_page(report), content_type="text/html; charset=utf-8")
    link = link_to(key, expires_s=LONGEST_LINK_S)
    sentence = f"{report.figures.day.date}: {headline(report.figures)}"
    page_artifact(daily_markdown(report, link=link, key=key), key=ARTIFACT, description=sentence)
    return sentence


def _counted(storage: Storage, wanted: Sequence[Day], *, routing: RoutingConfig) -> list[DayFigures]:
    """Return the numbers of all these days. The last day and those without stored numbers are counted and stored."""
    stored = {date for one in storage.list(daily_prefix()) if (date := date_from_daily_figures_key(one.key))}
    missing = [day for day in wanted if day.date not in stored or day is wanted[-1]]
    known = [_load(storage, day.date) for day in wanted if day not in missing]
    before = max((date for date in stored if date < missing[0].date), default=None)
    read = _read(before=_load(storage, before).day if before else None)
    for day in missing:
        shots = [one for one in read.records if _concerns(one, day)]
        cancelled = {
            batch for batch, known in read.cancellations.items() if any(_is_in_force(one, day) for one in known)
        }
        audits = _audits_of(read.audits, day)
        figures = figures_of(shots, day, received=read.received, cancelled=cancelled, audits=audits)
        figures = figures.model_copy(update={"escapes": _escapes([*known, figures], day, routing=routing)})
        keep_lists(storage, shots, day, received=read.received, cancelled=cancelled)
        told = figures.model_dump_json(indent=1).encode()
        storage.put(daily_figures_key(day.date), told, content_type=_JSON)
        known.append(figures)
    return known


def _load(storage: Storage, date: dt.date) -> DayFigures:
    return DayFigures.model_validate_json(storage.get(daily_figures_key(date)))


def _read(*, before: Day | None) -> _Read:
    """Return what changed after a day that has numbers.

    Args:
        before: that day; None means all there is.
    """
    since = before.ends if before else dt.datetime(1, 1, 2, tzinfo=dt.UTC)
    repair()
    found = records_since(since)
    audits = filter(None, (audit_of(one, since_restart(one)) for one in found))
    cancellations = {batch: _cancellations_of(batch) for batch in {one.shot.in_batch for one in found if is_open(one)}}
    return _Read(list(map(brief, found)), received_since(since), cancellations, list(audits))


def _cancellations_of(batch: BatchId) -> Sequence[Cancellation]:
    try:
        record = find_batch(batch)
    except RecordDamagedError:
        return ()  # the batch's own run reports it
    return record.cancellations if record is not None else ()


def _is_in_force(one: Cancellation, day: Day) -> bool:
    """Return whether a batch was cancelled, and not taken up again, when a day ended."""
    return one.at < day.ends and (one.taken_up_at is None or one.taken_up_at >= day.ends)


def _concerns(record: ShotRecord, day: Day) -> bool:
    """Return whether something happened to a shot on a day, or the shot may have been open when the day ended."""
    if not record.events:
        return True
    return record.events[0].at < day.ends and (record.events[-1].at >= day.begins or is_open(record))


def _audits_of(audits: Sequence[Audit], day: Day) -> tuple[AuditCount, ...]:
    """Return the audits that were answered on a day, by client and category."""
    answered = [one for one in audits if day.holds(one.at)]
    audited = Counter((one.client, one.category) for one in answered)
    refused = Counter((one.client, one.category) for one in answered if one.refused)
    return tuple(
        AuditCount(client=client, category=category, audited=shots, refused=refused[client, category])
        for (client, category), shots in sorted(audited.items())
    )


def _escapes(days: Sequence[DayFigures], day: Day, *, routing: RoutingConfig) -> Escapes | None:
    """Return the escape rate of the window that ends with a day, with the same confidence bound as the promise; None
    without audits.
    """
    window = routing.audit.window_days
    known = [one for one in days if day.date - dt.timedelta(days=window) < one.day.date <= day.date]
    report = report_on(
        (one for figures in known for one in _answered(figures)),
        promise=routing.approve,
        window_days=window,
        at=day.ends,
    )
    rate = report.overall
    if not rate.audited:
        return None
    return Escapes(
        promise_ratio=report.promise.ratio,
        confidence=report.promise.confidence,
        window_days=window,
        reported_days=len(known),
        audited=rate.audited,
        refused=rate.refused,
        low=rate.low,
        high=rate.high,
        standing=report.standing.value,
    )


def _answered(figures: DayFigures) -> Iterator[Audit]:
    """Yield a day's audits one by one. Their exact times are not stored, so each gets the middle of the day."""
    at = figures.day.begins + (figures.day.ends - figures.day.begins) / 2
    for one in figures.audits:
        for number in range(one.audited):
            yield Audit(client=one.client, category=one.category, at=at, refused=number < one.refused)
