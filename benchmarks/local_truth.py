"""Find the worst place of an edit by comparison with the right edit, which is known for test photographs.

An average over the outline hides a bad place, but a senior editor looks at it.
"""

from __future__ import annotations

import cv2
import numpy as np

from benchmarks.scenes import Scene
from packshot.colour.difference import delta_e_2000, lab_of
from packshot.colour.spaces import srgb_profile
from packshot.types import Mask, Matte, Pixels8

RENDITION_PX = 2000
"""Longest side of a picture in which a stretch is `STRETCH_PX` long."""
STRETCH_PX = 30
RING_PX = 3
_LEAST_RING_RATIO = 0.5
_COHERENT_PX = 3


def worst_stretch(composite: Pixels8, scene: Scene) -> float:
    """Return the mean colour error (delta E 2000) of the worst stretch along the true outline; 0 without an outline.

    A stretch is 30 px long in a picture of 2000 px, and reaches 3 px to each side of the outline. In a picture of
    another size its length grows in proportion.

    Args:
        composite: the edit on white, (rows, columns, 3) uint8, sRGB.
        scene: the photograph with its right edit.
    """
    kernel = np.ones((2 * RING_PX + 1,) * 2, np.uint8)
    true = (scene.matte >= 0.5).view(np.uint8)
    ring = cv2.dilate(true, kernel) != cv2.erode(true, kernel, borderValue=1)
    if not ring.any():
        return 0.0
    pair = [lab_of(np.ascontiguousarray(p[ring][None]), icc=srgb_profile()) for p in (composite, scene.truth)]
    off = np.zeros(ring.shape, np.float32)
    off[ring] = delta_e_2000(pair[0], pair[1])[0]
    side = max(2 * RING_PX + 1, round(STRETCH_PX * max(ring.shape) / RENDITION_PX))
    share = cv2.blur(ring.astype(np.float32), (side, side), borderType=cv2.BORDER_CONSTANT)
    mean = cv2.blur(off, (side, side), borderType=cv2.BORDER_CONSTANT) / np.maximum(share, np.float32(1e-6))
    whole = ring & (share >= _LEAST_RING_RATIO * 2 * RING_PX / side)
    return float(mean[whole].max()) if whole.any() else float(off[ring].mean())


def worst_area(matte: Matte, scene: Scene) -> float:
    """Return the largest connected area that was wrongly lost or left, as a share of the product's area, 0 or more.

    Only areas at least 3 px wide count, because an outline that is off by a pixel or two is no lost part.

    Args:
        matte: the edit's matte, (rows, columns) float32 in 0..1.
        scene: the photograph with its right matte.
    """
    true, found = scene.matte >= 0.5, matte >= 0.5
    area = max(1, int(np.count_nonzero(true)))
    return max(_largest(true & ~found), _largest(found & ~true)) / area


def _largest(wrong: Mask) -> int:
    opened = cv2.morphologyEx(wrong.view(np.uint8), cv2.MORPH_OPEN, np.ones((_COHERENT_PX,) * 2, np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=8)
    return int(stats[1:, cv2.CC_STAT_AREA].max(initial=0))
