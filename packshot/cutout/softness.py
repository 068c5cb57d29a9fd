"""Measure how soft a product's edge is (fur, hair, knitwear, fringes), and compute alpha along soft edges by matting.

Alpha is a pixel's share of product.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.colour.channels import greatest_difference
from packshot.colour.spaces import decode_working
from packshot.cutout.backdrop import Backdrop
from packshot.cutout.closed_form import closed_form_alpha
from packshot.cutout.coverage import SNAP
from packshot.cutout.guided import enlarged
from packshot.cutout.values import SoftPixels
from packshot.types import Box, FloatImage, Mask, Matte, Pixels16, Size, size_of

SOLVED_PX = 600
"""Longest side of the crop that is solved before it is enlarged. Larger crops were measured and gave no better
mattes."""
SOFT_PX = 0.12
"""An edge with more jitter than this is soft. The value lies between hard and soft edges of the photographs with known
mattes."""
_REACH_PX, _ALONG_PX, _EVEN_PX, _LEAST_LINE_PX = 8, 4.0, 2.0, 48
"""Length of the normals, and three Gaussian standard deviations (along the outline, of the mask) and the least length
of a contour, in pixels."""
_LEAST_LEVELS, _LEAST_NOISES = 20.0, 10.0
"""A point counts only if its greatest difference from the backdrop exceeds `_LEAST_LEVELS` plus `_LEAST_NOISES` times
the noise."""
_BAND_RATIO = 0.012
"""Half width of the trimap's unknown band, as a share of the longest side."""
_OPEN, _KNOWN_PX = 0.5, 4
"""Trimap value of unknown pixels, and the margin of known pixels around them in the crop that is solved."""
_SURE, _SURE_OF_THIN, _RIM_PX = 0.95, 0.5, 1
"""A mask is sure of product above `_SURE`, and of thin product above `_SURE_OF_THIN`. Thin parts are dilated by
`_RIM_PX`."""
_HAZE_EVEN_PX, _HAZE_NOISES = 1.0, 1.5
"""A pixel shows something other than the backdrop if it differs by more than `_HAZE_NOISES` times the noise, after a
Gaussian of `_HAZE_EVEN_PX`."""
_SHIFTS = (1e-3, 1e-2, 0.1, 1.0, 10.0)
"""Diagonal shifts of the solver's preconditioner, tried in order until one works. Without a shift it often fails and
prints a message."""


