"""Trace the outlines of a matte (each pixel's share of product) where it crosses 0.5, with subpixel accuracy."""

from __future__ import annotations

import numpy as np

from packshot.paths.curves import Points, enclosed_area
from packshot.types import Matte

_HALF = 0.5


def outlines(matte: Matte, *, min_area_px: float) -> list[Points]:
    """Return the outlines of a matte's parts and holes, the largest first.

    Each is (points, 2): x and y in pixels from the upper left corner. The first point is not repeated at the end.

    Uses marching squares (Lorensen and Cline 1987): the matte is interpolated linearly between pixel centres. Outside
    the picture it counts as 0, so a product that is cut off by the frame gets an outline along the frame.

    Args:
        matte: each pixel's share of product, (rows, columns) float32 in 0..1.
        min_area_px: parts and holes with a smaller area, in square pixels, are left out.
    """
    rows, columns = _occupied(matte)
    part = np.pad(matte[rows, columns], 1)
    lines = [line[:-1, ::-1] + (columns.start - 0.5, rows.start - 0.5) for line in _contours(part)]
    large = [(abs(enclosed_area(line)), line) for line in lines if len(line) > 2]
    return [line for area, line in sorted(large, key=lambda pair: -pair[0]) if area >= min_area_px]


def _contours(matte: Matte) -> list[Points]:
    """Return closed contours as (row, column), measured from the centre of the first pixel."""
    from skimage import measure  # slow to import, and only drafts need it

    return list(measure.find_contours(matte, _HALF))  # type: ignore[no-untyped-call]


def _occupied(matte: Matte) -> tuple[slice, slice]:
    rows, columns = (np.flatnonzero((matte >= _HALF).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return slice(0, 0), slice(0, 0)
    height, width = matte.shape
    return (
        slice(max(int(rows[0]) - 1, 0), min(int(rows[-1]) + 2, height)),
        slice(max(int(columns[0]) - 1, 0), min(int(columns[-1]) + 2, width)),
    )


def evenly_spaced(line: Points, *, step_px: float = 1.0) -> Points:
    """Return points at equal distances along a closed line: (points, 2) float64, x and y in pixels.

    There are at least eight points. The first point stays where it is.

    Args:
        line: (points, 2): x and y in pixels. The first point is not repeated at the end.
        step_px: wanted distance of two points. The real one differs a little, so that the points fit the line's
            length.
    """
    steps = np.linalg.norm(np.roll(line, -1, axis=0) - line, axis=1)
    way = np.concatenate([[0.0], np.cumsum(steps)])
    count = max(8, round(way[-1] / step_px))
    places = np.arange(count) * (way[-1] / count)
    closed = np.concatenate([line, line[:1]])
    return np.stack([np.interp(places, way, closed[:, axis]) for axis in (0, 1)], axis=1)
