"""Convert colours to CIE L*a*b* relative to D50, and compute how different two colours look (delta E 2000).

Sharma, Wu, Dalal: The CIEDE2000 color-difference formula: implementation notes, supplementary test data, and
mathematical observations. Color Research & Application 30 (2005), 21-30. Equation numbers are theirs.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import cv2
import imagecodecs
import numpy as np
from numpy.typing import NDArray

from packshot.colour.profile import LCMS_NAMES, colour_model, matrix_profile
from packshot.colour.spaces import D50_XYZ
from packshot.errors import BadProfileError

Lab: TypeAlias = NDArray[np.float32]
"""(..., 3): L* in 0..100, a*, b*; relative to D50."""

_EPSILON = 216 / 24389
_KAPPA = 24389 / 27
_25_TO_7 = 25.0**7
_COS = {degrees: math.cos(math.radians(degrees)) for degrees in (6, 30, 63)}
_SIN = {degrees: math.sin(math.radians(degrees)) for degrees in (6, 30, 63)}
_PAIRS_AT_ONCE = 16384  # so their two dozen intermediate arrays fit into the processor's cache
_Float: TypeAlias = NDArray[np.float64]


def lab_of(pixels: NDArray[Any], *, icc: bytes) -> Lab:
    """Return the pixels' CIE L*a*b*, relative to D50 and to the medium's white: (rows, columns, 3) float32.

    L* is in 0..100. White of the profile is (100, 0, 0).

    Args:
        pixels: (rows, columns, 3) uint8 or uint16 in the space of `icc`; (rows, columns) for grey, (rows, columns, 4)
            for CMYK.
        icc: the ICC profile of the pixels.
    Raises:
        BadProfileError: the colour engine cannot convert from this profile.
    """
    if not pixels.size:  # neither colour engine nor OpenCV takes an empty array
        return np.zeros((*pixels.shape[:2], 3), np.float32)
    profile = matrix_profile(icc)
    if profile is None or pixels.dtype not in (np.uint8, np.uint16):
        return _lab_by_colour_engine(pixels, icc)
    curves = profile.curves[::257] if pixels.dtype == np.uint8 else profile.curves
    linear = cv2.LUT(np.ascontiguousarray(pixels), np.ascontiguousarray(curves[None]))
    to_relative = profile.to_pcs / np.array(D50_XYZ)[:, None]
    return lab_of_relative_xyz(np.asarray(cv2.transform(linear, to_relative.astype(np.float32)), np.float32))


def delta_e_2000(lab_a: NDArray[Any], lab_b: NDArray[Any]) -> NDArray[np.float32]:
    """Return the CIEDE2000 difference of each pair of colours, with kL = kC = kH = 1: (...) float32, at least 0.

    1 is about the smallest difference that an observer sees. Swapping the arguments gives the same result.

    Args:
        lab_a, lab_b: (..., 3) CIE L*a*b*. Their shapes must broadcast.
    """
    first, second = np.broadcast_arrays(lab_a, lab_b)
    shape = first.shape[:-1]
    first, second = first.reshape(-1, 3), second.reshape(-1, 3)
    differences = np.empty(len(first), np.float32)
    for start in range(0, len(first), _PAIRS_AT_ONCE):
        some = slice(start, start + _PAIRS_AT_ONCE)
        differences[some] = _delta_e(first[some].astype(np.float64).T, second[some].astype(np.float64).T)
    return differences.reshape(shape)


def _delta_e(first: _Float, second: _Float) -> _Float:
    """Return the differences of two arrays of (3, pairs): equations (2) to (22)."""
    chroma = (np.hypot(first[1], first[2]) + np.hypot(second[1], second[2])) / 2
    stretch = 1.5 - 0.5 * _share_of_25(chroma)  # 1 + G, (4)
    l_1, c_1, h_1 = _polar(first, stretch)
    l_2, c_2, h_2 = _polar(second, stretch)
    hue_step = _hue_step(h_1, h_2, c_1 * c_2)
    d_hue = 2 * np.sqrt(c_1 * c_2) * np.sin(np.radians(hue_step / 2))  # (11)
    weight_l, weight_c, weight_h, rotation = _weights((l_1 + l_2) / 2, (c_1 + c_2) / 2, _mean_hue(h_1, h_2, c_1 * c_2))
    l_part, c_part, h_part = (l_2 - l_1) / weight_l, (c_2 - c_1) / weight_c, d_hue / weight_h
    squared = l_part**2 + c_part**2 + h_part**2 + rotation * c_part * h_part  # (22)
    return np.sqrt(np.maximum(squared, 0))


def lab_of_relative_xyz(xyz: NDArray[np.float32]) -> Lab:
    """Return CIE L*a*b* of XYZ values that are divided by the white's XYZ (CIE 15:2004, 8.2.1.1), (..., 3) float32.

    Args:
        xyz: (..., 3) float32; 1 is the white's value. Negative values are allowed.
    """
    f = np.where(xyz > _EPSILON, np.cbrt(xyz), (_KAPPA * xyz + 16) / 116)
    lab = np.empty_like(xyz)
    lab[..., 0] = 116 * f[..., 1] - 16
    lab[..., 1] = 500 * (f[..., 0] - f[..., 1])
    lab[..., 2] = 200 * (f[..., 1] - f[..., 2])
    return lab


def _lab_by_colour_engine(pixels: NDArray[Any], icc: bytes) -> Lab:
    """Return CIE L*a*b* by Little CMS, relative colorimetric, for profiles without curves and matrix."""
    model = colour_model(icc)
    try:
        lab = imagecodecs.cms_transform(
            np.ascontiguousarray(pixels),
            icc,
            imagecodecs.cms_profile("lab4"),
            colorspace=LCMS_NAMES[model] if model else None,
            outcolorspace="lab",
            outdtype="float32",
            intent=1,
            flags=int(imagecodecs.CMS.FLAGS.NOOPTIMIZE),
        )
    except (imagecodecs.CmsError, ValueError, TypeError) as error:
        raise BadProfileError(
            "its colours cannot be measured",
            found=str(error),
            allowed="an RGB, grey, CMYK or Lab profile",
            next_step="Assign the right profile and export the picture again.",
        ) from error
    return np.asarray(lab, np.float32)


def _polar(lab: _Float, stretch: _Float) -> tuple[_Float, _Float, _Float]:
    """Return L', C' and h' in degrees: equations (5) to (7)."""
    a, b = lab[1] * stretch, lab[2]
    hue = np.degrees(np.arctan2(b, a))
    return lab[0], np.sqrt(a * a + b * b), np.where(hue < 0, hue + 360, hue)


