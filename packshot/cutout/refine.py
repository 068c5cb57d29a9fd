"""The edge at full resolution: found in the photograph from outside in, tile by tile.

In each tile near the edge:
1. Backdrop colour: the model's surface, corrected by the nearest backdrop that is actually seen, so that a contact
   shadow counts as backdrop and goes.
2. Product or backdrop: whatever differs from that backdrop by more than the noise is product, however unlike the
   product's inside it looks (shaded rims get eaten otherwise). Where product and backdrop are alike, and in what
   may be shadow, the network has the say.
3. The line between them goes where the photograph changes most (`outline`).
4. Coverage, only within a few pixels of the line so found: alpha = ((I - B) . (F - B)) / |F - B|^2 in linear light,
   F and B being the colours just inside and just outside; decontaminated colour F = (I - (1 - alpha) B) / alpha.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.colour.channels import dot_product, greatest_difference
from packshot.colour.spaces import decode_working, encode_working
from packshot.cutout.distances import nearest
from packshot.cutout.outline import settled_line
from packshot.cutout.zones import shadow_share
from packshot.types import Box, FloatImage, Mask, Matte, Pixels16, Size

TILE_PX = 640
INSIDE_PX, OUTSIDE_PX = 2.5, 2.0
"""How far from the line a pixel is pure: a lens, a sensor and its sharpening blur an edge over about four pixels."""
CONTRAST_LEVELS = 15.0
ALIKE_LEVELS = 10.0
MOST_BESIDE, MOST_APART = 0.7, 0.3
AROUND_PX = 7
NOISES, LEAST_LEVELS = 5.0, 6.0
SNAP = 0.02
EVEN_PX = 1.2
"""The line between product and backdrop is evened out over this much, so that noise doesn't fray it."""
EVEN_DOUBTFUL_PX, CLEAR = 3.0, 0.3
EDGE_PX = 0.7
"""Width of the edge that a sharp lens makes: standard deviation of its blur. Where the line alone tells coverage, it is
the normal distribution's (as the logistic one with 1.702 / sigma) of the distance from it."""
EVEN_ALPHA_PX, NARROWER = 1.0, 1.6
"""What coverage is blurred by to even it out, and how much narrower the edge gets again."""


@dataclass(frozen=True, eq=False)
class Tile:
    """One tile's result, in pixels of the photograph.

    Attributes:
        box: where it lies.
        alpha: (rows, columns) float32.
        soft: which pixels are partly product.
        colours: (n, 3) float32, linear, of the soft pixels in order.
    """

    box: Box
    alpha: Matte
    soft: Mask
    colours: FloatImage


def refine_tiles(
    pixels: Pixels16, probability: Matte, unknown: Mask, surface: FloatImage, *, noise_levels: float, cell_px: float
) -> Iterator[Tile]:
    """Yield each tile in which something is unknown.

    Args:
        pixels: the master.
        probability: the network's prediction, at any size.
        unknown: at reduced size.
        surface: the backdrop's encoded levels, at reduced size.
        cell_px: size of a network cell in pixels of the master.
    """
    rows, columns = pixels.shape[:2]
    margin = int(np.ceil(8 * cell_px)) + 12
    for top in range(0, rows, TILE_PX):
        for left in range(0, columns, TILE_PX):
            box = Box(left, top, min(columns, left + TILE_PX), min(rows, top + TILE_PX))
            if not _part(unknown, box, Size(columns, rows), nearest=True).any():
                continue
            wide = Box(
                max(0, left - margin),
                max(0, top - margin),
                min(columns, box.right + margin),
                min(rows, box.bottom + margin),
            )
            size = Size(columns, rows)
            alpha, colours, soft = _refined(
                pixels[wide.top : wide.bottom, wide.left : wide.right],
                _part(probability, wide, size),
                _part(unknown, wide, size, nearest=True) > 0,
                _part(surface, wide, size),
                noise=max(noise_levels, 0.5),
            )
            inner = (
                slice(box.top - wide.top, box.bottom - wide.top),
                slice(box.left - wide.left, box.right - wide.left),
            )
            yield Tile(box, alpha[inner], soft[inner], colours[inner][soft[inner]])


