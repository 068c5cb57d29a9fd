"""Find where a product ends inside the dark line of its contact shadow.

Where a product touches the floor, hardly any light reaches the floor beside it. The photograph shows a line there, one
to four pixels wide, that is darker than the product and darker than the floor. Both of its sides are strong edges. The
product ends at the inner one.

A dark part of the product is not such a line. A sole, a foot or a printed band is wider. The rim of a dark product is
not much darker than the product. A seam, or a rim in shade, gets more light.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.colour.channels import greatest_channel
from packshot.colour.spaces import WORKING_GAMMA
from packshot.types import FloatImage, Matte

STEP_PX = 0.5
"""Distance between two samples of a profile."""
REACH_PX, OUTWARD_PX = 10.0, 8.0
"""How far profiles go inside and outside the outline."""
COURSE_PX = np.arange(-REACH_PX, OUTWARD_PX + STEP_PX / 2, STEP_PX, dtype=np.float32)
"""Offsets of a profile's samples from the outline, positive outwards."""
SEARCHED_PX = (-4.5, 2.0)
"""The darkest place of the line lies between these offsets."""
BESIDE_PX = 6.0
"""Product and floor are looked for within this distance of the darkest place."""
LEAST_NOISES = 8.0
"""The line is at least this many times the noise darker than product and floor."""
ENDS_AT = 0.2
"""The product ends where the line's inner side has this share of its depth left, in linear light. A thin line is not as
dark in the photograph as it is, so at half of its depth one would be too far inside."""


class Limits(NamedTuple):
    """Limits on a line in a profile across the outline, for the line to count as a contact shadow's dark line.

    The line is darker than the product on one side and than the floor on the other. Its two depths are these
    differences at its darkest place, in levels (0..255).

    Attributes:
        depth: least value of both depths, in levels.
        of_floor: least depth below the product, divided by the depth below the floor. The rim of a dark product has
            less.
        darkest: greatest level of the darkest place, divided by the level of the product or the floor, whichever is
            darker. Seams and shaded rims are lighter.
        wide_px: greatest width of the line.
        slope_px: greatest width of its inner side, between a quarter and three quarters of the depth. A product's own
            shading is wider.
    """

    depth: float
    of_floor: float
    darkest: float
    wide_px: float
    slope_px: float


CLEAR = Limits(depth=25.0, of_floor=0.4, darkest=0.7, wide_px=3.5, slope_px=3.0)
FAINT = Limits(depth=15.0, of_floor=0.25, darkest=0.78, wide_px=6.0, slope_px=4.0)
"""Beside a place with a clear line, a fainter one counts too."""


def product_ends(levels: FloatImage, *, noise: float) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return where the product ends, for each point of its outline, if a contact shadow's dark line lies there.

    The result is a tuple of two arrays. The first, (points,) float32, is the distance from the outline to the product's
    end in pixels, positive outwards; NaN for a point without even a faint line. The second, (points,) bool, is True if
    the line is clear, False if it is faint or not there.

    Args:
        levels: profiles across the outline, (points, samples, 3) float32, encoded Adobe RGB values scaled to 0..255. A
            profile has a sample every 0.5 px, from 10 px inside the outline to 8 px outside (`COURSE_PX`).
        noise: standard deviation of the noise, in levels (0..255).
    """
    light = greatest_channel(levels)
    below_product = _greatest_inside(light) - light
    below_floor = _greatest_inside(light[:, ::-1])[:, ::-1] - light
    least = max(FAINT.depth, LEAST_NOISES * noise)
    dark = (below_product >= np.maximum(least, FAINT.of_floor * below_floor)) & (below_floor >= least)
    dark &= np.abs(COURSE_PX - SEARCHED_PX[0] / 2 - SEARCHED_PX[1] / 2) <= (SEARCHED_PX[1] - SEARCHED_PX[0]) / 2
    dark[:, 1:-1] &= (light[:, 1:-1] <= light[:, :-2]) & (light[:, 1:-1] <= light[:, 2:])
    some, points = dark.any(axis=1), np.arange(len(light))
    outermost = np.where(some, light.shape[1] - 1 - np.argmax(dark[:, ::-1], axis=1), 0)
    lowest, product, floor = (
        _linear(one[points, outermost]) for one in (light, light + below_product, light + below_floor)
    )
    linear = _linear(light)
    ends, upper, lower = (
        _inwards_px(linear, outermost, lowest + share * (product - lowest)) for share in (ENDS_AT, 0.75, 0.25)
    )
    wide = ends + _inwards_px(linear[:, ::-1], light.shape[1] - 1 - outermost, lowest + 0.5 * (floor - lowest))
    level, *depths = (one[points, outermost] for one in (light, below_product, below_floor))
    faint, clear = (
        some
        & (depths[0] >= np.maximum(limits.depth, limits.of_floor * depths[1]))
        & (depths[1] >= limits.depth)
        & (level <= limits.darkest * (level + np.minimum(*depths)))
        & (wide <= limits.wide_px)
        & (upper - lower <= limits.slope_px)
        for limits in (FAINT, CLEAR)
    )
    return np.where(faint, COURSE_PX[outermost] - ends, np.nan).astype(np.float32), clear


def _greatest_inside(light: Matte) -> Matte:
    """Return the greatest value of each profile at a sample and up to `BESIDE_PX` before it."""
    length = round(BESIDE_PX / STEP_PX) + 1
    return np.asarray(cv2.dilate(light, np.ones((1, length), np.uint8), anchor=(length - 1, 0)), np.float32)


def _linear(levels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return levels in linear light, of the same shape."""
    return np.asarray((np.clip(levels, 0, 255) / np.float32(255)) ** np.float32(WORKING_GAMMA), np.float32)


def _inwards_px(linear: Matte, start: NDArray[np.intp], wanted: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how far inside a sample each profile first reaches a value, in pixels: at most `BESIDE_PX`."""
    back = np.arange(round(BESIDE_PX / STEP_PX) + 1)
    seen = linear[np.arange(len(linear))[:, None], np.maximum(start[:, None] - back, 0)]
    first = np.where((seen >= wanted[:, None]).any(axis=1), np.argmax(seen >= wanted[:, None], axis=1), back[-1])
    points = np.arange(len(linear))
    there, before = seen[points, first], seen[points, np.maximum(first - 1, 0)]
    part = np.clip((wanted - before) / np.maximum(there - before, 1e-6), 0, 1)
    return np.asarray((np.maximum(first - 1, 0) + part) * STEP_PX, np.float32)
