"""How a rule says what it measured."""

from __future__ import annotations

from collections.abc import Callable

from packshot.qc.score import status_of
from packshot.specs.models import RuleLimits
from packshot.types import Box, Finding, Size, Status

EVIDENCE_PX = 256


def measured(
    code: str,
    value: float,
    limits: RuleLimits,
    message: str,
    *,
    unit: str = "",
    box: Box | Callable[[], Box | None] | None = None,
) -> Finding:
    """Return the finding for a measured figure; `limit` is the figure that costs all points.

    Args:
        box: the place to look at, or what finds it; nobody looks where a rule is kept.
    """
    status = status_of(value, limits)
    place = None if status is Status.PASSED else box() if callable(box) else box
    return Finding(
        code=code,
        status=status,
        message=message,
        measured=round(float(value), 5),
        limit=limits.bad,
        unit=unit,
        box=place,
        gate=limits.gate,
    )


def skipped(code: str, message: str, *, gate: bool = False) -> Finding:
    """Return the finding for a check that could not be made, with the reason."""
    return Finding(code=code, status=Status.SKIPPED, message=message, gate=gate)


def box_around(x: float, y: float, frame: Size, *, side_px: int = EVIDENCE_PX) -> Box:
    """Return a square around a place, moved and cut so that it lies in the frame."""
    width, height = min(side_px, frame.width), min(side_px, frame.height)
    left = min(max(0, round(x - width / 2)), frame.width - width)
    top = min(max(0, round(y - height / 2)), frame.height - height)
    return Box(left, top, left + width, top + height)


def widened(box: Box, frame: Size, *, least_px: int = EVIDENCE_PX, most_px: int = 1024) -> Box:
    """Return a box around the middle of another that is large enough to see what is around it, and no larger."""
    width = min(max(box.width + 32, least_px), most_px, frame.width)
    height = min(max(box.height + 32, least_px), most_px, frame.height)
    left = min(max(0, (box.left + box.right - width) // 2), frame.width - width)
    top = min(max(0, (box.top + box.bottom - height) // 2), frame.height - height)
    return Box(left, top, left + width, top + height)