def _part(picture: NDArray[Any], box: Box, size: Size, *, nearest: bool = False) -> Any:
    """The part of a smaller picture that a box of the photograph covers, at the photograph's size."""
    across, down = picture.shape[1] / size.width, picture.shape[0] / size.height
    matrix = np.array(
        [[across, 0, (box.left + 0.5) * across - 0.5], [0, down, (box.top + 0.5) * down - 0.5]], np.float64
    )
    source = picture.astype(np.uint8) if picture.dtype == bool else picture
    how = cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR
    return cv2.warpAffine(
        source, matrix, (box.width, box.height), flags=how | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )


def _refined(
    pixels: Pixels16, probability: Matte, unknown: Mask, surface: FloatImage, *, noise: float
) -> tuple[Matte, FloatImage, Mask]:
    """Alpha, linear foreground colours and the soft pixels of one tile."""
    levels: FloatImage = pixels.astype(np.float32) / np.float32(257)
    sure_in, sure_out = (probability >= 0.5) & ~unknown, (probability < 0.5) & ~unknown
    backdrop = _seen_backdrop(levels, surface, sure_out)
    shaded = shadow_share(levels, backdrop, noise=noise)
    product = _product(levels, backdrop, probability, unknown, sure_in, shaded, noise=noise)
    line = settled_line(product, levels, unknown, shaded, noise=noise, least_levels=_least_levels(noise))
    return _coverage(pixels, levels, backdrop, np.where(unknown, line > 0, product), unknown, line)


def _least_levels(noise: float) -> float:
    """From which difference to the backdrop on a pixel counts as product."""
    return max(NOISES * noise, LEAST_LEVELS)


def _seen_backdrop(levels: FloatImage, surface: FloatImage, seen: Mask) -> FloatImage:
    """The backdrop's colour everywhere: the surface, times what the nearest seen backdrop differs from it."""
    if not seen.any():
        return surface
    ratio = (levels + 1) / (surface + 1)
    weight = seen.astype(np.float32)
    total = cv2.blur(weight, (7, 7))
    mean = cv2.blur(ratio * weight[..., None], (7, 7)) / np.maximum(total, 1e-6)[..., None]
    spread = mean[nearest(seen)]
    corrected: FloatImage = np.clip(cv2.blur(spread, (9, 9)) * (surface + 1) - 1, 0, 255)
    return corrected


def _product(
    levels: FloatImage,
    backdrop: FloatImage,
    probability: Matte,
    unknown: Mask,
    sure_in: Mask,
    shaded: Matte,
    *,
    noise: float,
) -> Mask:
    """What is product in a tile: settled where it is not unknown, decided by difference or by the network elsewhere."""
    difference = greatest_difference(levels, backdrop)
    limit = _least_levels(noise)
    differs = np.clip((difference / limit - 0.5), 0, 1)
    contrast = np.full(difference.shape, 255.0, np.float32)
    if sure_in.any():
        inside = cv2.blur(levels, (5, 5))[nearest(sure_in)]
        span = inside - backdrop
        square = dot_product(span, span)
        contrast = np.sqrt(square)
        along = dot_product(levels - backdrop, span) / np.maximum(square, 1)
        within = np.minimum(differs, 0.5 * np.clip(along, 0, 1) + 0.5 * probability)
        differs = shaded * within + (1 - shaded) * differs
    far = probability < 0.03
    differs = np.where(far & (difference < 2.5 * limit), np.minimum(differs, 0.4), differs)
    trust = contrast**2 / (contrast**2 + CONTRAST_LEVELS**2)
    share = trust * differs + (1 - trust) * probability
    product = np.where(unknown, _evened_share(share.astype(np.float32)) > 0.5, probability >= 0.5)
    smooth: Any = cv2.medianBlur(product.astype(np.uint8), 3)
    return _hanging_together(smooth > 0, sure_in)


def _evened_share(share: Matte) -> Matte:
    """Even out how far pixels are product: over a pixel where that is clear, else over several, by the clear ones."""
    near = cv2.GaussianBlur(share, (0, 0), EVEN_PX)
    clear = np.abs(2 * share - 1) + np.float32(0.02)
    around = cv2.GaussianBlur(share * clear, (0, 0), EVEN_DOUBTFUL_PX) / cv2.GaussianBlur(
        clear, (0, 0), EVEN_DOUBTFUL_PX
    )
    trust = np.clip(cv2.GaussianBlur(clear, (0, 0), EVEN_PX) / CLEAR, 0, 1)
    return np.asarray(trust * near + (1 - trust) * around, np.float32)


