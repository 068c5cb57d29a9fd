"""Find the photograph's strongest edge around the product, without using the cut-out's outline.

The method is Meyer's watershed (1992). The method floods the photograph from two kinds of markers: plain backdrop, and
the middle of the product. Weak edges are flooded first, so the two floods meet at the strongest edge between them.

A contact shadow in the matte lies outside that edge, however dark or tinted it is: its outer end is soft, so the
backdrop's flood enters it. Backdrop that was kept in a narrow gap or beside an edge also lies outside.
"""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.colour.channels import greatest_channel
from packshot.colour.spaces import WORKING_GAMMA
from packshot.qc.around import Around
from packshot.qc.continued import goes_on
from packshot.types import Box, FloatImage, Mask, Matte

_CORE_PX, _CLEAR_PX = 40.0, 14.0
"""Pixels at least this deep become markers: of the product, and of the backdrop."""
_OF_DEEPEST = 0.6
"""In thin parts, pixels with at least this share of the greatest depth become markers."""
_LEAST_DEPTH_PX, _LEAST_AREA_PX = 2.5, 12
"""Smaller or flatter strips are ignored."""
_EVEN_PX = 1.0
MARGIN_PX = 24
"""Room around the product, in pixels of the flooded picture."""
_AROUND_PX = 6
_SOFT = 0.16
"""A shadow's outer gradient is at most this share of its step."""
_STRONGER = 1.3
"""A shadow's inner gradient is at least this many times the outer one."""
_DARKER = 0.97
"""A shadow's light is below this share of the backdrop's."""
_LIKE_BACKDROP, _CLEAR_EDGE = 20.0, 15.0
"""A kept strip of backdrop differs from the backdrop by less than the first, in levels. The edge inside of it has
at least the second gradient, in levels per pixel."""
_BACKDROP, _PRODUCT = 1, 2


@dataclasses.dataclass(frozen=True)
class Strip:
    """An area of the matte between the matte's outline and the photograph's strongest edge, so perhaps not product.

    `kept_strips` makes it.

    Attributes:
        area: number of pixels, in a picture reduced so that the product's longest side is at most 1200 px.
        box: the strip's box, in pixels of the photograph.
        outer: median gradient across the matte's outline at the strip, in levels (0..255) per pixel; infinite if the
            strip does not touch the outside.
        inner: median gradient across the strip's inner edge, in levels per pixel; 0 if it has no inner edge.
        step: mean difference between the strip and the backdrop, in levels.
        goes_on: True if its colour goes on inside the product: then it is a part of the product.
        light: light in the strip divided by the backdrop's light, linear.
    """

    area: int
    box: Box
    outer: float
    inner: float
    step: float
    light: float
    goes_on: bool = False

    @property
    def is_shadow(self) -> bool:
        """True if the strip is a shadow.

        A shadow is darker than the backdrop and soft at its outer end, with a stronger edge at its inner end. The
        gradient of a sharp edge, in levels per pixel, is about a third of its step. A shadow's outer end has less than
        half of that.
        """
        soft = self.outer <= _SOFT * self.step and self.inner >= _STRONGER * self.outer
        return soft and self.light < _DARKER

    @property
    def is_backdrop(self) -> bool:
        """True if the strip has nearly the backdrop's colour, ends at a clear edge, and is no part of the product.

        It differs from the backdrop by less than 20 levels (of 255) on average, the inner edge has at least 15 levels
        per pixel, and `goes_on` is False.
        """
        return self.step < _LIKE_BACKDROP and self.inner >= _CLEAR_EDGE and not self.goes_on


