"""Find where the segmentation network's mask and the refined matte differ.

`disagreement` measures all differences, but leaves out those where the photograph shows that the matte is right.
`overruled` and `overruled_details` find areas where the matte contradicts the network although the network is sure.
They do not use the photograph.
"""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np

from packshot.qc.likeness import like_backdrop, shadow, unlike_backdrop, visible_on_white
from packshot.qc.reduced import Reduced
from packshot.qc.regions import Region, grown, opened, split
from packshot.types import Mask

_ALL_ROUND = 0.7
"""Least share of a gap's surroundings that must be unlike the backdrop."""
_SETTLED_AT_MOST = 0.05
"""Largest area that the photograph can settle, as a share of the union of both masks."""
_SURE, _SURELY_NOT = 0.8, 0.05
"""The network is sure of product above the first probability, and sure of background below the second."""
_OVERRULED_PX = 5
_DOUBTFUL, _CLEAR_KEPT, _CLEAR_DROPPED, _DETAIL_PX = 0.3, 0.9, 0.1, 2
"""A detail: the network holds an area for background (below the first) and the matte keeps it (above the second), or it
is sure of product and the matte drops it (below the third); at least as wide as the last, in reduced pixels."""
_PICTURE_PX = 1000.0


def disagreement(reduced: Reduced) -> tuple[float, list[Region]]:
    """Return how much the segmentation network's mask and the refined matte differ: (share, areas).

    In both, a pixel above 0.5 is product. A difference is a pixel that is product in only one of the two.

    - share: the differences in lines narrower than 3 px, divided by the number of pixels that are product in either,
      0..1.
    - areas: the wider differences, the largest first, each a `Region` with its number of pixels; empty if there are
      none.

    Widths, numbers of pixels and places are in pixels of the reduced edit.

    Differences are left out if the photograph shows that the refined matte is right, or that nobody could see the
    difference:

    - The matte keeps an area that is neither backdrop nor shadow, within the convex hull of the network's mask.
    - The matte drops an area that looks like backdrop and is surrounded by something else.
    - The area would not be visible on white.

    The first two reasons do not hold for an area larger than 5 % of the pixels that are product in either: the network
    or the matte must be badly wrong there.

    Args:
        reduced: photograph, edit, mask and matte of the whole frame, all reduced to the same size, at most 1024 px.
    """
    network, refined = reduced.network > 0.5, reduced.matte > 0.5
    union = int(np.count_nonzero(network | refined))
    differs = (network ^ refined) & visible_on_white(reduced)
    if reduced.backdrop is not None:
        kept = differs & refined & _hull(network) & unlike_backdrop(reduced) & ~shadow(reduced)
        most = _SETTLED_AT_MOST * union
        differs &= ~(_up_to(most, kept) | _up_to(most, _true_gaps(network & ~refined, reduced)))
    areas = opened(differs, 3)
    share = np.count_nonzero(differs & ~areas) / union if union else 0.0
    return share, split(areas, np.ones(areas.shape, bool), reduced)[1]


def overruled(reduced: Reduced) -> list[Region]:
    """Return the areas where the matte contradicts a segmentation network that is sure, the largest first.

    The network is sure above 0.8 that a pixel is product, and below 0.05 that it is not. A region's area is its number
    of pixels in the reduced edit. Areas narrower than 5 of these pixels are left out. The photograph is not used: in
    its pixels, a white label looks exactly like a gap.

    Args:
        reduced: the edit, reduced to at most 1024 px, or a part of it.
    """
    removed = (reduced.network > _SURE) & (reduced.matte < 0.5)
    added = (reduced.network < _SURELY_NOT) & (reduced.matte > 0.5)
    areas = opened(removed, _OVERRULED_PX) | opened(added, _OVERRULED_PX)
    return split(areas, np.ones(areas.shape, bool), reduced)[1]


def overruled_details(reduced: Reduced) -> list[Region]:
    """Return small areas where the matte contradicts the segmentation network, the largest first.

    The matte keeps a pixel (above 0.9) that the network takes for background (below 0.3), or drops one (below 0.1) that
    the network takes for product (above 0.8). Examples: narrow gaps that stay filled, bits of backdrop or shadow at an
    edge, and gaps that end too early. Areas narrower than 2 pixels of the reduced edit are left out. A region's area is
    in pixels of the photograph scaled so that its longest side is 1000 px.

    Args:
        reduced: the edit, reduced to at most 1024 px, or a part of it.
    """
    kept = (reduced.network < _DOUBTFUL) & (reduced.matte > _CLEAR_KEPT)
    dropped = (reduced.network > _SURE) & (reduced.matte < _CLEAR_DROPPED)
    areas = opened(kept, _DETAIL_PX) | opened(dropped, _DETAIL_PX)
    scale = (_PICTURE_PX / reduced.longest) ** 2
    found = split(areas, np.ones(areas.shape, bool), reduced)[1]
    return [dataclasses.replace(region, area=region.area * scale) for region in found]


def _up_to(most: float, mask: Mask) -> Mask:
    """Return the connected components of at most `most` pixels."""
    if not mask.any():
        return mask
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    small = stats[:, cv2.CC_STAT_AREA] <= most
    small[0] = False
    return np.asarray(small[labels])


def _hull(mask: Mask) -> Mask:
    """Return the convex hull of a mask, as a mask."""
    filled = np.zeros(mask.shape, np.uint8)
    lines, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if lines:
        cv2.fillConvexPoly(filled, cv2.convexHull(np.concatenate(lines)), 1)
    return np.asarray(filled > 0)


def _true_gaps(dropped: Mask, reduced: Reduced) -> Mask:
    """Return the dropped areas that are backdrop and surrounded by something unlike the backdrop."""
    gaps = opened(dropped & like_backdrop(reduced), 3)
    unlike = unlike_backdrop(reduced)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(gaps.view(np.uint8), connectivity=8)
    true = np.zeros(dropped.shape, bool)
    for index in range(1, count):
        left, top, width, height = (int(value) for value in stats[index, :4])
        part = (slice(max(0, top - 5), top + height + 5), slice(max(0, left - 5), left + width + 5))
        own = labels[part] == index
        around = grown(own, 9) & ~grown(own, 5)
        if float(unlike[part][around].mean()) >= _ALL_ROUND:
            true[part] |= grown(own, 5)
    return true
