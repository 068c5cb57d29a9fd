"""JPEG with 8 bits per channel, to pixels; damaged files are refused.

libjpeg repairs damage: it fills a gap with grey, goes on, and only warns. Most Python packages drop these warnings, so
a picture with grey stripes looks like any other. simplejpeg stops at the first warning and raises it as an error.
"""

from __future__ import annotations

import re
from typing import Any

import imagecodecs
import simplejpeg
from numpy.typing import NDArray

from packshot.formats.container import DamagedError
from packshot.types import Finding, Status

_DAMAGE = re.compile(r"Corrupt JPEG data: (?!bad ICC)|Premature end of JPEG|Inconsistent progression")
"""Warnings of libjpeg (``jerror.h``) about pixels. The others are about headers, such as an unknown JFIF version."""
_OUTPUT = {"Gray": "GRAY", "CMYK": "CMYK", "YCCK": "CMYK"}


def decode_jpeg(data: bytes) -> tuple[NDArray[Any], tuple[Finding, ...]]:
    """Return the pixels of a JPEG as stored, and a finding if they were not checked for damage.

    Args:
        data: the whole file.
    Returns:
        pixels: uint8: (rows, columns) for grey, (rows, columns, 3) RGB or (rows, columns, 4) CMYK.
        findings: ``damage_not_looked_for``, or nothing.
    Raises:
        DamagedError: bytes of the picture are missing, changed, or too many.
    """
    try:
        _, _, colours, _ = simplejpeg.decode_jpeg_header(data)
        pixels = simplejpeg.decode_jpeg(data, colorspace=_OUTPUT.get(colours, "RGB"), strict=True)
    except ValueError as error:
        if _DAMAGE.match(str(error)):
            raise DamagedError(f"a damaged JPEG ({error})") from error
        # The header is odd, or this decoder does not support the variety. The other decoder reads it or raises.
        return imagecodecs.jpeg8_decode(data), (_not_looked_for(str(error)),)
    return (pixels[..., 0] if pixels.shape[2] == 1 else pixels), ()


def _not_looked_for(reason: str) -> Finding:
    return Finding(
        code="damage_not_looked_for",
        status=Status.WARNING,
        message=f"This JPEG is unusual ({reason}), so whether bytes of the picture are damaged was not checked.",
    )


def check_parts(parts: list[bytes], tables: bytes) -> None:
    """Check the JPEG streams in a TIFF, of which each is a strip or tile.

    Args:
        parts: each from its start marker to its end marker.
        tables: a stream that holds the tables they share; empty if each has its own.
    Raises:
        DamagedError: as `decode_jpeg`.
    """
    for part in parts:
        decode_jpeg(tables[:-2] + part[2:] if tables else part)
