"""What the network and the refined matte disagree about, where the photograph does not settle it."""

from __future__ import annotations

import cv2
import numpy as np

from packshot.qc.likeness import like_backdrop, shadow, unlike_backdrop, visible_on_white
from packshot.qc.reduced import Reduced
from packshot.qc.regions import Region, grown, opened, split
from packshot.types import Mask

_ALL_ROUND = 0.7
_SETTLED_AT_MOST = 0.05
_SURE, _SURELY_NOT = 0.8, 0.05
_OVERRULED_PX = 5


def disagreement(reduced: Reduced) -> tuple[float, list[Region]]:
    """Return how much the network's matte and the refined one differ, where the photograph does not settle it.

    The share of their union along the edge (1 - IoU without whole areas), and the areas beyond the edge. Settled, for
    the refined matte: what it keeps between parts that the network saw too, and is neither backdrop nor shadow; what
    it drops and is backdrop with product all around; what nobody could see on white. Not settled is an area so large
    that one of the two must have gone astray.
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
    """Return areas that the network is sure of and the matte decides the other way, the largest first.

    A white label looks like a gap in every way but to who knows what labels are: here the photograph settles nothing.
    """
    removed = (reduced.network > _SURE) & (reduced.matte < 0.5)
    added = (reduced.network < _SURELY_NOT) & (reduced.matte > 0.5)
    areas = opened(removed, _OVERRULED_PX) | opened(added, _OVERRULED_PX)
    return split(areas, np.ones(areas.shape, bool), reduced)[1]


def _up_to(most: float, mask: Mask) -> Mask:
    """Return the connected areas of no more than so many pixels."""
    if not mask.any():
        return mask
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    small = stats[:, cv2.CC_STAT_AREA] <= most
    small[0] = False
    return np.asarray(small[labels])


def _hull(mask: Mask) -> Mask:
    """The convex hull of a mask."""
    filled = np.zeros(mask.shape, np.uint8)
    lines, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if lines:
        cv2.fillConvexPoly(filled, cv2.convexHull(np.concatenate(lines)), 1)
    return np.asarray(filled > 0)


def _true_gaps(dropped: Mask, reduced: Reduced) -> Mask:
    """Return those dropped areas that are backdrop, with something else than backdrop all around them."""
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
