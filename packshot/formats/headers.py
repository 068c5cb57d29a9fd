"""Read file headers: size, frames, bit depth, ICC profile and metadata blocks. No pixel is decoded.

WebP: RFC 9649. GIF: GIF89a. Other formats have modules of their own. Readers raise `DamagedError` with a reason.
"""

from __future__ import annotations

import dataclasses
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping

from packshot.formats.bmp import read_bmp
from packshot.formats.boxes import read_jpeg_xl
from packshot.formats.camera_raw import opened_by_libraw, read_raw
from packshot.formats.container import Container, DamagedError, with_exif
from packshot.formats.heif import read_heif
from packshot.formats.jpeg_header import read_jpeg
from packshot.formats.png import read_png
from packshot.formats.psd import read_psd
from packshot.formats.sniff import FileKind, detect
from packshot.formats.tiff_header import read_tiff
from packshot.types import Size

_FRAMES_COUNTED = 10_000
_MOST_GIF_METADATA = 4_000_000
_LEAST_RAW_BYTES = 50_000
"""Smaller files are no camera RAW of a size that anybody could use."""
_LEAST_GAP = 1024
"""So many zeros in a row are a gap in a WebP: its arithmetic coder would need some ten million likely symbols."""


def identify(data: bytes) -> FileKind:
    """Return the kind of a file, by its content; UNKNOWN if nothing recognises it.

    If its first bytes are not known and it has at least 50,000 bytes, LibRaw is asked whether it is a camera RAW. So it
    is if the file could be a text, but has no line's end in its first 50,000 bytes: sensor values without a header may
    look so.

    Args:
        data: the whole file.
    """
    kind = detect(data)
    endless = kind is FileKind.TEXT and b"\n" not in data[:_LEAST_RAW_BYTES] and b"\r" not in data[:_LEAST_RAW_BYTES]
    asked = (kind is FileKind.UNKNOWN or endless) and len(data) >= _LEAST_RAW_BYTES
    return FileKind.RAW if asked and opened_by_libraw(data) else kind


def read_container(data: bytes, kind: FileKind) -> Container:
    """Return what the header of a file says: size, frames, bit depth, colour space and metadata. No pixel is decoded.

    Args:
        data: the whole file.
        kind: the file's kind, one of `sniff.PICTURES`.
    Raises:
        DamagedError: the header cannot be read, the file ends too early, or this variety of the format is not
            supported.
        KeyError: the kind is none of `sniff.PICTURES`.
    """
    try:
        return _READERS[kind](data)
    except DamagedError:
        raise
    except (struct.error, IndexError) as error:
        raise DamagedError(f"a {kind} that ends inside its own header: damaged, or cut off") from error
    except (zlib.error, ValueError) as error:
        raise DamagedError(f"a {kind} header that cannot be read ({error})") from error


def _read_webp(data: bytes) -> Container:
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        raise DamagedError("no WebP: it does not begin as one")
    (claimed,) = struct.unpack_from("<I", data, 4)
    if claimed + 8 > len(data):
        raise DamagedError(f"a WebP of {len(data)} bytes that should have {claimed + 8}: it was cut off")
    found = Container()
    frames = stills = 0
    for name, body in _webp_chunks(data[: claimed + 8]):
        frames += name == b"ANMF"
        stills += name in (b"VP8 ", b"VP8L")
        found = _with_webp_chunk(found, name, body)
    if not found.size.width:
        raise DamagedError("a WebP without a picture in it")
    if found.coding == "extended" and stills > 1:
        raise DamagedError(f"a WebP of {stills} pictures that are no frames of an animation")
    # A simple file ends with its picture; whatever follows is ignored (RFC 9649, 2.5).
    return dataclasses.replace(found, frames=max(1, frames, stills))


