"""Read the resolution that a file states for print."""

from __future__ import annotations

import struct

from packshot.formats.container import Container
from packshot.formats.ifd import open_tiff
from packshot.formats.jpeg_header import segments
from packshot.formats.png import chunks
from packshot.formats.sniff import FileKind

_X_RESOLUTION, _RESOLUTION_UNIT = 282, 296
_INCH_IN_CM, _INCH_IN_METRES = 2.54, 0.0254
_CENTIMETRES = {FileKind.TIFF: 3, FileKind.JPEG: 2}
_INCHES = {FileKind.TIFF: 2, FileKind.JPEG: 1}


def dots_per_inch(data: bytes, kind: FileKind, container: Container) -> float | None:
    """Return the horizontal resolution that a TIFF, JPEG (JFIF) or PNG states, in dots per inch, for example 300.0.

    None if the file states none or no unit of length, and for files of other kinds.

    Args:
        data: the whole file.
        kind: the file's kind.
        container: the header, as read from `data`.
    """
    match kind:
        case FileKind.TIFF:
            return _of_tiff(data, container)
        case FileKind.JPEG:
            return _of_jpeg(data)
        case FileKind.PNG:
            return _of_png(data)
    return None


def _of_tiff(data: bytes, container: Container) -> float | None:
    tiff = open_tiff(data)
    if tiff is None or not container.exif_pages:
        return None
    page = tiff.directory_at(container.exif_pages[0])
    return _in_inches(page.number(_X_RESOLUTION), page.whole(_RESOLUTION_UNIT, 2), FileKind.TIFF)


def _of_jpeg(data: bytes) -> float | None:
    first = next(segments(data), None)
    if first is None or first.body[:5] != b"JFIF\0" or len(first.body) < 12:
        return None
    unit, across = struct.unpack_from(">BH", first.body, 7)
    return _in_inches(across, unit, FileKind.JPEG)


def _of_png(data: bytes) -> float | None:
    body = next((one.body for one in chunks(data) if one.name == b"pHYs"), b"")
    if len(body) != 9 or body[8] != 1:
        return None
    return float(struct.unpack_from(">I", body)[0]) * _INCH_IN_METRES or None


def _in_inches(value: float | None, unit: int, kind: FileKind) -> float | None:
    if not value or unit not in (_INCHES[kind], _CENTIMETRES[kind]):
        return None
    return value * (_INCH_IN_CM if unit == _CENTIMETRES[kind] else 1)
