"""Define the numbers of a day as small values that are written as JSON and read back for the trend."""

from __future__ import annotations

import datetime as dt
import math

from packshot.outcomes.first_time import Rate
from packshot.record import State
from packshot.types import Value, Verdict

SCHEMA = "packshot-day/1"
AGES_H = (4.0, 24.0, 72.0, 168.0)
"""Limits between age groups of waiting shots, in hours. Four limits give five groups."""


class Day(Value):
    """A working day of the studio. The day may start at an hour other than midnight.

    Attributes:
        date: date on which it starts.
        begins, ends: UTC. The end itself is not part of the day.
    """

    date: dt.date
    begins: dt.datetime
    ends: dt.datetime

    @property
    def hours(self) -> int:
        """Number of hours in the day: 24, except on the two days of clock changes."""
        return math.ceil((self.ends - self.begins) / dt.timedelta(hours=1))

    def holds(self, at: dt.datetime) -> bool:
        """Return True if a time is within this day. The day's end belongs to the next day.

        Args:
            at: a time with a time zone.
        """
        return self.begins <= at < self.ends


def day_of(date: dt.date, *, zone: dt.tzinfo, begins_hour: int) -> Day:
    """Return the working day that starts on a date, with its begin and its end in UTC.

    Example: with `begins_hour` 6, the day 2026-03-01 lasts from 06:00 on that date to 06:00 on the next date.

    Args:
        date: the date on which the day starts.
        zone: time zone of the day.
        begins_hour: hour at which the day starts, in that zone.
    """
    begins, ends = (
        dt.datetime.combine(one, dt.time(begins_hour), tzinfo=zone).astimezone(dt.UTC)
        for one in (date, date + dt.timedelta(days=1))
    )
    return Day(date=date, begins=begins, ends=ends)


def last_date(at: dt.datetime, *, zone: dt.tzinfo, begins_hour: int) -> dt.date:
    """Return the date of the last working day that is over at a given time.

    Args:
        at: the present time.
        zone: time zone of the day.
        begins_hour: hour at which a day starts, in that zone.
    """
    return (at.astimezone(zone) - dt.timedelta(hours=begins_hour)).date() - dt.timedelta(days=1)


class Fates(Value):
    """What became, by the end of a day, of the photographs that were received on that day. For one client or for all.

    Attributes:
        name: the client's name, or ``all``.
        delivered: number of photographs that have been delivered.
        waiting: number of photographs on which people have to act.
        ready: number of photographs that are approved and not yet delivered: they wait for the rest of their product,
            or for the next delivery.
        refused: number of photographs that cannot be used, or that a person rejected.
        failed: number of photographs whose work was stopped by an error, or is left unfinished with no run at work.
        stopped: how many of `failed` have no error: interrupted, or still in progress at the end of the day.
    """

    name: str
    delivered: int = 0
    waiting: int = 0
    ready: int = 0
    refused: int = 0
    failed: int = 0
    stopped: int = 0

    @property
    def received(self) -> int:
        """Number of all photographs received on the day."""
        return self.delivered + self.ready + self.waiting + self.refused + self.failed


class RouteCount(Value):
    """Number of shots of a day with one route and one reason for it.

    Attributes:
        complexity: ``simple``, ``medium`` or ``complex``. The machine edits simple shots, people the others.
        reason: the reason in words, without its numbers, so that equal reasons can be counted.
        shots: number of shots.
    """

    complexity: str
    reason: str
    shots: int

    @property
    def automated(self) -> bool:
        """True if the route leads to the machine, False if it leads to people."""
        return self.complexity == "simple"


class VerdictCount(Value):
    """How often the machine's edits got one verdict on a day, and what reviewers made of it.

    Attributes:
        verdict: the verdict.
        edits: number of edits of the day with this verdict.
        looked_at: shots with this verdict that a reviewer judged on the day. For approvals these are audits.
        refused: how many of these the reviewer did not approve.
    """

    verdict: Verdict
    edits: int
    looked_at: int
    refused: int


