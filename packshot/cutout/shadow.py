"""Measure how much the product darkens the backdrop where it stands on it (its contact shadow)."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from packshot.colour.channels import mean_channel
from packshot.colour.spaces import WORKING_GAMMA
from packshot.types import FloatImage, Matte, Pixels16

SEEN_BELOW = 0.05
"""A pixel counts as visible backdrop where the network's probability is below this."""
FAINTEST = 0.985
"""A shadow that leaves more than this share of the light is ignored."""
REACH_RATIO = 0.12
"""Greatest reach of a shadow, as a share of the product's longest side."""


def contact_shade(pixels: Pixels16, surface: FloatImage, prediction: Matte) -> Matte:
    """Return how much of the backdrop's light remains in the contact shadow, (rows, columns) float32 in 0..1.

    It is a share of linear light. 1 means no shadow; farther away than a shadow reaches, it is exactly 1.

    Args:
        pixels: the photograph, (rows, columns, 3) uint16, Adobe RGB, of any size.
        surface: the backdrop without product and shadow, (rows, columns, 3) float32, encoded Adobe RGB values
            scaled to 0..255. The result has its size.
        prediction: the segmentation network's probability of product, (n, n) float32 in 0..1, at any size.
    """
    size = (surface.shape[1], surface.shape[0])
    seen: Any = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    probability: Any = cv2.resize(prediction, size, interpolation=cv2.INTER_LINEAR)
    light = mean_channel(seen.astype(np.float32) / np.float32(257)) + 1
    linear = np.clip(light / (mean_channel(surface) + 1), 0, 1) ** np.float32(WORKING_GAMMA)
    return _faded(_evened(linear, (probability < SEEN_BELOW).astype(np.float32)), probability)


def _evened(linear: Matte, outside: Matte) -> Matte:
    """Return the light smoothed by a Gaussian over visible backdrop only; 1 where none is near."""
    total = cv2.GaussianBlur(outside, (0, 0), 3)
    smooth = cv2.GaussianBlur(linear * outside, (0, 0), 3) / np.maximum(total, 1e-3)
    return np.asarray(np.where(total > 1e-3, smooth, 1.0), np.float32)


def _faded(shade: Matte, probability: Matte) -> Matte:
    """Return the shade, fading to 1 with the distance from the product."""
    rows, columns = np.nonzero(probability >= 0.5)
    if not rows.size:
        return np.ones_like(shade)
    reach = REACH_RATIO * max(np.ptp(rows) + 1, np.ptp(columns) + 1)
    distance: Any = cv2.distanceTransform((probability < 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    depth = np.clip((FAINTEST - shade) / FAINTEST, 0, 1) * np.clip(1 - distance / reach, 0, 1)
    return np.asarray(1 - depth, np.float32)
