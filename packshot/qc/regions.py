"""Areas where the matte and the photograph contradict each other, at the reduced size."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.qc.reduced import Reduced, greatest_channel, mean_channel
from packshot.types import Box, FloatImage, Mask

_LEAST_LIKE = 6.0
_VISIBLE_ON_WHITE = 8.0
_LEAST_UNLIKE = 12.0
_LEAST_TEXTURE = 1.5
_FAINT = 0.003
_SHARP = 8.0
_EDGE = 5.0
_SHADOW_COLOUR = 0.05
_BRIGHTER_THAN_BACKDROP = 1.03
_LIGHT_OF_PRODUCT_PX = 6
_LEAST_BORDER_PX = 12
_ENDS_IN_EDGE = 0.3
_CONTACT_PX = 15
_NEAR_PX = 9
_LEAST_STEP = 8.0
_ALL_ROUND = 0.7


@dataclasses.dataclass(frozen=True)
class Region:
    """One connected area.

    Attributes:
        area: reduced pixels; a part of them where only a part speaks against the matte.
        box: full pixels.
    """

    area: float
    box: Box


def backdrop_inside(reduced: Reduced) -> tuple[list[Region], list[Region]]:
    """Return areas inside the matte that look exactly like the backdrop: enclosed ones, and those at the outline.

    Colour and smoothness both have to match the prediction, and the backdrop has to be darker than white, or nobody
    could see it. An area at the outline counts by the share of its contact with the outline where the photograph has
    no edge: a product's face in the backdrop's colour ends in an edge, backdrop that was left does not. The largest
    come first.
    """
    if reduced.backdrop is None:
        return [], []
    visible = greatest_channel(255 - reduced.backdrop) > _VISIBLE_ON_WHITE
    solid = cv2.erode((reduced.matte > 0.9).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    smooth = _texture(reduced) < max(_LEAST_TEXTURE, 1.5 * reduced.noise)
    found = _opened(solid & _like_backdrop(reduced) & smooth & visible, 5)
    at_outline = _grown(reduced.matte < 0.5, _CONTACT_PX)
    enclosed, touching = _split(found, at_outline, reduced.scale)
    return enclosed, _weighed(touching, found, reduced) if touching else []


def product_outside(reduced: Reduced) -> tuple[list[Region], list[Region]]:
    """Return areas outside the matte, next to it, that are neither backdrop nor its shadow: enclosed, and open ones.

    An open one has to end in an edge: coloured light that a product throws on the floor fades away.
    """
    if reduced.backdrop is None:
        return [], []
    clear = ~_grown(reduced.matte > 0.1, 5)
    found = _opened(clear & _unlike_backdrop(reduced) & ~_shadow(reduced), 3)
    near = _grown(reduced.matte > 0.5, 11)
    enclosed = _enclosed(reduced)
    ends = clear & (_slope(reduced) > max(_EDGE, 3 * reduced.noise))
    inner = _split(found & enclosed, found, reduced.scale, must_meet=near)[1]
    open_ground = found & ~enclosed
    outer = _split(open_ground, _ending_in(_grown(ends, 3), open_ground, reduced), reduced.scale, must_meet=near)[1]
    return inner, outer


def sharp_outside(reduced: Reduced) -> list[Region]:
    """Return places outside the matte, next to it, where the photograph has an edge that a shadow has not."""
    if reduced.backdrop is None:
        return []
    clear = ~_grown(reduced.matte > 0.1, 15)
    near = _grown(reduced.matte > 0.5, 21)
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
    solid = _grown(reduced.matte > 0.5, 11)
    everywhere = np.ones(solid.shape, bool)
    return _split((reduced.matte > _FAINT) & ~solid, everywhere, reduced.scale)[1]


def disagreement(reduced: Reduced) -> tuple[float, list[Region]]:
    """Return how much the network's matte and the refined one differ, where the photograph does not settle it.

    The share of their union along the edge (1 - IoU without whole areas), and the areas beyond the edge. Settled, for
    the refined matte: what it keeps between parts that the network saw too, and is neither backdrop nor shadow; what
    it drops and is backdrop with product all around; what nobody could see on white.
    """
    network, refined = reduced.network > 0.5, reduced.matte > 0.5
    union = int(np.count_nonzero(network | refined))
    differs = (network ^ refined) & (greatest_channel(255 - reduced.master) > _VISIBLE_ON_WHITE)
    if reduced.backdrop is not None:
        differs &= ~(refined & _hull(network) & _unlike_backdrop(reduced) & ~_shadow(reduced))
        differs &= ~_true_gaps(network & ~refined, reduced)
    areas = _opened(differs, 3)
    share = np.count_nonzero(differs & ~areas) / union if union else 0.0
    return share, _split(areas, np.ones(areas.shape, bool), reduced.scale)[1]


def product_area(reduced: Reduced) -> int:
    """Return the product's area in reduced pixels, at least 1."""
    return max(1, int(np.count_nonzero(reduced.matte > 0.5)))


