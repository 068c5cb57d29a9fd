"""Areas where the matte and the photograph contradict each other, at the reduced size."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.qc.reduced import Reduced, greatest_channel, mean_channel
from packshot.types import Box, Mask

_LEAST_LIKE = 6.0
_VISIBLE_ON_WHITE = 8.0
_LEAST_UNLIKE = 12.0
_LEAST_TEXTURE = 1.5
_FAINT = 0.003
_SHARP = 8.0
_EDGE = 5.0
_SHADOW_COLOUR = 0.05
_BRIGHTER_THAN_BACKDROP = 1.03


@dataclasses.dataclass(frozen=True)
class Region:
    """One connected area.

    Attributes:
        area: reduced pixels.
        box: full pixels.
    """

    area: int
    box: Box


def backdrop_inside(reduced: Reduced) -> tuple[list[Region], list[Region]]:
    """Return areas inside the matte that look exactly like the backdrop: enclosed ones, and those at the outline.

    Colour and smoothness both have to match the prediction, and the backdrop has to be darker than white, or nobody
    could see it. The largest come first.
    """
    if reduced.backdrop is None:
        return [], []
    like = greatest_channel(np.abs(cv2.blur(reduced.master - reduced.backdrop, (5, 5)))) < max(
        _LEAST_LIKE, 2 * reduced.noise
    )
    visible = greatest_channel(255 - reduced.backdrop) > _VISIBLE_ON_WHITE
    solid = cv2.erode((reduced.matte > 0.9).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    smooth = _texture(reduced) < max(_LEAST_TEXTURE, 1.5 * reduced.noise)
    found = _opened(solid & like & smooth & visible, 5)
    at_outline = cv2.dilate((reduced.matte < 0.5).astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    return _split(found, at_outline, reduced.scale)


def product_outside(reduced: Reduced) -> tuple[list[Region], list[Region]]:
    """Return areas outside the matte, next to it, that are neither backdrop nor its shadow: enclosed, and open ones.

    An open one has to end in an edge somewhere: coloured light that a product throws on the floor does not.
    """
    if reduced.backdrop is None:
        return [], []
    unlike = reduced.difference > max(_LEAST_UNLIKE, 6 * reduced.noise)
    clear = cv2.dilate((reduced.matte > 0.1).astype(np.uint8), np.ones((5, 5), np.uint8)) == 0
    found = _opened(clear & unlike & ~_shadow(reduced), 3)
    near = cv2.dilate((reduced.matte > 0.5).astype(np.uint8), np.ones((11, 11), np.uint8)) > 0
    enclosed = _enclosed(reduced)
    ends = clear & (_slope(reduced) > max(_EDGE, 3 * reduced.noise))
    inner = _split(found & enclosed, found, reduced.scale, must_meet=near)[1]
    outer = _split(
        found & ~enclosed, cv2.dilate(ends.view(np.uint8), np.ones((3, 3), np.uint8)) > 0, reduced.scale, must_meet=near
    )[1]
    return inner, outer


def sharp_outside(reduced: Reduced) -> list[Region]:
    """Return places outside the matte, next to it, where the photograph has an edge that a shadow has not."""
    if reduced.backdrop is None:
        return []
    clear = cv2.dilate((reduced.matte > 0.1).astype(np.uint8), np.ones((15, 15), np.uint8)) == 0
    near = cv2.dilate((reduced.matte > 0.5).astype(np.uint8), np.ones((21, 21), np.uint8)) > 0
    found = clear & (_slope(reduced) > max(_SHARP, 4 * reduced.noise))
    return _split(found, near, reduced.scale)[1]


def parts(reduced: Reduced, *, threshold: float, joined_over_ratio: float = 0.0) -> list[Region]:
    """Return the connected parts of the matte above a threshold, the largest first.

    Args:
        joined_over_ratio: gaps up to this share of the longest side do not separate.
    """
    everywhere = np.ones(reduced.matte.shape, bool)
    mask = reduced.matte > threshold
    reach = round(joined_over_ratio * max(mask.shape))
    if reach:
        joined = cv2.morphologyEx(mask.view(np.uint8), cv2.MORPH_CLOSE, np.ones((reach + 1,) * 2, np.uint8))
        mask = np.asarray(joined > 0)
    return _split(mask, everywhere, reduced.scale)[1]


def haze(reduced: Reduced) -> list[Region]:
    """Return areas where the matte is faint but not nothing, away from the product: a veil on the white."""
    solid = cv2.dilate((reduced.matte > 0.5).astype(np.uint8), np.ones((11, 11), np.uint8)) > 0
    everywhere = np.ones(solid.shape, bool)
    return _split((reduced.matte > _FAINT) & ~solid, everywhere, reduced.scale)[1]


def disagreement(reduced: Reduced) -> tuple[float, list[Region]]:
    """Return 1 - IoU of the network's matte and the refined one, and the areas where they differ beyond the edge."""
    network, refined = reduced.network > 0.5, reduced.matte > 0.5
    union = int(np.count_nonzero(network | refined))
    differs = network ^ refined
    share = np.count_nonzero(differs) / union if union else 0.0
    everywhere = np.ones(differs.shape, bool)
    return share, _split(_opened(differs, 3), everywhere, reduced.scale)[1]


