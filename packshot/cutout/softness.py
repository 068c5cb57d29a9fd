"""Soft edges: fur, hair, knit, fringe. A matting solver finds what no line can describe."""

from __future__ import annotations

import cv2
import numpy as np

from packshot.colour.spaces import decode_working
from packshot.cutout.backdrop import Backdrop
from packshot.cutout.values import SoftPixels
from packshot.types import FloatImage, Matte, Pixels16, size_of

SOLVED_PX = 1000
VAGUE_PER_EDGE_PX = 9.0
"""Mean width of the network's vague rim, in pixels at reduced size, from which an edge counts as soft."""
_BAND_RATIO = 0.012


def is_soft(levels: FloatImage, probability: Matte, backdrop: Backdrop) -> bool:
    """Return whether the product's edge is fuzzy: the network's rim is wide, compared with the outline's length."""
    vague = float(np.sum((probability > 0.1) & (probability < 0.9)))
    whole = (probability >= 0.5).astype(np.uint8)
    edge = float(np.sum(whole - cv2.erode(whole, np.ones((3, 3), np.uint8), borderValue=1)))
    return edge > 0 and vague / edge > VAGUE_PER_EDGE_PX


def soft_matte(
    pixels: Pixels16, levels: FloatImage, probability: Matte, backdrop: Backdrop, refined: Matte
) -> tuple[Matte, SoftPixels]:
    """Return matte and soft pixels by closed-form matting (Levin et al. 2008, pymatting) at a bounded size.

    Args:
        refined: the matte of the hard-edge refinement, kept where the solver has nothing to decide.
    """
    from pymatting import estimate_alpha_cf

    rows, columns = levels.shape[:2]
    share = min(1.0, SOLVED_PX / max(rows, columns))
    size = (max(1, round(columns * share)), max(1, round(rows * share)))
    small = np.clip(cv2.resize(levels, size, interpolation=cv2.INTER_AREA) / 255, 0, 1).astype(np.float64)
    guess = cv2.resize(probability, size, interpolation=cv2.INTER_AREA)
    reach = max(2, round(_BAND_RATIO * max(size)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    inside = cv2.erode((guess > 0.95).astype(np.uint8), kernel)
    outside = cv2.erode((guess < 0.05).astype(np.uint8), kernel, borderValue=1)
    trimap = np.where(inside > 0, 1.0, np.where(outside > 0, 0.0, 0.5))
    solved = estimate_alpha_cf(small, trimap).astype(np.float32)
    full = size_of(pixels)
    matte: Matte = cv2.resize(np.clip(solved, 0, 1), full, interpolation=cv2.INTER_LINEAR)
    matte = np.clip((matte - 0.02) / 0.96, 0, 1)
    return matte, _decontaminated(pixels, matte, backdrop)


def _decontaminated(pixels: Pixels16, matte: Matte, backdrop: Backdrop) -> SoftPixels:
    rows, columns = np.nonzero((matte > 0) & (matte < 1))
    full = size_of(pixels)
    surface = cv2.resize(backdrop.surface, full, interpolation=cv2.INTER_LINEAR)[rows, columns]
    behind = decode_working(np.clip(surface * 257, 0, 65535).astype(np.uint16)[None])[0]
    seen = decode_working(pixels[rows, columns][None])[0]
    alpha = matte[rows, columns][:, None]
    own = np.clip((seen - (1 - alpha) * behind) / np.maximum(alpha, 0.1), 0, 1)
    return SoftPixels(rows.astype(np.int32), columns.astype(np.int32), own.astype(np.float32))
