"""Compute alpha and decontaminated colour of the edge pixels, at the photograph's full size.

Alpha is a pixel's share of product. Only pixels within a few pixels of the outline are computed. In linear light, I is
the observed colour, F the product's colour just inside, and B the backdrop's colour just outside. Then alpha = ((I - B)
. (F - B)) / |F - B|^2. The decontaminated colour, which contains no backdrop, is (I - (1 - alpha) B) / alpha.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.colour.channels import greatest_difference
from packshot.colour.spaces import decode_working, encode_working
from packshot.cutout.distances import nearest
from packshot.cutout.outline import edge_sigma_px
from packshot.cutout.settle import Settled
from packshot.cutout.tiles import boxes_holding, part_of, with_margin
from packshot.cutout.values import SoftPixels
from packshot.threads import side_by_side
from packshot.types import Box, FloatImage, Mask, Matte, Pixels16, size_of

BLOCK_PX, MARGIN_PX = 256, 16
"""Side of a block, and the margin that it is computed with."""
INSIDE_PX, OUTSIDE_PX = 2.5, 2.0
"""A pixel farther from the outline than this is pure product (inside) or pure backdrop (outside). Lens, sensor and
sharpening blur an edge over about four pixels."""
ALIKE_LEVELS = 10.0
"""Contrast between F and B, in 8-bit levels, at which the projection is trusted by half. It is not trusted at all up to
half of this, and fully at one and a half times this and more."""
MOST_BESIDE, MOST_APART = 0.7, 0.3
"""The projection is not trusted where a colour lies farther than `MOST_BESIDE` of |F - B| away from the line F-B, or
where its alpha differs from the outline's by more than `MOST_APART` on average."""
AROUND_PX = 7
"""Side of the window over which trust in the projection is averaged."""
FARTHEST_PX = 10.0
"""Distances from the outline are clipped to this: farther away alpha is 0 or 1."""
SNAP = 0.02
"""Alpha below this becomes 0; alpha above 1 - SNAP becomes 1."""
EDGE_PX = 0.7
"""Standard deviation of the blur that a sharp lens gives an edge. Alpha from the outline alone is the normal
distribution function of the distance, approximated by the logistic function with slope 1.702 / sigma."""
EVEN_ALPHA_PX = 1.0
"""Standard deviation of the Gaussian that removes noise from alpha. The edge is narrowed again afterwards, see
`_evened`."""


@dataclass(frozen=True, eq=False)
class _Block:
    """Result of one block.

    Attributes:
        box: its position in the photograph.
        alpha: (rows, columns) float32 in 0..1.
        soft: (rows, columns), True where 0 < alpha < 1.
        colours: (n, 3) float32, linear light: the soft pixels in row-major order.
    """

    box: Box
    alpha: Matte
    soft: Mask
    colours: FloatImage


