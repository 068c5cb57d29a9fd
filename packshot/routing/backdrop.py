"""Estimate the backdrop as a smooth surface of colour, before any cut-out.

`seen_backdrop` finds where the backdrop is visible.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.types import Box, FloatImage, Mask, Size, size_of

_Floats = NDArray[np.float32]

_NOTHING = np.empty(0)  # an empty array: OpenCV's gemm adds nothing to the product
_FIT_PX = 128
"""Longest side of the grid on which the surface is fitted. A smooth surface needs no more."""
BORDER_RATIO = 0.04
"""Usual width of the border, over the frame's shorter side."""
_TUKEY = 4.685  # 95 % efficient on Gaussian noise (Beaton and Tukey, 1974; Holland and Welsch, 1977)
_ROUNDS = 6
LEAST_SIGMA = 0.6  # delta E; 8 bits and JPEG alone cause less on a flat white
_POWERS = [(i, j) for i in range(4) for j in range(4) if i + j <= 3]
_PLANE = [_POWERS.index(power) for power in ((0, 0), (0, 1), (1, 0))]


@dataclass(frozen=True)
class Surface:
    """The backdrop's colour over the whole frame: a cubic polynomial in x and y for each of L*, a*, b*.

    `fit_to_border` and `fit_from` make it.

    Attributes:
        coefficients: (10, 3): a row per term x^i y^j with i + j of at most 3, by i and then by j; a column for each of
            L*, a*, b*. x and y run from -1 to 1 over the frame.
        sigma: robust standard deviation of the backdrop's pixels around the surface, in delta E 1976.
        border_ratio: width of the border in which the backdrop is seen, divided by the frame's shorter side.
    """

    coefficients: NDArray[np.float64]
    sigma: float
    border_ratio: float = BORDER_RATIO


@dataclass(frozen=True)
class Backdrop:
    """The backdrop's surface in a part of the frame, and how much each pixel differs from it. `backdrop_at` makes it.

    Attributes:
        lab: (rows, columns, 3) float32, L*a*b* of the surface.
        distance: (rows, columns) float32, delta E 1976 between picture and surface.
        sigma: robust standard deviation of the backdrop's pixels at this resolution, in delta E 1976.
    """

    lab: FloatImage
    distance: _Floats
    sigma: float


def fit_to_border(lab: FloatImage) -> Surface:
    """Return a cubic surface fitted to the backdrop, for a frame whose border shows the backdrop.

    The fit starts with the border alone. Tukey's biweight reduces the influence of a product that touches the frame.
    Then inner pixels near the surface are added. So the surface follows a horizon, or light that falls off towards the
    centre.

    Args:
        lab: (rows, columns, 3) float32, CIE L*a*b*, the whole frame.
    """
    grid, values = _reduced(lab)
    return _robust_fit(values, _terms(grid), border_of(grid).ravel().astype(np.float64))


def fit_from(lab: FloatImage, start: Mask, *, border_ratio: float) -> Surface:
    """Return a cubic surface fitted to some pixels of the frame that show the backdrop.

    Then pixels elsewhere that lie near the surface join the fit, with less weight.

    Args:
        lab: (rows, columns, 3) float32, CIE L*a*b*, the whole frame.
        start: (rows, columns) bool, True where the fit starts; True at least once.
        border_ratio: width of the border in which the backdrop is seen, divided by the frame's shorter side. It becomes
            the result's `border_ratio`.
    """
    grid, values = _reduced(lab)
    at = np.flatnonzero(start)
    begun = np.concatenate([np.ones(len(at)), np.zeros(len(values))])
    terms = np.concatenate([_terms(size_of(lab), at), _terms(grid)])
    fitted = _robust_fit(np.concatenate([lab.reshape(-1, 3)[at].astype(np.float64), values]), terms, begun)
    return replace(fitted, border_ratio=border_ratio)


def backdrop_at(surface: Surface, lab: FloatImage, *, window: Box, frame: Size) -> Backdrop:
    """Return the backdrop in a part of the frame, at the part's resolution: colour, and distance of each pixel.

    Args:
        surface: the backdrop's surface over the whole frame.
        lab: (rows, columns, 3) float32, CIE L*a*b*: the part, at any resolution.
        window: position of the part, in pixels of the frame.
        frame: size of the whole frame.
    """
    size = Size(lab.shape[1], lab.shape[0])
    fitted = _surface_at(surface, size, window=window, frame=frame)
    off = lab - fitted
    distance = cv2.magnitude(cv2.magnitude(off[..., 0], off[..., 1]), off[..., 2])
    # A finer resolution averages less noise away. So noise is measured again, if the result is plausible.
    noise = float(1.4826 * np.median(distance[border_of(size)]))
    sigma = noise if surface.sigma < noise < 2 * surface.sigma else surface.sigma
    return Backdrop(fitted, np.asarray(distance, np.float32), sigma)


