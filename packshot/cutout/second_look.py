"""Find areas that the cut-out kept because of their colour, but that the segmentation network sees as background.

They are shadows, a lit floor, and bits of backdrop. There are two reasons why they were kept. A pixel that differs in
colour from the backdrop counts as product, and a deep or tinted shadow differs. And smoothing the outline can enclose a
bit of backdrop in a corner. So the outline is checked again wherever the network disagrees with it.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from packshot.colour.channels import greatest_channel, greatest_difference
from packshot.cutout.zones import LIKE_LEVELS, LIKE_NOISES, UNLIKE_LEVELS, UNLIKE_NOISES
from packshot.types import FloatImage, Mask, Matte, Pixels16

MOSTLY_BACKGROUND = 0.3
"""Below this probability the network holds a pixel for background."""
LEANING = 0.5
"""Below this mean probability the network holds a patch of the backdrop's colour for background."""
SOFT = 0.18
"""Where the floor was kept, the steepest gradient at its outer end has at most this share of its difference from the
backdrop per pixel. A product's edge has about a third."""
ENDS_SHARPLY = 0.7
"""Least share of a patch's kept surroundings that is unlike the backdrop."""
LEAST_FLOOR_PX, LEAST_PATCH_PX = 20, 8
"""Smaller areas are left as they are, in pixels of a picture 1000 px long. Chrome mirrors the floor in smaller bits."""
LEAST_SEEN_RATIO = 0.35
"""Least share of a floor's surroundings that lies outside the product. An area inside of it may be a part of the
product that the network missed."""
_OPEN_PX, _EVEN_PX, _AROUND_PX = 3, 1.0, 3
_PICTURE_PX = 1000.0


def overreach(pixels: Pixels16, kept: Mask, probability: Matte, surface: FloatImage, *, noise: float) -> Mask:
    """Return the areas that an outline encloses by mistake, (rows, columns) bool; all False if there are none.

    They are floor in shadow that ends softly, and bits of the backdrop's colour. The segmentation network sees both as
    background.

    Args:
        pixels: (rows, columns, 3) uint16, Adobe RGB.
        kept: (rows, columns) bool: what lies inside the outline.
        probability: (rows, columns) float32 in 0..1: the segmentation network's prediction.
        surface: the modelled backdrop, (rows, columns, 3) float32, encoded Adobe RGB values scaled to 0..255.
        noise: standard deviation of the backdrop's noise, in levels (0..255).
    """
    doubted = kept & (probability < LEANING)
    if not doubted.any():
        return np.zeros(kept.shape, bool)
    levels: FloatImage = pixels.astype(np.float32) / np.float32(257)
    difference = greatest_difference(levels, surface)
    share = max(1.0, max(kept.shape) / _PICTURE_PX) ** 2
    floor = _floor(levels, kept, probability, difference, least=LEAST_FLOOR_PX * share)
    return floor | _patches(kept, probability, difference, noise, least=LEAST_PATCH_PX * share)


def _floor(levels: FloatImage, kept: Mask, probability: Matte, difference: Matte, *, least: float) -> Mask:
    """Return kept areas whose outer end is soft, as that of a shadow and of a lit floor is."""
    background = kept & (probability < MOSTLY_BACKGROUND)
    cores: Any = cv2.morphologyEx(background.view(np.uint8), cv2.MORPH_OPEN, np.ones((_OPEN_PX,) * 2, np.uint8))
    slope = _slope(levels)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(cores, connectivity=8)
    found = np.zeros(kept.shape, np.uint8)
    for index in range(1, count):
        if stats[index, cv2.CC_STAT_AREA] < least:
            continue
        part = _around(stats[index])
        own = labels[part] == index
        ring = (cv2.dilate(own.view(np.uint8), np.ones((5, 5), np.uint8)) > 0) & ~own
        outside = ring & ~kept[part]
        if np.count_nonzero(outside) < max(1, LEAST_SEEN_RATIO * np.count_nonzero(ring)):
            continue  # too little of its outer end is to be seen
        if np.median(slope[part][outside]) <= SOFT * np.median(difference[part][own]):
            found[part] |= own
    reach = np.ones((2 * _OPEN_PX + 1,) * 2, np.uint8)
    return np.asarray((cv2.dilate(found, reach) > 0) & background)


def _patches(kept: Mask, probability: Matte, difference: Matte, noise: float, *, least: float) -> Mask:
    """Return kept patches of the backdrop's colour that end at something clearly unlike it."""
    alike = kept & (difference < 2 * max(LIKE_NOISES * noise, LIKE_LEVELS))
    unlike = difference > max(UNLIKE_NOISES * noise, UNLIKE_LEVELS)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(alike.view(np.uint8), connectivity=4)
    found = np.zeros(kept.shape, bool)
    for index in np.unique(labels[alike & (probability < LEANING)]):
        if stats[index, cv2.CC_STAT_AREA] < least:
            continue
        part = _around(stats[index])
        own = labels[part] == index
        if float(probability[part][own].mean()) >= LEANING:
            continue
        mask = own.view(np.uint8)
        beside, around = (cv2.dilate(mask, np.ones((2 * px + 1,) * 2, np.uint8)) for px in (1, _AROUND_PX))
        product = (around > beside) & kept[part]
        if product.any() and float(unlike[part][product].mean()) >= ENDS_SHARPLY:
            found[part] |= own
    return found


def _slope(levels: FloatImage) -> Matte:
    """Return the greatest gradient within 2 px, of the steepest channel, in levels per pixel."""
    even = np.asarray(cv2.GaussianBlur(levels, (0, 0), _EVEN_PX), np.float32)
    across, down = cv2.Sobel(even, cv2.CV_32F, 1, 0), cv2.Sobel(even, cv2.CV_32F, 0, 1)
    steepest = greatest_channel(np.asarray(cv2.magnitude(across, down) / np.float32(8), np.float32))
    return np.asarray(cv2.dilate(steepest, np.ones((5, 5), np.uint8)), np.float32)


def _around(stats: Any) -> tuple[slice, slice]:
    """Return the slices of a component's box with room for what is around it."""
    left, top, width, height = (int(value) for value in stats[:4])
    rows = slice(max(0, top - _AROUND_PX), top + height + _AROUND_PX)
    return rows, slice(max(0, left - _AROUND_PX), left + width + _AROUND_PX)
