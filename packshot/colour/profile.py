"""Read ICC profiles: name, colour model, curves and matrix; and check that a profile is plausible.

Fields and tag types follow ICC.1:2001-04 (version 2) and ICC.1:2022 (version 4).
"""

from __future__ import annotations

import dataclasses
import functools
import math
import struct
from collections.abc import Callable
from enum import StrEnum

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from packshot.colour.spaces import D50_XYZ, Matrix
from packshot.errors import BadProfileError

_HEADER_BYTES = 128
_MOST_TAGS = 100
_MOST_BYTES = 32 * 1024 * 1024
_PICTURE_CLASSES = (b"mntr", b"scnr", b"prtr", b"spac")
_MOST_KEPT_BYTES = 64 * 1024  # larger profiles are not cached: they are rare, and hostile ones would fill the memory
_WHITE_TOLERANCE = 0.01
"""Greatest difference between the sum of a profile's colorants and D50's XYZ."""
_LEAST_WHITE_L = 50.0
"""A profile must give white at least this L*."""
_MOST_BLACK_L = 60.0
"""A profile must give black at most this L*."""
_FALL_TOLERANCE_L = 2.0
"""A grey ramp may get darker by at most this L* where it should get lighter."""


class ColourModel(StrEnum):
    """The colour model of a picture: what its channels mean.

    RGB has three channels, GREY one, CMYK four inks, LAB the three values of CIE L*a*b*.
    """

    RGB = "rgb"
    GREY = "grey"
    CMYK = "cmyk"
    LAB = "lab"


_MODELS = {b"RGB ": ColourModel.RGB, b"GRAY": ColourModel.GREY, b"CMYK": ColourModel.CMYK, b"Lab ": ColourModel.LAB}
LCMS_NAMES = {ColourModel.RGB: "rgb", ColourModel.GREY: "gray", ColourModel.CMYK: "cmyk", ColourModel.LAB: "lab"}


@dataclasses.dataclass(frozen=True)
class MatrixProfile:
    """An ICC profile that consists of three curves and a matrix, so that its colours can be computed exactly.

    `matrix_profile` reads it.

    Attributes:
        curves: (65536, 3) float32: linear light in 0..1 for each 16-bit value of each channel.
        to_pcs: (3, 3) matrix from linear RGB to XYZ relative to D50. RGB (1, 1, 1) gives D50's white exactly.
    """

    curves: NDArray[np.float32]
    to_pcs: Matrix


def profile_name(icc: bytes) -> str:
    """Return the profile's description, at most 100 characters; "" if it has none that can be read.

    Example: "Adobe RGB (1998)".

    Args:
        icc: the ICC profile.
    """
    try:
        content = _tags(icc).get(b"desc", b"")
        return _read_description(content).strip().strip("\0").strip()[:100]
    except (struct.error, ValueError, UnicodeDecodeError):
        return ""


def colour_model(icc: bytes) -> ColourModel | None:
    """Return the colour model of the pixels that a profile describes, such as RGB.

    The result is None if it is a model that pictures do not use, or if these are not the bytes of a profile.

    Args:
        icc: the ICC profile.
    """
    return _MODELS.get(icc[16:20])


def transfer_code(icc: bytes) -> int:
    """Return the code (ITU-T H.273) of the transfer function in a profile's cicp tag (ICC.1:2022, 9.2.17).

    Without a cicp tag that can be read it is 2, which means "unspecified".

    Args:
        icc: the ICC profile.
    """
    try:
        content = _tags(icc).get(b"cicp", b"")
    except (struct.error, ValueError):
        return 2
    return content[9] if content[:4] == b"cicp" and len(content) >= 12 else 2


def check_profile(icc: bytes, *, model: ColourModel, subject: str) -> None:
    """Raise an error unless a profile is plausible for a picture of this colour model. Nothing comes back.

    The profile must be complete, be meant for pictures and have the picture's channels. It must convert white to a
    light colour and black to a dark one. A ramp of greys must get lighter; small steps back are tolerated. A Lab
    profile needs no ramp.

    Args:
        icc: the ICC profile.
        model: the picture's colour model.
        subject: name of the picture, for the error.
    Raises:
        BadProfileError: the profile is not plausible; the error gives the reason.
    """
    problem = _structural_problem(icc, model) or _absurdity(icc, model)
    if problem:
        raise BadProfileError(
            "its ICC profile is implausible",
            subject,
            found=problem,
            allowed=f"a whole {model} profile",
            next_step="Assign the right profile and export the picture again.",
        )


