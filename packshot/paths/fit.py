"""Fit few Bezier curves to many points of an outline, for a clipping path that an editor can change easily.

After Schneider, "An Algorithm for Automatically Fitting Digitized Curves" (Graphics Gems, 1990): least squares for the
handles, Newton's method for the parameters of the points. One step differs. Schneider halves a curve until it fits.
This module searches, from each knot, for the longest stretch that one curve can follow. That gives fewer knots. At
corners the handles are free. Elsewhere they follow the outline, so that curves join smoothly.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from packshot.paths.curves import Points, evaluate

CORNER_DEGREES = 38.0
_REACH_PX = 4
_DIRECTION_REACH_PX = 6
_REPARAMETRISATIONS = 5
_HOPELESS = 6.0
_FIRST_STRETCH = 16
_LONGEST_HANDLE = 0.75
_SIDE_POINTS = (2, 7)
_FARTHEST_CORNER_PX = 1.0
_STRAIGHT_RATIO = 0.5


@dataclasses.dataclass(frozen=True)
class Fitted:
    """A closed outline as a chain of Bezier curves.

    Attributes:
        curves: (curves, 4, 2) control points in pixels. Each curve starts where the curve before it ends.
        smooth: (curves,) bool: True if the knot at the start of the curve is smooth.
        deviation_px: greatest distance of a point of the outline from the curves, in pixels.
    """

    curves: NDArray[np.float64]
    smooth: NDArray[np.bool_]
    deviation_px: float


def fit_closed(points: Points, *, tolerance_px: float) -> Fitted:
    """Return Bezier curves that follow a closed line within a tolerance, with few knots.

    Args:
        points: the line, (points, 2): x and y in pixels, about one pixel apart.
        tolerance_px: maximum distance of a point from the curves. A corner point may be up to one pixel away: the
            corner is moved to where its two sides meet.
    """
    corners = find_corners(points)
    start = int(corners[0]) if len(corners) else 0
    sharp = _sharpened(points, corners)
    ring = np.concatenate([sharp[start:], sharp[: start + 1]])
    is_corner = np.zeros(len(ring), bool)
    is_corner[(corners - start) % len(points)] = True
    is_corner[-1] = is_corner[0]
    directions = _directions(ring, is_corner)
    pieces, at, worst = [], 0, 0.0
    knots = [0]
    while at < len(ring) - 1:
        past, curve, off = _longest(ring, directions, is_corner, at, tolerance_px)
        pieces.append(curve)
        worst, at = max(worst, off), past
        knots.append(at)
    return Fitted(np.stack(pieces), ~is_corner[knots[:-1]], worst)


def find_corners(points: Points) -> NDArray[np.int64]:
    """Return the indices of the points at which a closed line turns sharply, (corners,) int64, in ascending order.

    A corner turns by 38 degrees or more. If several corners are close together, only the sharpest is returned.

    Args:
        points: (points, 2): x and y in pixels, about one pixel apart. The first point is not repeated at the end.
    """
    reach = min(_REACH_PX, max(1, len(points) // 8))
    before = points - np.roll(points, reach, axis=0)
    after = np.roll(points, -reach, axis=0) - points
    turn = np.abs(np.degrees(np.arctan2(_cross(before, after), (before * after).sum(axis=1))))
    around = np.max([np.roll(turn, shift) for shift in range(-reach, reach + 1)], axis=0)
    found: list[int] = []
    for index in np.flatnonzero((turn >= CORNER_DEGREES) & (turn == around)):
        if not found or index - found[-1] > reach:
            found.append(int(index))
    if len(found) > 1 and found[0] + len(points) - found[-1] <= reach:
        found.pop()
    return np.array(found, np.int64)


def _sharpened(points: Points, corners: NDArray[np.int64]) -> Points:
    """Return the points, with each corner moved to the intersection of its two sides.

    The pixels of a matte and the spacing of the points cut corners off.
    """
    moved = points.copy()
    for corner in corners:
        sides = [_line(points[(corner + way * np.arange(*_SIDE_POINTS)) % len(points)]) for way in (-1, 1)]
        (start, along), (other_start, other_along) = sides
        turn = float(_cross(along[None], other_along[None])[0])
        if abs(turn) < np.sin(np.radians(CORNER_DEGREES)) / 2:
            continue
        meeting = start + along * float(_cross((other_start - start)[None], other_along[None])[0]) / turn
        if np.linalg.norm(meeting - points[corner]) <= _FARTHEST_CORNER_PX:
            moved[corner] = meeting
    return moved


def _line(points: Points) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (centre, direction) of the line nearest to the points."""
    middle = points.mean(axis=0)
    direction = np.linalg.svd(points - middle, full_matrices=False)[2][0]
    return middle, direction