class Cause(Value):
    """How often on a day work was sent back, redone or refused for one reason.

    Attributes:
        what: who did what, in words, for example "refused by the line" (by Packshot, not by a person); or the decision
            of a person, as a code such as ``reject_work``.
        by_people: True if a person decided, False if the machine or a rule did.
        reason: reason code of the decision, or code of a finding or error, such as ``fringe``.
        shots: number of times.
    """

    what: str
    by_people: bool
    reason: str
    shots: int


class LeftOutCount(Value):
    """Number of a day's exported shots of which a platform received no files, or not all of them.

    Attributes:
        platform: the platform's name.
        shots: number of shots.
        named: one text for each of the first few, sorted, such as ``acme/spring/SKU1 for amazon_main: <reason>``.
    """

    platform: str
    shots: int
    named: tuple[str, ...]


class SentBack(Value):
    """Delivered pictures that clients sent back on a day, counted by who made the mistake.

    Attributes:
        by_machine: faults in pictures that the machine had approved and nobody had seen (escapes).
        by_people: faults in pictures that a person had approved.
        wishes: new wishes. They are nobody's fault.
        named: one text for each picture that was sent back, wishes too: shot and the client's words. Sorted by shot; at
            most 20.
    """

    by_machine: int
    by_people: int
    wishes: int
    named: tuple[str, ...] = ()

    @property
    def faults(self) -> int:
        """Number of pictures that were sent back for a fault, by machine or person. New wishes do not count."""
        return self.by_machine + self.by_people


class AuditCount(Value):
    """Audits answered on a day, for one client and category.

    In an audit a person looks at an edit that the machine would approve unseen.

    Attributes:
        client: the client's name.
        category: name of the category.
        audited: number of audits.
        refused: how many of them refused the edit.
    """

    client: str
    category: str
    audited: int
    refused: int


