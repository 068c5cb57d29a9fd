"""Is the background exactly white: over the whole frame, and the quick look at points along the border."""

from __future__ import annotations

import math
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.types import Box, Mask, Matte, Value

BORDER_POINTS = 50
_ROWS_AT_ONCE = 64  # a strip of a 12 MP picture then stays in the processor's cache


class OffWhite(Value):
    """What of a background is not exactly white.

    Attributes:
        count: how many of its pixels are off.
        background: how many pixels it has.
        worst_levels: greatest distance from white of any channel, in 8-bit levels.
        box: holds all of them; None if there are none.
        largest_box: the largest connected patch; None if there are none.
        largest_count: pixels of that patch.
    """

    count: int
    background: int
    worst_levels: float
    box: Box | None = None
    largest_box: Box | None = None
    largest_count: int = 0

    @property
    def exact_ratio(self) -> float:
        """Share of the background that is exactly white; 1 where there is no background."""
        return 1.0 - self.count / self.background if self.background else 1.0


class QuickCheck(Value):
    """The quick check of points along the border.

    Attributes:
        compliance_rate: share of the checked points that are exactly white.
        failures: (column, row) of those that aren't.
        action: what to do now.
    """

    status: Literal["pass", "fail"]
    compliance_rate: float
    failures: tuple[tuple[int, int], ...]
    action: Literal["none", "correct_background_and_recheck"]


def find_off_white(pixels: NDArray[Any], background: Mask) -> OffWhite:
    """Return what of the background is not exactly white, over the whole frame.

    Args:
        pixels: (rows, columns, 3) uint8 or uint16; white is the greatest value of the type.
        background: (rows, columns), what has to be white.
    """
    white = int(np.iinfo(pixels.dtype).max)
    total = cv2.countNonZero(background.view(np.uint8))
    off = _not_all(pixels, white, background)
    count = cv2.countNonZero(off)
    if not count:
        return OffWhite(count=0, background=total, worst_levels=0.0)
    left, top, width, height = cv2.boundingRect(off)
    box = Box(left, top, left + width, top + height)
    inside = (slice(box.top, box.bottom), slice(box.left, box.right))
    darkest = int(pixels[inside][off[inside] > 0].min())
    largest, largest_count = _largest_patch(off[inside], box)
    return OffWhite(
        count=count,
        background=total,
        worst_levels=(white - darkest) * 255 / white,
        box=box,
        largest_box=largest,
        largest_count=largest_count,
    )


def _not_all(pixels: NDArray[Any], value: int, where: Mask) -> NDArray[np.uint8]:
    """255 where a mask holds and not all channels have a value; 0 elsewhere."""
    off = np.empty(where.shape, np.uint8)
    for top in range(0, len(pixels), _ROWS_AT_ONCE):
        strip = np.s_[top : top + _ROWS_AT_ONCE]
        same = cv2.inRange(pixels[strip], (value,) * 3, (value,) * 3)
        off[strip] = cv2.compare(same, where[strip].view(np.uint8), cv2.CMP_LT)
    return off


def check_border_points(pixels: NDArray[Any], matte: Matte | Mask, *, points: int = BORDER_POINTS) -> QuickCheck:
    """Return the quick check: evenly spread points along the border, those covered by the product left out.

    Args:
        pixels: (rows, columns, 3) uint8 or uint16; white is the greatest value of the type.
        matte: (rows, columns), 0 or False where it has to be white.
    """
    places = [(x, y) for x, y in border_points(pixels.shape[1], pixels.shape[0], points=points) if matte[y, x] == 0]
    white = np.iinfo(pixels.dtype).max
    failures = tuple((x, y) for x, y in places if (pixels[y, x] != white).any())
    rate = 1.0 - len(failures) / len(places) if places else 1.0
    return QuickCheck(
        status="fail" if failures else "pass",
        compliance_rate=rate,
        failures=failures,
        action="correct_background_and_recheck" if failures else "none",
    )


def border_points(width: int, height: int, *, points: int) -> list[tuple[int, int]]:
    """Return (column, row) of points evenly spread along the outermost pixels, clockwise from the top left."""
    length = 2 * (width - 1) + 2 * (height - 1)
    return [_on_border(math.floor(index * length / points), width - 1, height - 1) for index in range(points)]


def _on_border(way: int, right: int, bottom: int) -> tuple[int, int]:
    if way < right:
        return way, 0
    way -= right
    if way < bottom:
        return right, way
    way -= bottom
    if way < right:
        return right - way, bottom
    return 0, bottom - (way - right)


def _largest_patch(off: NDArray[Any], box: Box) -> tuple[Box, int]:
    count, _, stats, _ = cv2.connectedComponentsWithStats(off, connectivity=8)
    best = 1 + int(np.argmax(stats[1:count, cv2.CC_STAT_AREA]))
    left, top, width, height, area = (int(value) for value in stats[best])
    return Box(box.left + left, box.top + top, box.left + left + width, box.top + top + height), area


def away_from(product: Mask, distance_px: int) -> Mask:
    """Return what is farther from the product than a distance (up to 8 px in steps along the axes, then round)."""
    if distance_px == 0:
        return ~product
    if distance_px > 8:
        distance = cv2.distanceTransform((~product).astype(np.uint8), cv2.DIST_L2, 3)
        return np.asarray(distance > distance_px)
    kernel = np.ones((2 * distance_px + 1,) * 2, np.uint8)
    return np.asarray(cv2.dilate(product.view(np.uint8), kernel) == 0)
