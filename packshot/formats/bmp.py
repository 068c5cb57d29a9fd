"""Read BMP files (Microsoft's BITMAPINFOHEADER to BITMAPV5HEADER): first the header, then the pixels as stored.

The decoder hides two faults. It fills missing run-length codes with black. And if a pixel's number lies beyond the
palette, it takes any colour. So this module looks for both faults itself.
"""

from __future__ import annotations

import dataclasses
import io
import struct

import numpy as np
from numpy.typing import NDArray
from PIL import BmpImagePlugin

from packshot.formats.container import Container, DamagedError, NotReadError
from packshot.types import Size

_CORE, _V4, _V5 = 12, 108, 124
_RLE = {1: 8, 2: 4}
"""Compression -> bits of a pixel."""
_END_OF_LINE, _END, _DELTA = 0, 1, 2


def read_bmp(data: bytes) -> Container:
    """Return what the header of a BMP says: size, bits per pixel and colour space.

    Missing pixels are noticed only if they are run-length coded. If other pixels are missing, `decode_bmp` raises
    OSError.

    Args:
        data: the whole file.
    Raises:
        DamagedError: the file is no BMP, or its run-length codes give fewer pixels than the header says.
        struct.error: the file ends inside its header.
    """
    if data[:2] != b"BM":
        raise DamagedError("no BMP: it does not begin as one")
    (header,) = struct.unpack_from("<I", data, 14)
    width, height, _, depth = struct.unpack_from("<HHHH" if header == _CORE else "<iiHH", data, 18)
    found = Container(size=Size(abs(width), abs(height)), coding=f"{depth} bits a pixel")
    compression = struct.unpack_from("<I", data, 30)[0] if header > _CORE else 0
    if compression in _RLE and depth == _RLE[compression]:
        (start,) = struct.unpack_from("<I", data, 10)
        _check_runs(data, start, found.size, bits=depth)
    if header < _V4:
        return found
    space = data[70:74][::-1]
    if space == b"MBED" and header >= _V5:
        start, length = struct.unpack_from("<II", data, 126)
        return dataclasses.replace(found, icc=data[14 + start : 14 + start + length], icc_named=True)
    return dataclasses.replace(found, declared_srgb=space in (b"sRGB", b"Win "))


def _check_runs(data: bytes, at: int, size: Size, *, bits: int) -> None:
    """Check that run-length codes set every pixel."""
    wanted = size.width * size.height
    given = column = 0
    while at + 2 <= len(data):
        count, value = data[at], data[at + 1]
        at += 2
        if not count and value == _END:
            break
        if not count and value == _END_OF_LINE:
            column = 0
            continue
        if not count and value == _DELTA:
            column += data[at] if at < len(data) else 0
            at += 2
            continue
        pixels = count or value
        if not count:
            n_bytes = (value * bits + 7) // 8
            at += n_bytes + n_bytes % 2
        given += max(0, min(pixels, size.width - column))
        column += pixels
    if given < wanted or at > len(data):
        raise DamagedError(f"a damaged BMP (its codes give {given:,} of {wanted:,} pixels)")


def decode_bmp(data: bytes) -> NDArray[np.uint8]:
    """Return the pixels of a BMP as stored, uint8: (rows, columns, 3) RGB, or (rows, columns, 4) with transparency.

    Args:
        data: the whole file.
    Raises:
        DamagedError: a pixel's number lies beyond the palette, or this kind of BMP is not supported.
        OSError: the decoder cannot read the file.
    """
    try:
        image = BmpImagePlugin.BmpImageFile(io.BytesIO(data))
    except OSError as error:
        if str(error).startswith("Unsupported"):
            raise NotReadError(f"a BMP of a rare kind ({error})", "Save it as a PNG or a TIFF.") from error
        raise
    if image.mode == "P" and image.palette is not None:
        n_colours = len(image.palette.palette) // len(image.palette.rawmode or image.palette.mode)
        greatest = int(np.asarray(image).max(initial=0))
        if greatest >= n_colours:
            raise DamagedError(f"a damaged BMP (colour number {greatest} of a palette of {n_colours})")
    has_alpha = "A" in image.getbands() or "transparency" in image.info
    return np.asarray(image.convert("RGBA" if has_alpha else "RGB"), np.uint8)
