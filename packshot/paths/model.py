"""A saved path as Photoshop knows it: knots with two handles, sub-paths, operations between them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from enum import IntEnum, StrEnum
from typing import NamedTuple

FIRST_PATH, LAST_PATH = 2000, 2997
"""Numbers of the resources that hold saved paths."""
CLIPPING_PATH_NAME = 2999
WORK_PATH = 1025


class Point(NamedTuple):
    """A place as fractions of the picture's width and height; outside 0..1 it lies outside the picture."""

    x: float
    y: float


@dataclasses.dataclass(frozen=True)
class Knot:
    """A point of a path.

    Attributes:
        before, after: the handles of the curve that arrives and of the one that leaves.
        smooth: Photoshop keeps the handles in one line when one of them is moved.
    """

    before: Point
    anchor: Point
    after: Point
    smooth: bool = True


class Operation(IntEnum):
    """What a sub-path does to those before it, as numbered in the file."""

    WITH_PREVIOUS = -1
    EXCLUDE = 0
    COMBINE = 1
    SUBTRACT = 2
    INTERSECT = 3


class FillRule(StrEnum):
    """What counts as inside where an outline crosses itself or another of the same shape."""

    EVEN_ODD = "even-odd"
    WINDING = "winding"


@dataclasses.dataclass(frozen=True)
class SubPath:
    """One outline. An open one is filled as if a straight line closed it."""

    knots: tuple[Knot, ...]
    closed: bool = True
    operation: Operation = Operation.EXCLUDE
    rule: FillRule = FillRule.EVEN_ODD


@dataclasses.dataclass(frozen=True)
class SavedPath:
    """A path that was saved in a file.

    Attributes:
        record_id: number of its image resource, 2000 to 2997.
        is_clipping: the file names it as its clipping path.
        starts_filled: what its sub-paths are applied to is the whole picture, not nothing.
        clip_rule: the rule stated with the clipping path; WINDING then holds for all its sub-paths together.
        raw_name: the name's bytes as stored; which encoding they are in is nowhere said.
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
        """How many knots it has in all."""
        return sum(len(one.knots) for one in self.subpaths)

    @property
    def is_empty(self) -> bool:
        """Whether it encloses nothing."""
        return not any(len(one.knots) > 1 for one in self.subpaths)

    def shapes(self) -> Iterator[tuple[SubPath, ...]]:
        """Yield its shapes: sub-paths that are filled together, by one rule."""
        shape: list[SubPath] = []
        for one in self.subpaths:
            if shape and one.operation is not Operation.WITH_PREVIOUS:
                yield tuple(shape)
                shape = []
            shape.append(one)
        if shape:
            yield tuple(shape)
