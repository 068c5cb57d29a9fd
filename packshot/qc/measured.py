"""Make a rule's finding (its result for one edit, with a message) from the value that it measured."""

from __future__ import annotations

from collections.abc import Callable

from packshot.qc.score import status_of
from packshot.specs.models import RuleLimits
from packshot.types import Box, Finding, Size, Status

EVIDENCE_PX = 256
"""Least side of a box shown to a reviewer, in pixels of the photograph."""


def measured(
    code: str,
    value: float,
    limits: RuleLimits,
    message: str,
    *,
    unit: str = "",
    box: Box | Callable[[], Box | None] | None = None,
) -> Finding:
    """Return the finding for a measured value: passed, a warning or failed, as the rule's limits say.

    The finding passes up to `limits.good`, fails from `limits.bad` on, and is a warning between them. If `good` is the
    greater of the two, it passes down to `good` and fails at `bad` or less. The finding's `limit` is `limits.bad`.

    Args:
        code: the rule's code, for example "fringe".
        value: what the rule measured. The finding has it rounded to 5 decimals.
        limits: the rule's limits; they also say whether the rule is a gate, whose failure forbids automatic approval.
        message: the finding in words, for people.
        unit: unit of the value, for people; empty if it has none.
        box: the place to look at, in pixels of the photograph, or a function without arguments that finds it. The
            finding has no box if the rule passes, and the function is not called.
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
    """Return the finding for a check that could not be made: its status is skipped, and it has no value.

    The finding takes no points, and stops no approval. A check that applies and could not be made is `unmeasured`.

    Args:
        code: the rule's code.
        message: the reason, for people.
        gate: True if the rule is a gate: a rule whose failure forbids automatic approval.
    """
    return Finding(code=code, status=Status.SKIPPED, message=message, gate=gate)


def unmeasured(code: str, message: str, limits: RuleLimits) -> Finding:
    """Return the finding for a check that applies to the edit and could not be made: its status is failed.

    The finding has no value and takes no points. It stops an approval if the rule is a gate: a person has to look.

    Args:
        code: the rule's code.
        message: the reason, for people.
        limits: the rule's limits; they say whether it is a gate.
    """
    return Finding(code=code, status=Status.FAILED, message=message, gate=limits.gate)


def box_around(x: float, y: float, frame: Size, *, side_px: int = EVIDENCE_PX) -> Box:
    """Return a square box around a point of a picture, in the picture's pixels, moved so that the box lies inside the
    picture.

    The box is smaller if the picture is smaller than the square.

    Args:
        x, y: the point, in pixels of the picture.
        frame: size of the picture.
        side_px: side of the square, in pixels of the picture.
    """
    width, height = min(side_px, frame.width), min(side_px, frame.height)
    left = min(max(0, round(x - width / 2)), frame.width - width)
    top = min(max(0, round(y - height / 2)), frame.height - height)
    return Box(left, top, left + width, top + height)


def widened(box: Box, frame: Size, *, least_px: int = EVIDENCE_PX, most_px: int = 1024) -> Box:
    """Return a box of a size for a reviewer to look at, in pixels of the photograph, around the centre of a given box.

    The result is 32 px wider and higher than the box, but at least `least_px`, at most `most_px`, and never larger than
    the photograph. If the result would reach beyond the photograph, it is moved inside.

    Args:
        box: the box, in pixels of the photograph.
        frame: size of the photograph.
        least_px, most_px: smallest and greatest width and height of the result.
    """
    width = min(max(box.width + 32, least_px), most_px, frame.width)
    height = min(max(box.height + 32, least_px), most_px, frame.height)
    left = min(max(0, (box.left + box.right - width) // 2), frame.width - width)
    top = min(max(0, (box.top + box.bottom - height) // 2), frame.height - height)
    return Box(left, top, left + width, top + height)
