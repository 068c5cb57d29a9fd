"""Where the network is to be trusted, and where the photograph itself has to decide: at reduced size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.colour.channels import dot_product, greatest_channel, greatest_difference
from packshot.cutout.backdrop import Backdrop
from packshot.types import FloatImage, Mask, Matte

BAND_CELLS = 1.6
"""How far from its 0.5 line the network's edge may lie, in its own cells."""
LIKE_NOISES, LIKE_LEVELS = 3.0, 4.0
UNLIKE_NOISES, UNLIKE_LEVELS = 8.0, 14.0
LEAST_HOLE_RATIO = 0.0004
RIM_PX = 5
DOUBTFUL_RIM_RATIO, SURE_RIM_RATIO = 0.5, 0.8
"""How much of a gap's rim is unlike the backdrop, where the network doubts and where it is sure of the product."""
SHADOW_EVEN_PX = 0.6
FLAT_NOISES = 2.2
MOST_HOLE_RATIO = 0.3
PROVEN_PX, PROVEN_EVEN_NOISES, PROVEN_CORE_RATIO, PROVEN_RIM_RATIO = 15, 2.0, 0.55, 0.95
"""A proven gap holds a square of so many pixels, over which it is the backdrop to so many noises; so much of it is the
backdrop to the noise, and so much of its rim is unlike the backdrop."""
DARK_LEVELS, PALE_LEVELS = 60.0, 238.0


@dataclass(frozen=True, eq=False)
class Zones:
    """What is open and what is settled, (rows, columns) at reduced size.

    Attributes:
        unknown: here the photograph decides.
        probability: the network's; 0 in gaps that the photograph proves, and no more than 0.5, which says nothing, at
            their edges.
        suspected_gaps: backdrop-coloured places that the network is sure about; left as they are.
    """

    unknown: Mask
    probability: Matte
    suspected_gaps: Mask


def find_zones(levels: FloatImage, probability: Matte, backdrop: Backdrop, *, cell_px: float) -> Zones:
    """Return the zones of a reduced photograph.

    Args:
        levels: (rows, columns, 3) float32, encoded, 0..255.
        probability: the network's, (rows, columns).
        cell_px: size of a cell of the network, in pixels of `levels`.
    """
    product = probability >= 0.5
    band = _around_edge(product, reach=max(2, round(BAND_CELLS * cell_px)))
    vague = (probability > 0.1) & (probability < 0.9)
    distance = greatest_difference(levels, backdrop.surface)
    noise = max(backdrop.report.noise_levels, 0.5)
    proven, around = _proven_gaps(levels, distance, product, backdrop, noise)
    gaps, suspected = _gaps(distance, probability, product & ~band & ~around, backdrop, noise)
    parts = _missing_parts(levels, distance, backdrop.surface, product, noise)
    heard = np.where(proven, np.float32(0), np.where(around, np.minimum(probability, np.float32(0.5)), probability))
    return Zones((band | vague | gaps | parts | around) & ~proven, heard, suspected)


def _around_edge(product: Mask, *, reach: int) -> Mask:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    whole = product.astype(np.uint8)
    inner: Any = cv2.erode(whole, kernel, borderValue=1)
    outer: Any = cv2.dilate(whole, kernel)
    return np.asarray(outer > inner)


def _proven_gaps(
    levels: FloatImage, distance: Matte, product: Mask, backdrop: Backdrop, noise: float
) -> tuple[Mask, Mask]:
    """Gaps so large and so plainly the backdrop that the network's word does not count, and what is around them.

    A gap shows the backdrop's own course of light, not just its colour: most of it to the noise, and on average over a
    window to much less; the rest is a shadow in it. It ends in an edge all around, where a face of the product in that
    colour goes over into others somewhere. On black nothing of this can be seen.
    """
    found, around = np.zeros(product.shape, bool), np.zeros(product.shape, bool)
    close = (distance < max(LIKE_NOISES * noise, LIKE_LEVELS)) & product
    close &= greatest_channel(backdrop.surface) > DARK_LEVELS
    core = cv2.morphologyEx(close.view(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)).view(bool)
    deep = cv2.erode(core.view(np.uint8), np.ones((PROVEN_PX, PROVEN_PX), np.uint8)).view(bool)
    if not deep.any():
        return found, around
    even = greatest_difference(*(_averaged(picture) for picture in (levels, backdrop.surface)))
    unlike = max(UNLIKE_NOISES * noise, UNLIKE_LEVELS)
    like = (distance < unlike) & product
    _, labels = cv2.connectedComponents(like.view(np.uint8), connectivity=4)
    for label in np.unique(labels[deep]):
        here = labels == label
        reach = [cv2.dilate(here.view(np.uint8), np.ones((2 * px + 1,) * 2, np.uint8)) for px in (1, 3)]
        rim = reach[1] > reach[0]
        if (
            np.count_nonzero(core & here) >= PROVEN_CORE_RATIO * np.count_nonzero(here)
            and np.count_nonzero(distance[rim] >= unlike) >= max(1, PROVEN_RIM_RATIO * np.count_nonzero(rim))
            and float(np.percentile(even[deep & here], 95)) < PROVEN_EVEN_NOISES * max(noise, 1)
        ):
            found |= here
            around |= reach[1] > 0
    inner = cv2.erode(found.view(np.uint8), np.ones((2 * RIM_PX + 1,) * 2, np.uint8)).view(bool)
    return inner, cv2.dilate(around.view(np.uint8), np.ones((RIM_PX,) * 2, np.uint8)).view(bool)


