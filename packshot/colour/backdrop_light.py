"""Measure the light on a backdrop in the frame's border: its colour, and its fall-off from side to side."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.colour.spaces import decode_working
from packshot.colour.target_values import lab_of_linear
from packshot.types import Pixels16, Value

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
_ROUNDS = 3


class BackdropReading(Value):
    """A backdrop's colour and light in one shot.

    Attributes:
        linear: median linear working RGB of the border cells that belong to the backdrop.
        lab: the same in CIE L*a*b* (D50).
        share: share of the border that belongs to the backdrop; the rest is product or furniture.
        clipped: share of these cells with a channel that the camera clipped. A clipped backdrop tells nothing about the
            light.
        left_right, bottom_top: fall-off of the light in stops: log2(right / left) and log2(top / bottom). For example,
            1 means twice as much light on the right. None where one of the two sides does not show the backdrop.
    """

    linear: tuple[float, float, float]
    lab: tuple[float, float, float]
    share: float
    clipped: float = 0.0
    left_right: float | None = None
    bottom_top: float | None = None

    @property
    def tells_light(self) -> bool:
        """Whether the backdrop's level tells how much light there was: less than 5 % of it is clipped."""
        return self.clipped < 0.05


def measure_backdrop(pixels: Pixels16) -> BackdropReading | None:
    """Return the backdrop's colour and light; None if less than half of the border has one colour.

    Args:
        pixels: (rows, columns, 3) uint16, working space. Transparent parts must have been put on white.
    """
    step = max(1, max(pixels.shape[:2]) // _ENOUGH_PX)
    small = cv2.resize(pixels[::step, ::step], (_GRID_PX, _GRID_PX), interpolation=cv2.INTER_AREA)
    linear = decode_working(np.asarray(small, np.uint16)).astype(np.float64)
    lab = lab_of_linear(linear)
    border = _border()
    centre = np.median(lab[border], axis=0)
    for _ in range(_ROUNDS):
        like = border & (np.linalg.norm(lab - centre, axis=2) < _LIKE_DELTA_E)
        if not like.any():
            return None
        centre = np.median(lab[like], axis=0)
    share = float(like.sum() / border.sum())
    if share < _LEAST_SHARE:
        return None
    colour = np.median(linear[like], axis=0)
    return BackdropReading(
        linear=_three(colour, 6),
        lab=_three(lab_of_linear(colour), 3),
        share=round(share, 3),
        clipped=round(float((linear[like].max(axis=1) >= _CLIPPED_LIGHT).mean()), 3),
        left_right=_fall_off(linear, like, axis=1),
        bottom_top=_fall_off(linear[::-1], like[::-1], axis=0),
    )


def _border() -> NDArray[np.bool_]:
    """Return the mask of the grid's border cells."""
    border = np.ones((_GRID_PX, _GRID_PX), np.bool_)
    border[_BORDER_CELLS:-_BORDER_CELLS, _BORDER_CELLS:-_BORDER_CELLS] = False
    return border


def _fall_off(linear: NDArray[np.float64], like: NDArray[np.bool_], *, axis: int) -> float | None:
    """Return log2 of the light at the end of an axis divided by that at its start; None if one end has no backdrop."""
    along = (linear.mean(axis=2), like) if axis == 0 else (linear.mean(axis=2).T, like.T)
    sides = [(along[0][part], along[1][part]) for part in (slice(0, _BORDER_CELLS), slice(-_BORDER_CELLS, None))]
    if any(known.mean() < 0.3 for _, known in sides):
        return None
    first, last = (float(np.median(light[known])) for light, known in sides)
    return round(float(np.log2(max(last, 1e-4) / max(first, 1e-4))), 3)


def _three(values: NDArray[np.float64], digits: int) -> tuple[float, float, float]:
    """Return three rounded values as a tuple."""
    return round(float(values[0]), digits), round(float(values[1]), digits), round(float(values[2]), digits)