def jitter_px(levels: FloatImage, probability: Matte, backdrop: Backdrop) -> float:
    """Return how much the visible edge jumps from one outline point to the next, in pixels at reduced size.

    A hard edge has little jitter, whatever its shape, and even if the segmentation network's mask is vague. Fur has
    much.

    How it is computed: at each point of the network's outline, the difference from the backdrop is summed along the
    outward normal, as a share of the greatest difference nearby. The sum tells how far out the product reaches. The
    sums are smoothed along the outline by a Gaussian. The jitter of a point is the absolute difference between its sum
    and the smoothed sum. The result is the median over all points.

    Points where product and backdrop have similar colours are left out. If no point remains, the result is 0.

    Args:
        levels: (rows, columns, 3) float32, encoded Adobe RGB values scaled to 0..255.
        probability: (rows, columns) float32 in 0..1: probability of product.
        backdrop: model of the backdrop, at the same size.
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
        jumps.append(np.abs(place - _even(place))[tellable])
    found = np.concatenate(jumps) if jumps else np.zeros(0)
    return float(np.median(found)) if found.size else 0.0


def _even(line: FloatImage) -> FloatImage:
    """Return values along a closed line, smoothed."""
    from scipy import ndimage  # slow to import, and most processes touch no pixels

    return np.asarray(ndimage.gaussian_filter1d(line, _ALONG_PX, axis=0, mode="wrap"))


def _smooth_lines(product: Mask) -> Iterator[tuple[FloatImage, FloatImage]]:
    """Yield each closed contour of a mask, smoothed, (points, 2) as x and y, and its outward unit normals."""
    found, _ = cv2.findContours(product.view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    for line in (one[:, 0].astype(np.float32) for one in found if len(one) >= _LEAST_LINE_PX):
        even = _even(line)
        along = np.roll(even, -1, axis=0) - np.roll(even, 1, axis=0)
        # OpenCV orders the points of outer contours and of holes so that the product is always on the same side.
        normal = np.stack([-along[:, 1], along[:, 0]], axis=1)
        yield even, normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)


def soft_matte(
    pixels: Pixels16, levels: FloatImage, probability: Matte, backdrop: Backdrop, refined: Matte
) -> tuple[Matte, SoftPixels] | None:
    """Return (matte, soft pixels) by closed-form matting (Levin et al. 2008, pymatting), for edges like fur and hair.

    The matte is (rows, columns) float32 in 0..1, at full size. The soft pixels are those strictly between 0 and 1, with
    the product's colour alone. None if no pixel is surely product, or none surely backdrop.

    Matting solves only a band along the edge, in which `probability` and `refined` do not say surely what is product.
    The part of the photograph that holds the band is reduced to at most 600 px and solved. The solution is enlarged
    along the photograph's edges.

    Args:
        pixels: (rows, columns, 3) uint16, Adobe RGB: the photograph at full size.
        levels: (rows, columns, 3) float32, encoded Adobe RGB values scaled to 0..255, at reduced size.
        probability: (rows, columns) float32 in 0..1, at that reduced size: the segmentation network's prediction.
        backdrop: the modelled backdrop, at that reduced size.
        refined: (rows, columns) float32 in 0..1, at full size: the matte of the hard-edge refinement. In thin parts
            that it and the network are sure of, such as spokes, the result is at least `refined`: matting would take
            them for hair.
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
    light = decode_working(np.ascontiguousarray(pixels[part]))  # alpha is a share of linear light
    shrunk: Any = cv2.resize(light, size, interpolation=cv2.INTER_AREA)
    found = np.clip((closed_form_alpha(shrunk, _at_crop(trimap, crop, size, full), shifts=_SHIFTS) - 0.02) / 0.96, 0, 1)
    clear = _without_haze(found, _at_crop(_seen_share(levels, backdrop), crop, size, full))
    matte[part] = np.where(matte[part] == _OPEN, _snapped(enlarged(clear, shrunk, light)), matte[part])
    thin: Any = cv2.resize(
        _thin_parts(refined, probability, small).view(np.uint8), full, interpolation=cv2.INTER_NEAREST
    )
    matte = np.where(thin > 0, np.maximum(matte, refined), matte)
    return matte, _decontaminated(pixels, matte, backdrop)


def _open_box(trimap: Matte) -> Box:
    """Return the box that holds all unknown pixels, with a few known ones around it."""
    left, top, width, height = cv2.boundingRect((trimap == _OPEN).view(np.uint8))
    rows, columns = trimap.shape
    return Box(
        max(0, left - _KNOWN_PX),
        max(0, top - _KNOWN_PX),
        min(columns, left + width + _KNOWN_PX),
        min(rows, top + height + _KNOWN_PX),
    )


def _scaled(box: Box, size: Size, full: Size) -> Box:
    """Return a box converted from one size of a picture to another."""
    across, down = full.width / size.width, full.height / size.height
    return Box(round(box.left * across), round(box.top * down), round(box.right * across), round(box.bottom * down))


def _at_crop(picture: Matte, crop: Box, size: Size, full: Size) -> Matte:
    """Return a reduced picture, sampled over a crop of the full one at the size that the crop is solved at."""
    rows, columns = picture.shape
    across, down = columns / full.width, rows / full.height
    x = (crop.left + (np.arange(size.width) + 0.5) * crop.width / size.width) * across
    y = (crop.top + (np.arange(size.height) + 0.5) * crop.height / size.height) * down
    at = np.ix_(np.minimum(y.astype(np.intp), rows - 1), np.minimum(x.astype(np.intp), columns - 1))
    return np.asarray(picture[at], np.float32)