def _cross(a: Points, b: Points) -> NDArray[np.float64]:
    return np.asarray(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])


def _directions(ring: Points, is_corner: NDArray[np.bool_]) -> Points:
    """Return the unit direction at each point of a ring, from the points around it. The last point repeats the first.

    Near a corner fewer points are used, equally many on both sides. At a corner itself the direction has no meaning.
    """
    count = len(ring) - 1
    corners = np.flatnonzero(is_corner[:-1])
    reach = np.full(count, min(_DIRECTION_REACH_PX, (count - 1) // 2))
    if len(corners):
        away = np.abs(np.arange(count)[:, None] - np.concatenate([corners - count, corners, corners + count])[None, :])
        reach = np.minimum(reach, away.min(axis=1))
    total = np.zeros((count, 2))
    for step in range(1, _DIRECTION_REACH_PX + 1):
        along = np.roll(ring[:-1], -step, axis=0) - np.roll(ring[:-1], step, axis=0)
        total += np.where((reach >= step)[:, None], along * step, 0)
    length = np.linalg.norm(total, axis=1, keepdims=True)
    unit = np.divide(total, length, out=np.zeros_like(total), where=length > 0)
    return np.concatenate([unit, unit[:1]])


def _longest(
    ring: Points, directions: Points, is_corner: NDArray[np.bool_], start: int, tolerance_px: float
) -> tuple[int, Points, float]:
    """Return (end, curve, deviation) of the longest stretch from `start` that one curve can follow."""
    ends = np.flatnonzero(is_corner[start + 1 :])
    last = start + 1 + int(ends[0]) if len(ends) else len(ring) - 1

    def attempt(end: int) -> tuple[Points, float]:
        first = None if is_corner[start] else directions[start]
        final = None if is_corner[end] else -directions[end]
        return fit_one(ring[start : end + 1], first, final, tolerance_px=tolerance_px)

    good, (curve, off) = start + 1, attempt(start + 1)
    stretch = _FIRST_STRETCH
    bad = last + 1
    while good < last:
        end = min(start + stretch, last)
        tried, deviation = attempt(end)
        if deviation > tolerance_px:
            bad = end
            break
        good, curve, off = end, tried, deviation
        stretch *= 2
    while bad - good > 1:
        end = (good + bad) // 2
        tried, deviation = attempt(end)
        if deviation > tolerance_px:
            bad = end
        else:
            good, curve, off = end, tried, deviation
    return good, curve, off


def fit_one(
    points: Points, first: NDArray[np.float64] | None, final: NDArray[np.float64] | None, *, tolerance_px: float
) -> tuple[Points, float]:
    """Return (one cubic Bezier curve along some points, the greatest distance of a point from it in pixels).

    The curve is (4, 2) control points, and goes from the first point to the last. The distance is measured at the
    points' own parameters. It is infinite if no sensible curve was found.

    Args:
        points: (points, 2): x and y in pixels.
        first, final: unit vectors of the handles, pointing away from the ends; None for a free handle.
        tolerance_px: the search stops as soon as the distance is at most this.
    """
    chords = np.linalg.norm(np.diff(points, axis=0), axis=1)
    length = float(chords.sum())
    straight = np.linspace(points[0], points[-1], 4)
    if len(points) <= 3 or length == 0:
        return _shortest(points, first, final, length)
    if first is None and final is None and _off_line(points) <= tolerance_px * _STRAIGHT_RATIO:
        straight[1], straight[2] = points[0], points[-1]
        return straight, _off_line(points)
    t = np.concatenate([[0.0], np.cumsum(chords)]) / length
    best, least = straight, np.inf
    for _ in range(_REPARAMETRISATIONS):
        curve = _least_squares(points, t, first, final)
        if curve is None or _handles(curve).max() > _LONGEST_HANDLE * length:
            break
        deviation = float(np.linalg.norm(evaluate(curve, t) - points, axis=1).max())
        if deviation < least:
            best, least = curve, deviation
        if least <= tolerance_px or deviation > _HOPELESS * tolerance_px:
            break
        t = _nearer(curve, points, t)
    return best, least


def _shortest(
    points: Points, first: NDArray[np.float64] | None, final: NDArray[np.float64] | None, length: float
) -> tuple[Points, float]:
    """Return (curve, deviation) for very few points. The handles are a third of the length."""
    curve = np.linspace(points[0], points[-1], 4)
    if first is not None:
        curve[1] = points[0] + first * (length / 3)
    if final is not None:
        curve[2] = points[-1] + final * (length / 3)
    middle = evaluate(curve, np.linspace(0, 1, len(points)))
    return curve, float(np.linalg.norm(middle - points, axis=1).max())


def _off_line(points: Points) -> float:
    along = points[-1] - points[0]
    length = float(np.hypot(*along))
    if length == 0:
        return float(np.inf)
    away = points - points[0]
    return float(np.abs(away[:, 0] * along[1] - away[:, 1] * along[0]).max() / length)


def _handles(curve: Points) -> NDArray[np.float64]:
    return np.asarray(np.linalg.norm(curve[[1, 2]] - curve[[0, 3]], axis=1), np.float64)


def _least_squares(
    points: Points, t: NDArray[np.float64], first: NDArray[np.float64] | None, final: NDArray[np.float64] | None
) -> Points | None:
    """Return the cubic nearest to the points at their parameters; None if a handle would point backwards."""
    s = 1 - t
    weight_1, weight_2 = 3 * s * s * t, 3 * s * t * t
    ends = np.outer(s**3 + weight_1, points[0]) + np.outer(weight_2 + t**3, points[-1])
    columns = [weight_1[:, None] * one for one in _axes(first)] + [weight_2[:, None] * one for one in _axes(final)]
    matrix = np.stack([column.ravel() for column in columns], axis=1)
    normal = matrix.T @ matrix
    right = matrix.T @ (points - ends).ravel()
    try:
        found = np.linalg.solve(normal + np.eye(len(normal)) * 1e-9, right)
    except np.linalg.LinAlgError:
        return None
    count = len(_axes(first))
    if (first is not None and found[0] <= 0) or (final is not None and found[count] <= 0):
        return None
    curve = np.stack([points[0], points[0], points[-1], points[-1]])
    curve[1] += found[:count] @ np.stack(_axes(first))
    curve[2] += found[count:] @ np.stack(_axes(final))
    return curve


def _axes(direction: NDArray[np.float64] | None) -> list[NDArray[np.float64]]:
    return [direction] if direction is not None else [np.array([1.0, 0.0]), np.array([0.0, 1.0])]


def _nearer(curve: Points, points: Points, t: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return parameters moved by one Newton step towards each point's nearest place on the curve.

    Their order is kept.
    """
    slopes, bends = 3 * np.diff(curve, axis=0), 6 * np.diff(curve, n=2, axis=0)
    s = 1 - t
    first = np.stack([s * s, 2 * s * t, t * t], axis=1) @ slopes
    second = np.stack([s, t], axis=1) @ bends
    away = evaluate(curve, t) - points
    top = (away * first).sum(axis=1)
    bottom = (first * first).sum(axis=1) + (away * second).sum(axis=1)
    step = np.divide(top, bottom, out=np.zeros_like(top), where=np.abs(bottom) > 1e-12)
    moved = np.clip(t - step, 0, 1)
    moved[0], moved[-1] = 0, 1
    return np.maximum.accumulate(moved)
