"""Walk the boxes of ISO base media files (ISO/IEC 14496-12), and read the header of JPEG XL (ISO/IEC 18181)."""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Iterator

import imagecodecs

from packshot.formats.container import Container, DamagedError, plain_exif, with_exif
from packshot.formats.jpeg_xl_header import read_jpeg_xl_header
from packshot.types import Size

_MOST_BOXES = 2000
_MOST_METADATA_BYTES = 4_000_000
_RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield (name, content) of each box in the data, in order. The name has four bytes, for example ``b"meta"``.

    Boxes inside these boxes are not read. Reading stops at the first box that would run past the end of the data, and
    after 2000 boxes.

    Args:
        data: a whole file, or the content of a box that holds boxes.
    """
    at = 0
    for _ in range(_MOST_BOXES):
        if at + 8 > len(data):
            return
        size, name = struct.unpack_from(">I4s", data, at)
        header = 8
        if size == 1:
            if at + 16 > len(data):
                return
            (size,) = struct.unpack_from(">Q", data, at + 8)
            header = 16
        end = len(data) if size == 0 else at + size
        if end < at + header or end > len(data):
            return
        yield name, data[at + header : end]
        at = end


def read_jpeg_xl(data: bytes) -> Container:
    """Return what the header of a JPEG XL says: size, bit depth, ICC profile, EXIF, XMP, and whether it is animated.

    `coding` is "animated" for an animated file, else empty. No pixel is decoded. Metadata may be compressed with
    Brotli; metadata that cannot be decompressed is left out.

    Args:
        data: the whole file, in its container or as a bare codestream.
    Raises:
        DamagedError: the file holds no codestream, or its header cannot be read.
    """
    found = Container()
    stream = data if data[:2] == b"\xff\x0a" else b""
    for name, body in map(_unpacked, boxes(data)) if not stream else ():
        if name == b"jxlc":
            stream = body
        elif name == b"jxlp":
            stream = stream or body[4:]
        elif name == b"Exif":
            start = 4 + int.from_bytes(body[:4], "big")
            found = with_exif(found, plain_exif(body[start:]) or body[4:])
        elif name == b"xml " and not found.xmp_named:
            found = dataclasses.replace(found, xmp=body, xmp_named=True)
    if stream[:2] != b"\xff\x0a":
        raise DamagedError("a JPEG XL without a picture in it")
    size, animated = _jpeg_xl_basics(stream[2:34])
    found = dataclasses.replace(found, size=size, coding="animated" if animated else "")
    try:
        header = read_jpeg_xl_header(data)
    except ValueError as error:
        raise DamagedError("a JPEG XL whose header cannot be read: damaged, or cut off") from error
    return dataclasses.replace(found, icc=header.icc, bit_depth=header.bit_depth)


def _unpacked(box: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """Return a JPEG XL box. Metadata that is compressed with Brotli is decompressed.

    The content is empty where it cannot be decompressed or would be longer than `_MOST_METADATA_BYTES`.
    """
    name, body = box
    if name != b"brob" or body[:4] not in (b"Exif", b"xml "):
        return box
    try:
        return body[:4], bytes(imagecodecs.brotli_decode(body[4:], out=_MOST_METADATA_BYTES))
    except (imagecodecs.BrotliError, ValueError):
        return name, b""


class _Bits:
    """A reader of the bits of a JPEG XL header. The least significant bit comes first."""

    def __init__(self, header: bytes) -> None:
        self._left = int.from_bytes(header, "little")

    def take(self, count: int = 1) -> int:
        value, self._left = self._left & ((1 << count) - 1), self._left >> count
        return value


def _jpeg_xl_basics(header: bytes) -> tuple[Size, bool]:
    """Return the size, and True for an animated file (ISO/IEC 18181-1, annex D).

    Reads SizeHeader and the first fields of ImageMetadata.
    """
    bits = _Bits(header)
    size = _jpeg_xl_size(bits)
    all_default = bits.take()
    if all_default or not bits.take():
        return size, False
    bits.take(3)  # orientation
    if bits.take():
        _jpeg_xl_size(bits)  # the size it is meant to be shown at
    has_preview = bits.take()
    return size, not has_preview and bool(bits.take())


def _jpeg_xl_size(bits: _Bits) -> Size:
    small = bits.take()
    height = (bits.take(5) + 1) * 8 if small else 1 + bits.take((9, 13, 18, 30)[bits.take(2)])
    ratio = bits.take(3)
    if ratio:
        return Size(height * _RATIOS[ratio][0] // _RATIOS[ratio][1], height)
    return Size((bits.take(5) + 1) * 8 if small else 1 + bits.take((9, 13, 18, 30)[bits.take(2)]), height)
