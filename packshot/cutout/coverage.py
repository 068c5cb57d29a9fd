"""How far each pixel at the edge is product, and its colour without the backdrop, at the photograph's own size.

Only within a few pixels of the settled line: alpha = ((I - B) . (F - B)) / |F - B|^2 in linear light, F and B being
the colours just inside and just outside; decontaminated colour F = (I - (1 - alpha) B) / alpha.
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
INSIDE_PX, OUTSIDE_PX = 2.5, 2.0
"""How far from the line a pixel is pure: a lens, a sensor and its sharpening blur an edge over about four pixels."""
ALIKE_LEVELS = 10.0
MOST_BESIDE, MOST_APART = 0.7, 0.3
AROUND_PX = 7
FARTHEST_PX = 10.0
"""So far from the line everything is whole or nothing."""
SNAP = 0.02
EDGE_PX = 0.7
"""Width of the edge that a sharp lens makes: standard deviation of its blur. Where the line alone tells coverage, it is
the normal distribution's (as the logistic one with 1.702 / sigma) of the distance from it."""
EVEN_ALPHA_PX = 1.0
"""What coverage is blurred by to even it out; the edge gets as narrow again as the photograph's own edges are."""


@dataclass(frozen=True, eq=False)
class _Block:
    """One block's result.

    Attributes:
        box: where it lies in the photograph.
        alpha: (rows, columns) float32.
        soft: which pixels are partly product.
        colours: (n, 3) float32, linear, of the soft pixels in order.
    """

    box: Box
    alpha: Matte
    soft: Mask
    colours: FloatImage


def cover(pixels: Pixels16, settled: Settled) -> tuple[Matte, SoftPixels]:
    """Return the matte, (rows, columns) float32 in 0..1, and its soft pixels.

    Args:
        pixels: the master.
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
    """What of each block is product or backdrop with the other close by."""
    reach = np.ones((MARGIN_PX + 1, MARGIN_PX + 1), np.uint8)
    return list(boxes_holding(cv2.dilate(whole, reach) > cv2.erode(whole, reach), side_px=BLOCK_PX))


def _covered(pixels: Pixels16, settled: Settled, sigma_px: float, box: Box) -> _Block:
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
    """Alpha near the line between product and backdrop, by projection in linear light."""
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
    """The sums of products of colours, (n,)."""
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
    """The nearest colours, (n, 3) linear, that are product alone and backdrop alone, for the pixels near the line."""
    levels: FloatImage = pixels.astype(np.float32) / np.float32(257)
    core = _core(levels, backdrop, product, inside)
    pure = outside > OUTSIDE_PX
    f = _average(linear, core)[nearest(core, at=near)]
    if pure.any():
        return f, _average(linear, pure)[nearest(pure, at=near)]
    return f, decode_working(_encoded(backdrop))[near]


def _trust_in_projection(i: FloatImage, f: FloatImage, b: FloatImage, along: NDArray[np.floating]) -> Any:
    """How far colours between F and B tell coverage, 0..1: F and B must differ, and the colour lie between them.

    Args:
        i, f, b: (n, 3) linear: the colours seen, just inside and just outside.
    """
    levels = [encode_working(colours[None])[0].astype(np.float32) / 257 for colours in (f, b)]
    contrast = _greatest(levels[0] - levels[1])
    span = f - b
    beside = _greatest(i - b - along[:, None] * span) / np.maximum(_greatest(span), 1e-4)
    return np.clip((contrast - ALIKE_LEVELS / 2) / ALIKE_LEVELS, 0, 1) * np.clip((MOST_BESIDE - beside) / 0.5, 0, 1)


def _greatest(colours: FloatImage) -> NDArray[np.float32]:
    """The greatest absolute value of each colour's three, (n,)."""
    size = np.abs(colours)
    return np.maximum(np.maximum(size[:, 0], size[:, 1]), size[:, 2])


def _agreement(along: Any, plain: Any, near: Mask) -> Any:
    """How far projection and the line tell the same coverage, 0..1, over several pixels along the edge.

    Where product and shadow are nearly alike the projection is all one or all zero for whole stretches.
    """
    return np.clip((MOST_APART - _mean_near(np.abs(along - plain), near)) / (MOST_APART / 3), 0, 1)


def _mean_near(values: Any, near: Mask) -> Any:
    """The mean of values, given at the pixels of a mask, over the mask's pixels around each."""
    field = np.zeros(near.shape, np.float32)
    field[near] = values
    window = (AROUND_PX, AROUND_PX)
    share = cv2.blur(near.astype(np.float32), window)
    return cv2.blur(field, window)[near] / np.maximum(share[near], 1e-6)


def _evened(alpha: Matte, blur_px: float, near: Mask, *, sigma_px: float) -> NDArray[np.float32]:
    """Even out noise along the edge without widening it: the new coverage of the pixels near the line, (n,).

    A blur averages along the edge, and across it, where it widens a profile of width w to sqrt(w^2 + blur^2). For a
    logistic profile the power of the odds, alpha^k : (1 - alpha)^k, is what narrows it again by k. The profile wanted
    is that of the photograph's own edges: w = sigma_px.
    """
    even = np.clip(cv2.GaussianBlur(alpha, (0, 0), blur_px)[near], 1e-4, 1 - 1e-4)
    odds = np.power(even / (1 - even), np.hypot(sigma_px, blur_px) / sigma_px)
    return np.asarray(odds / (1 + odds), np.float32)


def _core(levels: FloatImage, backdrop: FloatImage, product: Mask, inside: Matte) -> Mask:
    """Pixels that are product alone; of parts too thin to have any, those that differ most from the backdrop."""
    core = inside > INSIDE_PX
    difference = np.where(product, greatest_difference(levels, backdrop), 0).astype(np.float32)
    peak: Any = cv2.dilate(difference, np.ones((5, 5), np.uint8))
    near_core: Any = cv2.dilate(core.astype(np.uint8), np.ones((9, 9), np.uint8))
    thin = product & (difference >= peak) & (near_core == 0)
    found = np.asarray(core | thin)
    return found if found.any() else product


def _average(picture: FloatImage, mask: Mask) -> FloatImage:
    """The mean of a mask's pixels in each 3 x 3 neighbourhood; where there are none, the pixel itself."""
    weight = mask.astype(np.float32)
    total = cv2.blur(weight, (3, 3))
    mean: Any = cv2.blur(cv2.multiply(picture, cv2.merge([weight] * 3)), (3, 3))
    mean /= np.maximum(total, np.float32(1e-6))[..., None]
    return np.where(total[..., None] > 0, mean, picture)


def _encoded(levels: FloatImage) -> Pixels16:
    return np.clip(levels * 257, 0, 65535).astype(np.uint16)
