"""Find small holes in an edit, at the photograph's full size: places in the product that became background."""

from __future__ import annotations

import cv2
import numpy as np

from packshot.qc.reduced import Reduced, backdrop_in
from packshot.qc.regions import Region
from packshot.types import Box, Mask, Matte, Pixels16

MOST_AREA_PX = 60
"""Larger holes are gaps, which other rules check."""
_THIN = 0.75
"""Alpha below this counts as a hole."""
_FADED_LEVELS = 24.0
"""An opaque pixel that differs from the photograph by more than this counts as a hole."""
_UNLIKE_LEVELS = 20.0
"""A hole is a true gap if any of its pixels comes closer to the backdrop than this, in the photograph."""


def pinholes(master16: Pixels16, composite16: Pixels16, matte: Matte, reduced: Reduced, product: Box) -> list[Region]:
    """Return small holes in the edit where the photograph shows no backdrop, the largest first.

    A hole is transparent in the matte, or opaque and clearly unlike the photograph. It has at most 60 px, and does not
    touch the border of the product's box.

    Args:
        master16, composite16: photograph and edit, (rows, columns, 3) uint16, Adobe RGB.
        matte: each pixel's share of product, (rows, columns) float32 in 0..1, of the photograph's size.
        reduced: the whole edit, reduced to at most 1024 px; it must have a predicted backdrop.
        product: the product's box, in pixels of the photograph.
    Returns:
        Regions with their area in pixels of the photograph.
    """
    part = np.s_[product.top : product.bottom, product.left : product.right]
    white = matte[part] < _THIN
    changed = cv2.absdiff(composite16[part], master16[part]).max(axis=2)
    white |= (matte[part] == 1) & (changed > _FADED_LEVELS * 257)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(white.view(np.uint8), connectivity=8)
    small = np.flatnonzero(stats[:, cv2.CC_STAT_AREA] <= MOST_AREA_PX)
    at_border = np.unique(np.concatenate((labels[0], labels[-1], labels[:, 0], labels[:, -1])))
    found = []
    for index in np.setdiff1d(small[small > 0], at_border):
        left, top, width, height, area = (int(value) for value in stats[index])
        near = np.s_[max(0, top - 1) : top + height + 1, max(0, left - 1) : left + width + 1]
        box = Box(product.left + left, product.top + top, product.left + left + width, product.top + top + height)
        if not _is_gap(labels[near] == index, master16[part][near], reduced, box):
            found.append(Region(area=area, box=box))
    return sorted(found, key=lambda region: -region.area)


def _is_gap(own: Mask, seen: Pixels16, reduced: Reduced, box: Box) -> bool:
    """Return whether the photograph comes close to the backdrop anywhere in the hole."""
    behind = backdrop_in(reduced, box)
    off = np.abs(seen[own].astype(np.float32) / np.float32(257) - behind).max(axis=1)
    return bool(off.min() < _UNLIKE_LEVELS)
