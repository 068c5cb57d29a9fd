"""Convert between colour spaces: exactly if a profile has curves and a matrix, by Little CMS for all other profiles.

By default, Little CMS replaces a conversion by coarse lookup tables. For sRGB to Adobe RGB in 16 bits the error reaches
1194 of 65535 in the shadows. So this module computes curves and matrices itself, and switches these tables off.
"""

from __future__ import annotations

import functools
from enum import IntEnum
from typing import Any

import cv2
import imagecodecs
import numpy as np
from numpy.typing import NDArray

from packshot.colour.profile import LCMS_NAMES, ColourModel, MatrixProfile, colour_model, matrix_profile, profile_name
from packshot.colour.spaces import (
    WHITE_16,
    Matrix,
    encode_working,
    srgb_encode,
    srgb_profile,
    working_profile,
)
from packshot.errors import BadProfileError
from packshot.threads import side_by_side
from packshot.types import FloatImage, Pixels8, Pixels16

_ROWS_AT_ONCE = 128
"""Rows converted at a time, so that floating-point pixels take little memory."""


class Intent(IntEnum):
    """The ICC's rendering intents, by their numbers in a profile: what happens to colours outside the target's gamut.

    Attributes:
        PERCEPTUAL: all colours change a little, so that differences between them stay visible.
        RELATIVE_COLORIMETRIC: colours inside the gamut stay exact; white becomes the target's white.
        SATURATION: colours stay strong, even if their hue or lightness changes.
        ABSOLUTE_COLORIMETRIC: colours inside the gamut stay exact, and white keeps the source's tint.
    """

    PERCEPTUAL = 0
    RELATIVE_COLORIMETRIC = 1
    SATURATION = 2
    ABSOLUTE_COLORIMETRIC = 3


def convert(
    pixels: NDArray[Any],
    *,
    source: bytes,
    target: bytes,
    bit_depth: int,
    intent: Intent = Intent.RELATIVE_COLORIMETRIC,
    black_point_compensation: bool = True,
) -> NDArray[Any]:
    """Return the pixels converted to another colour space: (rows, columns[, channels]) uint8 or uint16.

    Colours outside the target's gamut are clipped.

    Args:
        pixels: (rows, columns) grey, or (rows, columns, channels) in the order of the source's colour model; uint8,
            uint16 or float32. float32 is in 0..1 for RGB and grey, and in its own units for Lab.
        source, target: ICC profiles.
        bit_depth: bit depth of the result: 8 or 16.
        intent: what happens to colours outside the target's gamut.
        black_point_compensation: map black to black. Used by Little CMS only, not where both profiles are curves and a
            matrix.
    Raises:
        BadProfileError: the colour engine cannot connect the two profiles.
    """
    relative = intent is not Intent.ABSOLUTE_COLORIMETRIC
    matrices = matrix_profile(source), matrix_profile(target)
    if relative and pixels.ndim == 3 and matrices[0] and matrices[1]:
        if bit_depth == 16 and target == working_profile():
            return _by_matrix(pixels, matrices[0], matrices[1], to_srgb8=False)
        if bit_depth == 8 and target == srgb_profile():
            return _by_matrix(pixels, matrices[0], matrices[1], to_srgb8=True)
    return _by_colour_engine(pixels, source, target, bit_depth, intent, black_point_compensation)


def srgb8_to_working(pixels: Pixels8) -> Pixels16:
    """Return 8-bit sRGB pixels in the working space: (rows, columns, 3) uint16, Adobe RGB. White is exactly 65535.

    `working_to_srgb8` restores every value exactly.

    Args:
        pixels: (rows, columns, 3) uint8, sRGB.
    """
    return convert(pixels, source=srgb_profile(), target=working_profile(), bit_depth=16)


def working_to_srgb8(pixels: Pixels16) -> Pixels8:
    """Return pixels of the working space as 8-bit sRGB: (rows, columns, 3) uint8. White is exactly 255.

    The intent is relative colorimetric; colours outside sRGB are clipped.

    Args:
        pixels: (rows, columns, 3) uint16, Adobe RGB.
    """
    return convert(pixels, source=working_profile(), target=srgb_profile(), bit_depth=8)


