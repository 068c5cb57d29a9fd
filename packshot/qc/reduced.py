"""Reduce an edit in size for checks, and compute how its backdrop would look without the product.

All colours are in levels: encoded Adobe RGB values scaled to 0..255. A step of one level looks about the same to
the eye in shadows and in highlights.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.colour.channels import greatest_channel, greatest_difference, mean_channel
from packshot.types import Box, FloatImage, Mask, Matte, Pixels16

REDUCED_PX = 1024
_FIT_SAMPLES = 12_000
_FIT_ROUNDS = 8
_TUKEY = 4.685
_LEAST_SIGMA = 0.5
_LEAST_SAMPLES = 200
_BASELINE_PX = 256
_CLOSE_PX = 32


@dataclasses.dataclass(frozen=True)
class Reduced:
    """An edit, reduced so that its longest side is at most 1024 px, or a part of it. `reduce_edit` makes it.

    Levels are encoded Adobe RGB values scaled to 0..255.

    Attributes:
        scale: size of the reduced edit divided by that of the photograph, at most 1.
        master: the photograph, (rows, columns, 3) float32, levels.
        matte, network: the refined matte and the segmentation network's, (rows, columns) float32 in 0..1.
        backdrop: (rows, columns, 3) float32, levels: the backdrop predicted from its visible parts. None if too little
            of it is visible.
        noise: median deviation of the visible backdrop from the prediction, in levels: at least 0.5 with a predicted
            backdrop, 0 without.
        difference: (rows, columns) float32: greatest channel difference between master and backdrop, in levels; 0
            everywhere without a predicted backdrop.
        grey: (rows, columns) float32: mean of the master's channels, in levels.
        left, top: position of a part in the whole reduced edit, in pixels; 0 for the whole.
        longest: longest side of the whole reduced edit, in pixels.
        known: cache of measurements by name, because several rules ask for the same ones.
    """

    scale: float
    master: FloatImage
    matte: Matte
    network: Matte
    backdrop: FloatImage | None
    noise: float
    difference: Matte
    grey: Matte
    left: int = 0
    top: int = 0
    longest: int = REDUCED_PX
    known: dict[str, NDArray[Any]] = dataclasses.field(default_factory=dict, repr=False, compare=False)


def reduce_edit(master16: Pixels16, matte: Matte, network: Matte, *, reduced16: Pixels16 | None = None) -> Reduced:
    """Return the edit reduced to at most 1024 px, with the predicted backdrop. A smaller edit keeps its size.

    Args:
        master16: the photograph, (rows, columns, 3) uint16, Adobe RGB.
        matte: each pixel's share of product, (rows, columns) float32 in 0..1, of the photograph's size.
        network: the segmentation network's mask, (rows, columns) float32 in 0..1, at any size.
        reduced16: a copy of the photograph already reduced by area averaging, in the form of `master16`. It saves time,
            and is used if it is at least as large as the result; None: there is no copy.
    """
    rows, columns = matte.shape
    scale = min(1.0, REDUCED_PX / max(rows, columns))
    size = max(1, round(columns * scale)), max(1, round(rows * scale))
    source = master16
    if reduced16 is not None and reduced16.shape[0] >= size[1] and reduced16.shape[1] >= size[0]:
        source = reduced16
    master = _levels(cv2.resize(source, size, interpolation=cv2.INTER_AREA))
    small_matte = np.asarray(cv2.resize(matte, size, interpolation=cv2.INTER_AREA), np.float32)
    clear = _far_from_product(small_matte)
    backdrop, noise = predict_backdrop(master, clear)
    difference = np.zeros(small_matte.shape, np.float32)
    if backdrop is not None:
        difference = greatest_difference(master, backdrop)
    return Reduced(
        scale=scale,
        master=master,
        matte=small_matte,
        network=_fit_network(network, size),
        backdrop=backdrop,
        noise=noise,
        difference=difference,
        grey=mean_channel(master),
        longest=max(size),
    )


def at_product(reduced: Reduced) -> Reduced:
    """Return the part of a reduced edit that contains the product, with a margin of 32 px around it.

    The part often has less than half of the pixels, which saves time.

    Args:
        reduced: the whole edit, reduced to at most 1024 px.
    """
    left, top, width, height = cv2.boundingRect((reduced.matte > 0).view(np.uint8))
    rows, columns = reduced.matte.shape
    first_row, first_column = max(0, top - _CLOSE_PX), max(0, left - _CLOSE_PX)
    part = np.s_[first_row : min(rows, top + height + _CLOSE_PX), first_column : min(columns, left + width + _CLOSE_PX)]
    return dataclasses.replace(
        reduced,
        master=reduced.master[part],
        matte=reduced.matte[part],
        network=reduced.network[part],
        backdrop=None if reduced.backdrop is None else reduced.backdrop[part],
        difference=reduced.difference[part],
        grey=reduced.grey[part],
        left=first_column,
        top=first_row,
        known={},
    )


def backdrop_in(reduced: Reduced, box: Box) -> NDArray[np.float32]:
    """Return the predicted backdrop's mean colour in a box, (3,) in levels (0..255).

    Args:
        reduced: the whole edit, reduced to at most 1024 px; it must have a predicted backdrop.
        box: in pixels of the photograph.
    """
    assert reduced.backdrop is not None
    rows, columns = reduced.backdrop.shape[:2]
    top, left = (min(int(place * reduced.scale), size - 1) for place, size in ((box.top, rows), (box.left, columns)))
    bottom, right = (
        max(int(place * reduced.scale), least + 1) for place, least in ((box.bottom, top), (box.right, left))
    )
    return np.asarray(reduced.backdrop[top:bottom, left:right].mean(axis=(0, 1)), np.float32)


def predict_backdrop(master: FloatImage, clear: Mask) -> tuple[FloatImage | None, float]:
    """Return (the backdrop predicted from its visible parts, its noise).

    The backdrop is (rows, columns, 3) float32 levels, the noise is in levels. They are None and 0 if fewer than 200
    pixels are clear.

    A cubic polynomial per channel is fitted with Tukey's weights. So a shadow, or a part of the product that was
    missed, has no influence. Then the smoothed residual of those pixels that fit is added.

    Args:
        master: the photograph, (rows, columns, 3) float32, encoded Adobe RGB values scaled to 0..255.
        clear: (rows, columns) bool: where only backdrop is expected.
    """
    rows, columns = clear.shape
    places = np.flatnonzero(clear)
    if places.size < _LEAST_SAMPLES:
        return None, 0.0
    places = places[:: max(1, places.size // _FIT_SAMPLES)]
    y, x = np.divmod(places, columns)
    terms = _cubic(x / columns * 2 - 1, y / rows * 2 - 1)
    seen = master.reshape(-1, 3)[places].astype(np.float64)
    weights, sigma = np.ones(len(places)), 0.0
    for _ in range(_FIT_ROUNDS):
        weighted = terms.T * weights
        coefficients = np.linalg.lstsq(weighted @ terms, weighted @ seen, rcond=None)[0]  # normal equations
        distance = np.abs(seen - terms @ coefficients).max(axis=1)
        sigma = max(_LEAST_SIGMA, float(np.median(distance)))
        weights = np.maximum(0, 1 - (distance / (_TUKEY * sigma)) ** 2) ** 2
    smooth = _evaluate(coefficients, rows, columns)
    return _add_remainder(smooth, master, clear, sigma), sigma


def _add_remainder(smooth: FloatImage, master: FloatImage, clear: Mask, sigma: float) -> FloatImage:
    """Return the fit plus its residual, spread by a normalised Gaussian at about a quarter of the size."""
    rows, columns = clear.shape
    shrink = min(1.0, _BASELINE_PX / max(rows, columns))
    size = max(1, round(columns * shrink)), max(1, round(rows * shrink))
    remainder = master - smooth
    believed = (clear & (greatest_channel(np.abs(remainder)) < _TUKEY * sigma)).astype(np.float32)
    weight = cv2.resize(believed, size, interpolation=cv2.INTER_AREA)
    pull = cv2.resize(remainder * believed[..., None], size, interpolation=cv2.INTER_AREA)
    blur_px = max(size) * 0.03
    weight = cv2.GaussianBlur(weight, (0, 0), blur_px)
    pull = cv2.GaussianBlur(pull, (0, 0), blur_px)
    spread = pull / (weight + 0.02)[..., None]
    full = cv2.resize(spread, (columns, rows), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.clip(smooth + full, 0, 255), np.float32)


def _far_from_product(matte: Matte) -> Mask:
    """Return the pixels at some distance from the matte."""
    reach = max(3, round(max(matte.shape) * 0.012))
    grown = cv2.dilate((matte > 0.02).astype(np.uint8), np.ones((2 * reach + 1,) * 2, np.uint8))
    return np.asarray(grown == 0)


def _cubic(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the ten terms of a cubic polynomial in x and y, (..., 10)."""
    return np.stack([x**i * y**j for i in range(4) for j in range(4 - i)], axis=-1)


def _evaluate(coefficients: NDArray[Any], rows: int, columns: int) -> FloatImage:
    """Return the polynomial's values, computed at an eighth of the size and enlarged: a cubic has no fine detail."""
    y, x = np.meshgrid(np.linspace(-1, 1, max(2, rows // 8)), np.linspace(-1, 1, max(2, columns // 8)), indexing="ij")
    coarse = (_cubic(x, y) @ coefficients).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_LINEAR), np.float32)


def _levels(pixels: NDArray[Any]) -> FloatImage:
    """Return 16-bit pixels as levels, 0..255."""
    return np.asarray(pixels, np.float32) / np.float32(257)


def _fit_network(network: Matte, size: tuple[int, int]) -> Matte:
    """Return the network's prediction resized to (width, height)."""
    if (network.shape[1], network.shape[0]) == size:
        return network
    shrinking = network.shape[1] > size[0]
    how = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(network, size, interpolation=how), np.float32)
