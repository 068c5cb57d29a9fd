"""Find a rough silhouette of the product without its shadow, before any cut-out.

The silhouette serves for measuring, not for cutting out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.routing.backdrop import Backdrop
from packshot.types import Box, FloatImage

_Bytes = NDArray[np.uint8]
_Floats = NDArray[np.float32]

_STANDS_OUT_DELTA_E = 5.0
_STANDS_OUT_SIGMAS = 4.0
_SHADOW_DEPTH = 30.0  # L*; contact shadows on a lit backdrop are lighter than this
_SHADOW_CHROMA = 5.0  # delta E in a*b*
_SHADOW_SLOPE = 1.0  # L* per pixel; shadow edges are softer than product edges
_SHADOW_MOST_RATIO = 0.4  # a larger share cannot be shadow: it is a smooth grey product
_ENCLOSED_RATIO = 0.9
_SPECK_RATIO = 0.004


@dataclass(frozen=True)
class Silhouette:
    """The product's rough shape, for measuring. `find_silhouette` makes it.

    Masks are (rows, columns) uint8 with values 0 and 1. They have the size of the reduced picture on which the product
    was found (the measuring size).

    Attributes:
        product: pixels that differ from the backdrop and are not shadow; small specks are removed.
        filled: `product` with narrow clefts closed and inner gaps filled.
        shadow: pixels darker than the backdrop, with its hue, without edges.
        slope: (rows, columns) float32, gradient magnitude of L* per pixel, lightly smoothed.
        limit: delta E above which a pixel differs from the backdrop.
    """

    product: _Bytes
    filled: _Bytes
    shadow: _Bytes
    slope: _Floats
    limit: float

    @property
    def area_px(self) -> int:
        """Area of the product with its inner gaps filled, in pixels at measuring size."""
        return int(self.filled.sum())

    @property
    def box(self) -> Box | None:
        """The smallest box that holds the product, in pixels at measuring size; None without a product."""
        if not self.area_px:
            return None
        return Box(*_corners(cv2.boundingRect(self.product)))

    @property
    def size_px(self) -> float:
        """Side of a square with the area of the product's box, in pixels at measuring size; 0 without a product."""
        return float(np.sqrt(self.box.width * self.box.height)) if self.box else 0.0


def _corners(rectangle: Sequence[int]) -> tuple[int, int, int, int]:
    left, top, width, height = rectangle
    return left, top, left + width, top + height


def find_silhouette(lab: FloatImage, backdrop: Backdrop) -> Silhouette:
    """Return the silhouette of everything that differs from the backdrop, without its shadow. It may be empty.

    Args:
        lab: (rows, columns, 3) float32, CIE L*a*b*.
        backdrop: the backdrop at the same pixels.
    """
    limit = max(_STANDS_OUT_DELTA_E, _STANDS_OUT_SIGMAS * backdrop.sigma)
    stands_out = (cv2.GaussianBlur(backdrop.distance, (0, 0), 0.7) > limit).astype(np.uint8)
    slope = _slope(lab[..., 0])
    shadow = _shadow(lab, backdrop, stands_out, slope)
    grey_parts = _enclosed(shadow, stands_out & (1 - shadow))
    shadow = shadow & (1 - grey_parts)
    product = _without_specks(stands_out & (1 - shadow))
    outlines, _ = cv2.findContours(
        cv2.morphologyEx(product, cv2.MORPH_CLOSE, disk(2)), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    filled = cv2.drawContours(np.zeros_like(product), outlines, -1, 1, -1)
    return Silhouette(product, np.asarray(filled, np.uint8), shadow, slope, limit)


def disk(radius_px: int) -> _Bytes:
    """Return a disc for erosion and dilation (a structuring element), (side, side) uint8 with values 0 and 1.

    Args:
        radius_px: radius of the disc; the side is 2 x `radius_px` + 1.
    """
    side = 2 * radius_px + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def eroded(mask: _Bytes, radius_px: int) -> _Bytes:
    """Return a mask eroded with a round structuring element, (rows, columns) uint8.

    Args:
        mask: (rows, columns) uint8 with values 0 and 1.
        radius_px: radius of the structuring element.
    """
    return np.asarray(cv2.erode(mask, disk(radius_px)), np.uint8)


def share(pixels: NDArray[np.bool_], *, of: _Bytes) -> float:
    """Return the share of a mask's pixels where `pixels` is True, 0..1; 0 for an empty mask.

    Args:
        pixels: (rows, columns) bool.
        of: the mask, (rows, columns) uint8 with values 0 and 1.
    """
    inside = of.astype(bool)
    return float(pixels[inside].mean()) if inside.any() else 0.0


def clear_of_shadow(shape: Silhouette, radius_px: int) -> _Bytes:
    """Return 1 where no shadow is within a distance, else 0, (rows, columns) uint8.

    Near a shadow the product's outline cannot be measured.

    Args:
        shape: the silhouette, with its shadow.
        radius_px: the distance, in pixels at measuring size.
    """
    return np.asarray(1 - cv2.dilate(shape.shadow, disk(radius_px)), np.uint8)


def _slope(lightness: _Floats) -> _Floats:
    smooth = cv2.GaussianBlur(lightness, (0, 0), 1.2)
    across, down = (cv2.Sobel(smooth, cv2.CV_32F, dx, 1 - dx, scale=1 / 8) for dx in (1, 0))
    return np.asarray(cv2.magnitude(across, down), np.float32)


def _shadow(lab: FloatImage, backdrop: Backdrop, stands_out: _Bytes, slope: _Floats) -> _Bytes:
    off = cv2.GaussianBlur(lab - backdrop.lab, (0, 0), 1.5)
    depth, chroma = off[..., 0], cv2.magnitude(off[..., 1], off[..., 2])
    like_shadow = (depth < 0) & (depth > -_SHADOW_DEPTH) & (chroma < _SHADOW_CHROMA) & (slope < _SHADOW_SLOPE)
    shadow = cv2.morphologyEx(stands_out & like_shadow, cv2.MORPH_OPEN, disk(2))
    if int(shadow.sum()) > _SHADOW_MOST_RATIO * int(stands_out.sum()):
        return np.zeros_like(stands_out)
    return np.asarray(shadow, np.uint8)


def _enclosed(shadow: _Bytes, product: _Bytes) -> _Bytes:
    """Return the shadow patches that the product surrounds. They are grey parts of the product."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(shadow, connectivity=8)
    enclosed = np.zeros_like(shadow)
    for label in range(1, count):
        left, top, width, height = (int(figure) for figure in stats[label, :4])
        around = np.s_[max(0, top - 1) : top + height + 1, max(0, left - 1) : left + width + 1]
        patch = (labels[around] == label).astype(np.uint8)
        rim = (cv2.dilate(patch, disk(1)) - patch).astype(bool)
        if rim.any() and product[around][rim].mean() >= _ENCLOSED_RATIO:
            enclosed[around] |= patch
    return enclosed


def _without_specks(mask: _Bytes) -> _Bytes:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    areas = stats[:, cv2.CC_STAT_AREA]
    keep = areas >= max(12, _SPECK_RATIO * (areas[1:].max() if count > 1 else 0))
    keep[0] = False
    return np.asarray(keep[labels], np.uint8)
