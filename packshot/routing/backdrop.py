"""The backdrop as a smooth surface of colour, guessed from the frame's border, before any cut-out."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.types import Box, FloatImage, Mask, Size

_Floats = NDArray[np.float32]

_NOTHING = np.empty(0)  # what OpenCV should add to a product
_FIT_PX = 128
"""Longest side of the grid on which the surface is fitted: a smooth surface needs no more."""
_BORDER_RATIO = 0.04
_TUKEY = 4.685  # 95 % efficient on Gaussian noise (Beaton and Tukey, 1974; Holland and Welsch, 1977)
_ROUNDS = 6
LEAST_SIGMA = 0.6  # delta E; below it lies what eight bits and JPEG do to a flat white
_POWERS = [(i, j) for i in range(4) for j in range(4) if i + j <= 3]
_PLANE = [_POWERS.index(power) for power in ((0, 0), (0, 1), (1, 0))]


@dataclass(frozen=True)
class Surface:
    """A cubic polynomial of the place for each of L*, a*, b*, over the whole frame.

    Attributes:
        coefficients: (10, 3), for x and y in -1..1.
        sigma: robust spread of the backdrop's own pixels around the surface, in delta E 1976.
    """

    coefficients: NDArray[np.float64]
    sigma: float


@dataclass(frozen=True)
class Backdrop:
    """The surface over a window of the frame, and how far each pixel is from it.

    Attributes:
        lab: (rows, columns, 3) float32, L*a*b* of the surface.
        distance: (rows, columns) float32, delta E 1976 from the picture to the surface.
        sigma: spread of the backdrop's own pixels at this resolution, in delta E.
    """

    lab: FloatImage
    distance: _Floats
    sigma: float


def fit_surface(lab: FloatImage) -> Surface:
    """Return a cubic surface fitted to the border and to what continues it inwards.

    First the border alone, by Tukey's biweight, so that a product that touches the frame does not pull the surface;
    then pixels that the surface explains join in, so that a horizon or a fall-off towards the middle is followed.

    Args:
        lab: (rows, columns, 3) float32, CIE L*a*b*, the whole frame.
    """
    rows, columns = lab.shape[:2]
    scale = min(1.0, _FIT_PX / max(rows, columns))
    grid = Size(max(8, round(columns * scale)), max(8, round(rows * scale)))
    small = cv2.resize(lab, grid, interpolation=cv2.INTER_AREA)
    values = small.reshape(-1, 3).astype(np.float64)
    return _robust_fit(values, _terms(grid), border_of(grid).ravel().astype(np.float64))


def backdrop_at(surface: Surface, lab: FloatImage, *, window: Box, frame: Size) -> Backdrop:
    """Return the surface where a part of the frame lies.

    Args:
        lab: (rows, columns, 3) float32, the part, at any resolution.
        window: the part, in pixels of the frame.
    """
    size = Size(lab.shape[1], lab.shape[0])
    fitted = _surface_at(surface, size, window=window, frame=frame)
    off = lab - fitted
    distance = cv2.magnitude(cv2.magnitude(off[..., 0], off[..., 1]), off[..., 2])
    # Less is averaged away at a finer resolution, so the noise is measured again, where it is still noise.
    noise = float(1.4826 * np.median(distance[border_of(size)]))
    sigma = noise if surface.sigma < noise < 2 * surface.sigma else surface.sigma
    return Backdrop(fitted, np.asarray(distance, np.float32), sigma)


def border_of(size: Size) -> Mask:
    """Return the border of a frame as a mask: 4 % of the shorter side wide."""
    width = max(1, round(size.shortest * _BORDER_RATIO))
    border = np.ones((size.height, size.width), np.bool_)
    border[width : size.height - width, width : size.width - width] = False
    return border


def _robust_fit(values: NDArray[np.float64], terms: NDArray[np.float64], border: NDArray[np.float64]) -> Surface:
    """Fit a plane twice, then the cubic, by iteratively reweighted least squares."""
    weights, coefficients, sigma = border, np.zeros((terms.shape[1], 3)), LEAST_SIGMA
    for turn in range(_ROUNDS):
        used = _PLANE if turn < 2 else list(range(terms.shape[1]))
        coefficients = np.zeros_like(coefficients)
        coefficients[used] = _weighted_fit(terms[:, used], values, weights)
        residual = np.linalg.norm(values - cv2.gemm(terms, coefficients, 1, _NOTHING, 0), axis=1)
        sigma = max(LEAST_SIGMA, float(1.4826 * np.median(residual[border > 0])))
        # Half weight inside: the border decides wherever the two disagree.
        reach = border if turn == 0 else np.maximum(border, 0.5)
        weights = reach * np.clip(1 - (residual / (_TUKEY * sigma)) ** 2, 0, None) ** 2 + 1e-6 * border
    return Surface(coefficients, sigma)


def _weighted_fit(
    terms: NDArray[np.float64], values: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Least squares by the normal equations: ten terms in -1..1 are well enough conditioned, and it is fast.

    OpenCV multiplies: matrices so thin are not worth a BLAS's threads, which wait for each other on a busy machine.
    """
    weighted = terms * weights[:, None]
    normal = cv2.gemm(weighted, terms, 1, _NOTHING, 0, flags=cv2.GEMM_1_T)
    normal += np.eye(len(normal)) * 1e-9 * np.trace(normal)
    moments = cv2.gemm(weighted, values, 1, _NOTHING, 0, flags=cv2.GEMM_1_T)
    return np.asarray(np.linalg.solve(normal, moments), np.float64)


def _terms(size: Size) -> NDArray[np.float64]:
    """The polynomial's terms at each pixel of the whole frame: (pixels, 10)."""
    x, y = _places(size, Box(0, 0, *size), size)
    return np.stack([np.outer(y**j, x**i).ravel() for i, j in _POWERS], axis=1)


def _surface_at(surface: Surface, size: Size, *, window: Box, frame: Size) -> FloatImage:
    """The polynomial at each pixel of a window, as the product of its powers down and across."""
    x, y = _places(size, window, frame)
    across, down = np.stack([x**i for i in range(4)]), np.stack([y**j for j in range(4)], axis=1)
    cubic = np.zeros((3, 4, 4))
    for (i, j), coefficient in zip(_POWERS, surface.coefficients, strict=True):
        cubic[:, j, i] = coefficient
    flat = across.astype(np.float32)
    channels = [cv2.gemm((down @ powers).astype(np.float32), flat, 1, _NOTHING, 0) for powers in cubic]
    return np.asarray(cv2.merge(channels), np.float32)


def _places(size: Size, window: Box, frame: Size) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The pixels' centres across and down, -1..1 over the whole frame."""
    x = window.left + window.width * (np.arange(size.width) + 0.5) / size.width
    y = window.top + window.height * (np.arange(size.height) + 0.5) / size.height
    return 2 * x / frame.width - 1, 2 * y / frame.height - 1
