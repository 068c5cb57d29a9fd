"""Find parts of the product that lie outside the matte (each pixel's share of product), so that they are lost."""

from __future__ import annotations

import cv2
import numpy as np

from packshot.qc.likeness import shadow, slope, unlike_backdrop
from packshot.qc.reduced import Reduced
from packshot.qc.regions import Region, enclosed_ground, grown, opened, split
from packshot.types import Mask

_SHARP = 8.0
"""Least gradient of an edge too sharp for a shadow, in levels per reduced pixel. Noise raises it."""
_EDGE = 5.0
"""Least gradient of any edge, in levels per reduced pixel. Noise raises it."""
_LIGHT_OF_PRODUCT_PX = 6
_BELOW = np.ones((5, 9), np.uint8)
"""So far below the product, and beside that, nothing is looked at: a contact shadow's darkest part lies there."""
_LEAST_BORDER_PX = 12
_ENDS_IN_EDGE = 0.3
"""Least share of an area's border that must lie on edges."""


def product_outside(reduced: Reduced) -> tuple[list[Region], list[Region]]:
    """Return areas just outside the matte that look like product, as (enclosed areas, open areas).

    The areas are neither backdrop nor shadow. The matte surrounds an enclosed area. An open area must end in an edge:
    coloured light that the product throws on the floor has none, it fades away. Each list has the largest first. A
    region's area is its number of pixels of the reduced edit.

    Args:
        reduced: the edit, reduced to at most 1024 px. Without a predicted backdrop both lists are empty.
    """
    if reduced.backdrop is None:
        return [], []
    product = reduced.matte > 0.1
    clear = ~grown(product, 5) & (cv2.dilate(product.view(np.uint8), _BELOW, anchor=(4, 4)) == 0)
    found = opened(clear & unlike_backdrop(reduced) & ~shadow(reduced), 3)
    near = grown(reduced.matte > 0.5, 11)
    enclosed = enclosed_ground(reduced)
    ends = clear & (slope(reduced) > max(_EDGE, 3 * reduced.noise))
    inner = split(found & enclosed, found, reduced, must_meet=near)[1]
    open_ground = found & ~enclosed
    outer = split(open_ground, _ending_in(grown(ends, 3), open_ground, reduced), reduced, must_meet=near)[1]
    return inner, outer


def sharp_outside(reduced: Reduced) -> list[Region]:
    """Return areas just outside the matte where the photograph has an edge too sharp for a shadow, so perhaps product.

    The largest comes first. A region's area is its number of pixels of the reduced edit.

    Args:
        reduced: the edit, reduced to at most 1024 px. Without a predicted backdrop the list is empty.
    """
    if reduced.backdrop is None:
        return []
    clear = ~grown(reduced.matte > 0.1, 15)
    near = grown(reduced.matte > 0.5, 21)
    found = clear & (slope(reduced) > max(_SHARP, 4 * reduced.noise))
    return split(found, near, reduced)[1]


def _ending_in(edges: Mask, found: Mask, reduced: Reduced) -> Mask:
    """Return the areas of `found` whose border lies on edges for at least `_ENDS_IN_EDGE` of its length.

    The border near the product is left out, because the product has edges itself. An area with too little border
    elsewhere must touch an edge.
    """
    labels = cv2.connectedComponents(found.view(np.uint8), connectivity=8)[1]
    count = int(labels.max()) + 1
    rim = cv2.dilate(labels.astype(np.float32), np.ones((3, 3), np.uint8)).astype(np.int32)
    away = (rim > 0) & ~found & ~grown(reduced.matte > 0.1, 2 * _LIGHT_OF_PRODUCT_PX + 1)
    border = np.bincount(rim[away], minlength=count)
    ending = np.bincount(rim[away & edges], minlength=count)
    met = np.bincount(labels[edges], minlength=count) > 0
    ends = np.where(border >= _LEAST_BORDER_PX, ending >= _ENDS_IN_EDGE * border, met)
    ends[0] = False
    return np.asarray(ends[labels])
