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
from packshot.types import Box, FloatImage, Matte, Pixels16, Size, size_of

SOLVED_PX = 1000
SOFT_PX = 1.8
"""Mean width of the fuzzy rim, in pixels at reduced size, from which an edge counts as soft."""
_UNLIKE_NOISES, _DETAIL_NOISES = 6.0, 5.0
_MOST_DETAIL_LEVELS = 60.0
_RIM_PX = 8
_HALF_WAY = 0.7
_BAND_RATIO = 0.012
_OPEN, _KNOWN_PX = 0.5, 4
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
    """Return matte and soft pixels by closed-form matting (Levin et al. 2008, pymatting) on a bounded crop.

    The crop holds everything that is open, from the photograph itself, at most `SOLVED_PX` on its longest side.

    Args:
        refined: the matte of the hard-edge refinement; far from its edge, and where the network is sure, it stays.
    Returns:
        None where nothing is surely product, or nothing surely backdrop.
    """
    full, small = size_of(pixels), size_of(levels)
    trimap = _trimap(refined, probability, small)
    if not (trimap == 1).any() or not (trimap == 0).any():
        return None
    matte = np.asarray(cv2.resize(trimap, full, interpolation=cv2.INTER_NEAREST), np.float32)
    crop = _scaled(_open_box(trimap), small, full)
    part = np.s_[crop.top : crop.bottom, crop.left : crop.right]
    share = min(1.0, SOLVED_PX / crop.size.longest)
    size = Size(max(1, round(crop.width * share)), max(1, round(crop.height * share)))
    light = decode_working(np.ascontiguousarray(pixels[part]))  # coverage is a share of light
    found = _solved(cv2.resize(light, size, interpolation=cv2.INTER_AREA), _at_crop(trimap, crop, size, full))
    seen = _at_crop(_seen_share(levels, backdrop), crop, size, full)
    clear = _without_haze(np.clip((found - 0.02) / 0.96, 0, 1), seen)
    matte[part] = cv2.resize(clear, crop.size, interpolation=cv2.INTER_LINEAR)
    return matte, _decontaminated(pixels, matte, backdrop)


def _open_box(trimap: Matte) -> Box:
    """What holds all that is open, with what is known around it."""
    left, top, width, height = cv2.boundingRect((trimap == _OPEN).view(np.uint8))
    rows, columns = trimap.shape
    return Box(
        max(0, left - _KNOWN_PX),
        max(0, top - _KNOWN_PX),
        min(columns, left + width + _KNOWN_PX),
        min(rows, top + height + _KNOWN_PX),
    )


def _scaled(box: Box, size: Size, full: Size) -> Box:
    """A box of one size of a picture in another."""
    across, down = full.width / size.width, full.height / size.height
    return Box(round(box.left * across), round(box.top * down), round(box.right * across), round(box.bottom * down))


def _at_crop(picture: Matte, crop: Box, size: Size, full: Size) -> Matte:
    """What a reduced picture shows in a crop of the full one, at the size at which the crop is solved."""
    rows, columns = picture.shape
    across, down = columns / full.width, rows / full.height
    x = (crop.left + (np.arange(size.width) + 0.5) * crop.width / size.width) * across
    y = (crop.top + (np.arange(size.height) + 0.5) * crop.height / size.height) * down
    at = np.ix_(np.minimum(y.astype(np.intp), rows - 1), np.minimum(x.astype(np.intp), columns - 1))
    return np.asarray(picture[at], np.float32)


def _solved(light: Any, trimap: Matte) -> Matte:
    from pymatting import estimate_alpha_cf, ichol

    picture, known = light.astype(np.float64), trimap.astype(np.float64)
    return np.asarray(estimate_alpha_cf(picture, known, preconditioner=partial(ichol, shifts=_SHIFTS)), np.float32)


def _seen_share(levels: FloatImage, backdrop: Backdrop) -> Matte:
    """How far there is anything to be seen but the backdrop, 0..1."""
    even: Any = cv2.GaussianBlur(levels, (0, 0), _HAZE_EVEN_PX)
    unlike = greatest_difference(even, backdrop.surface) / np.float32(max(backdrop.report.noise_levels, 0.5))
    return np.asarray(np.clip(unlike / _HAZE_NOISES - 1, 0, 1), np.float32)


def _without_haze(solved: Matte, seen: Matte) -> Matte:
    """Leave out thin coverage where nothing is to be seen but the backdrop."""
    return np.asarray(np.minimum(solved, np.maximum(seen, np.clip(2 * solved - 0.2, 0, 1))), np.float32)


def _trimap(refined: Matte, probability: Matte, size: Size) -> Matte:
    """1 where both are sure of product, 0 where both are sure of backdrop, 0.5 in a band around and between."""
    line = cv2.resize(refined, size, interpolation=cv2.INTER_AREA)
    guess = cv2.resize(probability, size, interpolation=cv2.INTER_AREA)
    reach = max(2, round(_BAND_RATIO * max(size)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    inside = cv2.erode(((line > 0.95) & (guess > 0.95)).astype(np.uint8), kernel)
    outside = cv2.erode(((line < 0.05) & (guess < 0.05)).astype(np.uint8), kernel, borderValue=1)
    return np.where(inside > 0, np.float32(1), np.where(outside > 0, np.float32(0), np.float32(_OPEN)))


def _decontaminated(pixels: Pixels16, matte: Matte, backdrop: Backdrop) -> SoftPixels:
    rows, columns = np.nonzero((matte > 0) & (matte < 1))
    full = size_of(pixels)
    surface = cv2.resize(backdrop.surface, full, interpolation=cv2.INTER_LINEAR)[rows, columns]
    behind = decode_working(np.clip(surface * 257, 0, 65535).astype(np.uint16)[None])[0]
    seen = decode_working(pixels[rows, columns][None])[0]
    alpha = matte[rows, columns][:, None]
    own = np.clip((seen - (1 - alpha) * behind) / np.maximum(alpha, 0.1), 0, 1)
    return SoftPixels(rows.astype(np.int32), columns.astype(np.int32), own.astype(np.float32))
