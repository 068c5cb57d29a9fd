"""Enlarge a matte that was computed in a reduced picture, so that it follows the edges of the full-size picture.

A matte says how much of each pixel is product. The method is guided upsampling.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.types import FloatImage, Matte

_WINDOW_PX, _BOUND_PX = 5, 3
_EVEN = 1e-4
"""Regularisation of the least squares fit: colour variances (linear light) well below this have little influence."""


def enlarged(matte: Matte, light: FloatImage, large: FloatImage) -> Matte:
    """Return a matte enlarged to the size of a larger picture, (rows, columns) float32 in 0..1.

    This is the fast guided filter (He and Sun 2015). In each window of the small picture, alpha = a . I + b is fitted
    by least squares, where I is the colour. The coefficients a and b are averaged and enlarged. Then they are applied
    to the colours of the large picture, so the enlarged edge follows that picture's edges.

    Where the small matte is 0 in a whole window of 3 x 3 pixels, the result is 0. Where it is 1 in a whole window, the
    result is 1.

    Args:
        matte: each pixel's share of product, (rows, columns) float32 in 0..1.
        light: (rows, columns, 3) float32, linear light in 0..1: the picture that the matte was solved in, of its size.
        large: the same scene at the larger size, (rows, columns, 3) float32, linear light in 0..1.
    """
    slope, offset = _fitted(matte, light)
    size = large.shape[1], large.shape[0]
    near = np.ones((_BOUND_PX, _BOUND_PX), np.uint8)
    slope, offset, least, most = (
        cv2.resize(one, size, interpolation=cv2.INTER_LINEAR)
        for one in (_mean(slope), _mean(offset), np.floor(cv2.erode(matte, near)), np.ceil(cv2.dilate(matte, near)))
    )
    return np.asarray(np.clip(np.einsum("yxc,yxc->yx", slope, large) + offset, least, most), np.float32)


def _fitted(matte: Matte, light: FloatImage) -> tuple[Any, Any]:
    """Return the coefficients of each window: a, (rows, columns, 3), and b, (rows, columns)."""
    mean_light, mean_matte = _mean(light), _mean(matte)
    spread = np.empty((*matte.shape, 3, 3), np.float32)
    for i in range(3):
        for j in range(i, 3):
            both = _mean(light[..., i] * light[..., j]) - mean_light[..., i] * mean_light[..., j]
            spread[..., i, j] = spread[..., j, i] = both
    spread += np.float32(_EVEN) * np.eye(3, dtype=np.float32)
    together = _mean(light * matte[..., None]) - mean_light * mean_matte[..., None]
    slope = np.linalg.solve(spread, together[..., None])[..., 0]
    return slope, mean_matte - np.einsum("yxc,yxc->yx", slope, mean_light)


def _mean(picture: NDArray[np.float32]) -> Any:
    """Return the box mean over the filter's window."""
    return cv2.blur(picture, (_WINDOW_PX, _WINDOW_PX))
