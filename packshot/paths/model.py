"""Define a saved path as Photoshop does: knots with two handles, subpaths, and operations between subpaths."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from enum import IntEnum, StrEnum
from typing import NamedTuple

FIRST_PATH, LAST_PATH = 2000, 2997
"""Resource numbers of saved paths."""
CLIPPING_PATH_NAME = 2999
WORK_PATH = 1025


class Point(NamedTuple):
    """A position on a picture, as fractions of its width (x) and height (y).

    Values outside 0..1 lie outside the picture.
    """

    x: float
    y: float


@dataclasses.dataclass(frozen=True)
class Knot:
    """A point of a path.

    Attributes:
        before, after: handles of the arriving and of the leaving curve.
        anchor: the place that the path goes through.
        smooth: True if Photoshop keeps both handles on one line when one is moved.
    """

    before: Point
    anchor: Point
    after: Point
    smooth: bool = True


class Operation(IntEnum):
    """How a subpath of a saved path changes the area that the subpaths before it enclose.

    The values are the numbers in the file.

    Attributes:
        WITH_PREVIOUS: the subpath and the one before it are filled together, as one shape. With all other operations a
            new shape begins.
        EXCLUDE: within the new shape, what was inside becomes outside, and what was outside becomes inside.
        COMBINE: the new shape is added to the area.
        SUBTRACT: the new shape is taken away from the area.
        INTERSECT: only the part of the area within the new shape is kept.
    """

    WITH_PREVIOUS = -1
    EXCLUDE = 0
    COMBINE = 1
    SUBTRACT = 2
    INTERSECT = 3


class FillRule(StrEnum):
    """The rule that says what lies inside an outline that crosses itself or another outline of its shape.

    Attributes:
        EVEN_ODD: a point is inside if a line from it to the outside crosses the outlines an odd number of times.
        WINDING: a point is inside if the outlines do not run around it equally often in both directions (the nonzero
            rule).
    """

    EVEN_ODD = "even-odd"
    WINDING = "winding"


@dataclasses.dataclass(frozen=True)
class SubPath:
    """One outline of a saved path. An open one is filled as if a straight line closed it.

    Attributes:
        knots: the points of the outline, in order.
        closed: False for an open outline.
        operation: how the subpath changes the area that the subpaths before it enclose.
        rule: the rule that says what lies inside the subpath. It also holds for subpaths that follow with the operation
            `WITH_PREVIOUS`.
    """

    knots: tuple[Knot, ...]
    closed: bool = True
    operation: Operation = Operation.EXCLUDE
    rule: FillRule = FillRule.EVEN_ODD


@dataclasses.dataclass(frozen=True)
class SavedPath:
    """A path saved in a picture file, such as a clipping path drawn by an editor.

    Attributes:
        name: the most probable text of its name.
        record_id: number of its image resource, 2000 to 2997.
        subpaths: its outlines, in order.
        is_clipping: True if the file names it as its clipping path.
        starts_filled: True if a path without any subpath encloses the whole picture; False if it encloses nothing.
        clip_rule: fill rule stated with the clipping path. WINDING then applies to all subpaths together.
        raw_name: bytes of the name as stored, in an unknown encoding; empty for a path that is not from a file.
    """

    name: str
    record_id: int
    subpaths: tuple[SubPath, ...]
    is_clipping: bool = False
    starts_filled: bool = False
    clip_rule: FillRule = FillRule.EVEN_ODD
    raw_name: bytes = b""

    @property
    def knots(self) -> int:
        """Number of knots of all subpaths."""
        return sum(len(one.knots) for one in self.subpaths)

    @property
    def is_empty(self) -> bool:
        """Whether the path encloses nothing: no subpath has two knots or more."""
        return not any(len(one.knots) > 1 for one in self.subpaths)

    def shapes(self) -> Iterator[tuple[SubPath, ...]]:
        """Yield the shapes of the path in order. Each is a tuple of subpaths that one rule fills together."""
        shape: list[SubPath] = []
        for one in self.subpaths:
            if shape and one.operation is not Operation.WITH_PREVIOUS:
                yield tuple(shape)
                shape = []
            shape.append(one)
        if shape:
            yield tuple(shape)
