"""Measure regions of the matte against what lies right around them: the backdrop nearby, and the product beside them.

`near_backdrop` finds the regions and compares each with the backdrop as predicted at its place. Here a region is
compared with the backdrop as it really is nearby, with the product's shade and light on it, and with the part of the
product around it. That takes longer, so only doubtful regions are measured. Distances are in pixels of the picture
around the product, and colours in levels (0..255).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.colour.channels import greatest_channel, mean_channel
from packshot.qc.around import Around
from packshot.qc.near_backdrop import Regions
from packshot.types import FloatImage

_NEARBY = {"near": 10.0, "far": 40.0}
"""How far backdrop counts as nearby: sigma of a Gaussian."""
_OUTSIDE_PX, _EVEN_PX = 2.0, 0.7
_LEAST_WEIGHT = np.float32(1e-3)
_LEAST_NOISE = 0.5
_RING_PX, _BESIDE_PX = 9, 5
_ALIKE_LEVELS, _LEAST_PERCENT = 10.0, 20
NAMES = (
    *(f"{nearby}_{figure}" for nearby in _NEARBY for figure in ("bright", "tint", "unlike")),
    "near_bright_noises",
    "ring_alike",
    "ring_least",
)
"""Names of the measurements, in the order of the columns that `closer_look` returns."""


def closer_look(around: Around, noise: float, regions: Regions, chosen: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return measurements of some regions: (chosen regions, measurements) float64, with the columns `NAMES`.

    The first six columns compare a region with the backdrop nearby: its mean difference, its tint, and its greatest
    difference in any channel, in levels. The seventh is the first in units of the noise. The last two compare it with
    the product in a ring around it: the share of the ring that has the region's colour, 0..1, and how much the most
    similar fifth of the ring differs from it, in levels; both are -1 if no product lies there.

    Args:
        around: the photograph around the product, reduced, with its matte and its predicted backdrop.
        noise: the backdrop's noise, in levels (0..255).
        regions: the regions of the matte with nearly the backdrop's colour.
        chosen: (chosen regions,): indices of the regions to measure.
    """
    even = np.asarray(cv2.GaussianBlur(around.levels, (0, 0), _EVEN_PX), np.float32)
    places = [regions.pixels[one] for one in chosen]
    outside = (_away(around) > _OUTSIDE_PX).astype(np.float32)
    columns: list[list[float]] = []
    for sigma in _NEARBY.values():
        off = even - _backdrop_nearby(around, even, outside, sigma)
        bright = mean_channel(off)
        maps = (bright, greatest_channel(np.abs(off - bright[..., None])), greatest_channel(np.abs(off)))
        columns += [[float(picture.ravel()[place].mean()) for place in places] for picture in maps]
    columns.append([value / max(noise, _LEAST_NOISE) for value in columns[0]])
    columns += [list(column) for column in zip(*(_ring(around, even, place) for place in places), strict=True)]
    return np.array(columns, np.float64).T


def _away(around: Around) -> FloatImage:
    """Return each pixel's distance from the product, in pixels of the picture around it; 0 inside."""
    return np.asarray(cv2.distanceTransform((~around.kept).view(np.uint8), cv2.DIST_L2, 3), np.float32)


def _backdrop_nearby(around: Around, even: FloatImage, outside: FloatImage, sigma: float) -> FloatImage:
    """Return the backdrop's mean colour near each pixel; far from any it is the predicted one."""
    total = _blurred(np.asarray(even * outside[..., None]), sigma) + _LEAST_WEIGHT * around.backdrop
    return np.asarray(total / (_blurred(outside, sigma) + _LEAST_WEIGHT)[..., None], np.float32)


def _blurred(picture: FloatImage, sigma: float) -> FloatImage:
    """Return the picture blurred so widely that it can be done at a quarter of the size, where it is cheap."""
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (max(1, width // 4), max(1, height // 4)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / 4)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _ring(around: Around, even: FloatImage, place: NDArray[np.intp]) -> tuple[float, float]:
    """Return the share of the product around a region that has its colour, and the most similar part's difference."""
    rows, columns = np.divmod(place, around.kept.shape[1])
    top, left = max(0, int(rows.min()) - _BESIDE_PX), max(0, int(columns.min()) - _BESIDE_PX)
    part = np.s_[top : int(rows.max()) + _BESIDE_PX + 1, left : int(columns.max()) + _BESIDE_PX + 1]
    colours = even[part]
    own = np.zeros(colours.shape[:2], np.uint8)
    own[rows - top, columns - left] = 1
    wide, beside = (cv2.dilate(own, np.ones((side, side), np.uint8)) > 0 for side in (_RING_PX, _BESIDE_PX))
    ring = wide & ~beside & around.kept[part]
    if not ring.any():
        return -1.0, -1.0
    unlike = np.abs(colours[ring] - colours[own > 0].mean(axis=0)).max(axis=1)
    return float((unlike < _ALIKE_LEVELS).mean()), float(np.percentile(unlike, _LEAST_PERCENT))
