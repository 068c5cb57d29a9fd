"""Read Photoshop's image resource blocks, found in PSD, TIFF and JPEG files (Adobe Photoshop File Formats)."""

from __future__ import annotations

import struct

IPTC, ICC, EXIF, XMP, VERSION = 0x0404, 0x040F, 0x0422, 0x0424, 0x0421
_MOST_BLOCKS = 5000
_SIGNATURES = (b"8BIM", b"MeSa", b"PHUT", b"AgHg", b"DCSR")


def read_resources(data: bytes) -> dict[int, bytes]:
    """Return resource number -> content, the first of each number. Reading stops at the first damaged block."""
    found: dict[int, bytes] = {}
    at = 0
    for _ in range(_MOST_BLOCKS):
        if data[at : at + 4] not in _SIGNATURES or at + 12 > len(data):
            break
        (number,) = struct.unpack_from(">H", data, at + 4)
        at += 6 + (data[at + 6] + 2 & ~1)
        if at + 4 > len(data):
            break
        (size,) = struct.unpack_from(">I", data, at)
        if at + 4 + size > len(data):
            break
        found.setdefault(number, data[at + 4 : at + 4 + size])
        at += 4 + (size + 1 & ~1)
    return found
