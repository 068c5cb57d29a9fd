"""Measure the work of a day: photographs by hour, machine seconds by stage, editors' minutes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from statistics import median

from packshot.decision import Choice, Decision
from packshot.outcomes.daily_record import changes, stage_times
from packshot.outcomes.daily_values import Day, Handwork, StageTime
from packshot.record import Event, ShotRecord, State

STAGES = ("master", "correct", "route", "edit", "export")
_ENDS = {
    (State.RECEIVED, State.MASTERED): "master",
    (State.RECEIVED, State.REFUSED): "master",
    (State.MASTERED, State.ROUTED): "route",
    (State.EDITING_AUTO, State.SCORED): "edit",
    (State.APPROVED, State.EXPORTED): "export",
}
"""State change -> the stage that it completes.

The stage "correct" changes no state, so unmeasured ones are not counted.
"""


def by_hour(records: Iterable[ShotRecord], day: Day, *, reached: State) -> tuple[int, ...]:
    """Return how many shots entered a state in each hour of the day: one number per hour, from the day's start.

    Two changes are not counted: a failed shot that goes back to the state in which it failed, and a delivered shot that
    its client sent back although it had no fault.

    Args:
        records: shots as they were at the end of the day.
        day: the day.
        reached: the state that the shots entered.
    """
    hours = Counter(
        int((one.at - day.begins) / timedelta(hours=1))
        for record in records
        for one in changes(record, day)
        if one.to_state is reached and one.from_state not in (State.FAILED, State.AWAITING_EDITOR)
    )
    return tuple(hours[hour] for hour in range(day.hours))


def stages_of(records: Iterable[ShotRecord], day: Day) -> tuple[StageTime, ...]:
    """Return the machine time of each stage that worked on the day, in the order of the stages.

    A stage that worked on no shot is left out.

    Args:
        records: shots as they were at the end of the day.
        day: the day.
    """
    shots: Counter[str] = Counter()
    done: Counter[str] = Counter()
    seconds: dict[str, float] = {}
    for record in records:
        for stage, taken_s in stage_times(record, day).items():
            shots[stage] += 1
            seconds[stage] = seconds.get(stage, 0.0) + taken_s
        done.update(_stages_done(changes(record, day)))
    return tuple(
        StageTime(
            stage=stage,
            shots=shots[stage],
            seconds=round(seconds.get(stage, 0.0), 3),
            unmeasured=max(0, done[stage] - shots[stage]),
        )
        for stage in STAGES
        if shots[stage] or done[stage]
    )


def machine_shots_of(records: Iterable[ShotRecord], day: Day) -> int:
    """Return how many shots have a measured machine time of at least one stage on the day.

    Args:
        records: shots as they were at the end of the day.
        day: the day.
    """
    return sum(bool(stage_times(record, day)) for record in records)


def _stages_done(events: Iterable[Event]) -> list[str]:
    return [_ENDS[one.from_state, one.to_state] for one in events if (one.from_state, one.to_state) in _ENDS]


def handwork_of(records: Sequence[ShotRecord], day: Day) -> Handwork:
    """Return the working time of editors for the jobs that they returned on the day.

    Args:
        records: shots as they were at the end of the day.
        day: the day.
    """
    returned = [
        (record, one)
        for record in records
        for one in record.decisions
        if one.choice is Choice.RETURN and day.holds(one.at)
    ]
    minutes = [found for record, one in returned if (found := _minutes(record, one)) is not None]
    return Handwork(
        returned=len(returned),
        measured=len(minutes),
        minutes=round(sum(minutes), 2),
        median_minutes=round(median(minutes), 2) if minutes else None,
    )


def _minutes(record: ShotRecord, returned: Decision) -> float | None:
    """Return minutes from taking a job to returning it; None if nobody took it since it began to wait for an editor."""
    begun = [one.at for one in record.events if one.to_state is State.AWAITING_EDITOR and _changes(one, returned.at)]
    taken = [
        one.at for one in record.decisions if one.choice is Choice.TAKE and begun and begun[-1] <= one.at <= returned.at
    ]
    return (returned.at - taken[-1]) / timedelta(minutes=1) if taken else None


def _changes(event: Event, at: datetime) -> bool:
    return event.from_state is not event.to_state and event.at < at
