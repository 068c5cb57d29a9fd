"""Read the header of a TIFF (TIFF 6.0) and check that all its parts are in the file."""

from __future__ import annotations

import struct

from packshot.formats.container import Container, DamagedError
from packshot.formats.ifd import Directory, open_tiff
from packshot.formats.resources import IPTC, read_resources
from packshot.types import Size

JPEG_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_FRAMES_COUNTED = 10_000
_JPEG_IN_TIFF = 7
_TIFF_COMPRESSIONS = {
    1: "none",
    2: "CCITT RLE",
    3: "CCITT T.4",
    4: "CCITT T.6",
    5: "LZW",
    7: "JPEG",
    8: "Deflate",
    32773: "PackBits",
    32946: "Deflate",
    34925: "LZMA",
    50000: "ZSTD",
}
"""Compressions that are read. The picture size limits what their decoders can produce."""


def read_tiff(data: bytes) -> Container:
    """Return the header of the first page, and the number of pages.

    Raises:
        DamagedError: there is no page, a part of it is missing, or its compression is not read.
    """
    tiff = open_tiff(data)
    page = next(tiff.directories(most=_FRAMES_COUNTED), None) if tiff else None
    if tiff is None or page is None:
        raise DamagedError("a TIFF without a readable directory")
    _check_segments(page, data)
    depths = page.wholes(258) or (1,)
    return Container(
        size=Size(page.whole(256), page.whole(257)),
        tile=Size(page.whole(322), page.whole(323)),
        frames=tiff.count(most=_FRAMES_COUNTED),
        bit_depth=max(depths),
        channels=page.whole(277, 1),
        icc=page.bytes_of(34675),
        exif=data,
        xmp=page.bytes_of(700),
        iptc=page.bytes_of(33723) or read_resources(page.bytes_of(34377)).get(IPTC, b""),
        coding=_TIFF_COMPRESSIONS[page.whole(259, 1)],
    )


def _check_segments(page: Directory, data: bytes) -> None:
    """Check that every strip or tile lies inside the file. Decoders would fill missing ones with black.

    A JPEG strip has its own header. That header must not claim a larger size than the strip.
    """
    compression, n_bytes = page.whole(259, 1), len(data)
    if compression not in _TIFF_COMPRESSIONS:
        raise DamagedError(f"a TIFF with compression {compression}, which is not read")
    offsets = page.wholes(324) or page.wholes(273)
    counts = page.wholes(325) or page.wholes(279)
    if not offsets:
        raise DamagedError("a TIFF without picture data")
    if len(counts) == len(offsets):
        beyond = sum(at + size > n_bytes or size <= 0 for at, size in zip(offsets, counts, strict=True))
    else:
        beyond = sum(at >= n_bytes for at in offsets)
    if beyond:
        raise DamagedError(f"a TIFF with {beyond} of {len(offsets)} parts missing or beyond its end: it was cut off")
    if compression == _JPEG_IN_TIFF:
        sides = page.whole(322) or page.whole(256), page.whole(323) or page.whole(257)
        for at in offsets:
            width, height = _jpeg_size(data, at)
            if width > sides[0] or height > sides[1]:
                raise DamagedError(f"a TIFF of {sides[0]} x {sides[1]} parts with a JPEG of {width} x {height} in one")


def _jpeg_size(data: bytes, at: int) -> tuple[int, int]:
    """Return (width, height) from the frame header of the JPEG that starts at `at`."""
    at += 2
    while data[at] == 0xFF:
        code, (length,) = data[at + 1], struct.unpack_from(">H", data, at + 2)
        if code in JPEG_FRAME_MARKERS:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        at += 2 + length
    raise DamagedError("a TIFF with a damaged JPEG in it")
