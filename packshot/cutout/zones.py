"""Decide where the segmentation network's mask of the product is trusted, and where the photograph has to decide.

This is done at reduced size, before the outline is refined.
"""

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
"""Half width of the unknown band around the network's 0.5 contour, in network pixels."""
LIKE_NOISES, LIKE_LEVELS = 3.0, 4.0
"""A pixel looks like the backdrop if it differs by less than this many times the noise, or less than these levels."""
UNLIKE_NOISES, UNLIKE_LEVELS = 8.0, 14.0
"""A pixel is unlike the backdrop if it differs by more than this many times the noise, and more than these levels."""
LEAST_HOLE_RATIO = 0.0004
"""Smallest area of a gap, as a share of the product's area."""
RIM_PX = 5
"""Distance of the measured rim from the gap, in pixels."""
DOUBTFUL_RIM_RATIO, SURE_RIM_RATIO = 0.5, 0.8
"""Share of a gap's rim that must be unlike the backdrop: where the network doubts, and where it is sure of product."""
SHADOW_EVEN_PX = 0.6
FLAT_NOISES = 2.2
"""A flat place differs from the backdrop by less than this many times the noise."""
MOST_HOLE_RATIO = 0.3
"""Greatest area of a gap, as a share of the product's area."""
PROVEN_PX, PROVEN_EVEN_NOISES, PROVEN_CORE_RATIO, PROVEN_RIM_RATIO = 15, 2.0, 0.55, 0.95
"""Conditions for a proven gap: it holds a square of `PROVEN_PX`. There it equals the backdrop within
`PROVEN_EVEN_NOISES` of noise on average. `PROVEN_CORE_RATIO` of its area looks like the backdrop pixel by pixel, and
`PROVEN_RIM_RATIO` of its rim is unlike the backdrop."""
DARK_LEVELS, PALE_LEVELS = 60.0, 238.0
"""On a backdrop darker or paler than this, in 8-bit levels, its colour alone does not tell a gap."""


@dataclass(frozen=True, eq=False)
class Zones:
    """Where the segmentation network is trusted, and where not. Each array is (rows, columns) at reduced size.

    Attributes:
        unknown: bool, True where the photograph's colours decide what is product.
        probability: float32 in 0..1, the network's prediction. The prediction is set to 0 in proven gaps (openings in
            the product that show the backdrop, such as inside a handle), and to at most 0.5 (undecided) at their edges.
        suspected_gaps: bool, True for pixels inside the product with the backdrop's colour that may be a gap. The
            network's prediction decides there.
    """

    unknown: Mask
    probability: Matte
    suspected_gaps: Mask


def find_zones(levels: FloatImage, probability: Matte, backdrop: Backdrop, *, cell_px: float) -> Zones:
    """Return the zones of a reduced photograph: where the network's mask is trusted, and where the photograph decides.

    The photograph decides along the network's outline, where the network is vague, in gaps that show the backdrop, and
    in parts that the network missed.

    Args:
        levels: (rows, columns, 3) float32, encoded Adobe RGB values scaled to 0..255.
        probability: (rows, columns) float32 in 0..1: the segmentation network's prediction.
        backdrop: model of the backdrop, at the same size.
        cell_px: size of one pixel of the network's prediction, in pixels of `levels`.
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
    """Return the band of pixels within `reach` of the mask's outline."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    whole = product.astype(np.uint8)
    inner: Any = cv2.erode(whole, kernel, borderValue=1)
    outer: Any = cv2.dilate(whole, kernel)
    return np.asarray(outer > inner)


def _proven_gaps(
    levels: FloatImage, distance: Matte, product: Mask, backdrop: Backdrop, noise: float
) -> tuple[Mask, Mask]:
    """Return the gaps that the photograph proves, and a band around them. The network's prediction is not used.

    A gap shows the backdrop's own gradient, not just its colour: most pixels match it within the noise, and window
    means match much better. The remaining pixels are a shadow in the gap. A gap ends in a sharp edge all around, but a
    product's face of the same colour blends into other colours somewhere. On a black backdrop none of this can be seen,
    so no gap is proven there.
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
    """Return the box mean over a window of `PROVEN_PX`."""
    return np.asarray(cv2.blur(picture, (PROVEN_PX, PROVEN_PX)), np.float32)


def _gaps(distance: Matte, probability: Matte, inside: Mask, backdrop: Backdrop, noise: float) -> tuple[Mask, Mask]:
    """Return the gaps that are opened, and the places that are only suspected to be gaps.

    Both lie inside the network's mask and look like the backdrop. On a backdrop that is neither very dark nor nearly
    white, hardly any product matches its colour, gradient and lack of texture over a large area. On others it may be a
    dark handle or a white label, so where the network is sure it is believed.
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
    """Return whether at least `of_ratio` of the rim around a place is unlike the backdrop, as it is around a gap.

    Where a product's shading merely passes through the backdrop's colour, the colour changes gradually across the place
    and its rim.
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
    """Return whether a place differs from the backdrop by noise only."""
    return float(np.percentile(distances, 90)) < FLAT_NOISES * noise + 1


def _missing_parts(levels: FloatImage, distance: Matte, surface: FloatImage, product: Mask, noise: float) -> Mask:
    """Return places outside the mask that are neither backdrop nor shadow and connect to the product.

    Straps, spikes and handles that the network missed are examples.
    """
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
    """Return how much each pixel looks like backdrop in shadow, (rows, columns) float32 in 0..1.

    It is 1 if all channels are darker than the backdrop by the same factor, and this factor is at most 2. It falls to 0
    at a factor of 3. It also falls if the factors of the channels differ by more than the noise. It is 0 where the
    pixel is as bright as the backdrop.

    Args:
        levels: (rows, columns, 3) float32, encoded Adobe RGB values scaled to 0..255.
        surface: the backdrop, same shape and levels.
        noise: standard deviation of the noise, in levels (0..255).
    """
    even: Any = cv2.GaussianBlur(levels, (0, 0), SHADOW_EVEN_PX)  # noise would differ between the channels
    square = dot_product(surface, surface)
    factor = np.divide(dot_product(even, surface), np.maximum(square, 1), dtype=np.float32)
    rest = greatest_difference(even, factor[..., None] * surface)
    deep = np.clip((factor - 1 / 3) / (1 / 2 - 1 / 3), 0, 1)
    bright = np.clip((1.01 - factor) / 0.02, 0, 1)
    plain = np.clip(2 - rest / np.float32(1.5 * noise + 2), 0, 1)
    return np.asarray(deep * bright * plain, np.float32)
