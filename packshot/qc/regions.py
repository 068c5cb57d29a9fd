"""Find the connected regions of masks that were made from an edit at reduced size."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.qc.reduced import Reduced
from packshot.types import Box, Mask

_FAINT = 0.003


@dataclasses.dataclass(frozen=True)
class Region:
    """One connected component of a mask.

    Attributes:
        area: number of pixels of the reduced edit, unless the function that returns the region gives another unit or a
            weight.
        box: smallest box around the component, in pixels of the photograph.
    """

    area: float
    box: Box


def parts(reduced: Reduced, *, threshold: float, joined_over_ratio: float = 0.0) -> list[Region]:
    """Return the separate parts of the matte above a threshold, the largest first.

    A region's area is its number of pixels of the reduced edit.

    Args:
        reduced: the edit, reduced to at most 1024 px.
        threshold: share of product that a pixel must exceed, 0..1.
        joined_over_ratio: parts count as one if the gap between them is less than this share of the picture's longest
            side. 0 joins none.
    """
    everywhere = np.ones(reduced.matte.shape, bool)
    mask = reduced.matte > threshold
    reach = round(joined_over_ratio * max(mask.shape))
    if reach:
        joined = cv2.morphologyEx(mask.view(np.uint8), cv2.MORPH_CLOSE, np.ones((reach + 1,) * 2, np.uint8))
        mask = np.asarray(joined > 0)
    return split(mask, everywhere, reduced)[1]


def haze(reduced: Reduced) -> list[Region]:
    """Return areas away from the product where the matte is faint, the largest first; on white they look like a veil.

    Faint means above 0.003 and at most 0.5. Pixels up to 5 px beside the product are left out. A region's area is its
    number of pixels of the reduced edit.

    Args:
        reduced: the edit, reduced to at most 1024 px.
    """
    solid = grown(reduced.matte > 0.5, 11)
    everywhere = np.ones(solid.shape, bool)
    return split((reduced.matte > _FAINT) & ~solid, everywhere, reduced)[1]


def product_area(reduced: Reduced) -> int:
    """Return the product's area: the number of pixels of the reduced edit where the matte exceeds 0.5, at least 1.

    It is never 0, so that other areas can be divided by it.

    Args:
        reduced: the edit, reduced to at most 1024 px.
    """
    return max(1, int(np.count_nonzero(reduced.matte > 0.5)))


def grown(mask: Mask, side: int) -> Mask:
    """Return the mask dilated by a square, (rows, columns) bool.

    Args:
        mask: (rows, columns) bool.
        side: side of the square in pixels.
    """
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((side, side), np.uint8)) > 0)


def opened(mask: Mask, side: int) -> Mask:
    """Return the mask after a morphological opening with a square, (rows, columns) bool.

    Parts narrower than the square are gone.

    Args:
        mask: (rows, columns) bool.
        side: side of the square in pixels.
    """
    return np.asarray(cv2.morphologyEx(mask.view(np.uint8), cv2.MORPH_OPEN, np.ones((side, side), np.uint8)) > 0)


def enclosed_ground(reduced: Reduced) -> Mask:
    """Return the background that the product encloses, (rows, columns) bool, at reduced size.

    Enclosed background is not connected to the photograph's border. An example is the gap in a handle.

    Args:
        reduced: the edit, reduced to at most 1024 px. Where its matte is below 0.5 is background.
    """
    open_ground = cv2.copyMakeBorder((reduced.matte < 0.5).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
    cv2.floodFill(open_ground, None, (0, 0), 2)
    return np.asarray(open_ground[1:-1, 1:-1] == 1)


def split(
    mask: Mask, marked: Mask, reduced: Reduced, *, must_meet: Mask | None = None
) -> tuple[list[Region], list[Region]]:
    """Return (components that do not touch `marked`, components that do), each list the largest first.

    A component is a connected part of `mask`. Areas are in pixels of the reduced edit.

    Args:
        mask: the mask that is split into components, (rows, columns) bool at reduced size.
        marked: the mask that sorts the components: whether they touch it or not, (rows, columns) bool.
        reduced: the reduced edit that the masks belong to: its scale and position give the boxes.
        must_meet: (rows, columns) bool. Components that do not touch this mask are left out. None: all are kept.
    """
    if not mask.any():
        return [], []
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    meets = np.bincount(labels[marked], minlength=count) > 0
    wanted = np.ones(count, bool) if must_meet is None else np.bincount(labels[must_meet], minlength=count) > 0
    missing: list[Region] = []
    meeting: list[Region] = []
    for index in sorted(range(1, count), key=lambda i: -int(stats[i, cv2.CC_STAT_AREA])):
        if wanted[index]:
            (meeting if meets[index] else missing).append(_region(stats[index], reduced))
    return missing, meeting


def _region(row: NDArray[np.int32], reduced: Reduced) -> Region:
    """Return the region of a row of OpenCV's component statistics."""
    left, top, width, height, area = (int(value) for value in row)
    left, top = left + reduced.left, top + reduced.top
    box = Box(*(round(value / reduced.scale) for value in (left, top, left + width, top + height)))
    return Region(area=area, box=box)