def _webp_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield name and body of each chunk of a WebP (RFC 9649, 2.3)."""
    at = 12
    while at + 8 <= len(data):
        name, (length,) = data[at : at + 4], struct.unpack_from("<I", data, at + 4)
        yield name, data[at + 8 : at + 8 + length]
        at += 8 + length + (length & 1)


def webp_loses(data: bytes) -> bool:
    """Return whether a WebP is compressed with loss (RFC 9649, 2.5). True also for a WebP without a picture.

    Args:
        data: the whole file. Other chunks may come before the picture's.
    """
    return next((name == b"VP8 " for name, _ in _webp_chunks(data) if name in (b"VP8 ", b"VP8L")), True)


def _with_webp_chunk(found: Container, name: bytes, body: bytes) -> Container:
    if name in (b"VP8 ", b"VP8L") and bytes(_LEAST_GAP) in body:
        raise DamagedError("a damaged WebP (a gap of zeros in its picture)")
    if name == b"VP8X":
        width, height = (1 + int.from_bytes(body[at : at + 3], "little") for at in (4, 7))
        return dataclasses.replace(found, size=Size(width, height), coding="extended")
    if name == b"VP8 " and not found.size.width:
        width, height = struct.unpack_from("<HH", body, 6)
        return dataclasses.replace(found, size=Size(width & 0x3FFF, height & 0x3FFF), coding="lossy")
    if name == b"VP8L" and not found.size.width:
        (bits,) = struct.unpack_from("<I", body, 1)
        return dataclasses.replace(found, size=Size((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1), coding="lossless")
    if name == b"ICCP" and not found.icc_named:
        return dataclasses.replace(found, icc=body, icc_named=True)
    if name == b"EXIF":
        return with_exif(found, body)
    if name == b"XMP " and not found.xmp_named:
        return dataclasses.replace(found, xmp=body, xmp_named=True)
    return found


def _read_gif(data: bytes) -> Container:
    if data[:6] not in (b"GIF87a", b"GIF89a"):
        raise DamagedError("no GIF: it does not begin as one")
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    at = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    frames, found = 0, Container()
    while frames < _FRAMES_COUNTED:
        introducer = data[at : at + 1]
        if introducer == b"\x2c":
            frames += 1
            left, top, frame_width, frame_height, local = struct.unpack_from("<HHHHB", data, at + 1)
            width, height = max(width, left + frame_width), max(height, top + frame_height)
            at = _after_blocks(data, at + 11 + (3 << (local & 7) + 1 if local & 0x80 else 0))
        elif introducer == b"\x21":
            found = _with_gif_extension(found, data, at)
            at = _after_blocks(data, at + 2)
        elif introducer == b"\x3b" or (frames and not introducer):
            break
        else:
            raise DamagedError("a GIF that is damaged or was cut off")
    if not frames:
        raise DamagedError("a GIF without a picture in it")
    return dataclasses.replace(found, size=Size(width, height), frames=frames)


def _with_gif_extension(found: Container, data: bytes, at: int) -> Container:
    """Add the XMP or the ICC profile of an application extension (XMP part 3, 1.1.2; ICC.1, annex B)."""
    start = at + 14
    if data[at:start] == b"!\xff\x0bXMP DataXMP" and not found.xmp_named:
        end = data.find(b"\x01\xff\xfe\xfd", start, start + _MOST_GIF_METADATA)
        return dataclasses.replace(found, xmp=data[start : max(end, start)], xmp_named=True)
    if data[at:start] == b"!\xff\x0bICCRGBG1012" and not found.icc_named:
        blocks: list[bytes] = []
        while data[start] and len(blocks) * 255 < _MOST_GIF_METADATA:
            blocks.append(data[start + 1 : start + 1 + data[start]])
            start += 1 + data[start]
        return dataclasses.replace(found, icc=b"".join(blocks), icc_named=True)
    return found


def _after_blocks(data: bytes, at: int) -> int:
    while data[at]:
        at += data[at] + 1
    return at + 1


_READERS: Mapping[FileKind, Callable[[bytes], Container]] = {
    FileKind.JPEG: read_jpeg,
    FileKind.PNG: read_png,
    FileKind.WEBP: _read_webp,
    FileKind.GIF: _read_gif,
    FileKind.BMP: read_bmp,
    FileKind.TIFF: read_tiff,
    FileKind.PSD: read_psd,
    FileKind.HEIC: read_heif,
    FileKind.AVIF: read_heif,
    FileKind.JPEG_XL: read_jpeg_xl,
    FileKind.RAW: read_raw,
}
