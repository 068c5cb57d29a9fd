"""Place a neck shot (the garment's inside) on the exterior shot by the outline of collar and shoulders.

This is done if no matched points give its place.
"""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.types import Mask

_DEPTH = 0.25
_FROM, _TO = 0.05, 1.0
_STEPS = 40
_LEAST_SCALE, _MOST_SCALE, _SCALES = 0.25, 4.0, 241
_LOWER, _LOWERINGS = 0.04, 17
_LEAST_ROWS = 12
_OPENED = 0.004


@dataclasses.dataclass(frozen=True)
class Placed:
    """The place of the neck shot (the garment's inside) on the exterior shot (the garment on its mannequin).

    The place was found by the outlines of both, and is a scale and a shift, without rotation.

    Attributes:
        warp: 2 x 3 float64, from pixels of the neck shot to pixels of the exterior.
        outline_px: mean distance between the outlines of the two shots, in pixels of the exterior.
    """

    warp: NDArray[np.float64]
    outline_px: float


@dataclasses.dataclass(frozen=True)
class _Outline:
    """The left and the right end of each row of a silhouette, from its top down."""

    top: int
    left: NDArray[np.float64]
    right: NDArray[np.float64]

    def at(self, depth_px: NDArray[np.float64]) -> NDArray[np.float64]:
        rows = np.arange(len(self.left))
        return np.stack([np.interp(depth_px, rows, one) for one in (self.left, self.right)])


def place_by_shoulders(garment: Mask, neck: Mask) -> Placed | None:
    """Return the scale and shift of the neck shot at which its outline best matches the exterior shot's outline.

    The neck shot shows the garment's inside, the exterior shot the garment on its mannequin.

    The outlines of collar and shoulders are compared. The result is None if one of the two has no outline, or no scale
    fits.

    Args:
        garment: (rows, columns) bool: the exterior without its mannequin.
        neck: (rows, columns) bool, of the neck shot's size: the neck shot's cut-out.
    """
    ours, theirs = _outline(garment), _outline(neck)
    if ours is None or theirs is None:
        return None
    height = len(ours.left)
    depth = np.linspace(_FROM, _TO, _STEPS) * _DEPTH * height
    wanted = ours.at(depth)
    tried = []
    for scale in np.geomspace(_LEAST_SCALE, _MOST_SCALE, _SCALES):
        for lower in np.linspace(-_LOWER, _LOWER, _LOWERINGS) * height:
            rows = (depth - lower) / scale
            if rows[0] < 0 or rows[-1] > len(theirs.left) - 1:
                continue
            got = theirs.at(rows) * scale
            shift = float(np.median(wanted - got))
            tried.append((float(np.abs(wanted - got - shift).mean()), scale, shift, lower))
    if not tried:
        return None
    off, scale, shift, lower = min(tried)
    warp = np.array([[scale, 0, shift], [0, scale, ours.top + lower - scale * theirs.top]], np.float64)
    return Placed(warp, off)


def _outline(mask: Mask) -> _Outline | None:
    """Return the outline of a silhouette; None if it has too few rows.

    It ends above the first row that touches the left or right border of the picture.
    """
    mask = _solid(mask)
    rows = np.nonzero(mask.any(axis=1))[0]
    if not len(rows):
        return None
    span = mask[rows[0] : rows[-1] + 1]
    cut = np.nonzero(span[:, 0] | span[:, -1])[0]
    span = span[: cut[0]] if len(cut) else span
    full = np.nonzero(span.any(axis=1))[0]
    if len(full) < _LEAST_ROWS:
        return None
    left, right = span.argmax(axis=1), span.shape[1] - 1 - span[:, ::-1].argmax(axis=1)
    return _Outline(int(rows[0]), left.astype(np.float64), right.astype(np.float64))


def _solid(mask: Mask) -> Mask:
    """Return the largest connected component without thin parts. A thin rim is left over from the mannequin."""
    radius = max(1, round(_OPENED * max(mask.shape)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, kernel)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=4)
    return np.asarray(labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())) if count > 1 else opened > 0
