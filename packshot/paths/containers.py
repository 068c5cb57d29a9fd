"""Read Photoshop's image resources and the picture size from TIFF, PSD, PSB, JPEG and PNG files.

Only headers and directories are read, never a pixel. Sources: TIFF 6.0 section 2 and BigTIFF; Adobe Photoshop File
Formats; ITU-T T.81 annex B, with Photoshop's resources in APP13 segments; PNG (third edition), with ImageMagick's text
chunk "Raw profile type 8bim".
"""

from __future__ import annotations

import binascii
import dataclasses
import struct
import zlib
from typing import NamedTuple

from packshot.errors import UnreadableError
from packshot.types import Size

_PHOTOSHOP_TAG, _WIDTH_TAG, _HEIGHT_TAG = 34377, 256, 257
_APP13, _PHOTOSHOP_3 = 0xED, b"Photoshop 3.0\0"
_STARTS_OF_FRAME = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_ALONE = {0x01, *range(0xD0, 0xD8)}
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_PROFILE = b"Raw profile type 8bim"
_MOST_PROFILE_BYTES = 64 * 1024 * 1024
_MOST_ENTRIES = 4096
_TYPE_BYTES = {1: 1, 3: 2, 4: 4, 6: 1, 7: 1, 16: 8}
_NUMBERS = {1: "B", 3: "H", 4: "I", 16: "Q"}


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
            found = _photoshop(data)
        elif data.startswith(b"\xff\xd8"):
            found = _jpeg(data)
        elif data.startswith(_PNG):
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


def _photoshop(data: bytes) -> Carried:
    height, width = struct.unpack_from(">II", data, 14)
    at = 30 + struct.unpack_from(">I", data, 26)[0]
    (size,) = struct.unpack_from(">I", data, at)
    kind = "PSB" if data[5] == 2 else "PSD"
    return Carried(kind, Size(width, height), data[at + 4 : at + 4 + size])


def _jpeg(data: bytes) -> Carried:
    """Return the joined APP13 segments of a JPEG. A resource may continue in the next segment."""
    size, parts, at = Size(0, 0), [], 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            break
        marker = data[at + 1]
        if marker in (0xFF, *_ALONE):
            at += 1 if marker == 0xFF else 2
            continue
        if marker in (_START_OF_SCAN, _END_OF_IMAGE):
            break
        (length,) = struct.unpack_from(">H", data, at + 2)
        segment = data[at + 4 : at + 2 + length]
        if marker in _STARTS_OF_FRAME and not size.width:
            height, width = struct.unpack_from(">HH", segment, 1)
            size = Size(width, height)
        elif marker == _APP13 and segment.startswith(_PHOTOSHOP_3):
            parts.append(segment[len(_PHOTOSHOP_3) :])
        at += 2 + max(length, 2)
    return Carried("JPEG", size, b"".join(parts))


def _png(data: bytes) -> Carried:
    width, height = struct.unpack_from(">II", data, 16)
    resources, named, at = b"", False, 8
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, content = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        keyword, _, rest = content.partition(b"\0")
        if not named and kind in (b"tEXt", b"zTXt") and keyword.lower() == _PNG_PROFILE.lower():
            resources, named = _raw_profile(rest if kind == b"tEXt" else _inflated(rest[1:])), True
        at += 12 + length
    return Carried("PNG", Size(width, height), resources)


def _inflated(packed: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, _MOST_PROFILE_BYTES)
    except zlib.error:
        return b""


def _raw_profile(text: bytes) -> bytes:
    """Return the bytes of ImageMagick's text form: profile name, length in bytes, then hexadecimal digits."""
    words = text.split()
    try:
        return binascii.unhexlify(b"".join(words[2:]))
    except (binascii.Error, ValueError):
        return b""


def _tiff(data: bytes) -> Carried:
    stream = _Tiff(data, "<" if data[:2] == b"II" else ">", data[2:3] == b"+" or data[3:4] == b"+")
    tags = stream.first_directory()
    size = Size(stream.number(tags.get(_WIDTH_TAG)), stream.number(tags.get(_HEIGHT_TAG)))
    return Carried("TIFF", size, stream.content(tags.get(_PHOTOSHOP_TAG)))


class _Entry(NamedTuple):
    kind: int
    values: int
    place: int


@dataclasses.dataclass(frozen=True)
class _Tiff:
    """The first directory of a TIFF, in either byte order, classic or BigTIFF."""

    data: bytes
    order: str
    big: bool

    def first_directory(self) -> dict[int, _Entry]:
        offset = self._unpack("Q", 8) if self.big else self._unpack("I", 4)
        count = self._unpack("Q" if self.big else "H", offset)
        start, width = (offset + 8, 20) if self.big else (offset + 2, 12)
        last = min(count, _MOST_ENTRIES, (len(self.data) - start) // width)
        return dict(self._entry(start + index * width) for index in range(last - 1, -1, -1))

    def number(self, entry: _Entry | None) -> int:
        code = _NUMBERS.get(entry.kind) if entry else None
        return self._unpack(code, entry.place) if entry and code else 0

    def content(self, entry: _Entry | None) -> bytes:
        if entry is None:
            return b""
        return self.data[entry.place : entry.place + entry.values * _TYPE_BYTES.get(entry.kind, 1)]

    def _unpack(self, code: str, offset: int) -> int:
        return int(struct.unpack_from(self.order + code, self.data, offset)[0])

    def _entry(self, offset: int) -> tuple[int, _Entry]:
        word, inline, place = ("Q", 8, offset + 12) if self.big else ("I", 4, offset + 8)
        tag, kind = self._unpack("H", offset), self._unpack("H", offset + 2)
        count = self._unpack(word, offset + 4)
        if _TYPE_BYTES.get(kind, 1) * count > inline:
            place = self._unpack(word, place)
        return tag, _Entry(kind, count, place)