def _hanging_together(product: Mask, sure_in: Mask) -> Mask:
    """Drop specks that hang together neither with the product nor with the tile's border; close pinholes."""
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(product.astype(np.uint8), connectivity=8)
    keep = np.zeros(count, bool)
    for part in (labels[sure_in], labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        keep[np.unique(part)] = True
    keep |= statistics[:, cv2.CC_STAT_AREA] > 400
    keep[0] = False
    whole = keep[labels]
    count, labels, statistics, _ = cv2.connectedComponentsWithStats((~whole).astype(np.uint8), connectivity=4)
    small = statistics[:, cv2.CC_STAT_AREA] < 12
    small[0] = False
    return np.asarray(whole | small[labels])


def _coverage(
    pixels: Pixels16, levels: FloatImage, backdrop: FloatImage, product: Mask, unknown: Mask, line: Matte
) -> tuple[Matte, FloatImage, Mask]:
    """Alpha near the line between product and backdrop, by projection in linear light."""
    whole = product.astype(np.uint8)
    inside: Any = cv2.distanceTransform(whole, cv2.DIST_L2, 5)
    outside = cv2.distanceTransform(1 - whole, cv2.DIST_L2, 5)
    alpha = product.astype(np.float32)
    near = ((product & (inside <= INSIDE_PX)) | (~product & (outside <= OUTSIDE_PX))) & unknown
    colours = np.zeros(levels.shape, np.float32)
    if not near.any() or not product.any() or product.all():
        return alpha, colours, np.zeros(product.shape, bool)
    linear = decode_working(pixels)
    core = _core(levels, backdrop, product, inside)
    pure = outside > OUTSIDE_PX
    f = _average(linear, core)[nearest(core)][near]
    b = (_average(linear, pure)[nearest(pure)] if pure.any() else decode_working(_encoded(backdrop)))[near]
    i = linear[near]
    span = f - b
    square = (span * span).sum(axis=1)
    along = np.clip(((i - b) * span).sum(axis=1) / np.maximum(square, 1e-9), 0, 1)
    plain = 1 / (1 + np.exp(-1.702 / EDGE_PX * line[near]))
    trust = _trust_in_projection(i, f, b, along) * _agreement(along, plain, near)
    trust = _mean_near(trust, near)
    alpha[near] = trust * along + (1 - trust) * plain
    found = _evened(alpha, EVEN_ALPHA_PX, narrower=NARROWER)[near]
    found = np.where(found < SNAP, 0.0, np.where(found > 1 - SNAP, 1.0, found)).astype(np.float32)
    alpha[near] = found
    soft = np.zeros(product.shape, bool)
    soft[near] = (found > 0) & (found < 1)
    share = np.maximum(found, 0.1)[:, None]
    own = np.clip((i - (1 - found[:, None]) * b) / share, np.minimum(f, i), np.maximum(f, i))
    colours[near] = own
    return alpha, colours, soft


def _trust_in_projection(i: FloatImage, f: FloatImage, b: FloatImage, along: NDArray[np.floating]) -> Any:
    """How far colours between F and B tell coverage, 0..1: F and B must differ, and the colour lie between them.

    Args:
        i, f, b: (n, 3) linear: the colours seen, just inside and just outside.
    """
    levels = [encode_working(colours[None])[0].astype(np.float32) / 257 for colours in (f, b)]
    contrast = np.abs(levels[0] - levels[1]).max(axis=1)
    span = f - b
    beside = np.abs(i - b - along[:, None] * span).max(axis=1) / np.maximum(np.abs(span).max(axis=1), 1e-4)
    return np.clip((contrast - ALIKE_LEVELS / 2) / ALIKE_LEVELS, 0, 1) * np.clip((MOST_BESIDE - beside) / 0.5, 0, 1)


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


def _evened(alpha: Matte, blur_px: float, *, narrower: float) -> Matte:
    """Even out noise along the edge without widening it.

    A blur averages along the edge, and across it, where it widens a profile of width w to sqrt(w^2 + blur^2). For a
    logistic profile the power of the odds, alpha^k : (1 - alpha)^k, is what narrows it again by k.
    """
    even = np.clip(cv2.GaussianBlur(alpha, (0, 0), blur_px), 1e-4, 1 - 1e-4)
    odds = np.power(even / (1 - even), narrower)
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
    mean = cv2.blur(picture * weight[..., None], (3, 3)) / np.maximum(total, 1e-6)[..., None]
    return np.where(total[..., None] > 0, mean, picture).astype(np.float32)


def _encoded(levels: FloatImage) -> Pixels16:
    return np.clip(levels * 257, 0, 65535).astype(np.uint16)
