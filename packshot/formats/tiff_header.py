"""Read the header of a TIFF (TIFF 6.0) and check that all its parts are in the file."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from packshot.formats.blocks import IPTC, read_resources
from packshot.formats.container import Container, DamagedError, NotReadError
from packshot.formats.findings import contradictory
from packshot.formats.ifd import Directory, TiffBytes, open_tiff
from packshot.types import Size

JPEG_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_FRAMES_COUNTED = 10_000
_PAGES_READ = 64
_SUB_IMAGES, _NEW_SUBFILE_TYPE, _SUBFILE_TYPE = 330, 254, 255
_REDUCED, _MASK, _OLD_REDUCED = 1, 4, 2
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


_NOT_WHOLE = "Every page of the TIFF is marked as a reduced copy or a mask; the largest was taken."

_NAMED = {6: "JPEG compression of the old style", 34712: "JPEG 2000 compression", 50002: "JPEG XL compression"}
_NAMED |= {52546: _NAMED[50002], 34887: "LERC compression", 50001: "WebP compression", 34892: "lossy JPEG compression"}
"""Names of some that are not."""


def read_tiff(data: bytes) -> Container:
    """Return the header of the picture in a TIFF, and the number of pictures in the file. No pixel is decoded.

    The picture is the first page that is neither a reduced copy nor a mask (NewSubfileType, SubfileType). If there is
    no such page, it is the first such sub-page, else the largest page.

    Args:
        data: the whole file.
    Raises:
        DamagedError: there is no page, a part of the picture is missing, or its compression is not supported.
    """
    tiff = open_tiff(data)
    pages = list(tiff.directories(most=_PAGES_READ)) if tiff else []
    if tiff is None or not pages:
        raise DamagedError("a TIFF without a readable directory")
    page, holder = _the_picture(tiff, pages)
    _check_segments(page, data)
    depths = page.wholes(258) or (1,)
    count = tiff.count(most=_FRAMES_COUNTED)
    return Container(
        size=Size(page.whole(256), page.whole(257)),
        tile=Size(page.whole(322), page.whole(323)),
        frames=count if count > len(pages) else max(1, sum(_is_whole(one) for one in pages)),
        chosen="the first" if page is pages[0] else "the first that is whole",
        bit_depth=max(depths),
        channels=page.whole(277, 1),
        icc=_first(page, holder, 34675),
        exif=data,
        exif_pages=(page.offset, holder.offset),
        xmp=_first(page, holder, 700),
        iptc=_first(page, holder, 33723) or read_resources(_first(page, holder, 34377)).get(IPTC, b""),
        resources=_first(page, holder, 34377),
        coding=_TIFF_COMPRESSIONS[page.whole(259, 1)],
        findings=() if _is_whole(page) else (contradictory(_NOT_WHOLE),),
    )


def _the_picture(tiff: TiffBytes, pages: Sequence[Directory]) -> tuple[Directory, Directory]:
    """Return the page that is the picture, and the page that holds it: the same, or the one above a sub-page."""
    whole = next((page for page in pages if _is_whole(page)), None)
    if whole is not None:
        return whole, whole
    below = [(tiff.directory_at(at), page) for page in pages[:8] for at in page.wholes(_SUB_IMAGES, most=8)]
    found = next(((page, holder) for page, holder in below if page.places and _is_whole(page)), None)
    return found or max(((page, page) for page in pages), key=lambda one: one[0].whole(256) * one[0].whole(257))


def _is_whole(page: Directory) -> bool:
    """Return True if a page is a picture at full size, neither reduced nor a mask (TIFF 6.0, section 8)."""
    kind = page.whole(_NEW_SUBFILE_TYPE) & (_REDUCED | _MASK)
    return not kind and page.whole(_SUBFILE_TYPE) != _OLD_REDUCED and page.whole(256) > 0


def _first(page: Directory, holder: Directory, tag: int) -> bytes:
    return page.bytes_of(tag) or holder.bytes_of(tag)


def _check_segments(page: Directory, data: bytes) -> None:
    """Check that every strip or tile lies inside the file. Decoders would fill missing ones with black.

    A JPEG strip has its own header. That header must not claim a larger size than the strip.
    """
    compression, n_bytes = page.whole(259, 1), len(data)
    if compression not in _TIFF_COMPRESSIONS:
        raise NotReadError(
            f"a TIFF with {_NAMED.get(compression, f'compression {compression}')}",
            "Save it again with LZW or ZIP compression, or with none.",
        )
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
