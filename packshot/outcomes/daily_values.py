"""What a day of the line came to: small values that add up, go to JSON, and come back for the trend."""

from __future__ import annotations

import datetime as dt
import math

from packshot.outcomes.first_time import Rate
from packshot.record import State
from packshot.types import Value, Verdict

SCHEMA = "packshot-day/1"
AGES_H = (4.0, 24.0, 72.0, 168.0)
"""Limits of the ages of what waits, in hours: below the first, between two, from the last on."""


class Day(Value):
    """A day of the line.

    Attributes:
        date: the day it begins on.
        begins, ends: UTC, half-open.
    """

    date: dt.date
    begins: dt.datetime
    ends: dt.datetime

    @property
    def hours(self) -> int:
        """How many hours it has: 24, but for the two days a year that have one more or less."""
        return math.ceil((self.ends - self.begins) / dt.timedelta(hours=1))

    def holds(self, at: dt.datetime) -> bool:
        """Return whether something happened on this day."""
        return self.begins <= at < self.ends


def day_of(date: dt.date, *, zone: dt.tzinfo, begins_hour: int) -> Day:
    """Return the day of the line that begins on a date, at an hour of a time zone."""
    begins, ends = (
        dt.datetime.combine(one, dt.time(begins_hour), tzinfo=zone).astimezone(dt.UTC)
        for one in (date, date + dt.timedelta(days=1))
    )
    return Day(date=date, begins=begins, ends=ends)


def last_date(at: dt.datetime, *, zone: dt.tzinfo, begins_hour: int) -> dt.date:
    """Return the date of the last day that is over."""
    return (at.astimezone(zone) - dt.timedelta(hours=begins_hour)).date() - dt.timedelta(days=1)


class Fates(Value):
    """What had become of the photographs that came in on a day when it ended; of one client, or of all.

    Attributes:
        failed: stopped by an error, or on their way while no state says that anybody has them.
        stopped: those of the failed that no error stopped: interrupted, or still at work when the day ended.
    """

    name: str
    delivered: int = 0
    waiting: int = 0
    refused: int = 0
    failed: int = 0
    stopped: int = 0

    @property
    def received(self) -> int:
        """All that came in."""
        return self.delivered + self.waiting + self.refused + self.failed


class RouteCount(Value):
    """How many shots went one way for one reason.

    Attributes:
        reason: without its figures, so that it can be counted.
    """

    complexity: str
    reason: str
    shots: int

    @property
    def automated(self) -> bool:
        return self.complexity == "simple"


class VerdictCount(Value):
    """One verdict on the machine's edits.

    Attributes:
        looked_at: shots of this verdict that a reviewer judged on the day: audits, where it is an approval.
        refused: those of them that the reviewer did not take as they were.
    """

    verdict: Verdict
    edits: int
    looked_at: int
    refused: int


class Cause(Value):
    """How often something was sent back, done again or refused for one reason.

    Attributes:
        what: who did what, in words.
        by_people: whether a person said so, and not the line.
        reason: a reason code of the decision, or the code of a finding or error.
    """

    what: str
    by_people: bool
    reason: str
    shots: int


class LeftOutCount(Value):
    """How many shots a platform got nothing of, or not all.

    Attributes:
        named: shot and reason, the first few.
    """

    platform: str
    shots: int
    named: tuple[str, ...]


class AuditCount(Value):
    """Audits that were answered on a day."""

    client: str
    category: str
    audited: int
    refused: int


class Escapes(Value):
    """How often the machine's approval was wrong, by the audits of a window that ends with the day.

    Attributes:
        low, high: two-sided exact interval.
        reported_days: days of the window whose audits are known.
        standing: of the promise, in words.
    """

    promise_ratio: float
    confidence: float
    window_days: int
    reported_days: int
    audited: int
    refused: int
    low: float
    high: float
    standing: str

    @property
    def ratio(self) -> float:
        return self.refused / self.audited if self.audited else 0.0


class WaitCount(Value):
    """What waited for one role when the day ended, and what it answered on the day.

    Attributes:
        by_age: number of shots by the ages of `AGES_H`, the youngest first.
        answered_after_h: median of how long the answered ones had waited; None where none was.
    """

    state: State
    by_age: tuple[int, ...]
    oldest_h: float | None
    answered: int
    answered_after_h: float | None

    @property
    def shots(self) -> int:
        return sum(self.by_age)


