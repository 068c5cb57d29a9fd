"""Paths drawn for tests, and hypothesis strategies for them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from packshot.paths.model import FIRST_PATH, FillRule, Knot, Operation, Point, SavedPath, SubPath

KAPPA = 4 / 3 * (np.sqrt(2) - 1)
"""Handles of a quarter circle of radius 1."""

_fixed = st.integers(-(2**31), 2**31 - 1).map(lambda value: value / 2**24)
points = st.builds(Point, _fixed, _fixed)
knots = st.builds(Knot, points, points, points, st.booleans())
subpaths = st.builds(
    SubPath,
    st.lists(knots, min_size=1, max_size=6).map(tuple),
    st.booleans(),
    st.sampled_from(Operation),
    st.sampled_from(FillRule),
)


def polygon(*corners: tuple[float, float], operation: Operation = Operation.EXCLUDE, **more: FillRule) -> SubPath:
    """A sub-path of straight lines."""
    return SubPath(tuple(Knot(Point(*at), Point(*at), Point(*at), False) for at in corners), True, operation, **more)


def rectangle(
    left: float, top: float, right: float, bottom: float, operation: Operation = Operation.EXCLUDE, **more: FillRule
) -> SubPath:
    return polygon((left, top), (right, top), (right, bottom), (left, bottom), operation=operation, **more)


def circle(x: float, y: float, radius: float, operation: Operation = Operation.EXCLUDE) -> SubPath:
    """Four curves, nowhere farther than 0.03 % of the radius from a circle."""
    handle = radius * KAPPA
    around = [(1, 0), (0, 1), (-1, 0), (0, -1)]
    made = []
    for dx, dy in around:
        anchor = Point(x + dx * radius, y + dy * radius)
        made.append(
            Knot(
                Point(anchor.x + dy * handle, anchor.y - dx * handle),
                anchor,
                Point(anchor.x - dy * handle, anchor.y + dx * handle),
            )
        )
    return SubPath(tuple(made), True, operation)


def saved(*parts: SubPath, name: str = "Path 1", record_id: int = FIRST_PATH, **more: object) -> SavedPath:
    return SavedPath(name, record_id, tuple(parts), **more)  # type: ignore[arg-type]
