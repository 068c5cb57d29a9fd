"""Define the basic value types that all packages use.

Sizes are ``(width, height)``; arrays are ``(rows, columns, channels)``; a `Box` is in pixels, right and bottom
exclusive.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

Pixels8: TypeAlias = NDArray[np.uint8]
"""(rows, columns, 3) or (rows, columns), 8 bits per channel."""
Pixels16: TypeAlias = NDArray[np.uint16]
"""(rows, columns, 3), 16 bits per channel."""
Matte: TypeAlias = NDArray[np.float32]
"""(rows, columns), the product's coverage in 0..1."""
FloatImage: TypeAlias = NDArray[np.float32]
"""(rows, columns, 3); the docstring that uses it says whether the values are linear or encoded."""
Mask: TypeAlias = NDArray[np.bool_]
"""(rows, columns)."""


class Value(BaseModel):
    """Base class of immutable values (Pydantic models).

    Unknown fields are refused. A value's JSON gives back an equal value.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")


class Size(NamedTuple):
    """Width and height in pixels."""

    width: int
    height: int

    @property
    def longest(self) -> int:
        return max(self.width, self.height)

    @property
    def shortest(self) -> int:
        return min(self.width, self.height)

    def __str__(self) -> str:
        return f"{self.width} x {self.height}"


class Box(NamedTuple):
    """A rectangle in the pixels of a picture; whoever has a box says of which picture.

    It contains the columns left to right - 1 and the rows top to bottom - 1, counted from the picture's upper left
    corner, from 0.
    """

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def size(self) -> Size:
        return Size(self.width, self.height)


def size_of(pixels: NDArray[Any]) -> Size:
    """Return the size (width, height) of a picture in pixels.

    Arrays have rows first, sizes have the width first. This function converts from one order to the other.

    Args:
        pixels: array of shape (rows, columns, ...).
    """
    return Size(int(pixels.shape[1]), int(pixels.shape[0]))


class Status(StrEnum):
    """The result of one check.

    Attributes:
        PASSED: the check found nothing wrong.
        WARNING: something is worth knowing, but does not break a limit.
        FAILED: a limit is broken.
        SKIPPED: the check could not be made.
    """

    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


class Finding(Value):
    """One observation about a photograph or an edit (the product on white): what was measured, the limit, and where.

    Attributes:
        code: stable name in snake_case; docs/errors.md lists all codes.
        status: the result of the check.
        message: a sentence that a reviewer understands.
        measured: the measured value, in `unit`; None if there is none.
        limit: the limit with which it was compared, in `unit`; None if there is none.
        unit: unit of both numbers, for people; empty if they have none.
        box: where, in pixels of the photograph as it was decoded and turned upright, which are also those of the master
            and the edit; None means the whole picture. The box of a finding about a delivered file is in pixels of that
            file.
        gate: True if the machine may not approve the picture when this check fails, whatever the picture's score.
        picture: in a record, the SHA-256 of the edit that the finding is about; empty if it is about the photograph
            itself.
    """

    code: str
    status: Status
    message: str
    measured: float | None = None
    limit: float | None = None
    unit: str = ""
    box: Box | None = None
    gate: bool = False
    picture: str = ""

    @property
    def stops_approval(self) -> bool:
        """Whether this finding alone prevents the machine from approving the picture: it is a gate, and it failed."""
        return self.gate and self.status is Status.FAILED


_WEIGHTS = {Status.FAILED: 1, Status.WARNING: 2, Status.SKIPPED: 3, Status.PASSED: 4}


def weight_of(finding: Finding) -> int:
    """Return the rank of a finding by importance; 0 is the most important.

    0: a failed gate (a check that forbids the machine to approve). 1: another failed check. 2: a warning. 3: a
    skipped check. 4: a passed check.
    """
    return 0 if finding.stops_approval else _WEIGHTS[finding.status]


def in_order_of_weight(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings in the order of their importance; of findings that are equal in all fields, only one.

    Failed gates come first (checks that forbid the machine to approve), then other failures, warnings, skipped and
    passed checks. Findings of equal importance keep their order.
    """
    return sorted(dict.fromkeys(findings), key=weight_of)


class Complexity(StrEnum):
    """How hard a product is to edit. The machine edits simple shots; people edit medium and complex ones."""

    SIMPLE = "simple"
    MEDIUM = "medium"
    COMPLEX = "complex"


class Route(StrEnum):
    """Who edits a shot: the machine (AUTOMATED) or a person (HUMAN)."""

    AUTOMATED = "automated"
    HUMAN = "human"


class Verdict(StrEnum):
    """What follows from an edit's score and its gates (checks that forbid the machine to approve).

    Attributes:
        AUTO_APPROVE: the machine may approve the edit.
        HUMAN_REVIEW: a reviewer must look at the edit.
        REJECT_AND_REDO: the machine edits the shot again; if that is no better, an editor does.
    """

    AUTO_APPROVE = "auto_approve"
    HUMAN_REVIEW = "human_review"
    REJECT_AND_REDO = "reject_and_redo"


class Sourced(Value):
    """A fact about a shot, and where it came from.

    Attributes:
        value: the fact, as text.
        source: ``manifest``; ``file_name``; ``exif``, ``iptc`` or ``xmp`` for a tag in the file; ``metadata`` for a
            category that a word in such a tag names; ``config`` for the client's default; ``default`` for an SKU that
            is only the file's name; or ``person``: somebody corrected it.
    """

    value: str
    source: str
