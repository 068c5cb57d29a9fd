"""Find small patches of backdrop that the matte has kept as product, at the photograph's full size.

The evidence is a patch's colour, and the product's edge around it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.qc.reduced import Reduced
from packshot.qc.regions import Region
from packshot.types import Box, FloatImage, Mask, Matte, Pixels16

MOST_PX = 2048
"""A larger photograph is searched in a copy with this longest side."""
_LIKE_LEVELS, _LIKE_NOISES = 10.0, 4.0
"""A pixel has the backdrop's colour if no channel differs by as much as this many levels or multiples of the noise."""
_KEPT = 0.3
"""A pixel counts as kept from this alpha on: backdrop that is a third opaque shows."""
_AT_OUTLINE, _NEAR_OUTLINE = 0.005, 0.02
_SURE = 0.97
"""A patch begins within the first share of the picture's longest side from the matte's outline. It may begin within the
second where the network is less sure of product than `_SURE`. Most prints lie deeper, and the network knows them."""
_ENDS_SHARPLY = 0.5
"""Least share of the kept pixels around a patch that differ from the backdrop by twice the limit: there it ends at
the product. A pale product's face goes on in other pale colours."""
_WINDOW_PX, _WINDOW_ENDS_SHARPLY = 100.0, 0.95
"""Deeper inside a patch must be a window: at least this large, in pixels of a picture 1000 px long, with a sharp end
all around."""
_SAME_LEVELS, _SAME_NOISES, _SAME = 4.0, 3.0, 0.65
"""In a window at least the share `_SAME` of the pixels differs from the backdrop by less than this many levels or
multiples of the noise. Prints, labels and mirrored light come near the backdrop's colour, but rarely so near."""
_LEAST_PX, _MARGIN_PX, _AROUND_PX = 3, 4, 3
_PICTURE_PX = 1000.0


class _Place(NamedTuple):
    """Where the searched part lies: its first column and row in the photograph, its scale, and its scaled shape."""

    left: int
    top: int
    scale: float
    shape: tuple[int, int]


