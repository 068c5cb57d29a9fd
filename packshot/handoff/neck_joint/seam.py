"""Measure how visible the line is where two regions of a picture meet, such as garment and neck shot."""

from __future__ import annotations

import cv2
import numpy as np

from packshot.colour.difference import Lab, delta_e_2000
from packshot.types import Mask, Value

_SEEN_FROM = 5.0
_REACH_SIGMA_PX = 2.0
_NEAR_PX = 9


class Seam(Value):
    """How visible the line is along which mannequin and garment meet.

    Attributes:
        visible_ratio: share of the line, 0..1, where both sides differ by delta E 2000 of 5 or more.
        delta_e: median delta E 2000 across the line.
    """

    visible_ratio: float
    delta_e: float


def measure_seam(lab: Lab, ours: Mask, theirs: Mask) -> Seam | None:
    """Return how visible the line between two regions of a picture is; None if the regions do not touch.

    Args:
        lab: the picture, (rows, columns, 3) float32, CIE L*a*b*.
        ours, theirs: (rows, columns) bool: the two regions, such as mannequin and garment.
    """
    near = cv2.dilate(theirs.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    line = ours & near
    if not line.any():
        return None
    kernel = np.ones((3, 3), np.uint8)
    first = _mean_around(lab, cv2.erode(ours.astype(np.uint8), kernel, borderValue=0) > 0)[line]
    second = _mean_around(lab, cv2.erode(theirs.astype(np.uint8), kernel, borderValue=0) > 0)[line]
    off = delta_e_2000(first, second)
    return Seam(visible_ratio=round(float((off >= _SEEN_FROM).mean()), 3), delta_e=round(float(np.median(off)), 1))


def _mean_around(lab: Lab, where: Mask) -> Lab:
    weight = where.astype(np.float32)
    size = (2 * _NEAR_PX + 1,) * 2
    total = cv2.GaussianBlur(lab * weight[..., None], size, _REACH_SIGMA_PX)
    return np.asarray(total / np.maximum(cv2.GaussianBlur(weight, size, _REACH_SIGMA_PX), 1e-6)[..., None], np.float32)
