"""Read TIFF directories, for file headers and for EXIF. Any bytes are safe input.

Sources: TIFF 6.0, section 2; libtiff's description of BigTIFF; EXIF 2.32, section 4.6.

No function here raises an error for bad input. Values that cannot be read are left out.
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Iterator
from typing import Any, TypeAlias

TagValue: TypeAlias = str | bytes | tuple[int, ...] | tuple[float, ...]

_FORMATS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I", 16: "Q", 17: "q", 18: "Q"}
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_MOST_ENTRIES = 512
_MOST_VALUES = 1_000_000
_MOST_TEXT_BYTES = 64 * 1024 * 1024


@dataclasses.dataclass(frozen=True)
class TiffBytes:
    """A TIFF stream: a TIFF file, or a block of EXIF in another file. `open_tiff` makes it.

    Attributes:
        data: the bytes from the TIFF header on. Offsets count from here.
        order: byte order as `struct` writes it: ``<`` or ``>``.
        big: True for BigTIFF.
        first: offset of the first directory.
    """

    data: bytes
    order: str
    big: bool
    first: int

    def directories(self, *, most: int = 1000) -> Iterator[Directory]:
        """Yield the directories of the main chain in order, one for each page. Empty ones are left out.

        Args:
            most: after so many directories reading stops. Reading stops at a loop and at a wrong offset too.
        """
        seen: set[int] = set()
        offset = self.first
        while offset and offset not in seen and len(seen) < most:
            seen.add(offset)
            directory, offset = self._read(offset)
            if directory.places:
                yield directory

    def count(self, *, most: int) -> int:
        """Return the number of directories in the main chain, at most `most`: the number of pages. No entry is read.

        Counting stops at a loop and at a wrong offset. Empty directories are not counted.

        Args:
            most: where counting stops.
        """
        seen: set[int] = set()
        offset, found = self.first, 0
        while offset and offset not in seen and len(seen) < most:
            seen.add(offset)
            try:
                (entries,) = self._unpack("Q" if self.big else "H", offset)
                start, width = (offset + 8, 20) if self.big else (offset + 2, 12)
                found += entries > 0
                (offset,) = self._unpack("Q" if self.big else "I", start + entries * width)
            except (struct.error, OverflowError):
                break
        return found

    def directory_at(self, offset: int) -> Directory:
        """Return the directory at an offset, for example that of EXIF.

        If there is none, the result is an empty directory. If it is cut off, it has the entries before the cut.

        Args:
            offset: in bytes from the TIFF header.
        """
        return self._read(offset)[0]

    def _unpack(self, code: str, offset: int) -> tuple[Any, ...]:
        return struct.unpack_from(self.order + code, self.data, offset)

    def _read(self, offset: int) -> tuple[Directory, int]:
        places: dict[int, tuple[int, int, int]] = {}
        following, whole = 0, False
        try:
            (count,) = self._unpack("Q" if self.big else "H", offset)
            start, width = (offset + 8, 20) if self.big else (offset + 2, 12)
            for index in range(min(count, _MOST_ENTRIES)):
                tag, place = self._entry(start + index * width)
                places.setdefault(tag, place)
            whole = True
            (following,) = self._unpack("Q" if self.big else "I", start + count * width)
        except (struct.error, OverflowError):
            pass
        return Directory(self, places, offset, whole), int(following)

    def _entry(self, offset: int) -> tuple[int, tuple[int, int, int]]:
        tag, kind = self._unpack("HH", offset)
        (count,) = self._unpack("Q" if self.big else "I", offset + 4)
        inline, place = (8, offset + 12) if self.big else (4, offset + 8)
        if _SIZES.get(kind, 0) * count > inline:
            (place,) = self._unpack("Q" if self.big else "I", place)
        return tag, (kind, count, place)

    def values(self, kind: int, count: int, place: int, *, most: int = _MOST_VALUES) -> TagValue | None:
        """Return the values at an offset: text, raw bytes, or a tuple of numbers.

        None if the values run past the end of the data, or if the type is unknown.

        Args:
            kind: TIFF field type, for example 3 for SHORT. Type 2 (ASCII) comes back as text, type 7 (UNDEFINED) as
                bytes, any other as a tuple of numbers. More than a million values of type 1 (BYTE) come back as bytes.
            count: number of values.
            place: offset of the first value, in bytes from the TIFF header.
            most: greatest number of values that come back; for numbers only.
        """
        if kind not in _SIZES or count * _SIZES[kind] > len(self.data) or place + count * _SIZES[kind] > len(self.data):
            return None
        if kind in (2, 7) or (kind == 1 and count > _MOST_VALUES):
            raw = self.data[place : place + count]
            return raw if kind != 2 else raw.split(b"\0", 1)[0].decode("utf-8", "replace").strip()
        count = min(count, most)
        if kind in (5, 10):
            parts = self._unpack(f"{2 * count}{'I' if kind == 5 else 'i'}", place)
            return tuple(top / bottom if bottom else 0.0 for top, bottom in zip(parts[::2], parts[1::2], strict=True))
        return self._unpack(f"{count}{_FORMATS[kind]}", place)


@dataclasses.dataclass(frozen=True)
class Directory:
    """One TIFF directory: the tags of a page, or of a part of EXIF.

    Values are read only when asked for, so an unused tag costs no time.

    Attributes:
        stream: the TIFF stream that contains the directory.
        places: tag -> (field type, number of values, offset of the first value).
        offset: where the directory starts, in bytes from the TIFF header.
        complete: False if the data end before the directory's entries do.
    """

    stream: TiffBytes
    places: dict[int, tuple[int, int, int]]
    offset: int = 0
    complete: bool = True

    def __contains__(self, tag: int) -> bool:
        return tag in self.places

    def get(self, tag: int) -> TagValue | None:
        """Return a tag's values as text, bytes, or a tuple of numbers. None if the tag is missing or unreadable.

        Args:
            tag: the tag's number, for example 271 for the camera's maker.
        """
        place = self.places.get(tag)
        return self.stream.values(*place) if place else None

    def bytes_of(self, tag: int) -> bytes:
        """Return a tag's values as raw bytes; empty if the tag is missing or runs past the end of the data.

        Args:
            tag: the tag's number, for example 34675 for the ICC profile.
        """
        place = self.places.get(tag)
        if not place or place[0] not in _SIZES:
            return b""
        size = place[1] * _SIZES[place[0]]
        return self.stream.data[place[2] : place[2] + size] if place[2] + size <= len(self.stream.data) else b""

    def _first(self, tag: int) -> TagValue | None:
        place = self.places.get(tag)
        return self.stream.values(*place, most=1) if place else None

    def whole(self, tag: int, default: int = 0) -> int:
        """Return a tag's first value as an integer.

        Args:
            tag: the tag's number, for example 274 for the orientation.
            default: the result if the tag is missing, or its value is no number.
        """
        value = self._first(tag)
        return int(value[0]) if isinstance(value, tuple) and value and abs(value[0]) < 2**63 else default

    def wholes(self, tag: int, *, most: int = _MOST_VALUES) -> tuple[int, ...]:
        """Return a tag's values as integers; empty if the tag is missing, or its values are no numbers.

        Args:
            tag: the tag's number, for example 273 for the offsets of the strips.
            most: greatest number of values. Values beyond it are left out.
        """
        place = self.places.get(tag)
        value = self.stream.values(*place, most=most) if place else None
        return tuple(int(v) for v in value if abs(v) < 2**63) if isinstance(value, tuple) else ()

    def number(self, tag: int) -> float | None:
        """Return a tag's first value as a float; None if the tag is missing, or its value is no number.

        Args:
            tag: the tag's number, for example 33434 for the exposure time in seconds.
        """
        value = self._first(tag)
        return float(value[0]) if isinstance(value, tuple) and value else None

    def text(self, tag: int) -> str:
        """Return a tag's text, without outer spaces; empty if the tag is missing or holds no text.

        Args:
            tag: the tag's number, for example 272 for the camera's model.
        """
        value = self.get(tag)
        if isinstance(value, bytes):
            value = value.split(b"\0", 1)[0].decode("utf-8", "replace")
        return value.strip() if isinstance(value, str) else ""


def open_tiff(data: bytes) -> TiffBytes | None:
    """Return the TIFF stream that starts with these bytes; None if they are not a TIFF header.

    RAW formats with another magic number (ORF, RW2) are opened too. Nothing but the header is read.

    Args:
        data: a file or a block, from the TIFF header on.
    """
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None or len(data) < 8:
        return None
    (magic,) = struct.unpack_from(order + "H", data, 2)
    if magic == 43 and len(data) >= 16:
        width, zero, first = struct.unpack_from(order + "HHQ", data, 4)
        return TiffBytes(data, order, True, first) if (width, zero) == (8, 0) else None
    if magic in (42, 0x55, 0x4F52, 0x5352):
        return TiffBytes(data, order, False, struct.unpack_from(order + "I", data, 4)[0])
    return None