def cover(pixels: Pixels16, settled: Settled) -> tuple[Matte, SoftPixels]:
    """Return (matte, soft pixels) at the photograph's full size.

    The matte is (rows, columns) float32 in 0..1: each pixel's share of product, alpha. The soft pixels are the places
    and colours of all pixels with 0 < alpha < 1. Their colours contain the product only, and no backdrop.

    Args:
        pixels: the photograph at full size, (rows, columns, 3) uint16, Adobe RGB.
        settled: the product's outline and the backdrop's colour, found in a reduced copy of the photograph.
    """
    size = size_of(pixels)
    whole = cv2.resize((settled.line > 0).view(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    matte = whole.astype(np.float32)
    sigma_px = edge_sigma_px(pixels, (settled.line > 0).astype(np.float32))
    rows, columns = [np.zeros(0, np.int32)], [np.zeros(0, np.int32)]
    colours = [np.zeros((0, 3), np.float32)]
    for block in side_by_side(partial(_covered, pixels, settled, sigma_px), _at_the_line(whole)):
        box = block.box
        matte[box.top : box.bottom, box.left : box.right] = block.alpha
        found_rows, found_columns = np.nonzero(block.soft)
        rows.append((found_rows + box.top).astype(np.int32))
        columns.append((found_columns + box.left).astype(np.int32))
        colours.append(block.colours)
    return matte, SoftPixels(np.concatenate(rows), np.concatenate(columns), np.concatenate(colours))


def _at_the_line(whole: Any) -> list[Box]:
    """Return the blocks that contain an edge, each trimmed to the pixels within about `MARGIN_PX` / 2 of it."""
    reach = np.ones((MARGIN_PX + 1, MARGIN_PX + 1), np.uint8)
    return list(boxes_holding(cv2.dilate(whole, reach) > cv2.erode(whole, reach), side_px=BLOCK_PX))


def _covered(pixels: Pixels16, settled: Settled, sigma_px: float, box: Box) -> _Block:
    """Return one block's alpha and colours, computed with a margin around the block."""
    size = size_of(pixels)
    wide, inner = with_margin(box, size, margin_px=MARGIN_PX)
    line = part_of(settled.line, wide, size) * np.float32(size.width / settled.line.shape[1])
    alpha, colours, soft = _coverage(
        pixels[wide.top : wide.bottom, wide.left : wide.right],
        part_of(settled.backdrop, wide, size),
        part_of(settled.unknown, wide, size, nearest=True) > 0,
        line,
        sigma_px=sigma_px,
    )
    return _Block(box, alpha[inner], soft[inner], colours[inner][soft[inner]])


def _coverage(
    pixels: Pixels16, backdrop: FloatImage, unknown: Mask, line: Matte, *, sigma_px: float
) -> tuple[Matte, FloatImage, Mask]:
    """Return alpha, decontaminated colours (linear light) and the mask of soft pixels.

    Near the outline alpha is a weighted mean of two estimates: the projection of the colour onto the line F-B, and the
    blurred step that the distance from the outline predicts. The weight says how far the projection can be trusted.

    Args:
        line: signed distance from the outline in pixels, positive inside.
        sigma_px: standard deviation of the photograph's own edge blur.
    """
    product = line > 0
    whole = product.astype(np.uint8)
    inside: Any = cv2.distanceTransform(whole, cv2.DIST_L2, 5)
    outside: Any = cv2.distanceTransform(1 - whole, cv2.DIST_L2, 5)
    alpha = product.astype(np.float32)
    near = ((product & (inside <= INSIDE_PX)) | (~product & (outside <= OUTSIDE_PX))) & unknown
    colours = np.zeros(pixels.shape, np.float32)
    if not near.any() or not product.any() or product.all():
        return alpha, colours, np.zeros(product.shape, bool)
    linear = decode_working(pixels)
    f, b = _pure_colours(pixels, linear, backdrop, product, inside, outside, near)
    i = linear[near]
    span = f - b
    along = np.clip(_dot(i - b, span) / np.maximum(_dot(span, span), 1e-9), 0, 1)
    plain = 1 / (1 + np.exp(-1.702 / EDGE_PX * np.clip(line[near], -FARTHEST_PX, FARTHEST_PX)))
    trust = _trust_in_projection(i, f, b, along) * _agreement(along, plain, near)
    trust = _mean_near(trust, near)
    alpha[near] = trust * along + (1 - trust) * plain
    found = _evened(alpha, EVEN_ALPHA_PX, near, sigma_px=sigma_px)
    found = np.where(found < SNAP, 0.0, np.where(found > 1 - SNAP, 1.0, found)).astype(np.float32)
    alpha[near] = found
    soft = np.zeros(product.shape, bool)
    soft[near] = (found > 0) & (found < 1)
    share = np.maximum(found, 0.1)[:, None]
    colours[near] = np.clip((i - (1 - found[:, None]) * b) / share, np.minimum(f, i), np.maximum(f, i))
    return alpha, colours, soft


def _dot(one: FloatImage, other: FloatImage) -> NDArray[np.float32]:
    """Return the dot products of corresponding colours, (n,)."""
    return np.asarray(np.einsum("ij,ij->i", one, other), np.float32)


def _pure_colours(
    pixels: Pixels16,
    linear: FloatImage,
    backdrop: FloatImage,
    product: Mask,
    inside: Matte,
    outside: Matte,
    near: Mask,
) -> tuple[FloatImage, FloatImage]:
    """Return the nearest pure product and backdrop colours, F and B, of the pixels near the outline: (n, 3) linear."""
    levels: FloatImage = pixels.astype(np.float32) / np.float32(257)
    core = _core(levels, backdrop, product, inside)
    pure = outside > OUTSIDE_PX
    f = _average(linear, core)[nearest(core, at=near)]
    if pure.any():
        return f, _average(linear, pure)[nearest(pure, at=near)]
    return f, decode_working(_encoded(backdrop))[near]


def _trust_in_projection(i: FloatImage, f: FloatImage, b: FloatImage, along: NDArray[np.floating]) -> Any:
    """Return how reliable alpha by projection is, in 0..1: F and B must differ, and the colour must lie between them.

    Args:
        i, f, b: (n, 3) linear: the observed colour, the product's colour and the backdrop's.
        along: (n,) alpha by projection.
    """
    levels = [encode_working(colours[None])[0].astype(np.float32) / 257 for colours in (f, b)]
    contrast = _greatest(levels[0] - levels[1])
    span = f - b
    beside = _greatest(i - b - along[:, None] * span) / np.maximum(_greatest(span), 1e-4)
    return np.clip((contrast - ALIKE_LEVELS / 2) / ALIKE_LEVELS, 0, 1) * np.clip((MOST_BESIDE - beside) / 0.5, 0, 1)


def _greatest(colours: FloatImage) -> NDArray[np.float32]:
    """Return the greatest absolute channel value of each colour, (n,)."""
    size = np.abs(colours)
    return np.maximum(np.maximum(size[:, 0], size[:, 1]), size[:, 2])


def _agreement(along: Any, plain: Any, near: Mask) -> Any:
    """Return how well alpha by projection agrees with alpha by distance, in 0..1, averaged over a small window.

    Where product and shadow have nearly the same colour, the projection gives only zeros or only ones for long
    stretches.
    """
    return np.clip((MOST_APART - _mean_near(np.abs(along - plain), near)) / (MOST_APART / 3), 0, 1)


def _mean_near(values: Any, near: Mask) -> Any:
    """Return, for each pixel of a mask, the mean of the values over the mask's pixels in a window around it."""
    field = np.zeros(near.shape, np.float32)
    field[near] = values
    window = (AROUND_PX, AROUND_PX)
    share = cv2.blur(near.astype(np.float32), window)
    return cv2.blur(field, window)[near] / np.maximum(share[near], 1e-6)


def _evened(alpha: Matte, blur_px: float, near: Mask, *, sigma_px: float) -> NDArray[np.float32]:
    """Return the alpha of the pixels near the outline with less noise and the same edge width, (n,).

    A Gaussian blur also widens the edge, from width w to sqrt(w^2 + blur^2). For a logistic profile, raising the odds
    alpha / (1 - alpha) to the power k narrows it by the factor k. The target width is that of the photograph's own
    edges, w = sigma_px.
    """
    even = np.clip(cv2.GaussianBlur(alpha, (0, 0), blur_px)[near], 1e-4, 1 - 1e-4)
    odds = np.power(even / (1 - even), np.hypot(sigma_px, blur_px) / sigma_px)
    return np.asarray(odds / (1 + odds), np.float32)


def _core(levels: FloatImage, backdrop: FloatImage, product: Mask, inside: Matte) -> Mask:
    """Return the mask of pure product pixels.

    A part too thin to have any is represented by the pixels in it that differ most from the backdrop.
    """
    core = inside > INSIDE_PX
    difference = np.where(product, greatest_difference(levels, backdrop), 0).astype(np.float32)
    peak: Any = cv2.dilate(difference, np.ones((5, 5), np.uint8))
    near_core: Any = cv2.dilate(core.astype(np.uint8), np.ones((9, 9), np.uint8))
    thin = product & (difference >= peak) & (near_core == 0)
    found = np.asarray(core | thin)
    return found if found.any() else product


def _average(picture: FloatImage, mask: Mask) -> FloatImage:
    """Return the mean of the masked pixels in each 3 x 3 neighbourhood, or the pixel itself where there are none."""
    weight = mask.astype(np.float32)
    total = cv2.blur(weight, (3, 3))
    mean: Any = cv2.blur(cv2.multiply(picture, cv2.merge([weight] * 3)), (3, 3))
    mean /= np.maximum(total, np.float32(1e-6))[..., None]
    return np.where(total[..., None] > 0, mean, picture)


def _encoded(levels: FloatImage) -> Pixels16:
    """Return 8-bit levels as 16-bit encoded pixels."""
    return np.clip(levels * 257, 0, 65535).astype(np.uint16)
