"""Find areas that the matte (each pixel's share of product) keeps although they look like the backdrop."""

from __future__ import annotations

import cv2
import numpy as np

from packshot.colour.channels import greatest_channel, greatest_difference
from packshot.qc.likeness import VISIBLE_ON_WHITE, colour_slope, lighting, like_backdrop, visible_on_white
from packshot.qc.reduced import Reduced
from packshot.qc.regions import Region, grown, opened, split
from packshot.types import FloatImage, Mask

_LEAST_TEXTURE = 1.5
"""Mean absolute deviation in a window, in levels, below which it is smooth. Noise raises the limit."""
_CONTACT_PX = 15
"""Side of the square by which an area is dilated to find its contact with the outline."""
_NEAR_PX = 9
_LEAST_STEP = 8.0
"""A step at the outline below this, in levels, is no edge. Noise raises the limit."""
_FAINT_SHADOW = 0.88
"""Least share of the backdrop's light in a faint shadow."""
_DEEP_SHADOW = 0.6
"""Least share of the backdrop's light in a deep shadow."""
_BRIGHTEST = 1.1
_LIT_SHARE = 0.2
"""Least share of an area that must be lit like the backdrop."""
_EDGE, _PLAIN_EDGE, _STEEP_EDGE = 3.0, 6.0, 8.0
"""Least gradient of an edge around an area, in levels per pixel: of any edge, a plain one and a steep one."""
_MEAN_LEVELS, _SPREAD_LEVELS, _SPREAD_SHADOW_LEVELS, _ALIKE_NOISES = 2.5, 2.8, 3.6, 1.4
"""Greatest mean difference from the predicted backdrop, greatest spread of it in light and in shadow, and the multiple
of the noise that raises these limits."""
_SAME_COLOUR = 0.03
"""Greatest distance from the backdrop's colour in shadow, as a share of the light."""
_EXACT_COLOUR = 0.012
"""The same where the colour has to be exact."""
_SPECK_PX = 5


def leftovers(reduced: Reduced) -> list[Region]:
    """Return areas at the outline that look exactly like the backdrop, the largest first: backdrop may be left there.

    The area's colour and smoothness must match the predicted backdrop. The backdrop must be darker than white, because
    otherwise nobody could see the area.

    A region's area is its number of pixels of the reduced edit, times a weight in 0..1: the share of the area's contact
    with the outline that has no edge in the photograph. A part of the product in the backdrop's colour ends in an edge.
    Backdrop that was left does not.

    Args:
        reduced: the edit, reduced to at most 1024 px, or a part of it. Without a predicted backdrop the list is empty.
    """
    if reduced.backdrop is None:
        return []
    visible = greatest_channel(255 - reduced.backdrop) > VISIBLE_ON_WHITE
    solid = _eroded(reduced.matte > 0.9, 5)
    found = opened(solid & like_backdrop(reduced) & _smooth(reduced, 5) & visible, 5)
    found = _alike(found, reduced, mean=_MEAN_LEVELS)
    touching = split(found, grown(reduced.matte < 0.5, _CONTACT_PX), reduced)[1]
    return _weighed(touching, found, reduced) if touching else []


def filled_gaps(reduced: Reduced) -> list[Region]:
    """Return areas inside the matte that look as if the backdrop shows through, the largest first.

    A region's area is its number of pixels of the reduced edit. The area must be smooth, visible on white, and
    surrounded by an edge. So a surface of the product in the same colour is usually not found: on some side it changes
    into another colour without an edge. The area must also have one of these colours:

    - the predicted backdrop,
    - the backdrop in a faint shadow,
    - the backdrop in a deeper shadow that ends within the area,
    - the backdrop's exact hue in any light.

    In shadow the colour is weaker evidence, so the surrounding edge must be steeper.

    Args:
        reduced: the edit, reduced to at most 1024 px, or a part of it. Without a predicted backdrop the list is empty.
    """
    if reduced.backdrop is None:
        return []
    solid = _eroded(reduced.matte > 0.9, 3)
    plain = solid & _smooth(reduced, 3) & visible_on_white(reduced)
    steepest = np.asarray(cv2.dilate(colour_slope(reduced), np.ones((7, 7), np.uint8)), np.float32)
    edges, steep_edges = (steepest > max(levels, levels / 2 * reduced.noise) for levels in (_EDGE, _STEEP_EDGE))
    light = lighting(reduced, side=3)
    lit = opened(plain & like_backdrop(reduced), 5)
    faint = opened(plain & light.within(darkest=_FAINT_SHADOW, most_colour=_SAME_COLOUR), 5)
    deep = opened(plain & light.within(darkest=_DEEP_SHADOW, most_colour=_SAME_COLOUR), 5)
    plainly = steepest > max(_PLAIN_EDGE, _PLAIN_EDGE / 2 * reduced.noise)
    found = _alike(_rimmed(_rimmed(lit, edges, 0.9), plainly, 0.5), reduced, spread=_SPREAD_LEVELS)
    found |= _alike(_rimmed(faint, steep_edges, 0.8), reduced, spread=_SPREAD_SHADOW_LEVELS)
    found |= _rimmed(_partly(deep, lit), steep_edges, 0.8)
    found |= _rimmed(_exact_colour(reduced, solid), steep_edges, 0.97)
    return split(found, np.ones(found.shape, bool), reduced)[1]