def _like_backdrop(reduced: Reduced) -> Mask:
    """Where the photograph is the predicted backdrop on average, whatever the noise."""
    assert reduced.backdrop is not None
    even = cv2.blur(reduced.master - reduced.backdrop, (5, 5))
    return np.asarray(greatest_channel(np.abs(even)) < max(_LEAST_LIKE, 2 * reduced.noise))


def _unlike_backdrop(reduced: Reduced) -> Mask:
    return np.asarray(reduced.difference > max(_LEAST_UNLIKE, 6 * reduced.noise))


def _ending_in(edges: Mask, found: Mask, reduced: Reduced) -> Mask:
    """Return those found areas whose border lies on edges; at the product, which has edges itself, nobody looks.

    Areas too thin to have a border elsewhere have to meet an edge.
    """
    labels = cv2.connectedComponents(found.view(np.uint8), connectivity=8)[1]
    count = int(labels.max()) + 1
    rim = cv2.dilate(labels.astype(np.float32), np.ones((3, 3), np.uint8)).astype(np.int32)
    away = (rim > 0) & ~found & ~_grown(reduced.matte > 0.1, 2 * _LIGHT_OF_PRODUCT_PX + 1)
    border = np.bincount(rim[away], minlength=count)
    ending = np.bincount(rim[away & edges], minlength=count)
    met = np.bincount(labels[edges], minlength=count) > 0
    ends = np.where(border >= _LEAST_BORDER_PX, ending >= _ENDS_IN_EDGE * border, met)
    ends[0] = False
    return np.asarray(ends[labels])


def _weighed(regions: list[Region], found: Mask, reduced: Reduced) -> list[Region]:
    """Return areas at the outline with the share of them that has no edge at the outline, the largest first."""
    inside, outside = _mean_near(reduced, reduced.matte > 0.9), _mean_near(reduced, reduced.matte < 0.1)
    flat = greatest_channel(np.abs(inside - outside)) < max(_LEAST_STEP, 2 * reduced.noise)
    just_outside = (reduced.matte < 0.5) & _grown(reduced.matte >= 0.5, 5)
    labels = cv2.connectedComponents(found.view(np.uint8), connectivity=8)[1]
    weighed = []
    for region in regions:
        left, top, right, bottom = (round(value * reduced.scale) for value in region.box)
        reach = _CONTACT_PX // 2
        part = (slice(max(0, top - reach), bottom + reach), slice(max(0, left - reach), right + reach))
        here, counts = np.unique(labels[top:bottom, left:right], return_counts=True)
        own = here[here > 0][np.argmax(counts[here > 0])]
        contact = _grown(labels[part] == own, _CONTACT_PX) & just_outside[part]
        weighed.append(Region(region.area * float(flat[part][contact].mean()) if contact.any() else 0.0, region.box))
    return sorted(weighed, key=lambda region: -region.area)


def _mean_near(reduced: Reduced, where: Mask) -> FloatImage:
    """Return the photograph's mean over those pixels of a small window that are asked for; its own where none is."""
    weight = where.astype(np.float32)
    window = (_NEAR_PX, _NEAR_PX)
    total = cv2.blur(reduced.master * weight[..., None], window)
    share = cv2.blur(weight, window)[..., None]
    return np.asarray(np.where(share > 0.01, total / np.maximum(share, 0.01), reduced.master), np.float32)


def _hull(mask: Mask) -> Mask:
    """The convex hull of a mask."""
    filled = np.zeros(mask.shape, np.uint8)
    places = cv2.findNonZero(mask.view(np.uint8))
    if places is not None:
        cv2.fillConvexPoly(filled, cv2.convexHull(places), 1)
    return np.asarray(filled > 0)


def _true_gaps(dropped: Mask, reduced: Reduced) -> Mask:
    """Return those dropped areas that are backdrop, with something else than backdrop all around them."""
    gaps = _opened(dropped & _like_backdrop(reduced), 3)
    unlike = _unlike_backdrop(reduced)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(gaps.view(np.uint8), connectivity=8)
    true = np.zeros(dropped.shape, bool)
    for index in range(1, count):
        left, top, width, height = (int(value) for value in stats[index, :4])
        part = (slice(max(0, top - 5), top + height + 5), slice(max(0, left - 5), left + width + 5))
        own = labels[part] == index
        around = _grown(own, 9) & ~_grown(own, 5)
        if float(unlike[part][around].mean()) >= _ALL_ROUND:
            true[part] |= _grown(own, 5)
    return true


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


def _grown(mask: Mask, side: int) -> Mask:
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((side, side), np.uint8)) > 0)


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
