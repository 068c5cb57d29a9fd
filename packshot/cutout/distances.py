"""Compute for each pixel its distance from a mask's outline, or the mask's nearest pixel."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.types import Mask, Matte


def signed_distance(product: Mask) -> Matte:
    """Return each pixel's distance from the product's outline, (rows, columns) float32, in pixels, positive inside.

    The outline lies between pixels, so the distance is 0.5 or -0.5 beside it.

    Args:
        product: (rows, columns) bool: True in the product.
    """
    whole = product.astype(np.uint8)
    inside: Any = cv2.distanceTransform(whole, cv2.DIST_L2, 5)
    outside = cv2.distanceTransform(1 - whole, cv2.DIST_L2, 5)
    return np.asarray(np.where(product, inside - 0.5, 0.5 - outside), np.float32)


def nearest(mask: Mask, *, at: Mask) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return (rows, columns): for each pixel of `at`, the row and the column of the nearest pixel of `mask`.

    Both are (n,) indices, in row-major order of the pixels of `at`.

    Args:
        mask: (rows, columns) bool, not empty: the pixels to choose from.
        at: (rows, columns) bool: the pixels to find a nearest pixel for.
    """
    _, labels = cv2.distanceTransformWithLabels((~mask).view(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    found = np.flatnonzero(mask)[labels[at] - 1]  # pixels are numbered from 1 in their order
    return np.divmod(found, mask.shape[1])
