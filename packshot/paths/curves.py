"""Bezier curves as straight lines short enough that nobody can tell."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from packshot.paths.model import SubPath

Points: TypeAlias = NDArray[np.float64]
"""(points, 2): x and y in pixels; the upper left corner of the picture is 0, 0."""
Curves: TypeAlias = NDArray[np.float64]
"""(curves, 4, 2): the four control points of each cubic, in pixels."""

FLATNESS_PX = 0.02
_MOST_LINES = 512
_MOST_LINES_IN_ALL = 4_000_000


def curves_of(subpath: SubPath, width: int, height: int) -> Curves:
    """Return a sub-path's curves, closed by a straight line where it is open."""
    scale = np.array([width, height], np.float64)
    knots = np.array([(knot.before, knot.anchor, knot.after) for knot in subpath.knots], np.float64) * scale
    following = np.roll(knots, -1, axis=0)
    curves = np.stack([knots[:, 1], knots[:, 2], following[:, 0], following[:, 1]], axis=1)
    if not subpath.closed:
        curves[-1, 1], curves[-1, 2] = curves[-1, 0], curves[-1, 3]
    return curves


def flatten(curves: Curves, *, flatness_px: float = FLATNESS_PX) -> Points:
    """Return points along curves, the start of each among them; lines between them stay this close to the curve.

    A cubic cut into n equal steps of its parameter is at most 3 d / (4 n^2) away from its chords, where d is the
    greatest second difference of its control points (its second derivative is at most 6 d).
    """
    bends = np.linalg.norm(curves[:, :2] - 2 * curves[:, 1:3] + curves[:, 2:], axis=2).max(axis=1)
    most = max(1, min(_MOST_LINES, _MOST_LINES_IN_ALL // max(len(curves), 1)))
    steps = np.clip(np.ceil(np.sqrt(0.75 * bends / flatness_px)), 1, most).astype(np.int64)
    which = np.repeat(np.arange(len(curves)), steps)
    t = (np.arange(len(which)) - np.repeat(np.cumsum(steps) - steps, steps)) / steps[which]
    return evaluate(curves[which], t)


def evaluate(curves: Curves, t: NDArray[np.float64]) -> Points:
    """Return the point at a parameter in 0..1, of one curve each; curves may also be (4, 2)."""
    s = 1 - t
    weights = np.stack([s**3, 3 * s * s * t, 3 * s * t * t, t**3], axis=1)
    return np.einsum("ij,...ijk->ik", weights, curves) if curves.ndim == 3 else weights @ curves


def enclosed_area(points: Points) -> float:
    """Return the area that a closed line encloses, in square pixels; its sign is its direction."""
    x, y = points[:, 0], points[:, 1]
    return math.fsum((x * np.roll(y, -1) - np.roll(x, -1) * y).tolist()) / 2
