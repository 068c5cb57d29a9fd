"""Photoshop's image resources of a TIFF, PSD, PSB, JPEG or PNG, and the size of its picture. Never a pixel is read."""

from __future__ import annotations

import struct
from typing import NamedTuple

from packshot.errors import UnreadableError
from packshot.formats.ifd import open_tiff
from packshot.formats.jpeg_header import segments
from packshot.formats.png import SIGNATURE, chunks, inflated, raw_profile
from packshot.formats.psd import resources_of
from packshot.formats.tiff_header import JPEG_FRAME_MARKERS
from packshot.types import Size

_PHOTOSHOP_TAG, _WIDTH_TAG, _HEIGHT_TAG = 34377, 256, 257
_APP13, _START_OF_SCAN, _PHOTOSHOP_3 = 0xED, 0xDA, b"Photoshop 3.0\0"
_PNG_PROFILE = b"raw profile type 8bim"
_MOST_PROFILE_BYTES = 64 * 1024 * 1024


class Carried(NamedTuple):
    """The image resources of a file and its picture size.

    Attributes:
        kind: TIFF, PSD, PSB, JPEG or PNG.
        size: as stored, before any orientation is applied.
        resources: the image resources; empty if there are none.
    """

    kind: str
    size: Size
    resources: bytes


def read_carried(data: bytes, *, name: str) -> Carried:
    """Return the image resources of a file and its picture size.

    Raises:
        UnreadableError: it is another kind of file, or its header is damaged.
    """
    try:
        if data.startswith(b"8BPS"):
            height, width = struct.unpack_from(">II", data, 14)
            found = Carried("PSB" if data[5] == 2 else "PSD", Size(width, height), resources_of(data))
        elif data.startswith(b"\xff\xd8"):
            found = _jpeg(data)
        elif data.startswith(SIGNATURE):
            found = _png(data)
        elif data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
            found = _tiff(data)
        else:
            raise _unreadable(name, "another kind of file")
    except (struct.error, OverflowError, IndexError) as error:
        raise _unreadable(name, "a head that is cut off or damaged") from error
    if found.size.width < 1 or found.size.height < 1:
        raise _unreadable(name, f"a picture of {found.size} pixels")
    return found


def _unreadable(name: str, found: str) -> UnreadableError:
    return UnreadableError(
        "no paths can be read from this file",
        name,
        found=found,
        allowed="TIFF, PSD, PSB, JPEG or PNG",
        next_step="Save it again, as a TIFF or a Photoshop document.",
    )


def _jpeg(data: bytes) -> Carried:
    """Return the joined APP13 segments of a JPEG. A resource may continue in the next segment."""
    size, parts = Size(0, 0), []
    for one in segments(data):
        if one.code == _START_OF_SCAN:
            break
        if one.code in JPEG_FRAME_MARKERS and not size.width:
            height, width = struct.unpack_from(">HH", one.body, 1)
            size = Size(width, height)
        elif one.code == _APP13 and one.body.startswith(_PHOTOSHOP_3):
            parts.append(one.body[len(_PHOTOSHOP_3) :])
    return Carried("JPEG", size, b"".join(parts))


def _png(data: bytes) -> Carried:
    """Return ImageMagick's raw profile of a PNG; the first one counts."""
    width, height = struct.unpack_from(">II", data, 16)
    for chunk in chunks(data):
        keyword, _, rest = chunk.body.partition(b"\0")
        if chunk.name in (b"tEXt", b"zTXt") and keyword.lower() == _PNG_PROFILE:
            text = rest if chunk.name == b"tEXt" else inflated(rest[1:], most=_MOST_PROFILE_BYTES)
            return Carried("PNG", Size(width, height), raw_profile(text))
    return Carried("PNG", Size(width, height), b"")


def _tiff(data: bytes) -> Carried:
    stream = open_tiff(data)
    first = stream.directory_at(stream.first) if stream else None
    if first is None:
        return Carried("TIFF", Size(0, 0), b"")
    return Carried("TIFF", Size(first.whole(_WIDTH_TAG), first.whole(_HEIGHT_TAG)), first.bytes_of(_PHOTOSHOP_TAG))
