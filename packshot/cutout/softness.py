"""Soft edges: fur, hair, knit, fringe. A matting solver finds what no line can describe."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from packshot.colour.channels import greatest_difference
from packshot.colour.spaces import decode_working
from packshot.cutout.backdrop import Backdrop
from packshot.cutout.coverage import SNAP
from packshot.cutout.guided import enlarged
from packshot.cutout.values import SoftPixels
from packshot.types import Box, FloatImage, Mask, Matte, Pixels16, Size, size_of

SOLVED_PX = 600
"""What is solved in so small a picture and then enlarged is as good as what is solved in a large one: so measured."""
SOFT_PX = 0.12
"""From which jitter on an edge is soft: between the hard and the soft ones of the photographs with known mattes."""
_REACH_PX, _ALONG_PX, _EVEN_PX, _LEAST_LINE_PX = 8, 4.0, 2.0, 48
_LEAST_LEVELS, _LEAST_NOISES = 20.0, 10.0
_BAND_RATIO = 0.012
_OPEN, _KNOWN_PX = 0.5, 4
_SURE, _SURE_OF_THIN, _RIM_PX = 0.95, 0.5, 1
_HAZE_EVEN_PX, _HAZE_NOISES = 1.0, 1.5
_SHIFTS = (1e-3, 1e-2, 0.1, 1.0, 10.0)
"""How far the solver's preconditioner is shifted, until it works. Without a shift it often doesn't, and prints so."""


def jitter_px(levels: FloatImage, probability: Matte, backdrop: Backdrop) -> float:
    """Return how far the edge jumps from one point of the outline to the next, in pixels at reduced size.

    What there is to see of the product outside of the network's line, added up along the normal, less its mean over the
    neighbours along the line; of all points the median. A line describes a hard edge, whatever its course and however
    vague the network; no line describes fur. Points where product and backdrop are alike tell nothing.

    Args:
        levels: (rows, columns, 3) float32, encoded, 0..255.
        probability: (rows, columns) float32, of product.
    """
    product: Any = cv2.GaussianBlur(probability, (0, 0), _EVEN_PX) >= 0.5
    unlike = greatest_difference(levels, backdrop.surface)
    most: Any = cv2.dilate(unlike, np.ones((2 * _REACH_PX + 1,) * 2, np.uint8))
    share = unlike / np.maximum(most, np.float32(1))
    least = _LEAST_LEVELS + _LEAST_NOISES * backdrop.report.noise_levels
    outward = np.arange(_REACH_PX + 1, dtype=np.float32)
    jumps: list[NDArray[np.float32]] = []
    for line, normal in _smooth_lines(product):
        x, y = (line[:, [axis]] + normal[:, [axis]] * outward for axis in (0, 1))
        place = cv2.remap(share, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).sum(axis=1)
        tellable = cv2.remap(most, x[:, :1], y[:, :1], cv2.INTER_NEAREST)[:, 0] > least
        jumps.append(np.abs(place - ndimage.gaussian_filter1d(place, _ALONG_PX, mode="wrap"))[tellable])
    found = np.concatenate(jumps) if jumps else np.zeros(0)
    return float(np.median(found)) if found.size else 0.0


def _smooth_lines(product: Mask) -> Iterator[tuple[FloatImage, FloatImage]]:
    """Yield the closed lines around a mask, (points, 2) as x and y, evened out, and their normals, outward."""
    found, _ = cv2.findContours(product.view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    for line in (one[:, 0].astype(np.float32) for one in found if len(one) >= _LEAST_LINE_PX):
        even = ndimage.gaussian_filter1d(line, _ALONG_PX, axis=0, mode="wrap")
        along = np.roll(even, -1, axis=0) - np.roll(even, 1, axis=0)
        # OpenCV goes around a product and around its gaps so that the product is always on the same side
        normal = np.stack([-along[:, 1], along[:, 0]], axis=1)
        yield even, normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)


def soft_matte(
    pixels: Pixels16, levels: FloatImage, probability: Matte, backdrop: Backdrop, refined: Matte
) -> tuple[Matte, SoftPixels] | None:
    """Return matte and soft pixels by closed-form matting (Levin et al. 2008, pymatting) on a bounded crop.

    The crop holds everything that is open. It is solved at most `SOLVED_PX` large and enlarged along the photograph.

    Args:
        refined: the matte of the hard-edge refinement; far from its edge, and where the network is sure, it stays. Of
            thin parts that both are sure of nothing is taken away: to a solver spokes and chains look like hair.
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
    shrunk: Any = cv2.resize(light, size, interpolation=cv2.INTER_AREA)
    found = np.clip((_solved(shrunk, _at_crop(trimap, crop, size, full)) - 0.02) / 0.96, 0, 1)
    clear = _without_haze(found, _at_crop(_seen_share(levels, backdrop), crop, size, full))
    matte[part] = np.where(matte[part] == _OPEN, _snapped(enlarged(clear, shrunk, light)), matte[part])
    thin: Any = cv2.resize(
        _thin_parts(refined, probability, small).view(np.uint8), full, interpolation=cv2.INTER_NEAREST
    )
    matte = np.where(thin > 0, np.maximum(matte, refined), matte)
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


def _snapped(matte: Matte) -> Matte:
    """What is nearly nothing is nothing, and what is nearly whole is whole."""
    return np.where(matte < SNAP, np.float32(0), np.where(matte > 1 - SNAP, np.float32(1), matte))


def _thin_parts(refined: Matte, probability: Matte, size: Size) -> Mask:
    """Where line and network are sure of product that is too thin, and too far from thick parts, to have an inside."""
    inside = cv2.erode(_both_sure(refined, probability, size), _disc(_reach(size)), borderValue=1)
    thick = cv2.dilate(inside, _disc(2 * _reach(size)))
    sure = _both_sure(refined, probability, size, at_least=_SURE_OF_THIN)
    thin = cv2.dilate(sure & (1 - thick), _disc(_RIM_PX))
    return np.asarray(thin.view(bool))


def _both_sure(refined: Matte, probability: Matte, size: Size, *, at_least: float = _SURE) -> Any:
    line, guess = (cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in (refined, probability))
    return ((line > at_least) & (guess > at_least)).view(np.uint8)


def _reach(size: Size) -> int:
    """How far from the line a solver may look, at reduced size."""
    return max(2, round(_BAND_RATIO * max(size)))


def _disc(radius_px: int) -> Any:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius_px + 1,) * 2)


def _trimap(refined: Matte, probability: Matte, size: Size) -> Matte:
    """1 where both are sure of product, 0 where both are sure of backdrop, 0.5 in a band around and between."""
    line, guess = (cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in (refined, probability))
    kernel = _disc(_reach(size))
    inside = cv2.erode(_both_sure(refined, probability, size), kernel)
    outside = cv2.erode(((line < 0.05) & (guess < 0.05)).view(np.uint8), kernel, borderValue=1)
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
