"""Calculate the numbers of one day from the shots' records, for the daily report.

Begin and end of the day, and the counts of its audits, are arguments.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from packshot.naming import BatchId
from packshot.outcomes.daily_counts import (
    causes_of,
    failures_of,
    fates_by_client,
    fates_of,
    first_time_of,
    held_of,
    left_out_by_platform,
    routes_of,
    sent_back_of,
    verdicts_of,
    waiting_of,
)
from packshot.outcomes.daily_record import as_of, is_given_up
from packshot.outcomes.daily_values import AuditCount, Day, DayFigures
from packshot.outcomes.daily_work import by_hour, handwork_of, machine_shots_of, stages_of
from packshot.record import ShotRecord, State
from packshot.specs.daily import DailyConfig
from packshot.types import Value


class DailyReport(Value):
    """The report on one day of work, with the numbers of the days before for its charts. `report_of` makes it.

    Attributes:
        figures: the numbers of the day itself.
        trend: the numbers of each day, oldest first, the day itself last. None for a day without numbers.
        config: when a day begins, and what an hour of work costs.
        zone: name of the time zone in which times are shown.
    """

    figures: DayFigures
    trend: tuple[DayFigures | None, ...]
    config: DailyConfig
    zone: str

    @property
    def dates(self) -> tuple[date, ...]:
        """The dates of all days of the trend, oldest first."""
        last = self.figures.day.date
        return tuple(last - timedelta(days=back) for back in reversed(range(len(self.trend))))


def figures_of(
    records: Iterable[ShotRecord],
    day: Day,
    *,
    received: Mapping[BatchId, datetime],
    cancelled: Collection[BatchId] = (),
    audits: Sequence[AuditCount] = (),
) -> DayFigures:
    """Return the numbers of a day: what came in, what became of it, how long work took, and what waits.

    Args:
        records: all shots that may have changed on the day or were open at its end, as
            `packshot.outcomes.daily_record.brief` returns them. Later events are ignored.
        day: the working day.
        received: batch -> when it was received.
        cancelled: batches that were cancelled by the end of the day. Their open shots count neither as received nor as
            waiting. Work that was done on them counts.
        audits: one count per client and category: the audits that were answered on the day. In an audit a person looks
            at an edit that the machine would approve unseen.
    """
    shots = [as_of(one, day.ends) for one in records]
    alive = [one for one in shots if not is_given_up(one, cancelled)]
    came_in = [one for one in alive if one.shot.in_batch in received and day.holds(received[one.shot.in_batch])]
    delivered = by_hour(shots, day, reached=State.DELIVERED)
    return DayFigures(
        day=day,
        fates=fates_of(came_in, name="all"),
        clients=fates_by_client(came_in),
        delivered=sum(delivered),
        mastered_by_hour=by_hour(shots, day, reached=State.MASTERED),
        delivered_by_hour=delivered,
        stages=stages_of(shots, day),
        machine_shots=machine_shots_of(shots, day),
        routes=routes_of(shots, day),
        held=held_of(shots, day),
        verdicts=verdicts_of(shots, day),
        first_time=first_time_of(shots, day),
        causes=causes_of(shots, day),
        failures=failures_of(shots, day),
        left_out=left_out_by_platform(shots, day),
        waiting=waiting_of(alive, day),
        handwork=handwork_of(shots, day),
        audits=tuple(audits),
        sent_back=sent_back_of(shots, day),
    )


def report_of(days: Iterable[DayFigures], *, last: date, length: int, config: DailyConfig, zone: str) -> DailyReport:
    """Return the report on a day, with a trend of `length` days up to it.

    Args:
        days: numbers of days, in any order. The day `last` must be among them. Days that are missing are None in the
            trend.
        last: date of the day that is reported.
        length: number of days in the trend, the last one included.
        config: when a day begins, and what an hour of work costs.
        zone: name of the time zone in which times are shown.
    Raises:
        KeyError: there are no numbers of the day `last`.
    """
    known = {one.day.date: one for one in days}
    dates = [last - timedelta(days=back) for back in reversed(range(length))]
    return DailyReport(figures=known[last], trend=tuple(known.get(one) for one in dates), config=config, zone=zone)
