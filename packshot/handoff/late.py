"""Late approvals: shots that people approve after their batch went out are gathered, and go out together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from packshot.specs.handoff import LateDeliveries

NEXT_DELIVERY = "the next delivery"
"""With whom an approved shot waits."""
PATIENCE = timedelta(minutes=30)
"""So long after its time a delivery may begin: a worker was busy, or a night was."""


def goes_out_at(rule: LateDeliveries, *, after: datetime) -> datetime | None:
    """Return when a shot that is approved now goes out; None where that is when somebody closes the batch.

    The times are those of the clock in UTC, so that all who are approved between two of them have the same.

    Args:
        after: the earliest time that is too early.
    """
    if rule.on_close:
        return None
    utc = after.astimezone(UTC)
    midnight = utc.replace(hour=0, minute=0, second=0, microsecond=0)
    step = timedelta(hours=rule.every_hours)
    return midnight + ((utc - midnight) // step + 1) * step


def goes_now(rule: LateDeliveries, *, gathered: int, unsettled: int) -> bool:
    """Whether what is gathered goes out at once.

    Args:
        gathered: shots that are approved and wait, with the one that was approved now.
        unsettled: shots of the batch of which nobody knows yet what becomes of them.
    """
    return not rule.on_close and (gathered >= rule.count or not unsettled)


def in_words(goes_out: datetime | None) -> str:
    """Say when an approved shot goes out."""
    if goes_out is None:
        return "approved, goes out when the batch is closed: packshot batch close"
    return f"approved, goes out at {goes_out:%Y-%m-%d %H:%M} UTC"


def is_overdue(goes_out: datetime | None, *, at: datetime) -> bool:
    """Whether an approved shot should long have gone out."""
    return goes_out is not None and at > goes_out + PATIENCE
