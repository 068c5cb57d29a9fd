"""Read the segments of a JPEG (ITU-T T.81, annex B) and further parts of its file (CIPA DC-007).

No pixel is decoded.
"""

from __future__ import annotations

import dataclasses
import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

from packshot.formats.blocks import IPTC, read_resources
from packshot.formats.container import Container, DamagedError, NotReadError, with_exif
from packshot.formats.findings import gain_map_left_out
from packshot.formats.ifd import open_tiff
from packshot.formats.tiff_header import JPEG_FRAME_MARKERS
from packshot.types import Size

_MOST_SCANS = 200
_HUFFMAN_FRAMES = (0xC0, 0xC1, 0xC2)
_MOST_JPEG_PIXELS_A_BYTE = 600
"""Maximum number of pixels per byte of a JPEG, with some tolerance.

A JPEG codes at least one bit for the mean of each block of 64 pixels. So one byte holds at most 512 pixels.
"""
_MP_ENTRIES, _MOST_MP_ENTRIES, _MP_HEAD_BYTES = 0xB002, 64, 8192
_MP_PREVIEWS = (0x010001, 0x010002)
_GAIN_MAP_MARKS = (b"hdrgm:", b"HDRGainMap", b"urn:iso:std:iso:ts:21496:-1")
_START = b"\xff\xd8\xff"
_ALONE, _END_OF_IMAGE = (0x01, 0xD8), 0xD9
_JPEG_LS = 0xF7  # ITU-T T.87, SOF55
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")


class Segment(NamedTuple):
    """A segment of a JPEG: a marker and what belongs to it, such as a table or a block of metadata.

    Attributes:
        code: second byte of its marker, for example 0xDA for the start of a scan.
        body: its content, without marker and length.
        end: offset of the first byte after the segment.
    """

    code: int
    body: bytes
    end: int


def segments(data: bytes) -> Iterator[Segment]:
    """Yield the segments of a JPEG, up to and including the end-of-image marker if there is one.

    Entropy-coded data is skipped: a 0xFF byte in it is always followed by 0x00 or by a restart marker.

    Args:
        data: the whole file.
    Raises:
        struct.error: a segment has no length.
    """
    at = 2
    while marker := _MARKER.search(data, at):
        code, at = data[marker.start() + 1], marker.end()
        if code in _ALONE:
            continue
        if code == _END_OF_IMAGE:
            yield Segment(code, b"", at)
            return
        (length,) = struct.unpack_from(">H", data, at)
        body = data[at + 2 : at + length]
        at += max(length, 2)
        yield Segment(code, body, at)


def has_full_colour(data: bytes) -> bool:
    """Return True if all components of a JPEG have the same sampling, so colour is as fine as brightness (T.81, B.2.2).

    Args:
        data: the whole file.
    Raises:
        DamagedError: the file has no frame header.
    """
    frame = next((one.body for one in segments(data) if one.code in JPEG_FRAME_MARKERS), None)
    if frame is None:
        raise DamagedError("a JPEG without a picture in it")
    return len({frame[7 + 3 * index] for index in range(frame[5])}) == 1