def kept_patches(master16: Pixels16, matte: Matte, reduced: Reduced, product: Box) -> list[Region]:
    """Return the patches of the matte that have the backdrop's colour, the largest first: backdrop may be kept there.

    Examples: narrow gaps that stay filled, and wedges of backdrop in a corner. White backdrop is found too. A patch has
    the predicted backdrop's colour at its place, lies at the outline, and ends at something that is clearly not
    backdrop.

    A patch farther inside may be a print on the product. So a patch a little deeper inside counts only if the
    segmentation network sees background there. Still deeper, only a large patch counts, with exactly the backdrop's
    colour and a sharp edge all around.

    Args:
        master16: the photograph, (rows, columns, 3) uint16, Adobe RGB.
        matte: each pixel's share of product, (rows, columns) float32 in 0..1, of the photograph's size.
        reduced: the whole edit, reduced to at most 1024 px. Without a predicted backdrop the list is empty.
        product: the product's box, in pixels of the photograph.
    Returns:
        Regions with their area in pixels of the photograph reduced so that its longest side is at most 1000 px. A
        smaller photograph keeps its own pixels.
    """
    if reduced.backdrop is None:
        return []
    longest = max(matte.shape)
    scale = min(1.0, MOST_PX / longest)
    part = _with_margin(product, round(_MARGIN_PX / scale), matte.shape)
    kept = _shrunk(matte[part], scale)
    at = _Place(part[1].start, part[0].start, scale, (kept.shape[0], kept.shape[1]))
    unlike = _difference(master16[part], reduced, at)
    sure = _enlarged(reduced.network, reduced, at)
    limit = max(_LIKE_LEVELS, _LIKE_NOISES * reduced.noise)
    depth = cv2.distanceTransform((kept >= 0.5).view(np.uint8), cv2.DIST_L2, 5)
    found = ((unlike < limit) & (kept >= _KEPT)).view(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(found, connectivity=4)
    near_outline = (found > 0) & (depth < _NEAR_OUTLINE * longest * scale)
    same = unlike < max(_SAME_LEVELS, _SAME_NOISES * reduced.noise)
    shrink = min(1.0, _PICTURE_PX / (longest * scale)) ** 2
    large = stats[:, cv2.CC_STAT_AREA] * shrink >= _WINDOW_PX
    large[0] = False
    patches = []
    for index in np.union1d(np.unique(labels[near_outline]), np.flatnonzero(large)):
        left, top, width, height, area = (int(value) for value in stats[index])
        if area < _LEAST_PX:
            continue
        near = _around(left, top, width, height)
        own = labels[near] == index
        ends = _ends_sharply(own, kept[near], unlike[near], limit)
        window = large[index] and ends >= _WINDOW_ENDS_SHARPLY and float(same[near][own].mean()) >= _SAME
        outermost = float(depth[near][own].min()) / (longest * scale)
        rim = ends >= _ENDS_SHARPLY and _at_outline(outermost, float(sure[near][own].mean()))
        if not (window or rim):
            continue
        place = np.array([left, top, left + width, top + height]) / scale + [part[1].start, part[0].start] * 2
        patches.append(Region(area=area * shrink, box=Box(*(int(value) for value in np.rint(place)))))
    return sorted(patches, key=lambda patch: -patch.area)


def _ends_sharply(own: Mask, kept: Matte, unlike: Matte, limit: float) -> float:
    """Return the share of the kept pixels around a patch that are clearly no backdrop.

    The pixels right beside it are left out: there both colours mix.
    """
    beside, around = (cv2.dilate(own.view(np.uint8), np.ones((2 * px + 1,) * 2, np.uint8)) for px in (1, _AROUND_PX))
    product = (around > beside) & (kept >= 0.5)
    return float((unlike[product] > 2 * limit).mean()) if product.any() else 0.0


def _at_outline(depth: float, network: float) -> bool:
    """Return whether a patch lies near enough to the outline.

    Args:
        depth: depth of the patch's outermost pixel, as a share of the picture's longest side.
        network: the network's mean probability of product in it.
    """
    return depth < _AT_OUTLINE or (depth < _NEAR_OUTLINE and network < _SURE)


def _difference(pixels: Pixels16, reduced: Reduced, at: _Place) -> Matte:
    """Return the greatest channel difference between photograph and predicted backdrop in a part, in levels.

    One channel at a time, to save memory.
    """
    assert reduced.backdrop is not None
    most = np.zeros(at.shape, np.float32)
    for channel in range(3):
        seen = _shrunk(pixels[..., channel], at.scale) / np.float32(257)
        behind = _enlarged(np.ascontiguousarray(reduced.backdrop[..., channel]), reduced, at)
        np.maximum(most, cv2.absdiff(seen, behind), out=most)
    return most


def _enlarged(picture: Matte, reduced: Reduced, at: _Place) -> Matte:
    """Return the part of a picture of the reduced edit, enlarged linearly."""
    step = reduced.scale / at.scale
    left, top = ((start + 0.5 / at.scale) * reduced.scale - 0.5 for start in (at.left, at.top))
    found = cv2.warpAffine(
        picture,
        np.array([[step, 0, left], [0, step, top]]),
        at.shape[::-1],
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(found, np.float32)


def _shrunk(picture: NDArray[Any], scale: float) -> FloatImage:
    """Return a picture reduced by area averaging, float32."""
    if scale == 1:
        return np.asarray(picture, np.float32)
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    return np.asarray(cv2.resize(np.ascontiguousarray(picture), size, interpolation=cv2.INTER_AREA), np.float32)


def _with_margin(box: Box, margin_px: int, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Return the slices of a box with a margin, clipped to the picture."""
    rows = slice(max(0, box.top - margin_px), min(shape[0], box.bottom + margin_px))
    return rows, slice(max(0, box.left - margin_px), min(shape[1], box.right + margin_px))


def _around(left: int, top: int, width: int, height: int) -> tuple[slice, slice]:
    """Return the slices of a patch's box with room for what is around it."""
    return (
        slice(max(0, top - _AROUND_PX), top + height + _AROUND_PX),
        slice(max(0, left - _AROUND_PX), left + width + _AROUND_PX),
    )