def matrix_profile(icc: bytes) -> MatrixProfile | None:
    """Return the curves and matrix of an RGB profile, with which colours can be converted exactly.

    None if the profile is not for RGB, uses lookup tables, or has curves or a matrix that cannot be read or used.

    Args:
        icc: the ICC profile.
    """
    return _kept_matrix_profile(icc) if len(icc) <= _MOST_KEPT_BYTES else _read_matrix_profile(icc)


@functools.lru_cache(maxsize=16)
def _kept_matrix_profile(icc: bytes) -> MatrixProfile | None:
    """Return the curves and matrix of a small profile, from a cache."""
    return _read_matrix_profile(icc)


def _read_matrix_profile(icc: bytes) -> MatrixProfile | None:
    """Return the curves and matrix of an RGB profile, read from its tags."""
    try:
        tags = _tags(icc)
        if colour_model(icc) is not ColourModel.RGB or icc[20:24] != b"XYZ " or any(t[:3] == b"A2B" for t in tags):
            return None
        curves = np.stack([_read_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC")], axis=1)
        columns = np.stack([_read_xyz(tags[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")], axis=1)
    except (struct.error, ValueError, KeyError, ArithmeticError):
        return None
    white = columns.sum(axis=1)
    off_white = not np.allclose(white, D50_XYZ, atol=_WHITE_TOLERANCE)
    if off_white or not np.isfinite(curves).all() or abs(np.linalg.det(columns)) < 1e-6:
        return None
    # Relative colorimetry: the medium's white equals the connection space's white. Undo what rounding changed.
    balanced = columns * (np.array(D50_XYZ) / white)[:, None]
    return MatrixProfile(curves=np.clip(curves, 0, 1).astype(np.float32), to_pcs=balanced)


def _structural_problem(icc: bytes, model: ColourModel) -> str:
    """Return what is wrong with the profile's header, or ""."""
    if len(icc) < _HEADER_BYTES + 4:
        return f"{len(icc)} bytes, less than a header"
    if len(icc) > _MOST_BYTES:
        return f"{len(icc)} bytes"
    if icc[36:40] != b"acsp":
        return "no ICC signature"
    if struct.unpack(">I", icc[:4])[0] > len(icc):
        return f"{len(icc)} of {struct.unpack('>I', icc[:4])[0]} bytes"
    if icc[12:16] not in _PICTURE_CLASSES:
        return f"a profile of class {icc[12:16]!r}"
    if colour_model(icc) is not model:
        return f"a profile for {icc[16:20].decode('ascii', 'replace').strip()!r}"
    return ""


def _absurdity(icc: bytes, model: ColourModel) -> str:
    """Return in words what is implausible about the L* of a grey ramp from black to white; "" if nothing is."""
    try:
        imagecodecs.cms_profile_validate(icc)
        lightness = _ramp_lightness(icc, model)
    except (imagecodecs.CmsError, ValueError, TypeError, RuntimeError) as error:
        return f"a profile that the colour engine refuses ({error})"
    if not np.isfinite(lightness).all():
        return "a profile that gives no numbers"
    if lightness[-1] < _LEAST_WHITE_L or lightness[0] > _MOST_BLACK_L or lightness[-1] - lightness[0] < 30:
        return f"white at L* {lightness[-1]:.0f} and black at L* {lightness[0]:.0f}"
    fall = float(np.max(np.maximum.accumulate(lightness) - lightness))
    return f"greys that fall by L* {fall:.0f} as they should rise" if fall > _FALL_TOLERANCE_L else ""


def _ramp_lightness(icc: bytes, model: ColourModel) -> NDArray[np.float64]:
    """Return the L* of a ramp of 33 greys from black to white, as the profile shows it."""
    ramp = np.linspace(0, 65535, 33).astype(np.uint16)[None, :]
    if model is ColourModel.RGB:
        pixels = np.repeat(ramp[..., None], 3, axis=2)
    elif model is ColourModel.CMYK:
        pixels = np.repeat(65535 - ramp[..., None], 4, axis=2)
    elif model is ColourModel.GREY:
        pixels = ramp
    else:
        return np.linspace(0, 100, 33)
    lab = imagecodecs.cms_transform(
        np.ascontiguousarray(pixels),
        icc,
        imagecodecs.cms_profile("lab4"),
        colorspace=LCMS_NAMES[model],
        outcolorspace="lab",
        outdtype="float32",
        intent=1,
        flags=int(imagecodecs.CMS.FLAGS.NOOPTIMIZE),
    )
    return np.asarray(lab[0, :, 0], np.float64)


def _tags(icc: bytes) -> dict[bytes, bytes]:
    """Return each tag's content.

    Raises:
        struct.error, ValueError: the tag table is cut off or implausible.
    """
    (count,) = struct.unpack_from(">I", icc, _HEADER_BYTES)
    if count > _MOST_TAGS:
        raise ValueError(f"{count} tags")
    found: dict[bytes, bytes] = {}
    for index in range(count):
        name, offset, size = struct.unpack_from(">4sII", icc, _HEADER_BYTES + 4 + 12 * index)
        if offset + size > len(icc):
            raise ValueError(f"tag {name!r} is cut off")
        found[name] = icc[offset : offset + size]
    return found


def _read_description(content: bytes) -> str:
    """Return the text of a textDescriptionType or multiLocalizedUnicodeType tag."""
    if content[:4] == b"desc":
        (length,) = struct.unpack_from(">I", content, 8)
        return content[12 : 12 + length].decode("latin-1")
    if content[:4] == b"mluc":
        length, offset = struct.unpack_from(">II", content, 20)
        return content[offset : offset + length].decode("utf-16-be")
    return ""


def _read_xyz(content: bytes) -> NDArray[np.float64]:
    """Return the values of an XYZType tag, (3,)."""
    return np.array(struct.unpack_from(">3i", content, 8), np.float64) / 65536


def _read_curve(content: bytes) -> NDArray[np.float64]:
    """Return a curve (curveType, parametricCurveType) sampled at all 16-bit values, (65536,)."""
    encoded = np.arange(65536) / 65535
    if content[:4] == b"curv":
        (count,) = struct.unpack_from(">I", content, 8)
        values = np.frombuffer(content, ">u2", count, 12).astype(np.float64)
        if count == 0:
            return encoded
        if count == 1:
            return encoded ** float(values[0] / 256)
        return np.interp(encoded, np.linspace(0, 1, count), values / 65535)
    if content[:4] == b"para":
        (kind,) = struct.unpack_from(">H", content, 8)
        parameters = np.frombuffer(content, ">i4", (1, 3, 4, 5, 7)[kind], 12) / 65536 if kind < 5 else ()
        return _parametric(kind, [float(value) for value in parameters], encoded)
    raise ValueError(f"curve type {content[:4]!r}")


def _parametric(kind: int, p: list[float], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the values of a parametric curve (ICC.1:2022, table 68).

    Args:
        kind: function type, 0 to 4.
        p: the parameters g, a, b, c, d, e, f, as many as the type has.
        x: encoded values in 0..1.
    """
    power: Callable[[float, float], NDArray[np.float64]] = lambda a, b: np.maximum(a * x + b, 0) ** p[0]  # noqa: E731
    if kind == 0:
        return power(1, 0)
    if kind in (1, 2):
        offset = p[3] if kind == 2 else 0.0
        threshold = -p[2] / p[1] if p[1] else math.inf
        return np.where(x >= threshold, power(p[1], p[2]), 0) + offset
    if kind in (3, 4):
        e, f = (p[5], p[6]) if kind == 4 else (0.0, 0.0)
        return np.where(x >= p[4], power(p[1], p[2]) + e, p[3] * x + f)
    raise ValueError(f"parametric curve {kind}")