def _averaged(picture: FloatImage) -> FloatImage:
    return np.asarray(cv2.blur(picture, (PROVEN_PX, PROVEN_PX)), np.float32)


def _gaps(distance: Matte, probability: Matte, inside: Mask, backdrop: Backdrop, noise: float) -> tuple[Mask, Mask]:
    """Places inside the product that look like the backdrop: open where that can be told, else only suspected.

    On a backdrop that is neither very dark nor nearly white, hardly any product has just its colour, gradient and
    lack of texture over a large area. Elsewhere it may be a dark handle or a white label, so the network's word counts.
    """
    close = (distance < max(LIKE_NOISES * noise, LIKE_LEVELS)) & inside
    alike: Any = cv2.morphologyEx(close.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(alike, connectivity=4)
    opened, suspected = np.zeros(inside.shape, bool), np.zeros(inside.shape, bool)
    area = max(1, int(inside.sum()))
    brightest = greatest_channel(backdrop.surface)
    for label in range(1, count):
        size = int(statistics[label, cv2.CC_STAT_AREA])
        if not LEAST_HOLE_RATIO * area <= size <= MOST_HOLE_RATIO * area:
            continue
        here = labels == label
        tellable = DARK_LEVELS < float(brightest[here].mean()) < PALE_LEVELS
        doubtful = float(probability[here].mean()) < 0.9
        if doubtful:
            gap = _has_a_rim(distance, here, noise, of_ratio=DOUBTFUL_RIM_RATIO)
        else:
            flat = tellable and _is_flat(distance[here], noise)
            gap = flat and _has_a_rim(distance, here, noise, of_ratio=SURE_RIM_RATIO)
        if gap:
            opened |= here
        else:
            suspected |= here
    kernel = np.ones((11, 11), np.uint8)
    return cv2.dilate(opened.astype(np.uint8), kernel).astype(bool), suspected


def _has_a_rim(distance: Matte, gap: Mask, noise: float, *, of_ratio: float) -> bool:
    """Whether a place is told from so much of what is around it by an edge, as a gap is.

    Where a product's shading merely runs through the backdrop's colour, the colour changes across the place and on
    both sides of it at the same pace.
    """
    rows, columns = np.nonzero(gap)
    part = np.s_[
        max(0, rows.min() - RIM_PX) : rows.max() + RIM_PX + 1,
        max(0, columns.min() - RIM_PX) : columns.max() + RIM_PX + 1,
    ]
    inside = gap[part].astype(np.uint8)
    near, far = (cv2.dilate(inside, np.ones((2 * reach + 1,) * 2, np.uint8)) for reach in (RIM_PX - 2, RIM_PX))
    rim = far > near
    return float(np.quantile(distance[part][rim], 1 - of_ratio)) > max(UNLIKE_NOISES * noise, UNLIKE_LEVELS)


def _is_flat(distances: NDArray[np.float32], noise: float) -> bool:
    """Whether a place has nothing but noise in it."""
    return float(np.percentile(distances, 90)) < FLAT_NOISES * noise + 1


def _missing_parts(levels: FloatImage, distance: Matte, surface: FloatImage, product: Mask, noise: float) -> Mask:
    """Places outside unlike backdrop and shadow that hang together with the product: straps, spikes, handles."""
    unlike = (distance > max(UNLIKE_NOISES * noise, UNLIKE_LEVELS)) & (shadow_share(levels, surface, noise=noise) < 0.5)
    reach = np.ones((5, 5), np.uint8)
    near = cv2.dilate(product.astype(np.uint8), reach)
    count, labels = cv2.connectedComponents((unlike | product).astype(np.uint8), connectivity=8)
    keep = np.zeros(count, bool)
    keep[labels[near > 0]] = True
    keep[0] = False
    parts = keep[labels] & unlike & ~product
    return cv2.dilate(parts.astype(np.uint8), reach).astype(bool) & ~product


def shadow_share(levels: FloatImage, surface: FloatImage, *, noise: float) -> Matte:
    """Return how far a picture is a darkened, otherwise unchanged backdrop, (rows, columns) float32 in 0..1.

    1 where it is darker by a factor of up to 2, the same in each channel; 0 from a factor of 3 or where the channels
    differ by more than noise does.
    """
    even: Any = cv2.GaussianBlur(levels, (0, 0), SHADOW_EVEN_PX)  # noise is not the shadow's own
    square = dot_product(surface, surface)
    factor = np.divide(dot_product(even, surface), np.maximum(square, 1), dtype=np.float32)
    rest = greatest_difference(even, factor[..., None] * surface)
    deep = np.clip((factor - 1 / 3) / (1 / 2 - 1 / 3), 0, 1)
    bright = np.clip((1.01 - factor) / 0.02, 0, 1)
    plain = np.clip(2 - rest / np.float32(1.5 * noise + 2), 0, 1)
    return np.asarray(deep * bright * plain, np.float32)