def _by_matrix(pixels: NDArray[Any], source: MatrixProfile, target: MatrixProfile, *, to_srgb8: bool) -> NDArray[Any]:
    """Return the pixels converted by curves and matrix, strip by strip to save memory."""
    matrix = np.linalg.inv(target.to_pcs) @ source.to_pcs
    table = _decode_table(source, pixels.dtype)
    converted = np.empty(pixels.shape, np.uint8 if to_srgb8 else np.uint16)

    def convert_strip(top: int) -> None:
        rows = slice(top, top + _ROWS_AT_ONCE)
        linear = _linear(np.ascontiguousarray(pixels[rows]), table, matrix)
        converted[rows] = _encode_srgb8(linear) if to_srgb8 else encode_working(linear)

    side_by_side(convert_strip, range(0, pixels.shape[0], _ROWS_AT_ONCE))
    return converted


def _linear(strip: NDArray[Any], table: NDArray[np.float32], matrix: Matrix) -> FloatImage:
    """Return a strip in the target's linear RGB."""
    if strip.dtype == np.float32:
        strip = (np.clip(strip, 0, 1) * WHITE_16 + 0.5).astype(np.uint16)
    return np.asarray(cv2.transform(cv2.LUT(strip, table), matrix.astype(np.float32)), np.float32)


def _decode_table(source: MatrixProfile, dtype: np.dtype[Any]) -> NDArray[np.float32]:
    """Return the table for `cv2.LUT`, (1, values, 3), or (values,) if the three curves are equal, which is faster."""
    curves = source.curves[::257] if dtype == np.uint8 else source.curves
    one = bool((curves == curves[:, :1]).all())
    return np.ascontiguousarray(curves[:, 0] if one else curves[None])


def _encode_srgb8(linear: FloatImage) -> Pixels8:
    """Return linear light as 8-bit sRGB, by a lookup table over the square root of the light.

    Steps of the square root look even to the eye, so 65536 entries are precise enough.
    """
    root = np.sqrt(np.clip(linear, 0, 1))
    root *= WHITE_16
    root += 0.5
    return np.asarray(cv2.LUT(root.astype(np.uint16), _srgb8_table()), np.uint8)


@functools.cache
def _srgb8_table() -> Pixels8:
    """Return the sRGB value of each squared 16-bit value, (65536,)."""
    linear = (np.arange(WHITE_16 + 1) / WHITE_16) ** 2
    return np.round(srgb_encode(linear) * 255).astype(np.uint8)


def _by_colour_engine(
    pixels: NDArray[Any], source: bytes, target: bytes, bit_depth: int, intent: Intent, compensate: bool
) -> NDArray[Any]:
    """Return the pixels converted by Little CMS without its lookup-table optimisation."""
    flags = int(imagecodecs.CMS.FLAGS.NOOPTIMIZE)
    if compensate:
        flags |= int(imagecodecs.CMS.FLAGS.BLACKPOINTCOMPENSATION)
    models = colour_model(source), colour_model(target)
    if models[0] is None or models[1] is None:
        raise _unconnectable(source, target, "a profile that is not meant for pictures")
    try:
        converted = imagecodecs.cms_transform(
            np.ascontiguousarray(pixels),
            source,
            target,
            colorspace=LCMS_NAMES[models[0]],
            outcolorspace=LCMS_NAMES[models[1]],
            outdtype="uint8" if bit_depth == 8 else "uint16",
            intent=int(intent),
            flags=flags,
        )
    except (imagecodecs.CmsError, ValueError) as error:
        raise _unconnectable(source, target, str(error)) from error
    return _exact_ends(np.asarray(converted), models[1], bit_depth)


def _exact_ends(converted: NDArray[Any], model: ColourModel, bit_depth: int) -> NDArray[Any]:
    """Return the pixels with near-white rounded up to white.

    The engine's fixed-point arithmetic loses up to 3 of 65535.
    """
    if model is ColourModel.RGB and bit_depth == 16:
        converted[converted >= WHITE_16 - 3] = WHITE_16
    return converted


def _unconnectable(source: bytes, target: bytes, why: str) -> BadProfileError:
    """Return the error for two profiles that cannot be connected."""
    return BadProfileError(
        "its colours cannot be converted",
        profile_name(source) or "profile without a name",
        found=why,
        allowed=f"RGB, grey, CMYK or Lab to {profile_name(target)!r}",
        next_step="Assign the right profile and export the picture again.",
    )