def border_of(size: Size, ratio: float = BORDER_RATIO) -> Mask:
    """Return the border of a frame as a mask, (rows, columns) bool, at least one pixel wide.

    Args:
        size: size of the frame.
        ratio: width of the border, divided by the frame's shorter side.
    """
    width = max(1, round(size.shortest * ratio))
    border = np.ones((size.height, size.width), np.bool_)
    border[width : size.height - width, width : size.width - width] = False
    return border


def _reduced(lab: FloatImage) -> tuple[Size, NDArray[np.float64]]:
    """Return the size of the grid on which the surface is fitted, and its colours: (pixels, 3)."""
    rows, columns = lab.shape[:2]
    scale = min(1.0, _FIT_PX / max(rows, columns))
    grid = Size(max(8, round(columns * scale)), max(8, round(rows * scale)))
    small = cv2.resize(lab, grid, interpolation=cv2.INTER_AREA)
    return grid, small.reshape(-1, 3).astype(np.float64)


def _robust_fit(values: NDArray[np.float64], terms: NDArray[np.float64], border: NDArray[np.float64]) -> Surface:
    """Return the surface fitted by iteratively reweighted least squares: a plane for two rounds, then the cubic."""
    weights, coefficients, sigma = border, np.zeros((terms.shape[1], 3)), LEAST_SIGMA
    for turn in range(_ROUNDS):
        used = _PLANE if turn < 2 else list(range(terms.shape[1]))
        coefficients = np.zeros_like(coefficients)
        coefficients[used] = _weighted_fit(terms[:, used], values, weights)
        residual = np.linalg.norm(values - cv2.gemm(terms, coefficients, 1, _NOTHING, 0), axis=1)
        sigma = max(LEAST_SIGMA, float(1.4826 * np.median(residual[border > 0])))
        # Inner pixels have half weight, so the border decides where the two disagree.
        reach = border if turn == 0 else np.maximum(border, 0.5)
        weights = reach * np.clip(1 - (residual / (_TUKEY * sigma)) ** 2, 0, None) ** 2 + 1e-6 * border
    return Surface(coefficients, sigma)


def _weighted_fit(
    terms: NDArray[np.float64], values: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return coefficients by least squares with normal equations.

    This is fast, and ten terms in -1..1 are well conditioned. OpenCV multiplies the matrices. For such thin ones, the
    threads of a BLAS would only wait for each other on a busy machine.
    """
    weighted = terms * weights[:, None]
    normal = cv2.gemm(weighted, terms, 1, _NOTHING, 0, flags=cv2.GEMM_1_T)
    normal += np.eye(len(normal)) * 1e-9 * np.trace(normal)
    moments = cv2.gemm(weighted, values, 1, _NOTHING, 0, flags=cv2.GEMM_1_T)
    return np.asarray(np.linalg.solve(normal, moments), np.float64)


def _terms(size: Size, at: NDArray[np.intp] | None = None) -> NDArray[np.float64]:
    """Return the polynomial's terms at each pixel of the whole frame, or at some of them: (pixels, 10)."""
    x, y = _places(size, Box(0, 0, *size), size)
    if at is not None:
        down, across = np.divmod(at, size.width)
        return np.stack([y[down] ** j * x[across] ** i for i, j in _POWERS], axis=1)
    return np.stack([np.outer(y**j, x**i).ravel() for i, j in _POWERS], axis=1)


def _surface_at(surface: Surface, size: Size, *, window: Box, frame: Size) -> FloatImage:
    """Return the polynomial at each pixel of a window. It is evaluated as a matrix product of powers of y and x."""
    x, y = _places(size, window, frame)
    across, down = np.stack([x**i for i in range(4)]), np.stack([y**j for j in range(4)], axis=1)
    cubic = np.zeros((3, 4, 4))
    for (i, j), coefficient in zip(_POWERS, surface.coefficients, strict=True):
        cubic[:, j, i] = coefficient
    flat = across.astype(np.float32)
    channels = [cv2.gemm((down @ powers).astype(np.float32), flat, 1, _NOTHING, 0) for powers in cubic]
    return np.asarray(cv2.merge(channels), np.float32)


def _places(size: Size, window: Box, frame: Size) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return x and y of the pixel centres, in -1..1 over the whole frame."""
    x = window.left + window.width * (np.arange(size.width) + 0.5) / size.width
    y = window.top + window.height * (np.arange(size.height) + 0.5) / size.height
    return 2 * x / frame.width - 1, 2 * y / frame.height - 1
