"""Measure which share of a picture has colours that a colour space, such as sRGB, cannot hold."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from packshot.colour.difference import Lab, delta_e_2000, lab_of, lab_of_relative_xyz
from packshot.colour.profile import MatrixProfile, matrix_profile
from packshot.colour.spaces import D50_XYZ
from packshot.colour.transform import convert
from packshot.types import Mask

VISIBLE_DELTA_E = 2.0
"""A clipped colour that differs from the original by at least this (CIEDE2000) is visibly different."""
MOST_SAMPLES = 40_000


def out_of_gamut_ratio(pixels: NDArray[Any], *, source: bytes, target: bytes, where: Mask | None = None) -> float:
    """Return the share of pixels, 0..1, that change visibly because they lie outside the target's gamut.

    A pixel counts if its nearest colour in the target differs by 2 (CIEDE2000) or more. At most about 40,000 evenly
    spread pixels are checked. The share is 0 if there is no pixel to check.

    For a target with lookup tables the colours are converted to the target and back, with the relative colorimetric
    intent. Black-point compensation is off: it would move colours from outside the gamut into it.

    Args:
        pixels: (rows, columns) or (rows, columns, channels) uint8 or uint16 in the space of `source`.
        source, target: ICC profiles.
        where: (rows, columns) bool: the pixels that count; all by default.
    Raises:
        BadProfileError: the colour engine cannot connect the two profiles.
    """
    samples = _samples(pixels, where)
    if not samples.size:
        return 0.0
    matrices = matrix_profile(source), matrix_profile(target)
    if matrices[0] and matrices[1] and samples.ndim == 3:
        before, after = _by_matrices(samples, matrices[0], matrices[1])
    else:
        before = lab_of(samples, icc=source)
        there = convert(samples, source=source, target=target, bit_depth=16, black_point_compensation=False)
        after = lab_of(there, icc=target)
    return float(np.mean(delta_e_2000(before, after) >= VISIBLE_DELTA_E))


def _samples(pixels: NDArray[Any], where: Mask | None) -> NDArray[Any]:
    """Return evenly spread pixels, (1, samples[, channels])."""
    step = max(1, int(np.sqrt(pixels.shape[0] * pixels.shape[1] / MOST_SAMPLES)))
    if where is None:
        chosen = pixels[::step, ::step]
        return np.ascontiguousarray(chosen.reshape(1, -1, *pixels.shape[2:]))
    places = np.flatnonzero(where)
    places = places[:: max(1, len(places) // MOST_SAMPLES)]
    return np.ascontiguousarray(pixels.reshape(-1, *pixels.shape[2:])[places][None])


def _by_matrices(samples: NDArray[Any], source: MatrixProfile, target: MatrixProfile) -> tuple[Lab, Lab]:
    """Return CIE L*a*b* of the samples, before and after clipping to 0..1 in the target's linear RGB."""
    index = samples.astype(np.intp) * (257 if samples.dtype == np.uint8 else 1)
    linear = np.stack([source.curves[index[..., channel], channel] for channel in range(3)], axis=-1)
    xyz = linear @ source.to_pcs.T
    shown = np.clip(xyz @ np.linalg.inv(target.to_pcs).T, 0, 1) @ target.to_pcs.T
    before, after = (lab_of_relative_xyz((one / D50_XYZ).astype(np.float32)) for one in (xyz, shown))
    return before, after
