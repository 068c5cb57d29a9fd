"""Model the studio backdrop of a photograph as a smooth surface of colour, also in the area behind the product.

The cut-out compares each pixel with this surface to tell product from backdrop.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.colour.channels import greatest_difference, least_channel
from packshot.cutout.values import BackdropReport
from packshot.types import FloatImage, Mask, Matte

SURE_BELOW = 0.05
"""A pixel whose product probability is below this is taken for backdrop."""
ERODED_RATIO = 0.012
"""The mask of sure backdrop is eroded by this share of the longest side, to stay clear of the product's edge."""
LEAST_SHARE = 0.01
"""With a smaller share of sure backdrop than this there is too little to fit a surface to."""
MOST_NOISE_LEVELS = 6.0
"""A smooth backdrop has at most this much noise, in 8-bit levels."""
MOST_ROUGH_RATIO = 0.12
"""In a smooth backdrop at most this share of the pixels differs from the surface by more than `ROUGH_LEVELS`."""
ROUGH_LEVELS = 20.0
_TUKEY, _MAD_TO_SIGMA = 4.685, 1.4826
_ROUNDS, _MOST_SAMPLES = 8, 12_000
_SPREAD_SHRINK = 4
_TERMS = [(i, j) for i in range(4) for j in range(4 - i)]
_WHITE_LEVELS = 254.0


@dataclass(frozen=True, eq=False)
class Backdrop:
    """The modelled backdrop of a reduced photograph, as a camera would see it without the product.

    `model_backdrop` makes it.

    Attributes:
        surface: (rows, columns, 3) float32, encoded Adobe RGB values scaled to 0..255, also behind the product.
        report: how noisy and how smooth the visible backdrop is.
    """

    surface: FloatImage
    report: BackdropReport


def model_backdrop(levels: FloatImage, probability: Matte) -> Backdrop:
    """Return the modelled backdrop of a reduced photograph: its colour at each pixel, also behind the product.

    A cubic polynomial per channel is fitted to the pixels that are surely backdrop: product probability below 0.05, and
    clear of the product's edge. The fit is robust: iteratively reweighted least squares with Tukey's biweight,
    c = 4.685. The remaining difference between photograph and polynomial is smoothed and added. Behind the product,
    this difference is extrapolated.

    If less than 1 % of the pixels are surely backdrop, there is no model: the surface is white, and its report has
    `smooth` False.

    Args:
        levels: the photograph, (rows, columns, 3) float32, encoded Adobe RGB values scaled to 0..255.
        probability: (rows, columns) float32 in 0..1: probability of product.
    """
    reach = max(2, round(ERODED_RATIO * max(levels.shape[:2])))
    kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    sure = cv2.erode((probability < SURE_BELOW).astype(np.uint8), kernel, borderValue=1).astype(bool)
    if sure.mean() < LEAST_SHARE:
        return Backdrop(np.full_like(levels, 255.0), BackdropReport(smooth=False, rough_ratio=1.0))
    surface, weight = _surface(levels, sure)
    surface = np.clip(surface + _spread(levels - surface, weight), 0, 255)
    rest = _sampled(greatest_difference(levels, surface), sure)
    noise = float(_MAD_TO_SIGMA * np.median(rest))
    rough = float(np.mean(rest > ROUGH_LEVELS))
    report = BackdropReport(
        smooth=noise <= MOST_NOISE_LEVELS and rough <= MOST_ROUGH_RATIO,
        noise_levels=noise,
        rough_ratio=rough,
        mean_levels=cv2.mean(levels, sure.view(np.uint8))[:3],
        already_white=bool(np.where(sure, least_channel(levels), 255).min() >= _WHITE_LEVELS),
    )
    return Backdrop(surface, report)


def _surface(levels: FloatImage, sure: Mask) -> tuple[FloatImage, Matte]:
    """Return the fitted surface and each pixel's weight as backdrop, (rows, columns) in 0..1."""
    rows, columns = levels.shape[:2]
    down, across = _powers(rows), _powers(columns)
    index = _sample(sure)
    terms = np.stack([down[index // columns, i] * across[index % columns, j] for i, j in _TERMS], axis=1)
    wanted = levels.reshape(-1, 3)[index].astype(np.float64)
    weight: NDArray[np.floating] = np.ones(len(index))
    for _ in range(_ROUNDS):
        weighted = terms.T * weight  # normal equations: coordinates in -1..1 keep them well conditioned
        coefficients, *_ = np.linalg.lstsq(weighted @ terms, weighted @ wanted, rcond=None)
        rest = np.abs(wanted - terms @ coefficients).max(axis=1)
        weight = _biweight(rest, max(_MAD_TO_SIGMA * float(np.median(rest)), 0.5))
    square = np.zeros((3, 4, 4))
    for (i, j), coefficient in zip(_TERMS, coefficients, strict=True):
        square[:, i, j] = coefficient
    surface = np.ascontiguousarray(np.moveaxis(down @ square @ across.T, 0, 2), np.float32)
    rest_everywhere = greatest_difference(levels, surface)
    sigma = max(_MAD_TO_SIGMA * float(np.median(_sampled(rest_everywhere, sure))), 1.0)
    part = _biweight(rest_everywhere, 3 * sigma) * sure
    return surface, part.astype(np.float32)


def _sample(sure: Mask) -> NDArray[np.intp]:
    """Return flat indices of at most about `_MOST_SAMPLES` pixels of a mask, evenly spaced."""
    index = np.flatnonzero(sure)
    return index[:: max(1, index.size // _MOST_SAMPLES)]


def _sampled(values: Matte, sure: Mask) -> Matte:
    """Return the values at a sample of the mask's pixels, (n,)."""
    return values.ravel()[_sample(sure)]


def _powers(count: int) -> NDArray[np.float64]:
    """Return the powers 0 to 3 of a coordinate that runs from -1 to 1, (count, 4)."""
    return np.vander(np.linspace(-1, 1, count), 4, increasing=True)


def _biweight(rest: NDArray[np.floating], sigma: float) -> NDArray[np.floating]:
    """Return Tukey's biweight of residuals, in 0..1; 0 from 4.685 sigma on."""
    share = np.clip(rest / (_TUKEY * sigma), 0, 1)
    weight: NDArray[np.floating] = (1 - share**2) ** 2
    return weight


def _spread(rest: FloatImage, weight: Matte) -> FloatImage:
    """Return the smoothed residual of the surface fit, (rows, columns, 3).

    It is a weighted Gaussian mean over backdrop pixels. Where few of them are near, a wider Gaussian is used.
    """
    rows, columns = weight.shape
    size = (max(1, columns // _SPREAD_SHRINK), max(1, rows // _SPREAD_SHRINK))
    shares = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    parts = cv2.resize(cv2.multiply(rest, cv2.merge([weight] * 3)), size, interpolation=cv2.INTER_AREA)
    spread = np.zeros_like(parts)
    known = np.zeros(shares.shape, np.float32)
    for sigma in (8.0, 24.0, 72.0):
        total = cv2.GaussianBlur(shares, (0, 0), sigma / _SPREAD_SHRINK)
        mean = cv2.GaussianBlur(parts, (0, 0), sigma / _SPREAD_SHRINK) / np.maximum(total, 1e-4)[..., None]
        share = np.clip(total / 0.2, 0, 1) * (1 - known)
        spread += mean * share[..., None]
        known += share
    return np.asarray(cv2.resize(spread, (columns, rows), interpolation=cv2.INTER_LINEAR), np.float32)