def _share_of_25(chroma: _Float) -> _Float:
    """Return sqrt(C^7 / (C^7 + 25^7))."""
    squared = chroma * chroma
    seventh = squared * squared * squared * chroma
    return np.sqrt(seventh / (seventh + _25_TO_7))


def _hue_step(h_1: _Float, h_2: _Float, chroma_product: _Float) -> _Float:
    """Return the hue difference in degrees, -180..180: equation (10). It is 0 if either colour is grey."""
    step = h_2 - h_1
    step = np.where(step > 180, step - 360, np.where(step < -180, step + 360, step))
    return np.where(chroma_product == 0, 0, step)


def _mean_hue(h_1: _Float, h_2: _Float, chroma_product: _Float) -> _Float:
    """Return the mean hue in degrees: equation (14)."""
    total = h_1 + h_2
    far = np.abs(h_1 - h_2) > 180
    mean = np.where(far, np.where(total < 360, total + 360, total - 360), total) / 2
    return np.where(chroma_product == 0, total, mean)


def _weights(lightness: _Float, chroma: _Float, hue: _Float) -> tuple[_Float, _Float, _Float, _Float]:
    """Return SL, SC, SH and RT: equations (15) to (21)."""
    radians = np.radians(hue)
    c_1, s_1 = np.cos(radians), np.sin(radians)
    c_2, s_2 = c_1 * c_1 - s_1 * s_1, 2 * c_1 * s_1  # of twice, three and four times the angle
    c_3, s_3 = c_2 * c_1 - s_2 * s_1, s_2 * c_1 + c_2 * s_1
    c_4, s_4 = c_2 * c_2 - s_2 * s_2, 2 * c_2 * s_2
    t = (
        1
        - 0.17 * (c_1 * _COS[30] + s_1 * _SIN[30])
        + 0.24 * c_2
        + 0.32 * (c_3 * _COS[6] - s_3 * _SIN[6])
        - 0.20 * (c_4 * _COS[63] + s_4 * _SIN[63])
    )
    from_50 = (lightness - 50) ** 2
    turn = 30 * np.exp(-(((hue - 275) / 25) ** 2))
    rotation = -2 * _share_of_25(chroma) * np.sin(np.radians(2 * turn))
    return 1 + 0.015 * from_50 / np.sqrt(20 + from_50), 1 + 0.045 * chroma, 1 + 0.015 * chroma * t, rotation
