"""Photographs of a drawn ColorChecker Classic, turned, small and lit as a test says."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.colour.spaces import encode_working
from packshot.colour.target_values import COLUMNS, PATCHES, reference_linear
from packshot.types import Pixels16

PATCH, GAP, RIM = 40, 8, 16
CAMERA = np.array([[0.62, 0.22, 0.03], [0.10, 0.72, 0.08], [0.02, 0.20, 0.55]])
"""A camera that mixes the channels, under warm light; mild enough that its pictures hold every patch."""


def chart() -> NDArray[np.float64]:
    """The card, linear working RGB, (rows, columns, 3)."""
    step = PATCH + GAP
    rows, columns = 4 * step - GAP + 2 * RIM, 6 * step - GAP + 2 * RIM
    card = np.full((rows, columns, 3), 0.012)
    for number in range(PATCHES):
        top, left = RIM + number // COLUMNS * step, RIM + number % COLUMNS * step
        card[top : top + PATCH, left : left + PATCH] = np.clip(reference_linear()[number], 0, 1)
    return card


def photograph_of_chart(
    *,
    width: int = 1200,
    height: int = 900,
    patch_px: float = 60,
    turned_degrees: float = 0.0,
    camera: NDArray[np.float64] | None = None,
    backdrop: float = 0.45,
    grain: float = 0.002,
    seed: int = 3,
) -> Pixels16:
    """Return the card in the middle of a grey backdrop, as a camera sees it, working space."""
    card = chart()
    scale = patch_px / PATCH
    turn = cv2.getRotationMatrix2D((card.shape[1] / 2, card.shape[0] / 2), turned_degrees, scale)
    turn[:, 2] += (width / 2 - card.shape[1] / 2, height / 2 - card.shape[0] / 2)
    flags, size = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR, (width, height)
    share = cv2.warpAffine(np.ones(card.shape[:2]), turn, size, flags=flags)[..., None]
    scene = cv2.warpAffine(card, turn, size, flags=flags) + (1 - share) * backdrop
    seen = scene @ (np.eye(3) if camera is None else camera).T
    noisy = seen + np.random.default_rng(seed).normal(0, grain, seen.shape)
    return encode_working(np.clip(noisy, 0, 1).astype(np.float32))