def product_area(reduced: Reduced) -> int:
    """Return the product's area in reduced pixels, at least 1."""
    return max(1, int(np.count_nonzero(reduced.matte > 0.5)))


def _shadow(reduced: Reduced) -> Mask:
    """A shadow darkens all channels by the same factor, in linear light; a square is near enough to it here."""
    assert reduced.backdrop is not None
    light = (reduced.master / np.float32(255)) ** 2
    lit = (reduced.backdrop / np.float32(255)) ** 2 + np.float32(1e-4)
    power = mean_channel(lit * lit)
    factor = mean_channel(light * lit) / power
    colour = np.sqrt(mean_channel((light - factor[..., None] * lit) ** 2) / power)
    return np.asarray((factor < _BRIGHTER_THAN_BACKDROP) & (colour < _SHADOW_COLOUR * np.maximum(factor, 0.1)))


def _slope(reduced: Reduced) -> NDArray[np.float32]:
    """Levels per reduced pixel."""
    across, down = cv2.Sobel(reduced.grey, cv2.CV_32F, 1, 0), cv2.Sobel(reduced.grey, cv2.CV_32F, 0, 1)
    return np.asarray(cv2.magnitude(across, down) / 8, np.float32)


def _texture(reduced: Reduced) -> NDArray[np.float32]:
    grey = reduced.grey
    return np.asarray(cv2.blur(np.abs(grey - cv2.blur(grey, (5, 5))), (5, 5)), np.float32)


def _enclosed(reduced: Reduced) -> Mask:
    """Background that cannot be reached from the border of the frame."""
    open_ground = cv2.copyMakeBorder((reduced.matte < 0.5).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
    cv2.floodFill(open_ground, None, (0, 0), 2)
    return np.asarray(open_ground[1:-1, 1:-1] == 1)


def _opened(mask: Mask, side: int) -> Mask:
    return np.asarray(cv2.morphologyEx(mask.view(np.uint8), cv2.MORPH_OPEN, np.ones((side, side), np.uint8)) > 0)


def _split(
    mask: Mask, marked: Mask, scale: float, *, must_meet: Mask | None = None
) -> tuple[list[Region], list[Region]]:
    """Return the connected areas that miss `marked` and those that meet it, the largest first."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    meets = np.bincount(labels[marked], minlength=count) > 0
    wanted = np.ones(count, bool) if must_meet is None else np.bincount(labels[must_meet], minlength=count) > 0
    missing: list[Region] = []
    meeting: list[Region] = []
    for index in sorted(range(1, count), key=lambda i: -int(stats[i, cv2.CC_STAT_AREA])):
        if wanted[index]:
            (meeting if meets[index] else missing).append(_region(stats[index], scale))
    return missing, meeting


def _region(row: NDArray[np.int32], scale: float) -> Region:
    left, top, width, height, area = (int(value) for value in row)
    box = Box(*(round(value / scale) for value in (left, top, left + width, top + height)))
    return Region(area=area, box=box)
