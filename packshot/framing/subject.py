"""Find the smallest box that holds the product, from a matte (each pixel's share of product)."""

from __future__ import annotations

import cv2
import numpy as np

from packshot.errors import EmptySubjectError
from packshot.types import Box, Matte


def subject_box(matte: Matte, *, threshold: float = 0.5) -> Box:
    """Return the smallest box that contains the product, in pixels of the matte.

    Args:
        matte: each pixel's share of product, (rows, columns) float32 in 0..1.
        threshold: coverage above which a pixel counts as product, 0..1.

    Raises:
        EmptySubjectError: no pixel exceeds the threshold.
    """
    left, top, width, height = cv2.boundingRect((matte > threshold).astype(np.uint8))
    if width == 0 or height == 0:
        raise EmptySubjectError(
            "no product was found in the picture",
            found=f"greatest coverage {float(matte.max(initial=0)):.3f}",
            allowed=f"at least one pixel above {threshold}",
            next_step="Look at the cut-out; give the shot to an editor.",
        )
    return Box(left, top, left + width, top + height)