def _seen_share(levels: FloatImage, backdrop: Backdrop) -> Matte:
    """Return how far a pixel visibly differs from the backdrop, in 0..1."""
    even: Any = cv2.GaussianBlur(levels, (0, 0), _HAZE_EVEN_PX)
    unlike = greatest_difference(even, backdrop.surface) / np.float32(max(backdrop.report.noise_levels, 0.5))
    return np.asarray(np.clip(unlike / _HAZE_NOISES - 1, 0, 1), np.float32)


def _without_haze(solved: Matte, seen: Matte) -> Matte:
    """Return the solved matte with low alpha removed where only the backdrop is visible."""
    return np.asarray(np.minimum(solved, np.maximum(seen, np.clip(2 * solved - 0.2, 0, 1))), np.float32)


def _snapped(matte: Matte) -> Matte:
    """Return the matte with values close to 0 and 1 set to exactly 0 and 1."""
    return np.where(matte < SNAP, np.float32(0), np.where(matte > 1 - SNAP, np.float32(1), matte))


def _thin_parts(refined: Matte, probability: Matte, size: Size) -> Mask:
    """Return the parts that outline and network are sure of, but that are too thin to survive the trimap's erosion.

    Parts close to a thick part are left out.
    """
    inside = cv2.erode(_both_sure(refined, probability, size), _disc(_reach(size)), borderValue=1)
    thick = cv2.dilate(inside, _disc(2 * _reach(size)))
    sure = _both_sure(refined, probability, size, at_least=_SURE_OF_THIN)
    thin = cv2.dilate(sure & (1 - thick), _disc(_RIM_PX))
    return np.asarray(thin.view(bool))


def _both_sure(refined: Matte, probability: Matte, size: Size, *, at_least: float = _SURE) -> Any:
    """Return a uint8 mask of where both the refined matte and the network exceed a value, at reduced size."""
    line, guess = (cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in (refined, probability))
    return ((line > at_least) & (guess > at_least)).view(np.uint8)


def _reach(size: Size) -> int:
    """Return half the width of the trimap's unknown band, in pixels at reduced size."""
    return max(2, round(_BAND_RATIO * max(size)))


def _disc(radius_px: int) -> Any:
    """Return a disc as a structuring element."""
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius_px + 1,) * 2)


def _trimap(refined: Matte, probability: Matte, size: Size) -> Matte:
    """Return 1 where both are sure of product, 0 where both are sure of backdrop, and 0.5 between them.

    Both sure regions are eroded, which widens the unknown band.
    """
    line, guess = (cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in (refined, probability))
    kernel = _disc(_reach(size))
    inside = cv2.erode(_both_sure(refined, probability, size), kernel)
    outside = cv2.erode(((line < 0.05) & (guess < 0.05)).view(np.uint8), kernel, borderValue=1)
    return np.where(inside > 0, np.float32(1), np.where(outside > 0, np.float32(0), np.float32(_OPEN)))


def _decontaminated(pixels: Pixels16, matte: Matte, backdrop: Backdrop) -> SoftPixels:
    """Return the soft pixels with the backdrop's share removed from their colour, in linear light."""
    rows, columns = np.nonzero((matte > 0) & (matte < 1))
    full = size_of(pixels)
    surface = cv2.resize(backdrop.surface, full, interpolation=cv2.INTER_LINEAR)[rows, columns]
    behind = decode_working(np.clip(surface * 257, 0, 65535).astype(np.uint16)[None])[0]
    seen = decode_working(pixels[rows, columns][None])[0]
    alpha = matte[rows, columns][:, None]
    own = np.clip((seen - (1 - alpha) * behind) / np.maximum(alpha, 0.1), 0, 1)
    return SoftPixels(rows.astype(np.int32), columns.astype(np.int32), own.astype(np.float32))