class StageTime(Value):
    """Machine time of one stage on a day.

    Attributes:
        shots: those whose time was measured.
        seconds: of them together: wall-clock seconds of one worker at one shot, waiting for storage included.
        unmeasured: how often it was done without a time.
    """

    stage: str
    shots: int
    seconds: float
    unmeasured: int


class Handwork(Value):
    """Time of editors on a day, as far as it is known.

    Attributes:
        returned: finished pictures that came back.
        measured: those whose job somebody had taken.
        minutes: of them together, from taking to returning: an upper figure, because whoever takes a job may pause.
        median_minutes: of one; None where none was measured.
    """

    returned: int
    measured: int
    minutes: float
    median_minutes: float | None


class DayFigures(Value):
    """All figures of a day.

    Attributes:
        fates: of all that came in; `clients` the same by client.
        delivered: on this day, whenever they came in.
        mastered_by_hour, delivered_by_hour: from the day's beginning on.
        machine_shots: shots that any stage's time was measured of.
        held: shots that had to wait for something of the client's.
        first_time: of editors whose work was judged on the day, by name.
        failures: of shots that failed on the day and were still failed when it ended, the first few.
        left_out: platforms that got nothing of a shot that was exported on the day, by platform, most often first.
        escapes: None where nothing was audited within its window.
    """

    schema_name: str = SCHEMA
    day: Day
    fates: Fates
    clients: tuple[Fates, ...]
    delivered: int
    mastered_by_hour: tuple[int, ...]
    delivered_by_hour: tuple[int, ...]
    stages: tuple[StageTime, ...]
    machine_shots: int
    routes: tuple[RouteCount, ...]
    held: int
    verdicts: tuple[VerdictCount, ...]
    first_time: tuple[Rate, ...]
    causes: tuple[Cause, ...]
    failures: tuple[str, ...]
    left_out: tuple[LeftOutCount, ...] = ()
    waiting: tuple[WaitCount, ...]
    handwork: Handwork
    audits: tuple[AuditCount, ...] = ()
    escapes: Escapes | None = None

    @property
    def machine_seconds(self) -> float:
        return sum(one.seconds for one in self.stages)

    @property
    def seconds_per_image(self) -> float | None:
        """Machine seconds per shot that was worked on; None where nothing was measured."""
        return self.machine_seconds / self.machine_shots if self.machine_shots else None

    @property
    def minutes_per_image(self) -> float | None:
        """Editors' minutes per measured finished picture, at most; None where nothing was measured."""
        return self.handwork.minutes / self.handwork.measured if self.handwork.measured else None

    @property
    def judged(self) -> int:
        """Shots whose handwork a second person judged for the first time."""
        return sum(one.shots for one in self.first_time)

    @property
    def first_time_ratio(self) -> float | None:
        """Share of them approved at that first look; None where nothing was judged."""
        return sum(one.approved for one in self.first_time) / self.judged if self.judged else None

    @property
    def edits(self) -> int:
        """Edits by the machine."""
        return sum(one.edits for one in self.verdicts)

    @property
    def approved_ratio(self) -> float | None:
        """Share of the machine's edits with the verdict to approve them unseen; None without edits."""
        approved = sum(one.edits for one in self.verdicts if one.verdict is Verdict.AUTO_APPROVE)
        return approved / self.edits if self.edits else None

    @property
    def automated_ratio(self) -> float | None:
        """Share of the routed shots that went to the machine; None where none was routed."""
        routed = sum(one.shots for one in self.routes)
        return sum(one.shots for one in self.routes if one.automated) / routed if routed else None

    @property
    def waits(self) -> int:
        """Shots that waited for people when the day ended."""
        return sum(one.shots for one in self.waiting)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was done: nothing came in, went out, was edited, answered, sent back or failed."""
        answered = sum(one.answered for one in self.waiting)
        done = (self.fates.received, self.delivered, self.edits, answered, self.machine_shots, *self.mastered_by_hour)
        return not any((*done, len(self.routes), len(self.causes), len(self.failures)))