class Escapes(Value):
    """How often the machine's approval was wrong (an escape), from the audits of some days.

    In an audit a person judges an edit that the machine would approve unseen. The last of the days is the report's day.

    Attributes:
        promise_ratio, confidence: the promised greatest share of wrong approvals, and the confidence, 0..1.
        window_days: number of days whose audits are to count.
        reported_days: number of these days whose audits are known.
        audited, refused: number of audits, and how many of them refused the edit.
        low, high: exact two-sided confidence interval of the share of refused audits, 0..1.
        standing: whether the promise is kept, in a word: ``kept``, ``open`` or ``broken``. Open means that there are
            too few audits to tell.
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
        """Share of the audits in which the person refused the edit, 0..1; 0 without audits."""
        return self.refused / self.audited if self.audited else 0.0


class WaitCount(Value):
    """Shots that waited for one role at the end of the day, and shots that the role answered on the day.

    Attributes:
        state: the state in which shots wait for the role, for example "in_review" for reviewers.
        by_age: number of shots in each age group, youngest first: up to 4 h, 24 h, 3 days, 7 days, and older.
        oldest_h: age of the oldest one, in hours; None if none waits.
        answered: number of shots that the role answered on the day.
        answered_after_h: median waiting time of the answered shots, in hours; None if there were none.
    """

    state: State
    by_age: tuple[int, ...]
    oldest_h: float | None
    answered: int
    answered_after_h: float | None

    @property
    def shots(self) -> int:
        """Number of all shots that waited for the role at the end of the day."""
        return sum(self.by_age)


class StageTime(Value):
    """Machine time of one stage of the work on a day.

    Attributes:
        stage: the stage's name, such as ``edit``.
        shots: shots whose time was measured.
        seconds: their total wall-clock time on one worker, including waiting for storage.
        unmeasured: how often the stage was done without a measured time.
    """

    stage: str
    shots: int
    seconds: float
    unmeasured: int


class Handwork(Value):
    """Working time of editors on a day. Only known times count.

    Attributes:
        returned: finished pictures that were returned.
        measured: those whose job an editor had taken, so that the start is known.
        minutes: their total time from taking to returning. It is an upper limit, because editors may pause.
        median_minutes: median for one picture; None if none was measured.
    """

    returned: int
    measured: int
    minutes: float
    median_minutes: float | None


class DayFigures(Value):
    """All numbers of a working day, as they are stored and reported. `figures_of` makes them.

    Attributes:
        day: the day.
        fates: outcomes of all photographs received on the day, over all clients.
        clients: outcomes of the photographs received on the day, one entry per client.
        delivered: photographs delivered on the day, whenever they were received.
        mastered_by_hour, delivered_by_hour: number of photographs by hour from the start of the day.
        stages: machine time by stage, in the order of the stages.
        machine_shots: shots with a measured time of at least one stage.
        routes: routes with their reasons, the most frequent first.
        held: shots put on hold to wait for something from the client.
        verdicts: one per verdict on the machine's edits.
        first_time: for each editor judged on the day, by name: the share of pictures that were approved at once.
        causes: why work was redone, sent back or refused, the most frequent first.
        failures: shots that failed on the day and were still failed at its end, the first few, as "name: reason".
        left_out: platforms that received nothing, or not everything, of exported shots; the most frequent first.
        waiting: shots that wait for people, one per role.
        handwork: working time of editors.
        audits: audits answered on the day, by client and category.
        escapes: how often the machine's approval was wrong, from audits of the last days; None if there was no audit.
        sent_back: pictures that clients sent back; None in numbers of an earlier version, which did not count them.
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
    sent_back: SentBack | None = None

    @property
    def machine_seconds(self) -> float:
        """Measured machine time of the day, in seconds, over all stages and shots."""
        return sum(one.seconds for one in self.stages)

    @property
    def seconds_per_image(self) -> float | None:
        """Mean machine seconds per shot, over all stages; None if nothing was measured."""
        return self.machine_seconds / self.machine_shots if self.machine_shots else None

    @property
    def minutes_per_image(self) -> float | None:
        """Mean of editors' minutes per finished picture, an upper limit; None if nothing was measured."""
        return self.handwork.minutes / self.handwork.measured if self.handwork.measured else None

    @property
    def judged(self) -> int:
        """Number of shots whose manual work was judged for the first time on the day."""
        return sum(one.shots for one in self.first_time)

    @property
    def first_time_ratio(self) -> float | None:
        """Share of the judged shots that were approved the first time, 0..1; None if none was judged."""
        return sum(one.approved for one in self.first_time) / self.judged if self.judged else None

    @property
    def edits(self) -> int:
        """Number of edits that the machine made on the day."""
        return sum(one.edits for one in self.verdicts)

    @property
    def approved_ratio(self) -> float | None:
        """Share of the machine's edits whose verdict lets the machine approve them, 0..1; None without edits."""
        approved = sum(one.edits for one in self.verdicts if one.verdict is Verdict.AUTO_APPROVE)
        return approved / self.edits if self.edits else None

    @property
    def automated_ratio(self) -> float | None:
        """Share of the routed shots that went to the machine, 0..1; None if none was routed."""
        routed = sum(one.shots for one in self.routes)
        return sum(one.shots for one in self.routes if one.automated) / routed if routed else None

    @property
    def waits(self) -> int:
        """Number of shots that waited for people at the end of the day."""
        return sum(one.shots for one in self.waiting)

    @property
    def is_empty(self) -> bool:
        """True if nothing happened on the day: nothing came in, was worked on, answered or delivered."""
        answered = sum(one.answered for one in self.waiting)
        done = (self.fates.received, self.delivered, self.edits, answered, self.machine_shots, *self.mastered_by_hour)
        return not any((*done, len(self.routes), len(self.causes), len(self.failures)))
