"""Find out whether an area's colour goes on inside the product.

A bit of backdrop that was kept ends at the product's edges on all sides. A printed stripe that runs out to the outline,
or a shaded face that passes through the backdrop's colour, goes on: only the end of it was taken for backdrop.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.qc.around import Around

_REACH_PX = 100
"""How far around the area its colour is followed, in pixels of the part around the product."""
_ALIKE_LEVELS, _EVEN_PX = 12.0, 0.7
"""Colours that differ by less than this from the area's median, in any channel, are the same. Noise is evened first."""
_TIMES = 3.0
"""The colour goes on if, connected with the area, it covers at least so many times the area's size outside of it."""


def goes_on(around: Around, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> bool:
    """Return True if an area's colour goes on inside the matte: it is then part of the product, and not kept backdrop.

    It goes on if pixels of nearly the same colour, at least three times as many as the area has, are connected with the
    area inside the matte, within 100 px of the area's box.

    Args:
        around: the photograph around the product, reduced, with its matte and its predicted backdrop.
        rows, columns: (pixels,) row and column of each pixel of the area, in `around`; at least one.
    """
    top, left = max(0, int(rows.min()) - _REACH_PX), max(0, int(columns.min()) - _REACH_PX)
    part = np.s_[top : int(rows.max()) + _REACH_PX + 1, left : int(columns.max()) + _REACH_PX + 1]
    even = np.asarray(cv2.GaussianBlur(around.levels[part], (0, 0), _EVEN_PX), np.float32)
    own = np.zeros(even.shape[:2], bool)
    own[rows - top, columns - left] = True
    alike = around.kept[part] & (np.abs(even - np.median(even[own], axis=0)).max(axis=2) < _ALIKE_LEVELS)
    _, labels = cv2.connectedComponents((alike | own).view(np.uint8), connectivity=4)
    beyond = np.isin(labels, np.unique(labels[own])) & ~own
    return bool(np.count_nonzero(beyond) >= _TIMES * len(rows))