def kept_strips(around: Around) -> list[Strip]:
    """Return the strips of the matte outside the photograph's strongest edge, the largest first.

    Such a strip may be shadow or backdrop that was kept. A strip with fewer than 12 px, or less than 2.5 px deep, is
    left out.

    Args:
        around: the photograph around the product, reduced, with its matte and its predicted backdrop.
    """
    levels, whole, backdrop = around.levels, around.kept, around.backdrop
    even = np.asarray(cv2.GaussianBlur(levels, (0, 0), _EVEN_PX), np.float32)
    depth = _depth(whole)
    flooded = cv2.watershed(np.clip(even, 0, 255).astype(np.uint8), _markers(whole, depth))
    taken = (flooded == _BACKDROP) & whole
    count, labels, stats, _ = cv2.connectedComponentsWithStats(taken.view(np.uint8), connectivity=4)
    slope = _slope(even)
    strips = []
    for index in range(1, count):
        left, top, width, height, area = (int(value) for value in stats[index])
        near = np.s_[
            max(0, top - _AROUND_PX) : top + height + _AROUND_PX, max(0, left - _AROUND_PX) : left + width + _AROUND_PX
        ]
        own = labels[near] == index
        if area < _LEAST_AREA_PX or float(depth[near][own].max()) < _LEAST_DEPTH_PX:
            continue
        box = around.box(left, top, left + width, top + height)
        strip = _strip(
            own, area, box, whole[near], depth[near], slope[near], levels=levels[near], backdrop=backdrop[near]
        )
        rows, columns = np.nonzero(own)
        strips.append(
            dataclasses.replace(strip, goes_on=goes_on(around, rows + near[0].start, columns + near[1].start))
        )
    return sorted(strips, key=lambda strip: -strip.area)


def _strip(
    own: Mask, area: int, box: Box, whole: Mask, depth: Matte, slope: Matte, *, levels: FloatImage, backdrop: FloatImage
) -> Strip:
    """Return the measurements of one strip."""
    ring = (cv2.dilate(own.view(np.uint8), np.ones((5, 5), np.uint8)) > 0) & ~own
    core = own & (depth > 1.5)
    seen, behind = levels[core if core.any() else own], backdrop[core if core.any() else own]
    outside, inside = ring & ~whole, ring & whole
    return Strip(
        area=area,
        box=box,
        outer=float(np.median(slope[outside])) if outside.any() else np.inf,
        inner=float(np.median(slope[inside])) if inside.any() else 0.0,
        step=float(np.abs(seen - behind).mean()),
        light=float((_linear(seen).mean(axis=0) / (_linear(behind).mean(axis=0) + 1e-4)).mean()),
    )


def _markers(whole: Mask, depth: Matte) -> NDArray[np.int32]:
    """Return the watershed's markers: pixels deep inside the product, and far outside.

    Parts and gaps that are too thin for these are marked at their deepest pixels.
    """
    from scipy import ndimage  # slow to import, and most processes touch no pixels

    marks = np.zeros(whole.shape, np.int32)
    for mask, far, mark, connectivity in ((whole, _CORE_PX, _PRODUCT, 8), (~whole, _CLEAR_PX, _BACKDROP, 4)):
        count, labels = cv2.connectedComponents(mask.view(np.uint8), connectivity=connectivity)
        deepest = np.asarray(ndimage.maximum(depth, labels, np.arange(count)), np.float32)
        needed = np.minimum(np.float32(far), np.float32(_OF_DEEPEST) * deepest)[labels]
        marks[mask & (depth >= needed) & (depth > 1)] = mark
    return marks


def _depth(whole: Mask) -> Matte:
    """Return each pixel's distance from the outline, positive on both sides."""
    mask = whole.view(np.uint8)
    inside, outside = cv2.distanceTransform(mask, cv2.DIST_L2, 5), cv2.distanceTransform(1 - mask, cv2.DIST_L2, 5)
    return np.where(whole, inside, outside).astype(np.float32)


def _slope(levels: FloatImage) -> Matte:
    """Return the greatest gradient within 2 px, of the steepest channel, in levels per pixel."""
    across, down = cv2.Sobel(levels, cv2.CV_32F, 1, 0), cv2.Sobel(levels, cv2.CV_32F, 0, 1)
    steepest = greatest_channel(np.asarray(cv2.magnitude(across, down) / np.float32(8), np.float32))
    return np.asarray(cv2.dilate(steepest, np.ones((5, 5), np.uint8)), np.float32)


def _linear(levels: FloatImage) -> FloatImage:
    """Return levels as linear light."""
    return np.asarray((np.maximum(levels, 0) / 255) ** WORKING_GAMMA, np.float32)
