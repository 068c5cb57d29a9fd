"""Decide which pixels of a photograph are product and which are backdrop.

This is done in a reduced copy that still shows all details that a shopper sees. It is done in tiles, and only where the
segmentation network is not trusted:

1. Backdrop colour: the modelled surface, corrected by the nearest visible backdrop. So a contact shadow counts as
   backdrop and is removed.
2. Product or backdrop: a pixel that differs from that backdrop by more than the noise is product, even if it does not
   look like the product's inside. Otherwise shaded edges would be lost. Where product and backdrop have similar
   colours, and where there may be shadow, the network decides.
3. The outline between them moves to the strongest edge nearby (see `outline`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.colour.channels import dot_product, greatest_difference
from packshot.cutout.distances import nearest
from packshot.cutout.outline import lens_ratio, settled_line
from packshot.cutout.tiles import boxes_holding, part_of, with_margin
from packshot.cutout.zones import shadow_share
from packshot.threads import side_by_side
from packshot.types import Box, FloatImage, Mask, Matte, Pixels16, size_of

SETTLED_PX = 2048
"""Longest side of the copy in which product and backdrop are told apart. Alpha is computed at the photograph's full
size."""
TILE_PX = 640
"""Side of a tile, without its margin."""
FAR_PX = 100.0
"""Distance stored outside the boxes around unknown pixels: positive in the product, negative in the backdrop."""
CONTRAST_LEVELS = 15.0
"""Contrast between product and backdrop, in 8-bit levels, at which colour and network have equal weight."""
NOISES, LEAST_LEVELS = 5.0, 6.0
"""A pixel counts as product if it differs from the backdrop by this many times the noise and at least this many
levels."""
EVEN_PX = 1.2
"""Standard deviation of the Gaussian that keeps noise from fraying the outline."""
EVEN_DOUBTFUL_PX, CLEAR = 3.0, 0.3
"""The wider Gaussian for doubtful pixels, and the mean clearness at which a pixel no longer needs it."""
BASE_OF_HEIGHT = 0.25
"""A product touches the floor within this share of its height from its lowest point. Legs at the back end higher."""
LOWEST_CELLS = 8
"""A product touches the floor only with the lowest part of it in a column, as exactly as the network knows that part. A
bar above a gap does not touch it."""
BELOW_PX, SHADED_LEVELS, LEAST_SHADED = (6, 16), 6.0, 0.1
"""A product stands on a floor if, between these distances below it, the backdrop is so many levels darker than without
shadow, along at least this share of its width."""
_BEARING_PX = 33
"""Pixels farther than half of this from any unknown pixel have no influence, and are not computed."""


@dataclass(frozen=True, eq=False)
class Settled:
    """The outline between product and backdrop, as decided in a reduced copy of the photograph. `settle` makes it.

    Attributes:
        line: (rows, columns) float32: signed distance from the outline in pixels of this copy, positive inside. It is
            computed only in the boxes around unknown pixels. Elsewhere it is 100 in the product and -100 outside.
        unknown: (rows, columns) bool: where the photograph decided instead of the segmentation network.
        backdrop: the backdrop's colour, (rows, columns, 3) float32, encoded Adobe RGB values scaled to 0..255.
    """

    line: Matte
    unknown: Mask
    backdrop: FloatImage


def settle(
    pixels: Pixels16, probability: Matte, unknown: Mask, surface: FloatImage, *, noise_levels: float, cell_px: float
) -> Settled:
    """Return the outline between product and backdrop, at the size of `pixels`.

    Args:
        pixels: (rows, columns, 3) uint16, Adobe RGB: a copy of at most 2048 px on its longest side.
        probability: (rows, columns) float32 in 0..1, at any size: the segmentation network's prediction.
        unknown: (rows, columns) bool, at any size: True where the photograph's colours decide what is product.
            Elsewhere a probability of 0.5 or more is product.
        surface: the modelled backdrop, (rows, columns, 3) float32, encoded Adobe RGB values scaled to 0..255, at any
            size.
        noise_levels: standard deviation of the backdrop's noise, in levels (0..255).
        cell_px: size of one pixel of the network's prediction, in pixels of `pixels`.
    """
    size = size_of(pixels)
    likely: Any = cv2.resize(probability, size, interpolation=cv2.INTER_LINEAR)
    opened = cv2.resize(unknown.view(np.uint8), size, interpolation=cv2.INTER_NEAREST).view(bool)
    line = np.where(likely >= 0.5, np.float32(FAR_PX), np.float32(-FAR_PX))
    surface_here: Any = cv2.resize(surface, size, interpolation=cv2.INTER_LINEAR)
    margin_px = int(np.ceil(8 * cell_px)) + 12
    lens = lens_ratio(pixels, probability)
    floor_from = _floor_from(pixels, likely, surface_here, LOWEST_CELLS * cell_px)
    boxes = list(boxes_holding(opened, side_px=TILE_PX))

    def tile(box: Box) -> tuple[Matte, FloatImage]:
        wide, inner = with_margin(box, size, margin_px=margin_px)
        parts = (part_of(picture, wide, size) for picture in (pixels, likely, opened, surface_here))
        found = _settled(
            *parts, noise=max(noise_levels, 0.5), lens=lens, floor_from=floor_from[wide.left : wide.right] - wide.top
        )
        return found[0][inner], found[1][inner]

    backdrop = surface_here.copy()
    for box, (tile_line, tile_backdrop) in zip(boxes, side_by_side(tile, boxes), strict=True):
        line[box.top : box.bottom, box.left : box.right] = tile_line
        backdrop[box.top : box.bottom, box.left : box.right] = tile_backdrop
    return Settled(line, opened, backdrop)


def _floor_from(pixels: Pixels16, likely: Matte, surface: FloatImage, doubt_px: float) -> NDArray[np.float32]:
    """Return the first row in which the product may touch the floor, (columns,); infinity where it stands on none.

    A product stands on a floor if the backdrop below it lies in shadow along at least `LEAST_SHADED` of its width. In
    each column, only its lowest part touches the floor.

    Args:
        doubt_px: how far the network's lowest row of a column may be from the product's.
    """
    product = likely >= 0.5
    nowhere = np.full(product.shape[1], np.inf, np.float32)
    rows, columns = np.flatnonzero(product.any(axis=1)), np.flatnonzero(product.any(axis=0))
    if not rows.size:
        return nowhere
    first = float(rows[-1] - BASE_OF_HEIGHT * (rows[-1] - rows[0]))
    lowest = len(product) - 1 - np.argmax(product[::-1], axis=0)
    low = columns[lowest[columns] >= first]
    below = np.minimum(lowest[low][:, None] + np.arange(*BELOW_PX), len(product) - 1)
    floor = pixels[below, low[:, None]].astype(np.float32) / np.float32(257)
    shade = (surface[below, low[:, None]] - floor).mean(axis=(1, 2))
    if float((shade >= SHADED_LEVELS).mean()) < LEAST_SHADED:
        return nowhere
    least = np.full(product.shape[1], first, np.float32)
    least[columns] = np.maximum(first, lowest[columns] - doubt_px)
    return least


def _settled(
    pixels: Pixels16,
    probability: Matte,
    opened: Any,
    surface: FloatImage,
    *,
    noise: float,
    lens: float,
    floor_from: NDArray[np.float32],
) -> tuple[Matte, FloatImage]:
    """Return the signed distance from the outline in one tile, and the tile's corrected backdrop."""
    unknown = opened > 0
    levels: FloatImage = pixels.astype(np.float32) / np.float32(257)
    sure_out = (probability < 0.5) & ~unknown
    bearing = cv2.dilate(opened, np.ones((_BEARING_PX, _BEARING_PX), np.uint8)) > 0
    backdrop = _seen_backdrop(levels, surface, sure_out, bearing)
    shaded = shadow_share(levels, backdrop, noise=noise)
    product = _product(levels, backdrop, probability, unknown, bearing, shaded, noise=noise)
    line = settled_line(
        product,
        levels,
        probability,
        unknown,
        shaded,
        noise=noise,
        least_levels=_least_levels(noise),
        lens=lens,
        floor_from=floor_from,
    )
    sure = np.where(product, np.abs(line), -np.abs(line))
    return np.where(unknown, line, sure).astype(np.float32), backdrop


