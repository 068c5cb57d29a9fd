"""Decide when late approvals go out: shots that people approve after their batch was delivered.

The shots are collected and delivered together.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from packshot.specs.handoff import LateDeliveries

NEXT_DELIVERY = "the next delivery"
"""The board shows this as the one that an approved shot waits for."""
PATIENCE = timedelta(minutes=30)
"""How late a delivery may start, because workers may be busy."""


def goes_out_at(rule: LateDeliveries, *, after: datetime) -> datetime | None:
    """Return when a shot that is approved now, after its batch was delivered, goes to the client (UTC).

    Delivery times are multiples of `every_hours` from midnight UTC. All shots that are approved between two delivery
    times are delivered together. The result is None if the shot waits until somebody closes the batch.

    Args:
        rule: the client's rule for shots that are approved after their batch was delivered.
        after: the time of the approval. The delivery is later.
    """
    if rule.on_close:
        return None
    utc = after.astimezone(UTC)
    midnight = utc.replace(hour=0, minute=0, second=0, microsecond=0)
    step = timedelta(hours=rule.every_hours)
    return midnight + ((utc - midnight) // step + 1) * step


def goes_now(rule: LateDeliveries, *, gathered: int, unsettled: int) -> bool:
    """Return whether the approved shots that wait are delivered at once, before the next delivery time.

    True if at least as many shots wait as the rule's `count` says, or if no other shot of the batch is open. There is
    an exception: the result is always False if the rule says that shots wait until somebody closes the batch
    (`on_close`).

    Args:
        rule: the client's rule for shots that are approved after their batch was delivered.
        gathered: number of approved shots that wait, including the one approved now.
        unsettled: number of shots of the batch whose outcome is still open.
    """
    return not rule.on_close and (gathered >= rule.count or not unsettled)


def in_words(goes_out: datetime | None) -> str:
    """Return when an approved shot is delivered, in words: ``approved, goes out at 2026-05-01 14:00 UTC``.

    Without a time it is ``approved, goes out when the batch is closed: packshot batch close``.

    Args:
        goes_out: the time of the delivery in UTC; None if the shot waits until the batch is closed.
    """
    if goes_out is None:
        return "approved, goes out when the batch is closed: packshot batch close"
    return f"approved, goes out at {goes_out:%Y-%m-%d %H:%M} UTC"


def is_overdue(goes_out: datetime | None, *, at: datetime) -> bool:
    """Return whether an approved shot should have been delivered more than `PATIENCE` (30 minutes) ago.

    Args:
        goes_out: the time of the delivery; None if the shot waits until the batch is closed. Then it is never
            overdue.
        at: the present time.
    """
    return goes_out is not None and at > goes_out + PATIENCE