def _alike(found: Mask, reduced: Reduced, *, mean: float = np.inf, spread: float = np.inf) -> Mask:
    """Return the areas whose difference from the predicted backdrop has a small mean and a small spread.

    A product's face that happens to have the backdrop's colour is lit in its own way. Either it differs a little
    everywhere, or its shading passes through the colour and the difference takes many values.

    Args:
        mean, spread: limits in levels; strong noise raises them.
    """
    if not found.any() or reduced.backdrop is None:
        return found
    labels = cv2.connectedComponents(found.view(np.uint8), connectivity=8)[1]
    here = labels[found]
    off = (reduced.master - reduced.backdrop)[found]
    sizes = np.maximum(np.bincount(here), 1)
    means, squares = (np.stack([np.bincount(here, weights=one) for one in power.T]) / sizes for power in (off, off**2))
    spreads = np.sqrt(np.maximum(squares - means**2, 0)).mean(axis=0)
    alike = np.abs(means).max(axis=0) < max(mean, _ALIKE_NOISES * reduced.noise)
    alike &= spreads < max(spread, _ALIKE_NOISES * reduced.noise)
    alike[0] = False
    return np.asarray(alike[labels])


def _exact_colour(reduced: Reduced, solid: Mask) -> Mask:
    """Return where the window mean has the backdrop's exact colour in any light. Single noisy pixels don't count."""
    mean = np.asarray(cv2.blur(reduced.master, (_SPECK_PX, _SPECK_PX)), np.float32)
    visible = greatest_channel(255 - mean) > VISIBLE_ON_WHITE
    light = lighting(reduced, side=_SPECK_PX)
    exact = light.within(darkest=_DEEP_SHADOW, brightest=_BRIGHTEST, most_colour=_EXACT_COLOUR)
    found = opened(solid & _smooth(reduced, _SPECK_PX) & visible & exact, _SPECK_PX)
    kernel = np.ones((_SPECK_PX, _SPECK_PX), np.uint8)
    return np.asarray(cv2.morphologyEx(found.view(np.uint8), cv2.MORPH_CLOSE, kernel) > 0)


def _partly(found: Mask, lit: Mask) -> Mask:
    """Return the areas of `found` of which at least `_LIT_SHARE` is lit like the backdrop."""
    if not found.any():
        return found
    labels = cv2.connectedComponents(found.view(np.uint8), connectivity=8)[1]
    count = int(labels.max()) + 1
    share = np.bincount(labels[lit], minlength=count) / np.maximum(np.bincount(labels.ravel(), minlength=count), 1)
    share[0] = 0
    return np.asarray((share >= _LIT_SHARE)[labels])


def _rimmed(found: Mask, edges: Mask, least_share: float) -> Mask:
    """Return the areas of `found` that have an edge along at least `least_share` of their border."""
    if not found.any():
        return found
    labels = cv2.connectedComponents(found.view(np.uint8), connectivity=8)[1]
    count = int(labels.max()) + 1
    rim = cv2.dilate(labels.astype(np.float32), np.ones((3, 3), np.uint8)).astype(np.int32)
    rim[found] = 0
    share = np.bincount(rim[edges], minlength=count) / np.maximum(np.bincount(rim.ravel(), minlength=count), 1)
    share[0] = 0
    return np.asarray((share >= least_share)[labels])


def _weighed(regions: list[Region], found: Mask, reduced: Reduced) -> list[Region]:
    """Return the areas, each weighted with the share of its contact with the outline that has no edge."""
    inside, outside = _mean_near(reduced, reduced.matte > 0.9), _mean_near(reduced, reduced.matte < 0.1)
    flat = greatest_difference(inside, outside) < max(_LEAST_STEP, 2 * reduced.noise)
    just_outside = (reduced.matte < 0.5) & grown(reduced.matte >= 0.5, 5)
    labels = cv2.connectedComponents(found.view(np.uint8), connectivity=8)[1]
    weighed = []
    for region in regions:
        left, right = (round(value * reduced.scale) - reduced.left for value in (region.box.left, region.box.right))
        top, bottom = (round(value * reduced.scale) - reduced.top for value in (region.box.top, region.box.bottom))
        reach = _CONTACT_PX // 2
        part = (slice(max(0, top - reach), bottom + reach), slice(max(0, left - reach), right + reach))
        here, counts = np.unique(labels[top:bottom, left:right], return_counts=True)
        own = here[here > 0][np.argmax(counts[here > 0])]
        contact = grown(labels[part] == own, _CONTACT_PX) & just_outside[part]
        weighed.append(Region(region.area * float(flat[part][contact].mean()) if contact.any() else 0.0, region.box))
    return sorted(weighed, key=lambda region: -region.area)


def _mean_near(reduced: Reduced, where: Mask) -> FloatImage:
    """Return the photograph's mean over the masked pixels of a small window, (rows, columns, 3).

    Where the window has no masked pixels, it is the photograph itself.
    """
    weight = where.astype(np.float32)
    window = (_NEAR_PX, _NEAR_PX)
    total = cv2.blur(cv2.multiply(reduced.master, cv2.merge([weight] * 3)), window)
    share = cv2.blur(weight, window)[..., None]
    return np.asarray(np.where(share > 0.01, total / np.maximum(share, 0.01), reduced.master), np.float32)


def _smooth(reduced: Reduced, side: int) -> Mask:
    """Return where windows of `side` pixels have no more texture than noise."""
    window = (side, side)
    texture = cv2.blur(np.abs(reduced.grey - cv2.blur(reduced.grey, window)), window)
    return np.asarray(texture < max(_LEAST_TEXTURE, 1.5 * reduced.noise))


def _eroded(mask: Mask, side: int) -> Mask:
    """Return the mask eroded by a square."""
    return np.asarray(cv2.erode(mask.view(np.uint8), np.ones((side, side), np.uint8)) > 0)
