"""Soft edges: fur, hair, knit, fringe. A matting solver finds what no line can describe."""

from __future__ import annotations

from functools import partial
from typing import Any

import cv2
import numpy as np

from packshot.colour.channels import greatest_difference, mean_channel
from packshot.colour.spaces import decode_working
from packshot.cutout.backdrop import Backdrop
from packshot.cutout.values import SoftPixels
from packshot.types import FloatImage, Matte, Pixels16, size_of

SOLVED_PX = 1000
SOFT_PX = 1.8
"""Mean width of the fuzzy rim, in pixels at reduced size, from which an edge counts as soft."""
_UNLIKE_NOISES, _DETAIL_NOISES = 6.0, 5.0
_MOST_DETAIL_LEVELS = 60.0
_RIM_PX = 8
_HALF_WAY = 0.7
_BAND_RATIO = 0.012
_HAZE_EVEN_PX, _HAZE_NOISES = 1.0, 1.5
_SHIFTS = (1e-3, 1e-2, 0.1, 1.0, 10.0)
"""How far the solver's preconditioner is shifted, until it works. Without a shift it often doesn't, and prints so."""


def softness_px(levels: FloatImage, probability: Matte, backdrop: Backdrop) -> float:
    """Return the mean width of the rim that is half way between product and backdrop, and full of fine detail.

    The network is vague about fur, but as well about glare and about what looks like the backdrop. A hard edge is half
    way for a pixel or so, however vague the network; glare and shading are smooth. Far from the network's own line lies
    no rim: what it is vague about there is a part or a gap.

    Args:
        levels: (rows, columns, 3) float32, encoded, 0..255.
        probability: (rows, columns) float32, of product.
    """
    noise = max(backdrop.report.noise_levels, 0.5)
    whole = (probability >= 0.5).astype(np.uint8)
    around = np.ones((2 * _RIM_PX + 1,) * 2, np.uint8)
    rim = cv2.dilate(whole, around) > cv2.erode(whole, around, borderValue=1)
    vague = rim & (probability > 0.1) & (probability < 0.9)
    unlike = greatest_difference(levels, backdrop.surface)
    half_way = (unlike > _UNLIKE_NOISES * noise) & (unlike < _HALF_WAY * cv2.dilate(unlike, np.ones((9, 9), np.uint8)))
    bent = np.abs(cv2.Laplacian(mean_channel(levels), cv2.CV_32F, ksize=1))
    detail = cv2.blur(np.minimum(bent, np.float32(_MOST_DETAIL_LEVELS)), (5, 5))
    edge = float(np.sum(whole - cv2.erode(whole, np.ones((3, 3), np.uint8), borderValue=1)))
    return float(np.sum(vague & half_way & (detail > _DETAIL_NOISES * noise))) / edge if edge else 0.0


def soft_matte(
    pixels: Pixels16, levels: FloatImage, probability: Matte, backdrop: Backdrop, refined: Matte
) -> tuple[Matte, SoftPixels] | None:
    """Return matte and soft pixels by closed-form matting (Levin et al. 2008, pymatting) at a bounded size.

    Args:
        refined: the matte of the hard-edge refinement; far from its edge, and where the network is sure, it stays.
    Returns:
        None where nothing is surely product, or nothing surely backdrop.
    """
    from pymatting import estimate_alpha_cf, ichol

    rows, columns = levels.shape[:2]
    share = min(1.0, SOLVED_PX / max(rows, columns))
    size = (max(1, round(columns * share)), max(1, round(rows * share)))
    trimap = _trimap(refined, probability, size)
    if not (trimap == 1).any() or not (trimap == 0).any():
        return None
    light = decode_working(np.clip(levels * 257, 0, 65535).astype(np.uint16))  # coverage is a share of light
    small = cv2.resize(light, size, interpolation=cv2.INTER_AREA).astype(np.float64)
    found = estimate_alpha_cf(small, trimap, preconditioner=partial(ichol, shifts=_SHIFTS)).astype(np.float32)
    solved = _without_haze(np.clip((found - 0.02) / 0.96, 0, 1), _seen_share(levels, backdrop))
    full = size_of(pixels)
    matte: Matte = np.asarray(cv2.resize(solved, full, interpolation=cv2.INTER_LINEAR), np.float32)
    return matte, _decontaminated(pixels, matte, backdrop)


def _seen_share(levels: FloatImage, backdrop: Backdrop) -> Matte:
    """How far there is anything to be seen but the backdrop, 0..1."""
    even: Any = cv2.GaussianBlur(levels, (0, 0), _HAZE_EVEN_PX)
    unlike = greatest_difference(even, backdrop.surface) / np.float32(max(backdrop.report.noise_levels, 0.5))
    return np.asarray(np.clip(unlike / _HAZE_NOISES - 1, 0, 1), np.float32)


def _without_haze(solved: Matte, seen: Matte) -> Matte:
    """Leave out thin coverage where nothing is to be seen but the backdrop."""
    size = (solved.shape[1], solved.shape[0])
    most = np.maximum(cv2.resize(seen, size, interpolation=cv2.INTER_AREA), np.clip(2 * solved - 0.2, 0, 1))
    return np.asarray(np.minimum(solved, most), np.float32)


def _trimap(refined: Matte, probability: Matte, size: tuple[int, int]) -> Any:
    """1 where both are sure of product, 0 where both are sure of backdrop, 0.5 in a band around and between."""
    line = cv2.resize(refined, size, interpolation=cv2.INTER_AREA)
    guess = cv2.resize(probability, size, interpolation=cv2.INTER_AREA)
    reach = max(2, round(_BAND_RATIO * max(size)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    inside = cv2.erode(((line > 0.95) & (guess > 0.95)).astype(np.uint8), kernel)
    outside = cv2.erode(((line < 0.05) & (guess < 0.05)).astype(np.uint8), kernel, borderValue=1)
    return np.where(inside > 0, 1.0, np.where(outside > 0, 0.0, 0.5))


def _decontaminated(pixels: Pixels16, matte: Matte, backdrop: Backdrop) -> SoftPixels:
    rows, columns = np.nonzero((matte > 0) & (matte < 1))
    full = size_of(pixels)
    surface = cv2.resize(backdrop.surface, full, interpolation=cv2.INTER_LINEAR)[rows, columns]
    behind = decode_working(np.clip(surface * 257, 0, 65535).astype(np.uint16)[None])[0]
    seen = decode_working(pixels[rows, columns][None])[0]
    alpha = matte[rows, columns][:, None]
    own = np.clip((seen - (1 - alpha) * behind) / np.maximum(alpha, 0.1), 0, 1)
    return SoftPixels(rows.astype(np.int32), columns.astype(np.int32), own.astype(np.float32))
