"""Read file headers: size, frames, bit depth, ICC profile and metadata blocks. No pixel is decoded.

JPEG: ITU-T T.81 annex B. PNG: ISO/IEC 15948 (third edition). WebP: RFC 9649. GIF: GIF89a. TIFF: TIFF 6.0.
ISO base media files: see `boxes`.

Readers raise `DamagedError` with a reason. Other modules call `read_container` only.
"""

from __future__ import annotations

import dataclasses
import re
import struct
import zlib
from collections.abc import Callable, Mapping

from packshot.formats.boxes import read_jpeg_xl
from packshot.formats.camera_raw import opened_by_libraw, read_raw
from packshot.formats.container import Container, DamagedError, plain_exif
from packshot.formats.heif import read_heif
from packshot.formats.png import read_png
from packshot.formats.psd import read_psd
from packshot.formats.resources import IPTC, read_resources
from packshot.formats.sniff import FileKind, detect
from packshot.formats.tiff_header import JPEG_FRAME_MARKERS, read_tiff
from packshot.types import Size

_FRAMES_COUNTED = 10_000
_MOST_SCANS = 200
_LEAST_RAW_BYTES = 50_000
"""Smaller files are no camera RAW of a size that anybody could use."""
_HUFFMAN_FRAMES = (0xC0, 0xC1, 0xC2)
_MOST_JPEG_PIXELS_A_BYTE = 600
"""Maximum number of pixels per byte of a JPEG, with some tolerance.

A JPEG codes at least one bit for the mean of each block of 64 pixels. So one byte holds at most 512 pixels.
"""
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")


def identify(data: bytes) -> FileKind:
    """Return the kind of a file; LibRaw is asked about bytes that look like nothing known."""
    kind = detect(data)
    asked = kind is FileKind.UNKNOWN and len(data) >= _LEAST_RAW_BYTES
    return FileKind.RAW if asked and opened_by_libraw(data) else kind


def read_container(data: bytes, kind: FileKind) -> Container:
    """Return what the header of a file says.

    Args:
        kind: one of `sniff.PICTURES`.
    Raises:
        DamagedError: the header cannot be read, or the file ends too early.
    """
    try:
        return _READERS[kind](data)
    except DamagedError:
        raise
    except (struct.error, IndexError) as error:
        raise DamagedError(f"a {kind} that ends inside its own header: damaged, or cut off") from error
    except (zlib.error, ValueError) as error:
        raise DamagedError(f"a {kind} header that cannot be read ({error})") from error


def _read_jpeg(data: bytes) -> Container:
    """Return the header of a JPEG. Reads all segments up to the end-of-image marker.

    Entropy-coded data is skipped: a 0xFF byte in it is always followed by 0x00 or by a restart marker.
    """
    found = Container()
    profile: dict[int, bytes] = {}
    frame: tuple[int, int, int, int] | None = None
    at, scans = 2, 0
    while True:
        marker = _MARKER.search(data, at)
        if marker is None:
            raise DamagedError(f"a JPEG that ends after {len(data)} bytes without its end marker: it was cut off")
        code, at = data[marker.start() + 1], marker.end()
        if code == 0xD9:
            break
        if code in (0x01, 0xD8):
            continue
        scans += code == 0xDA
        if scans > _MOST_SCANS:
            raise DamagedError(f"a JPEG of more than {_MOST_SCANS} scans, each of which costs a pass over the picture")
        (length,) = struct.unpack_from(">H", data, at)
        body = data[at + 2 : at + length]
        at += max(length, 2)
        if code in JPEG_FRAME_MARKERS and frame is None:
            frame = (code, *struct.unpack_from(">BHH", body))
            found = dataclasses.replace(found, channels=body[5])
        elif frame is None or code in (0xE1, 0xE2, 0xED, 0xEE):
            found = _with_jpeg_segment(found, code, body, profile)
    if frame is None:
        raise DamagedError("a JPEG without a picture in it")
    code, depth, height, width = frame
    if code in _HUFFMAN_FRAMES and width * height > len(data) * _MOST_JPEG_PIXELS_A_BYTE:
        raise DamagedError(f"a JPEG of {len(data):,} bytes with a header of {width} x {height} pixels")
    icc = b"".join(profile[index] for index in sorted(profile))
    return dataclasses.replace(
        found, size=Size(width, height), bit_depth=depth, icc=icc, coding=f"SOF{code - 0xC0}", scans=scans
    )


