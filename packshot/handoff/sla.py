"""When people's work is due, and whether it is soon or already was. Hours run day and night."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from packshot.record import ShotRecord, State
from packshot.specs.handoff import HandoffConfig, Tier


class Urgency(StrEnum):
    """How a waiting shot stands to its due time."""

    IN_TIME = "in time"
    SOON_DUE = "soon due"
    OVERDUE = "overdue"


def due_at(state: State, *, since: datetime, tier: Tier, promise: HandoffConfig) -> datetime:
    """Return when a shot's present wait is to be over.

    Args:
        since: when it came into the state.
        tier: of the handwork; counts while it waits for an editor.
    """
    hours = {
        State.IN_REVIEW: promise.review_hours,
        State.AWAITING_SIGNOFF: promise.signoff_hours,
        State.ON_HOLD: promise.hold_hours,
    }.get(state, promise.edit_hours[tier])
    return since + timedelta(hours=hours)


def urgency(due: datetime, *, at: datetime, soon_hours: float) -> Urgency:
    """Return how a due time stands to the clock."""
    if at >= due:
        return Urgency.OVERDUE
    return Urgency.SOON_DUE if at >= due - timedelta(hours=soon_hours) else Urgency.IN_TIME


def due_of(record: ShotRecord, *, promise: HandoffConfig) -> datetime | None:
    """Return when a waiting shot is due, from its record; None where it does not wait."""
    if record.since is None:
        return None
    tier = Tier(record.reports.get("job", {}).get("tier", Tier.MEDIUM))
    return due_at(record.state, since=record.since, tier=tier, promise=promise)
