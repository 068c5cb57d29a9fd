"""Compute points on Bezier curves, and approximate the curves by short straight lines."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from packshot.paths.model import SubPath

Points: TypeAlias = NDArray[np.float64]
"""(points, 2): x and y in pixels. The upper left corner of the picture is (0, 0)."""
Curves: TypeAlias = NDArray[np.float64]
"""(curves, 4, 2): the four control points of each cubic curve, in pixels."""

FLATNESS_PX = 0.02
_MOST_LINES = 512
_MOST_LINES_IN_ALL = 4_000_000


def curves_of(subpath: SubPath, width: int, height: int) -> Curves:
    """Return the Bezier curves of a subpath: (curves, 4, 2) float64, the four control points of each curve in pixels.

    A subpath is one outline of a clipping path. A straight line closes an open one.

    Args:
        subpath: with at least one knot.
        width, height: size of the picture, in pixels.
    """
    scale = np.array([width, height], np.float64)
    knots = np.array([(knot.before, knot.anchor, knot.after) for knot in subpath.knots], np.float64) * scale
    following = np.roll(knots, -1, axis=0)
    curves = np.stack([knots[:, 1], knots[:, 2], following[:, 0], following[:, 1]], axis=1)
    if not subpath.closed:
        curves[-1, 1], curves[-1, 2] = curves[-1, 0], curves[-1, 3]
    return curves


def flatten(curves: Curves, *, flatness_px: float = FLATNESS_PX) -> Points:
    """Return points along a chain of Bezier curves: (points, 2) float64, x and y in pixels.

    The polygon through them is at most `flatness_px` off the curves, unless that takes more than 512 points for a curve
    or four million in all. The start of each curve is one of the points; the end of the last curve is not.

    The number of steps comes from a bound. If a cubic is cut into n equal steps of its parameter, the distance to its
    chords is at most 3 d / (4 n^2). Here d is the greatest second difference of its control points, because the
    second derivative is at most 6 d.

    Args:
        curves: (curves, 4, 2) control points in pixels.
        flatness_px: greatest distance of the polygon from the curves.
    """
    bends = np.linalg.norm(curves[:, :2] - 2 * curves[:, 1:3] + curves[:, 2:], axis=2).max(axis=1)
    most = max(1, min(_MOST_LINES, _MOST_LINES_IN_ALL // max(len(curves), 1)))
    steps = np.clip(np.ceil(np.sqrt(0.75 * bends / flatness_px)), 1, most).astype(np.int64)
    which = np.repeat(np.arange(len(curves)), steps)
    t = (np.arange(len(which)) - np.repeat(np.cumsum(steps) - steps, steps)) / steps[which]
    return evaluate(curves[which], t)


def evaluate(curves: Curves, t: NDArray[np.float64]) -> Points:
    """Return a point on each of several Bezier curves: (n, 2) float64, x and y in pixels.

    Args:
        curves: (n, 4, 2) control points in pixels, one curve for each parameter; or (4, 2), one curve for all.
        t: (n,) in 0..1, where on the curve each point lies. 0 is its start, 1 its end.
    """
    s = 1 - t
    weights = np.stack([s**3, 3 * s * s * t, 3 * s * t * t, t**3], axis=1)
    return np.einsum("ij,...ijk->ik", weights, curves) if curves.ndim == 3 else weights @ curves


def enclosed_area(points: Points) -> float:
    """Return the signed area of a closed polygon in square pixels (shoelace formula).

    The area is positive if the polygon runs clockwise on the picture (y downwards), else negative.

    Args:
        points: (points, 2): x and y in pixels. The first point is not repeated at the end.
    """
    x, y = points[:, 0], points[:, 1]
    return math.fsum((x * np.roll(y, -1) - np.roll(x, -1) * y).tolist()) / 2