def _least_levels(noise: float) -> float:
    """Return the least difference to the backdrop, in 8-bit levels, at which a pixel counts as product."""
    return max(NOISES * noise, LEAST_LEVELS)


def _seen_backdrop(levels: FloatImage, surface: FloatImage, seen: Mask, bearing: Mask) -> FloatImage:
    """Return the backdrop's colour: the surface times the photograph's ratio to it at the nearest visible backdrop."""
    if not seen.any():
        return surface
    weight = seen.astype(np.float32)
    total = np.maximum(cv2.blur(weight, (7, 7)), np.float32(1e-6))
    ratio = cv2.divide(levels + 1, surface + 1)
    spread = cv2.blur(cv2.multiply(ratio, cv2.merge([weight] * 3)), (7, 7)) / total[..., None]
    hidden = bearing & ~seen
    spread[hidden] = spread[nearest(seen, at=hidden)]
    corrected = cv2.multiply(cv2.blur(spread, (9, 9)), surface + 1)
    return np.asarray(np.clip(corrected - 1, 0, 255), np.float32)


def _product(
    levels: FloatImage,
    backdrop: FloatImage,
    probability: Matte,
    unknown: Mask,
    bearing: Mask,
    shaded: Matte,
    *,
    noise: float,
) -> Mask:
    """Return the tile's product mask: where it is unknown, by colour and network together, else by the network."""
    sure_in = (probability >= 0.5) & ~unknown
    difference = greatest_difference(levels, backdrop)
    limit = _least_levels(noise)
    differs = np.clip(difference / limit - 0.5, 0, 1)
    contrast = np.full(difference.shape, 255.0, np.float32)
    if sure_in.any():
        inside = cv2.blur(levels, (5, 5))
        hidden = bearing & ~sure_in
        inside[hidden] = inside[nearest(sure_in, at=hidden)]
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
    """Return the share of product, smoothed.

    A narrow Gaussian is used where the share is clear, and a wide one, weighted by clearness, where it is doubtful.
    """
    near = cv2.GaussianBlur(share, (0, 0), EVEN_PX)
    clear = np.abs(2 * share - 1) + np.float32(0.02)
    around = cv2.GaussianBlur(share * clear, (0, 0), EVEN_DOUBTFUL_PX) / cv2.GaussianBlur(
        clear, (0, 0), EVEN_DOUBTFUL_PX
    )
    trust = np.clip(cv2.GaussianBlur(clear, (0, 0), EVEN_PX) / CLEAR, 0, 1)
    return np.asarray(trust * near + (1 - trust) * around, np.float32)


def _hanging_together(product: Mask, sure_in: Mask) -> Mask:
    """Return the mask with pinholes closed and without small isolated specks.

    A speck is kept if it touches sure product or the tile's border.
    """
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(product.astype(np.uint8), connectivity=8)
    keep = np.zeros(count, bool)
    for part in (labels[sure_in], labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        keep[part] = True
    keep |= statistics[:, cv2.CC_STAT_AREA] > 400
    keep[0] = False
    whole = keep[labels]
    count, labels, statistics, _ = cv2.connectedComponentsWithStats((~whole).astype(np.uint8), connectivity=4)
    small = statistics[:, cv2.CC_STAT_AREA] < 12
    small[0] = False
    return np.asarray(whole | small[labels])
