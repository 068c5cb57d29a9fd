"""Compute when people's work on a shot is due, and whether that time is near or past.

All 24 hours of a day count, also on weekends.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from packshot.record import ShotRecord, State
from packshot.specs.handoff import HandoffConfig, Tier


class Urgency(StrEnum):
    """How near the due time of a waiting shot is: far (IN_TIME), near (SOON_DUE), or reached or past (OVERDUE).

    The client's rules say how many hours before the due time SOON_DUE begins.
    """

    IN_TIME = "in time"
    SOON_DUE = "soon due"
    OVERDUE = "overdue"


def due_at(state: State, *, since: datetime, tier: Tier, promise: HandoffConfig) -> datetime:
    """Return the time until which a person should have acted on a waiting shot.

    All 24 hours of a day count, also on weekends.

    Args:
        state: the state in which the shot waits: in review, awaiting sign-off or on hold. Any other state counts as
            awaiting an editor.
        since: when the shot entered its state.
        tier: how much handwork the shot needs. It matters only while the shot waits for an editor.
        promise: the client's rules of people's work. They say after how many hours the work in each state is due.
    """
    hours = {
        State.IN_REVIEW: promise.review_hours,
        State.AWAITING_SIGNOFF: promise.signoff_hours,
        State.ON_HOLD: promise.hold_hours,
    }.get(state, promise.edit_hours[tier])
    return since + timedelta(hours=hours)


def urgency(due: datetime, *, at: datetime, soon_hours: float) -> Urgency:
    """Return whether a due time is far, near or past at a moment. At the due time itself it is past (OVERDUE).

    Args:
        due: the due time.
        at: the moment.
        soon_hours: a due time is near from this many hours before it, the beginning included.
    """
    if at >= due:
        return Urgency.OVERDUE
    return Urgency.SOON_DUE if at >= due - timedelta(hours=soon_hours) else Urgency.IN_TIME


def due_of(record: ShotRecord, *, promise: HandoffConfig) -> datetime | None:
    """Return the time until which a person should have acted on a waiting shot, from its record.

    The result is None if the record has no event yet.

    Args:
        record: the shot's record. If it says nothing of the amount of handwork (the tier), medium is assumed.
        promise: the client's rules of people's work. They say after how many hours the work in each state is due.
    """
    if record.since is None:
        return None
    tier = Tier(record.reports.get("job", {}).get("tier", Tier.MEDIUM))
    return due_at(record.state, since=record.since, tier=tier, promise=promise)