def read_jpeg(data: bytes) -> Container:
    """Return what the segments of a JPEG say: size, bit depth, colours, metadata. No pixel is decoded.

    All segments up to the end-of-image marker are read. `frames` is 1 for the picture, plus the further pictures that
    the file lists, but not previews and gain maps. If the file has no such list, a picture that begins right behind the
    first counts too.

    Args:
        data: the whole file.
    Raises:
        DamagedError: the file is no JPEG, has no picture or no end marker, is too short for its size, has more than 200
            scans.
        NotReadError: the file is a JPEG-LS, or its height stands behind the picture.
        struct.error, IndexError: a segment is too short.
    """
    if not data.startswith(b"\xff\xd8"):
        raise DamagedError("no JPEG: it does not begin as one")
    found = Container()
    profile: dict[int, bytes] = {}
    resources: list[bytes] = []
    others = _OtherPictures()
    frame: tuple[int, int, int, int] | None = None
    scans, code, end = 0, 0, 0
    for code, body, end in segments(data):
        if code == _JPEG_LS and frame is None:
            raise NotReadError("a JPEG-LS", "Save it as a TIFF.")
        scans += code == 0xDA
        if scans > _MOST_SCANS:
            raise DamagedError(f"a JPEG of more than {_MOST_SCANS} scans, each of which costs a pass over the picture")
        if code in JPEG_FRAME_MARKERS and frame is None:
            frame = (code, *struct.unpack_from(">BHH", body))
            found = dataclasses.replace(found, channels=body[5])
        elif frame is None or code in (0xE1, 0xE2, 0xED, 0xEE):
            found = _with_jpeg_segment(found, code, body, profile)
            if code == 0xED and body.startswith(b"Photoshop 3.0\0"):
                resources.append(body[14:])
            if code == 0xE2:
                others = _with_other_pictures(others, body, data, end - len(body))
    if code != _END_OF_IMAGE:
        raise DamagedError(f"a JPEG that ends after {len(data)} bytes without its end marker: it was cut off")
    if frame is None:
        raise DamagedError("a JPEG without a picture in it")
    code, depth, height, width = frame
    if not height:  # T.81, B.2.5
        raise NotReadError(
            "a JPEG that states its height behind its picture (DNL)", "Save it again as a JPEG or a TIFF."
        )
    if code in _HUFFMAN_FRAMES and width * height > len(data) * _MOST_JPEG_PIXELS_A_BYTE:
        raise DamagedError(f"a JPEG of {len(data):,} bytes with a header of {width} x {height} pixels")
    icc = b"".join(profile[index] for index in sorted(profile))
    return dataclasses.replace(
        found,
        size=Size(width, height),
        bit_depth=depth,
        icc=icc,
        iptc=read_resources(b"".join(resources)).get(IPTC, b"") or _first_iptc(resources),
        resources=b"".join(resources),
        frames=1 + others.views + (not others.listed and data.startswith(_START, end)),
        findings=(gain_map_left_out(),) if others.gain_map or b"hdrgm:Version" in found.xmp else (),
        coding=f"SOF{code - 0xC0}",
        scans=scans,
    )


def _first_iptc(segments: list[bytes]) -> bytes:
    """Return the IPTC records of the first segment that holds some by itself."""
    return next((iptc for one in segments if (iptc := read_resources(one).get(IPTC))), b"")


class _OtherPictures(NamedTuple):
    """What a JPEG holds behind its first picture (CIPA DC-007, Multi-Picture Format).

    Attributes:
        views: pictures of their own, such as another view. Previews and gain maps do not count.
        listed: True once the list of pictures was read. Only the first counts.
    """

    views: int = 0
    gain_map: bool = False
    listed: bool = False


def _with_other_pictures(found: _OtherPictures, body: bytes, data: bytes, at: int) -> _OtherPictures:
    """Add what an APP2 segment says.

    Args:
        at: offset of the segment's body in the file; MPF counts offsets from its fifth byte.
    """
    if body.startswith(b"urn:iso:std:iso:ts:21496:-1\0"):
        return found._replace(gain_map=True)
    tiff = open_tiff(body[4:]) if body.startswith(b"MPF\0") and not found.listed else None
    if tiff is None:
        return found
    found = found._replace(listed=True)
    entries = tiff.directory_at(tiff.first).bytes_of(_MP_ENTRIES)[: 16 * _MOST_MP_ENTRIES]
    for index in range(1, len(entries) // 16):
        attributes, _, offset = struct.unpack_from(tiff.order + "III", entries, 16 * index)
        start = data[at + 4 + offset :][:_MP_HEAD_BYTES] if offset else b""
        if any(mark in start for mark in _GAIN_MAP_MARKS):
            found = found._replace(gain_map=True)
        elif attributes & 0xFFFFFF not in _MP_PREVIEWS:
            found = found._replace(views=found.views + 1)
    return found


def _with_jpeg_segment(found: Container, code: int, body: bytes, profile: dict[int, bytes]) -> Container:
    if code == 0xE1 and body.startswith(b"Exif\0"):
        return with_exif(found, body)
    if code == 0xE1 and body.startswith(b"http://ns.adobe.com/xap/1.0/\0") and not found.xmp:
        return dataclasses.replace(found, xmp=body[29:])
    if code == 0xE2 and body.startswith(b"ICC_PROFILE\0") and len(body) > 14:
        profile.setdefault(body[12], body[14:])
    if code == 0xEE and body.startswith(b"Adobe") and len(body) >= 12:
        return dataclasses.replace(found, adobe_transform=body[11])
    return found
