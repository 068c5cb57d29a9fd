"""Differences between the network's mask and the refined matte that the photograph does not settle."""

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
    """Return how much the network's mask and the refined matte differ where the photograph does not settle it.

    Returns:
        The differing pixels along the edge, as a share of the union of both masks, and the differing areas beyond the
            edge, largest first.

    The photograph settles a difference in favour of the refined matte in these cases:
    - The matte keeps an area within the network's convex hull that is neither backdrop nor shadow.
    - The matte drops an area that is backdrop, surrounded by something else.
    - The area could not be seen on white.

    An area larger than 5 % of the union is never settled: then one of the two must be wrong.
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
    """Return areas that the network is sure of but the matte decides the other way, the largest first.

    The photograph settles nothing here: a white label looks exactly like a gap to anyone who does not know labels.
    """
    removed = (reduced.network > _SURE) & (reduced.matte < 0.5)
    added = (reduced.network < _SURELY_NOT) & (reduced.matte > 0.5)
    areas = opened(removed, _OVERRULED_PX) | opened(added, _OVERRULED_PX)
    return split(areas, np.ones(areas.shape, bool), reduced)[1]


def overruled_details(reduced: Reduced) -> list[Region]:
    """Return small areas that the matte keeps or drops against the network, the largest first.

    They are narrow gaps that stay filled, bits of backdrop or shadow at an edge, and gaps that end too early.

    Returns:
        Regions whose area is in pixels of a picture 1000 px long.
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
