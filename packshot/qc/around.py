"""Cut out and reduce the part of a photograph around its product, for checks that look for wrong areas.

Two searches for wrong areas in the matte work on this part: `ridges` finds strips outside the product's real edge, and
`near_backdrop` finds regions in the backdrop's colour.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.qc.reduced import Reduced
from packshot.types import Box, FloatImage, Mask, Matte, Pixels16

PRODUCT_PX = 1200.0
"""Greatest length of the product's longest side in this part. A smaller product keeps its size."""


class Around(NamedTuple):
    """A product and its surroundings, cut out of the photograph and reduced. `around_product` makes it.

    Attributes:
        levels: the photograph, (rows, columns, 3) float32: encoded Adobe RGB values scaled to 0..255.
        kept: (rows, columns) bool: True where the matte (share of product) is at least 0.5.
        backdrop: the backdrop as predicted without the product, (rows, columns, 3) float32, in the form of `levels`.
        scale: pixels of this part per pixel of the photograph, at most 1.
        left, top: first column and first row of this part, in pixels of the photograph.
    """

    levels: FloatImage
    kept: Mask
    backdrop: FloatImage
    scale: float
    left: int
    top: int

    def alike(self, picture: FloatImage) -> FloatImage:
        """Return the part around the product of another picture of the shot, so that both can be compared by pixels.

        It is float32, of the size of `kept`, with as many channels as `picture`. It is reduced by area averaging, and
        the values keep their range.

        Args:
            picture: (rows, columns) or (rows, columns, 3) float32, of the photograph's size.
        """
        height, width = (round(side / self.scale) for side in self.kept.shape)
        part = picture[self.top : self.top + height, self.left : self.left + width]
        size = self.kept.shape[1], self.kept.shape[0]
        return np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.float32)

    def box(self, left: float, top: float, right: float, bottom: float) -> Box:
        """Return a box of this part in pixels of the photograph, rounded to whole pixels.

        Args:
            left, top, right, bottom: the box in pixels of this part; right and bottom are the first column and row
                outside.
        """
        place = np.array([left, top, right, bottom]) / self.scale + [self.left, self.top] * 2
        return Box(*(int(value) for value in np.rint(place)))


def around_product(
    master16: Pixels16, matte: Matte, reduced: Reduced, product: Box, *, margin_px: int
) -> Around | None:
    """Return the photograph's part around the product, reduced so that the product's longest side is at most 1200 px.

    None if the backdrop could not be predicted, because too little of it shows.

    Args:
        master16: the photograph, (rows, columns, 3) uint16, Adobe RGB.
        matte: each pixel's share of product, (rows, columns) float32 in 0..1, of the photograph's size.
        reduced: the edit, reduced to at most 1024 px, with its predicted backdrop.
        product: the product's box, in pixels of the photograph.
        margin_px: width of the margin around that box, in pixels of the part.
    """
    if reduced.backdrop is None:
        return None
    scale = min(1.0, PRODUCT_PX / product.size.longest)
    rows, columns = _with_margin(product, round(margin_px / scale), matte.shape)
    kept = np.asarray(_shrunk(matte[rows, columns], scale) >= 0.5)
    levels = _shrunk(master16[rows, columns], scale) / np.float32(257)
    behind = _backdrop_in((rows, columns), reduced, (kept.shape[0], kept.shape[1]))
    return Around(levels, kept, behind, scale, columns.start, rows.start)


def _with_margin(box: Box, margin_px: int, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Return the slices of a box with a margin, clipped to the picture."""
    rows = slice(max(0, box.top - margin_px), min(shape[0], box.bottom + margin_px))
    return rows, slice(max(0, box.left - margin_px), min(shape[1], box.right + margin_px))


def _shrunk(picture: NDArray[Any], scale: float) -> FloatImage:
    """Return a picture reduced by area averaging."""
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)


def _backdrop_in(part: tuple[slice, slice], reduced: Reduced, shape: tuple[int, int]) -> FloatImage:
    """Return the predicted backdrop in a part of the photograph, at another size."""
    assert reduced.backdrop is not None
    rows, columns = (slice(int(s.start * reduced.scale), max(1, round(s.stop * reduced.scale))) for s in part)
    found = cv2.resize(reduced.backdrop[rows, columns], shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(found, np.float32)
