"""Measure, on the finished matte, how much of the product's rim is nearly as pale as the backdrop beside it.

A cut-out finds its outline by colour. Where a pale product meets a pale backdrop, their colours hardly differ. So parts
of the product are lost there, and backdrop is kept.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.types import Matte, Pixels16, size_of

FIGURE = "pale_rim"
"""Name of the figure."""
MEASURED_PX = 512
"""Longest side of the copy in which it is measured."""
_ALIKE = 40.0
"""The rim is nearly as pale as the backdrop if no channel differs by this many levels (8 bits, working space)."""
_PALE = 180.0
"""A pale backdrop has at least this level in its darkest channel."""
_SURE, _NOWHERE = 0.95, 0.02
_RIM_PX, _BESIDE_PX = 3, 9
"""Depth of the rim inside the product, and distance within which the backdrop beside it is averaged."""


def pale_rim(pixels: Pixels16, matte: Matte) -> float:
    """Return the share of the product's rim that is nearly as pale as a pale backdrop beside it, 0..1.

    The more of the rim is so pale, the less a cut-out by colour can be trusted. The result is 0 if there is no rim with
    backdrop beside it.

    Args:
        pixels: (rows, columns, 3) uint16, Adobe RGB: the photograph, of any size with the matte's aspect ratio.
        matte: the finished matte (each pixel's share of product), (rows, columns) float32 in 0..1.
    """
    share = min(1.0, MEASURED_PX / size_of(pixels).longest)
    size = max(1, round(pixels.shape[1] * share)), max(1, round(pixels.shape[0] * share))
    levels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.float32) / np.float32(257)
    small: Any = cv2.resize(matte, size, interpolation=cv2.INTER_AREA)
    sure, empty = (small >= _SURE).astype(np.uint8), (small <= _NOWHERE).astype(np.float32)
    weight: Any = cv2.blur(empty, (2 * _BESIDE_PX + 1,) * 2)
    rim = (sure > 0) & (cv2.erode(sure, _square(_RIM_PX), borderValue=1) == 0) & (weight > 0)
    if not rim.any():
        return 0.0
    beside: NDArray[Any] = cv2.blur(levels * empty[..., None], (2 * _BESIDE_PX + 1,) * 2)[rim] / weight[rim][:, None]
    alike = np.abs(levels[rim] - beside).max(axis=1) < _ALIKE
    return float((alike & (beside.min(axis=1) >= _PALE)).mean())


def _square(reach_px: int) -> NDArray[np.uint8]:
    return np.ones((2 * reach_px + 1,) * 2, np.uint8)
