"""Detect the kind of a file from its content. The file's name and extension are ignored."""

from __future__ import annotations

import re
from enum import StrEnum

from packshot.formats.ifd import Directory, TiffBytes, open_tiff


class FileKind(StrEnum):
    """A kind of file, found out from the file's content. Each value names the kind for people.

    Packshot opens those in `PICTURES`. The others are named so that a refusal can say what was sent. UNKNOWN is a file
    of none of these kinds.
    """

    JPEG = "JPEG"
    TIFF = "TIFF"
    PNG = "PNG"
    WEBP = "WebP"
    HEIC = "HEIC"
    AVIF = "AVIF"
    JPEG_XL = "JPEG XL"
    JPEG_2000 = "JPEG 2000"
    GIF = "GIF"
    BMP = "BMP"
    RAW = "camera RAW"
    PSD = "Photoshop document"
    SVG = "SVG drawing"
    PDF = "PDF document"
    POSTSCRIPT = "PostScript document"
    HTML = "web page"
    SCRIPT = "drawing script"
    ANYMAP = "portable anymap (PNM)"
    SGI = "SGI picture"
    OPEN_EXR = "OpenEXR picture"
    RADIANCE = "Radiance picture"
    ARCHIVE = "archive"
    VIDEO = "video"
    XML = "XML document"
    TEXT = "text"
    EMPTY = "empty file"
    UNKNOWN = "unknown"


PICTURES = frozenset(
    {
        FileKind.JPEG,
        FileKind.TIFF,
        FileKind.PNG,
        FileKind.WEBP,
        FileKind.HEIC,
        FileKind.AVIF,
        FileKind.JPEG_XL,
        FileKind.GIF,
        FileKind.BMP,
        FileKind.PSD,
        FileKind.RAW,
    }
)
"""Kinds that Packshot opens."""

