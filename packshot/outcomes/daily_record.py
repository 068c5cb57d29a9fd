"""Reduce a shot's record to the fields that a day's numbers need, as they were at a given time.

The record is the stored truth about a shot: its state, its events, and what people decided.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Literal, cast

from packshot.export.delivery import Kind
from packshot.export.left_out import left_out_of
from packshot.naming import BatchId
from packshot.outcomes.daily_values import Day
from packshot.record import DONE, MACHINE, WAITING, Event, ShotRecord, State
from packshot.types import Status

_REPORTS = (MACHINE, "audit", "refusal")
_LEFT_OUT = "export"


def brief(record: ShotRecord) -> ShotRecord:
    """Return a record with only the fields that a day's numbers need.

    Facts and objects are left out. Of the findings, those that failed are kept. Of the reports, those on the machine's
    edit, the audit, a refusal and the platforms that were left out are kept. State, events and decisions are unchanged.
    Full records of many thousand shots would fill the memory.

    Args:
        record: the shot's record: all that is stored about the shot.
    """
    return record.model_copy(
        update={
            "facts": {},
            "objects": {},
            "findings": tuple(one for one in record.findings if one.status is Status.FAILED),
            "reports": {
                **{name: record.reports[name] for name in _REPORTS if name in record.reports},
                **({_LEFT_OUT: {"left_out": left_out}} if (left_out := left_out_of(record)) else {}),
            },
        }
    )


def as_of(record: ShotRecord, at: datetime) -> ShotRecord:
    """Return a record with the state, events and decisions that the shot had at a given time.

    Findings and reports have no times, so they stay. Before its first event a shot is in the state "received".

    Args:
        record: the shot's record: all that is stored about the shot.
        at: the time; what happened at it or later is left out.
    """
    events = tuple(one for one in record.events if one.at < at)
    return record.model_copy(
        update={
            "events": events,
            "state": events[-1].to_state if events else State.RECEIVED,
            "decisions": tuple(one for one in record.decisions if one.at < at),
        }
    )


Outcome = Kind | Literal["ready"]
"""What became of a shot by the end of a day; ``ready``: approved, and waits for its set or the next delivery."""


def kind_of(state: State) -> Outcome:
    """Return what a state means at the end of a day: delivered, ready, waiting, refused or failed.

    ``waiting`` is a state in which people have to act. ``ready`` is approved and not yet delivered. ``failed`` also has
    the states in the middle of the work: at the end of a day no run works on such a shot.

    Args:
        state: a shot's state.
    """
    if state is State.APPROVED:
        return "ready"
    if state is State.REFUSED:
        return "refused"
    if state in DONE:
        return "delivered"
    return "waiting" if state in WAITING else "failed"


def is_open(record: ShotRecord) -> bool:
    """Return True if a shot is neither delivered nor refused: somebody still has to do something.

    Args:
        record: the shot's record: all that is stored about the shot.
    """
    return kind_of(record.state) in ("waiting", "ready", "failed")


def is_given_up(record: ShotRecord, cancelled: Collection[BatchId]) -> bool:
    """Return True if a shot is open but its batch is cancelled. Nobody works on it, and nobody is asked about it.

    Args:
        record: the shot's record: all that is stored about the shot.
        cancelled: the batches that were cancelled.
    """
    return record.shot.in_batch in cancelled and is_open(record)


def changes(record: ShotRecord, day: Day) -> Iterator[Event]:
    """Yield the events of a shot on a day that changed its state, in order.

    Args:
        record: the shot's record: all that is stored about the shot.
        day: the day.
    """
    return (one for one in record.events if one.from_state is not one.to_state and day.holds(one.at))


def stage_times(record: ShotRecord, day: Day) -> dict[str, float]:
    """Return stage -> wall-clock seconds, for stages that ended on the day and whose time was measured.

    Example: ``{"edit": 4.2, "export": 1.1}``.

    Args:
        record: the shot's record: all that is stored about the shot.
        day: the day.
    """
    times = record.reports.get(MACHINE, {})
    return {
        stage: float(cast(float, one["seconds"]))
        for stage, one in times.items()
        if day.holds(datetime.fromisoformat(str(one["at"])))
    }
