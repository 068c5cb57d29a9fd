"""Measure the light on the visible backdrop: its colour, and how much it falls off from side to side."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.colour.spaces import decode_working
from packshot.colour.target_values import lab_of_linear
from packshot.types import Mask, Pixels16, Value

_GRID_PX = 96
"""The picture is reduced to a square of this many cells a side."""
_ENOUGH_PX = 960
_BORDER_CELLS = 4
"""Width of the frame's border that is measured, in cells."""
_LIKE_DELTA_E = 12.0
"""Greatest distance (CIE76) of a border cell from the border's median colour to count as the same backdrop. It allows
for uneven light."""
_LEAST_SHARE = 0.5
"""Least share of the border that must belong to the backdrop."""
_CLIPPED_LIGHT = 0.985
"""A cell with a channel at or above this, in linear light, is clipped."""
_LEAST_END = 0.3
"""Least share of the backdrop at an end of the frame, of where it is looked for there."""
_ROUNDS = 3


class BackdropReading(Value):
    """A backdrop's colour and light in one shot. `measure_backdrop` makes it.

    Attributes:
        linear: median colour of the backdrop, (red, green, blue) in linear Adobe RGB, 0..1. It is measured where
            `measure_backdrop` was told to look; by default in the frame's border, 1/24 of each side wide.
        lab: the same colour in CIE L*a*b* (D50), L* in 0..100.
        share: share of the measured area that belongs to the backdrop, 0..1. The rest is product or furniture.
        clipped: share of the backdrop with a channel that the camera clipped, 0..1. If much is clipped, the backdrop's
            level does not show how much light there was.
        left_right, bottom_top: fall-off of the light in stops: log2(right / left) and log2(top / bottom). For example,
            1 means twice as much light on the right. None if one of the two sides does not show the backdrop.
    """

    linear: tuple[float, float, float]
    lab: tuple[float, float, float]
    share: float
    clipped: float = 0.0
    left_right: float | None = None
    bottom_top: float | None = None

    @property
    def tells_light(self) -> bool:
        """True if the backdrop's level shows how much light there was: the camera clipped less than 5 % of it."""
        return self.clipped < 0.05


def measure_backdrop(pixels: Pixels16, *, seen: Mask | None = None) -> BackdropReading | None:
    """Return the backdrop's colour and light; None if the backdrop is not seen clearly.

    The backdrop is seen clearly if at least half of the pixels that should show it have one colour.

    Args:
        pixels: (rows, columns, 3) uint16, Adobe RGB. Transparent parts must have been put on white.
        seen: (rows, columns) bool, of any smaller size with the same scene: True where the backdrop is seen. `pixels`
            are reduced to its size. None looks in the frame's border, 1/24 of each side wide.
    """
    if seen is None:
        step = max(1, max(pixels.shape[:2]) // _ENOUGH_PX)
        pixels, seen = pixels[::step, ::step], _border()
    if not seen.any():
        return None
    small = cv2.resize(pixels, seen.shape[::-1], interpolation=cv2.INTER_AREA)
    linear = decode_working(np.asarray(small, np.uint16)).astype(np.float64)
    lab = lab_of_linear(linear)
    centre = np.median(lab[seen], axis=0)
    for _ in range(_ROUNDS):
        like = seen & (np.linalg.norm(lab - centre, axis=2) < _LIKE_DELTA_E)
        if not like.any():
            return None
        centre = np.median(lab[like], axis=0)
    share = float(like.sum() / seen.sum())
    if share < _LEAST_SHARE:
        return None
    colour = np.median(linear[like], axis=0)
    return BackdropReading(
        linear=_three(colour, 6),
        lab=_three(lab_of_linear(colour), 3),
        share=round(share, 3),
        clipped=round(float((linear[like].max(axis=1) >= _CLIPPED_LIGHT).mean()), 3),
        left_right=_fall_off(linear, like, seen, axis=1),
        bottom_top=_fall_off(linear[::-1], like[::-1], seen[::-1], axis=0),
    )


def _border() -> Mask:
    """Return the mask of the grid's border cells."""
    border = np.ones((_GRID_PX, _GRID_PX), np.bool_)
    border[_BORDER_CELLS:-_BORDER_CELLS, _BORDER_CELLS:-_BORDER_CELLS] = False
    return border


def _fall_off(linear: NDArray[np.float64], like: Mask, seen: Mask, *, axis: int) -> float | None:
    """Return log2 of the light at the end of an axis divided by that at its start; None if one end has no backdrop."""
    light = linear.mean(axis=2)
    along = (light, like, seen) if axis == 0 else (light.T, like.T, seen.T)
    width = max(1, round(len(along[0]) * _BORDER_CELLS / _GRID_PX))
    first, last = (tuple(one[part] for one in along) for part in (slice(0, width), slice(-width, None)))
    if any(known.sum() < _LEAST_END * max(places.sum(), 1) for _, known, places in (first, last)):
        return None
    start, end = (float(np.median(values[known])) for values, known, _ in (first, last))
    return round(float(np.log2(max(end, 1e-4) / max(start, 1e-4))), 3)


def _three(values: NDArray[np.float64], digits: int) -> tuple[float, float, float]:
    """Return three rounded values as a tuple."""
    return round(float(values[0]), digits), round(float(values[1]), digits), round(float(values[2]), digits)