_STARTS: tuple[tuple[bytes, FileKind], ...] = (
    (b"\xff\xd8", FileKind.JPEG),
    (b"\x89PNG\r\n\x1a\n", FileKind.PNG),
    (b"GIF87a", FileKind.GIF),
    (b"GIF89a", FileKind.GIF),
    (b"8BPS", FileKind.PSD),
    (b"\xff\x0a", FileKind.JPEG_XL),
    (b"\0\0\0\x0cJXL \r\n\x87\n", FileKind.JPEG_XL),
    (b"\0\0\0\x0cjP  \r\n\x87\n", FileKind.JPEG_2000),
    (b"\xff\x4f\xff\x51", FileKind.JPEG_2000),
    (b"FUJIFILM", FileKind.RAW),
    (b"IIRO", FileKind.RAW),
    (b"IIRS", FileKind.RAW),
    (b"MMOR", FileKind.RAW),
    (b"IIU\0", FileKind.RAW),
    (b"II\x1a\0\0\0HEAPCCDR", FileKind.RAW),
    (b"FOVb", FileKind.RAW),
    (b"\0MRM", FileKind.RAW),
    (b"\x01\xda\x00\x01", FileKind.SGI),
    (b"\x01\xda\x01\x01", FileKind.SGI),
    (b"\x76\x2f\x31\x01", FileKind.OPEN_EXR),
    (b"#?RADIANCE", FileKind.RADIANCE),
    (b"%PDF-", FileKind.PDF),
    (b"%!PS", FileKind.POSTSCRIPT),
    (b"\xc5\xd0\xd3\xc6", FileKind.POSTSCRIPT),
    (b"PK\x03\x04", FileKind.ARCHIVE),
    (b"PK\x05\x06", FileKind.ARCHIVE),
    (b"\x1f\x8b", FileKind.ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", FileKind.ARCHIVE),
    (b"Rar!", FileKind.ARCHIVE),
    (b"BZh", FileKind.ARCHIVE),
    (b"\xfd7zXZ\0", FileKind.ARCHIVE),
    (b"\x1aE\xdf\xa3", FileKind.VIDEO),
)
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_WORDS: tuple[tuple[re.Pattern[bytes], FileKind], ...] = (
    (re.compile(rb"<svg[\s>]", re.IGNORECASE), FileKind.SVG),
    (re.compile(rb"<!doctype html|<html[\s>]|<head[\s>]|<body[\s>]", re.IGNORECASE), FileKind.HTML),
    (re.compile(rb"\AP[1-7]\s(?:\s++|#[^\n]*+)*+(\d|WIDTH)"), FileKind.ANYMAP),
    (re.compile(rb"\A\s*+(push graphic-context|viewbox \d)", re.IGNORECASE), FileKind.SCRIPT),
    (re.compile(rb"\A\s*+(<\?xml|<image>|<x:xmpmeta)", re.IGNORECASE), FileKind.XML),
)
_PNG_AS_TEXT = re.compile(rb"[\x89\x09]PNG[\r\n]{1,3}\x1a")
"""The start of a PNG that was sent as text: its line ends were changed, or its eighth bits cut off."""
_CONTROLS = bytes(byte for byte in range(32) if byte not in (9, 10, 13))
_CONTROL = re.compile(b"[%s]" % re.escape(_CONTROLS))
"""Bytes that no text holds. All of a file is searched: sensor values may begin like a text."""
_RAW_PHOTOMETRICS = (32803, 34892)  # colour filter array, linear RAW
_DNG_VERSION, _COMPRESSION, _PHOTOMETRIC, _SUB_IMAGES = 50706, 259, 262, 330
_RAW_COMPRESSIONS = (32767, 32770, 34713, 65000, 65535, 34316)


def detect(data: bytes) -> FileKind:
    """Return the kind of a file, by its content; UNKNOWN if it is none that is known, EMPTY without content.

    Args:
        data: the beginning of the file. To tell a TIFF from a camera RAW, and a text from unknown bytes, the whole file
            is needed.
    """
    if not data:
        return FileKind.EMPTY
    for start, kind in _STARTS:
        if data.startswith(start):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return FileKind.WEBP
    if _PNG_AS_TEXT.match(data):
        return FileKind.PNG
    if data[4:8] == b"ftyp":
        return _by_brands(data)
    if data[:2] == b"BM" and data[14:15] in (b"\x0c", b"\x10", b"\x28", b"\x34", b"\x38", b"\x40", b"\x6c", b"\x7c"):
        return FileKind.BMP
    tiff = open_tiff(data)
    if tiff:
        return FileKind.RAW if data[8:10] == b"CR" or _is_phase_one(data) or _is_raw(tiff) else FileKind.TIFF
    return _by_words(data)


def _is_phase_one(data: bytes) -> bool:
    """Return True for an IIQ: its second header, bytes 8 to 15, names "Raw" in the file's byte order."""
    return data[8:12] in (b"IIII", b"MMMM") and b"Raw" in (data[12:15], data[15:12:-1])


def _by_brands(data: bytes) -> FileKind:
    """Return the kind of an ISO 14496-12 file: from its major brand, then from the compatible ones."""
    size = min(int.from_bytes(data[:4], "big"), 256)
    brands = [data[8:12], *(data[at : at + 4] for at in range(16, size, 4))]
    if brands[0] == b"crx ":
        return FileKind.RAW
    if brands[0] in (b"avif", b"avis") or (b"avif" in brands and brands[0] not in _HEIC_BRANDS - {b"mif1", b"msf1"}):
        return FileKind.AVIF
    if _HEIC_BRANDS.intersection(brands):
        return FileKind.HEIC
    if brands[0] in (b"jp2 ", b"jpx "):
        return FileKind.JPEG_2000
    return FileKind.VIDEO


def _is_raw(tiff: TiffBytes) -> bool:
    """Return True if a TIFF is a camera RAW file: a directory of it has DNG's version or holds sensor values."""
    for directory in tiff.directories(most=8):
        if _DNG_VERSION in directory or _holds_sensor_values(directory):
            return True
        if any(_holds_sensor_values(tiff.directory_at(offset)) for offset in directory.wholes(_SUB_IMAGES, most=8)):
            return True
    return False


def _holds_sensor_values(directory: Directory) -> bool:
    return directory.whole(_PHOTOMETRIC, -1) in _RAW_PHOTOMETRICS or directory.whole(_COMPRESSION) in _RAW_COMPRESSIONS


def _by_words(data: bytes) -> FileKind:
    start = data[:2048]
    for pattern, kind in _WORDS:
        if pattern.search(start):
            return kind
    if _CONTROL.search(data) is None:
        return FileKind.TEXT
    return FileKind.UNKNOWN
