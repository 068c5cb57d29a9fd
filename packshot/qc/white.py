"""Check that the background is exactly white: at every pixel, or quickly at points along the border."""

from __future__ import annotations

import math
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.types import Box, Mask, Matte, Value

BORDER_POINTS = 50
_ROWS_AT_ONCE = 64  # so a strip of a 12 MP picture fits into the processor's cache


class OffWhite(Value):
    """Pixels of a background that are not exactly white. `find_off_white` makes it.

    Attributes:
        count: number of background pixels that are not exactly white.
        background: number of all pixels in the background.
        worst_levels: greatest distance from white of any channel, in 8-bit levels; 0 if all pixels are white.
        box: box around all pixels that are not white, in pixels of the picture that was searched; None if there are
            none.
        largest_box: box around the largest connected patch of such pixels, in pixels of the picture that was searched;
            None if there is none.
        largest_count: number of pixels in the largest patch.
    """

    count: int
    background: int
    worst_levels: float
    box: Box | None = None
    largest_box: Box | None = None
    largest_count: int = 0

    @property
    def exact_ratio(self) -> float:
        """Share of the background that is exactly white, 0..1; 1 where there is no background."""
        return 1.0 - self.count / self.background if self.background else 1.0


class QuickCheck(Value):
    """Result of a quick check: are points along the border of a picture exactly white? `check_border_points` makes it.

    Attributes:
        status: "fail" if any checked point is not exactly white, else "pass".
        compliance_rate: share of the checked points that are exactly white, 0..1; 1 if there were none to check.
        failures: (column, row) of the points that are not exactly white; empty if all are.
        action: what to do next: "none", or "correct_background_and_recheck" if the status is "fail".
    """

    status: Literal["pass", "fail"]
    compliance_rate: float
    failures: tuple[tuple[int, int], ...]
    action: Literal["none", "correct_background_and_recheck"]


def find_off_white(pixels: NDArray[Any], background: Mask) -> OffWhite:
    """Return the pixels of a background that are not exactly white: how many, how far off, and where.

    Args:
        pixels: (rows, columns, 3) uint8 or uint16. White is the greatest value of the type in all channels.
        background: (rows, columns) bool: what has to be white. Nothing else is looked at.
    """
    white = int(np.iinfo(pixels.dtype).max)
    total = cv2.countNonZero(background.view(np.uint8))
    off = off_white_in(pixels, background)
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


def off_white_in(pixels: NDArray[Any], background: Mask) -> NDArray[np.uint8]:
    """Return 255 for each pixel of the background that is not exactly white, 0 elsewhere, (rows, columns) uint8.

    These are the pixels that `find_off_white` counts.

    Args:
        pixels: (rows, columns, 3) uint8 or uint16. White is the greatest value of the type in all channels.
        background: (rows, columns) bool: what has to be white.
    """
    white = int(np.iinfo(pixels.dtype).max)
    off = np.empty(background.shape, np.uint8)
    for top in range(0, len(pixels), _ROWS_AT_ONCE):
        strip = np.s_[top : top + _ROWS_AT_ONCE]
        same = cv2.inRange(pixels[strip], (white,) * 3, (white,) * 3)
        off[strip] = cv2.compare(same, background[strip].view(np.uint8), cv2.CMP_LT)
    return off


def check_border_points(pixels: NDArray[Any], matte: Matte | Mask, *, points: int = BORDER_POINTS) -> QuickCheck:
    """Return whether points along the border of a picture are exactly white, and which are not.

    The points are spaced evenly. Those that the product covers are not checked.

    Args:
        pixels: (rows, columns, 3) uint8 or uint16. White is the greatest value of the type in all channels.
        matte: (rows, columns): 0 or False where the picture has to be white.
        points: number of points before those on the product are left out.
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
    """Return (column, row) of points evenly spaced along the outermost pixels, clockwise from the top left.

    Example: ``border_points(3, 2, points=3)`` is ``[(0, 0), (2, 0), (1, 1)]``.

    Args:
        width, height: size of the picture in pixels.
        points: number of points.
    """
    length = 2 * (width - 1) + 2 * (height - 1)
    return [_on_border(math.floor(index * length / points), width - 1, height - 1) for index in range(points)]


def _on_border(way: int, right: int, bottom: int) -> tuple[int, int]:
    """Return the (column, row) at a distance along the border from the top left."""
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
    """Return the box and the pixel count of the largest connected patch."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(off, connectivity=8)
    best = 1 + int(np.argmax(stats[1:count, cv2.CC_STAT_AREA]))
    left, top, width, height, area = (int(value) for value in stats[best])
    return Box(box.left + left, box.top + top, box.left + left + width, box.top + top + height), area


def away_from(product: Mask, distance_px: int) -> Mask:
    """Return the pixels that are farther from the product than a distance, (rows, columns) bool.

    Up to 8 px the distance is the larger of the horizontal and the vertical one (a square). Beyond that it is
    Euclidean.

    Args:
        product: (rows, columns) bool: True at the product.
        distance_px: the distance; 0 gives all pixels that are not product.
    """
    if distance_px == 0:
        return ~product
    if distance_px > 8:
        distance = cv2.distanceTransform((~product).astype(np.uint8), cv2.DIST_L2, 3)
        return np.asarray(distance > distance_px)
    kernel = np.ones((2 * distance_px + 1,) * 2, np.uint8)
    return np.asarray(cv2.dilate(product.view(np.uint8), kernel) == 0)
