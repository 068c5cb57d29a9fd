"""Choose the places that a reviewer should look at, and crop them from the pictures at 1:1."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from packshot.colour.transform import working_to_srgb8
from packshot.types import Box, Finding, Pixels8, Pixels16, Status, Value

MOST_EVIDENCE = 6
_ORDER = {Status.FAILED: 0, Status.WARNING: 1}


class Evidence(Value):
    """A place in an edit that a reviewer should look at. `choose_evidence` makes it from a finding.

    Attributes:
        code: code of the finding that names the place, for example "fringe".
        box: the place, in pixels of the photograph.
        message: the finding's message.
    """

    code: str
    box: Box
    message: str


def choose_evidence(findings: Sequence[Finding], *, most: int = MOST_EVIDENCE) -> tuple[Evidence, ...]:
    """Return places that a reviewer should look at, the worst first; empty if no finding names a place.

    The places of failed gates come first. A gate is a rule that forbids automatic approval. Then come other failed
    rules, then warnings; among these, the order is that of `findings`. Passed and skipped findings, and those without a
    box, give no place. A place is left out if it overlaps a worse one by more than half.

    Args:
        findings: of all rules.
        most: greatest number of places.
    """
    shown = [finding for finding in findings if finding.box is not None and finding.status in _ORDER]
    shown.sort(key=lambda finding: (not finding.stops_approval, _ORDER[finding.status]))
    chosen: list[Evidence] = []
    for finding in shown:
        assert finding.box is not None
        if len(chosen) < most and not any(overlap(finding.box, other.box) > 0.5 for other in chosen):
            chosen.append(Evidence(code=finding.code, box=finding.box, message=finding.message))
    return tuple(chosen)


def crop_evidence(pixels16: Pixels16, box: Box) -> Pixels8:
    """Return the part of a picture inside a box at 1:1, (rows, columns, 3) uint8, sRGB, to show to a reviewer.

    Args:
        pixels16: (rows, columns, 3) uint16, Adobe RGB: the photograph for "before", the composite for "after".
        box: in pixels of the picture `pixels16`. The box may reach beyond the picture; only the part inside is
            returned.
    """
    part = pixels16[max(0, box.top) : max(0, box.bottom), max(0, box.left) : max(0, box.right)]
    return working_to_srgb8(np.ascontiguousarray(part))


def overlap(first: Box, second: Box) -> float:
    """Return the common area of two boxes as a share of the smaller box's area, 0..1; 0 if the smaller box is empty."""
    width = min(first.right, second.right) - max(first.left, second.left)
    height = min(first.bottom, second.bottom) - max(first.top, second.top)
    smaller = min(first.width * first.height, second.width * second.height)
    return max(0, width) * max(0, height) / smaller if smaller else 0.0