def _with_jpeg_segment(found: Container, code: int, body: bytes, profile: dict[int, bytes]) -> Container:
    if code == 0xE1 and body.startswith(b"Exif\0") and not found.exif:
        return dataclasses.replace(found, exif=plain_exif(body))
    if code == 0xE1 and body.startswith(b"http://ns.adobe.com/xap/1.0/\0") and not found.xmp:
        return dataclasses.replace(found, xmp=body[29:])
    if code == 0xE2 and body.startswith(b"ICC_PROFILE\0") and len(body) > 14:
        profile.setdefault(body[12], body[14:])
    if code == 0xED and body.startswith(b"Photoshop 3.0\0"):
        return dataclasses.replace(found, iptc=found.iptc or read_resources(body[14:]).get(IPTC, b""))
    if code == 0xEE and body.startswith(b"Adobe") and len(body) >= 12:
        return dataclasses.replace(found, adobe_transform=body[11])
    return found


def _read_webp(data: bytes) -> Container:
    (claimed,) = struct.unpack_from("<I", data, 4)
    if claimed + 8 > len(data):
        raise DamagedError(f"a WebP of {len(data)} bytes that should have {claimed + 8}: it was cut off")
    found = Container()
    frames = 0
    at = 12
    while at + 8 <= min(len(data), claimed + 8):
        name, (length,) = data[at : at + 4], struct.unpack_from("<I", data, at + 4)
        body = data[at + 8 : at + 8 + length]
        frames += name == b"ANMF"
        found = _with_webp_chunk(found, name, body)
        at += 8 + length + (length & 1)
    if not found.size.width:
        raise DamagedError("a WebP without a picture in it")
    return dataclasses.replace(found, frames=max(1, frames))


def _with_webp_chunk(found: Container, name: bytes, body: bytes) -> Container:
    if name == b"VP8X":
        width, height = (1 + int.from_bytes(body[at : at + 3], "little") for at in (4, 7))
        return dataclasses.replace(found, size=Size(width, height), coding="extended")
    if name == b"VP8 " and not found.size.width:
        width, height = struct.unpack_from("<HH", body, 6)
        return dataclasses.replace(found, size=Size(width & 0x3FFF, height & 0x3FFF), coding="lossy")
    if name == b"VP8L" and not found.size.width:
        (bits,) = struct.unpack_from("<I", body, 1)
        return dataclasses.replace(found, size=Size((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1), coding="lossless")
    if name == b"ICCP":
        return dataclasses.replace(found, icc=body)
    if name == b"EXIF":
        return dataclasses.replace(found, exif=plain_exif(body))
    return dataclasses.replace(found, xmp=body) if name == b"XMP " else found


def _read_gif(data: bytes) -> Container:
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    at = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    frames = 0
    while frames < _FRAMES_COUNTED:
        introducer = data[at : at + 1]
        if introducer == b"\x2c":
            frames += 1
            left, top, frame_width, frame_height, local = struct.unpack_from("<HHHHB", data, at + 1)
            width, height = max(width, left + frame_width), max(height, top + frame_height)
            at = _after_blocks(data, at + 11 + (3 << (local & 7) + 1 if local & 0x80 else 0))
        elif introducer == b"\x21":
            at = _after_blocks(data, at + 2)
        elif introducer == b"\x3b" or (frames and not introducer):
            break
        else:
            raise DamagedError("a GIF that is damaged or was cut off")
    if not frames:
        raise DamagedError("a GIF without a picture in it")
    return Container(size=Size(width, height), frames=frames)


def _after_blocks(data: bytes, at: int) -> int:
    while data[at]:
        at += data[at] + 1
    return at + 1


def _read_bmp(data: bytes) -> Container:
    (header,) = struct.unpack_from("<I", data, 14)
    if header == 12:
        width, height, _, depth = struct.unpack_from("<HHHH", data, 18)
    else:
        width, height, _, depth = struct.unpack_from("<iiHH", data, 18)
    return Container(size=Size(abs(width), abs(height)), coding=f"{depth} bits a pixel")


_READERS: Mapping[FileKind, Callable[[bytes], Container]] = {
    FileKind.JPEG: _read_jpeg,
    FileKind.PNG: read_png,
    FileKind.WEBP: _read_webp,
    FileKind.GIF: _read_gif,
    FileKind.BMP: _read_bmp,
    FileKind.TIFF: read_tiff,
    FileKind.PSD: read_psd,
    FileKind.HEIC: read_heif,
    FileKind.AVIF: read_heif,
    FileKind.JPEG_XL: read_jpeg_xl,
    FileKind.RAW: read_raw,
}
