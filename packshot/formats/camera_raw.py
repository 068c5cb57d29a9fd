"""Develop camera RAW files from the sensor values. The preview picture in the file is never used.

LibRaw (through rawpy) recognises the camera, unpacks the values and demosaics them. Every picture is developed with the
same settings. Settings that depend on the content are off: automatic brightness, automatic white balance, and scaling
by the brightest value. Otherwise two pictures in the same light would come out different.

LibRaw fills missing data with black and reports it on the standard error stream only. So this module checks for itself.
Before decoding, it checks that every part of the file lies within the file. After decoding, it looks for empty sensor
rows, and follows the codes of sensor values that are stored as lossless JPEG.
"""

from __future__ import annotations

import contextlib
import io
import struct
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import rawpy
from numpy.typing import NDArray

from packshot.colour.profile import ColourModel
from packshot.colour.spaces import encode_working, working_profile
from packshot.formats.boxes import boxes
from packshot.formats.container import Container, DamagedError, NotReadError, Raster
from packshot.formats.ifd import Directory, TiffBytes, open_tiff
from packshot.formats.jpeg_codes import NotCompiledError
from packshot.formats.raw_streams import damage_in_lossless, is_lossless
from packshot.types import Finding, Pixels16, Size, Status

_PANASONIC_START = 280
_SUB_IMAGES, _STRIPS, _STRIP_BYTES, _TILES, _TILE_BYTES = 330, 273, 279, 324, 325
_SOMEWHERE = 0xFFFFFFFF
"""Panasonic cameras write this value instead of a strip's offset. The real offset is in a tag of their own."""
_COMPRESSION, _PHOTOMETRIC = 259, 262
_SENSOR_VALUES = (32803, 34892)
_UNREAD_COMPRESSIONS = {52546: "JPEG XL compression", 50002: "JPEG XL compression"}
_JPEG_COMPRESSIONS = (6, 7)
_DNG_VERSION, _FIRST_RIGHT_VERSION = 50706, bytes((1, 1, 0, 0))
_OPCODE_LISTS = (51008, 51009, 51022)
_LENS = {1: "distortion", 2: "distortion", 14: "distortion", 3: "shading", 9: "shading"}
"""Opcodes of a DNG that correct its lens (DNG 1.7.1, chapter 7), and what each corrects. LibRaw does none of them."""
_MOST_OPCODES = 64
_EMPTY_ROWS_RATIO = 0.005
_LEAST_BYTES_A_PIXEL = 1 / 64
"""Minimum file size in bytes per sensor pixel. A smaller file was cut off.

For comparison: lossy JPEG needs at least 6 bits for each block of 64 pixels, and noise needs many more.
"""
_XMP_TAG, _XMP_UUID = 700, bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_CANON_METADATA = (b"CMT1", b"CMT2")
_WHITE_16 = 65535
_ROWS_AT_ONCE = 256


def read_raw(data: bytes) -> Container:
    """Return what a camera RAW says: the size of the upright picture, bit depth, and the camera's EXIF and XMP.

    No sensor value is unpacked. The ICC profile is that of Adobe RGB, in which the picture will be developed. `coding`
    says in words where the matrix for the camera's colours comes from. If a DNG asks for corrections of its lens, a
    warning is among the findings, because they are not made.

    Args:
        data: the whole file.
    Raises:
        DamagedError: LibRaw does not know the camera, or a part of the file is missing.
        NotReadError: LibRaw does not read the compression (JPEG XL in a DNG).
    """
    _check_compression(data)
    missing = _missing_part(data)
    if missing:
        raise DamagedError(f"a camera RAW whose {missing}: it was cut off")
    with _opened(data) as raw:
        _check_bytes(len(data), raw.sizes)
        white = int(raw.white_level or _WHITE_16)
        exif, shot = _exif(data)
        return Container(
            size=_developed_size(raw.sizes),
            bit_depth=max(9, min(white.bit_length(), 16)),
            channels=int(raw.num_colors),
            icc=working_profile(),
            exif=exif,
            exif_shot=shot,
            xmp=_xmp(data, exif),
            coding=_camera_colours(raw),
            findings=_lens_left_out(data),
        )


def opened_by_libraw(data: bytes) -> bool:
    """Return True if LibRaw recognises these bytes as a camera RAW.

    Some camera RAW files cannot be recognised by their first bytes. So LibRaw is asked about files of unknown kind.

    Args:
        data: the whole file.
    """
    try:
        with _opened(data) as raw:
            return int(raw.sizes.raw_width) > 0
    except DamagedError:
        return False


def decode_raw(data: bytes, container: Container) -> Raster:
    """Return the picture developed from the sensor values: (rows, columns, 3) uint16, Adobe RGB, upright, full size.

    The white balance is the camera's, or daylight if the file states none. Highlights are clipped. A warning is among
    the findings if daylight was assumed, or if nobody knows the camera's colours. ``codes_out_of_step``, which stops
    automatic approval, is among them if the file's sensor values are damaged: only those that are stored as lossless
    JPEG are looked at.

    Args:
        data: the whole file.
        container: its header, from `read_raw`.
    Raises:
        DamagedError: sensor rows are missing, or LibRaw cannot develop the file.
    """
    with _opened(data) as raw:
        raw.unpack()
        _check_rows(raw)
        balanced = _has_white_balance(raw)
        try:
            linear = raw.postprocess(
                use_camera_wb=balanced,
                use_auto_wb=False,
                half_size=False,
                output_bps=16,
                gamma=(1, 1),
                no_auto_bright=True,
                adjust_maximum_thr=0.0,
                highlight_mode=rawpy.HighlightMode.Clip,
                output_color=rawpy.ColorSpace.Adobe,
            )
        except rawpy.LibRawError as error:
            raise DamagedError(f"a camera RAW that cannot be developed ({_said(error)})") from error
    return Raster(
        _encoded(linear),
        ColourModel.RGB,
        findings=(*_doubts(container, balanced=balanced), *_broken_codes(data)),
        developed=f"{container.coding}, {'camera' if balanced else 'daylight'} white balance",
    )


def _developed_size(sizes: Any) -> Size:
    """Return the size after development. Non-square sensor pixels are resampled to square ones."""
    width, height, aspect = int(sizes.iwidth), int(sizes.iheight), float(sizes.pixel_aspect)
    return Size(width, round(height / aspect)) if aspect < 1 else Size(round(width * aspect), height)


def _encoded(linear: NDArray[np.uint16]) -> Pixels16:
    """Return linear values encoded for the working space. A one-channel sensor gives three equal channels.

    Works in strips of rows to save memory.
    """
    encoded = np.empty((*linear.shape[:2], 3), np.uint16)
    for top in range(0, linear.shape[0], _ROWS_AT_ONCE):
        rows = slice(top, top + _ROWS_AT_ONCE)
        strip = linear[rows].reshape(-1, linear.shape[1], linear.shape[2] if linear.ndim == 3 else 1)
        encoded[rows] = encode_working(np.divide(strip, _WHITE_16, dtype=np.float32))
    return encoded


@contextlib.contextmanager
def _opened(data: bytes) -> Iterator[Any]:
    try:
        raw = rawpy.imread(io.BytesIO(data))
    except rawpy.LibRawError as error:
        raise DamagedError(f"a camera RAW that LibRaw does not open ({_said(error)})") from error
    with raw:
        try:
            yield raw
        except rawpy.LibRawError as error:
            raise DamagedError(f"a camera RAW that cannot be unpacked ({_said(error)})") from error


def _said(error: Exception) -> str:
    if isinstance(error, rawpy.LibRawIOError):
        return "it ends before its sensor values do"
    if isinstance(error, rawpy.LibRawFileUnsupportedError):
        return "cut off, damaged, or of a camera that LibRaw does not know"
    word = error.args[0] if error.args else error
    return word.decode("utf-8", "replace") if isinstance(word, bytes) else str(word)


def _camera_colours(raw: Any) -> str:
    """Return, in words, where the camera's colour matrix comes from: LibRaw's table of cameras, or the file itself."""
    if np.any(raw.rgb_xyz_matrix):
        return "camera RGB by LibRaw's matrix"
    return "camera RGB by the file's matrix" if np.any(raw.color_matrix) else "camera RGB without a matrix"


def _has_white_balance(raw: Any) -> bool:
    return all(factor > 0 for factor in raw.camera_whitebalance[:3])


def _doubts(container: Container, *, balanced: bool) -> Iterator[Finding]:
    if not balanced:
        message = "The camera noted no white balance; daylight was assumed."
        yield Finding(code="white_balance_assumed", status=Status.WARNING, message=message)
    if container.coding.endswith("without a matrix"):
        message = "Neither the file nor LibRaw knows what this camera's colours mean; they were taken for Adobe RGB."
        yield Finding(code="profile_assumed", status=Status.WARNING, message=message)


def _check_bytes(n_bytes: int, sizes: Any) -> None:
    """Check that the file is long enough for its sensor size.

    LibRaw also opens a file that is only a header. It then develops uninitialised memory.
    """
    pixels = int(sizes.raw_width) * int(sizes.raw_height)
    if n_bytes < pixels * _LEAST_BYTES_A_PIXEL:
        raise DamagedError(f"a camera RAW of {n_bytes:,} bytes for {pixels:,} sensor pixels: it was cut off")


def _check_rows(raw: Any) -> None:
    """Check that the sensor rows were read.

    A sensor has noise in every row. A row with one single value, at or below the black level, was never read.
    """
    values: NDArray[Any] = raw.raw_image_visible
    flat = values.reshape(values.shape[0], -1)
    highest = flat.max(axis=1)
    empty = (flat.min(axis=1) == highest) & (highest <= max(int(level) for level in raw.black_level_per_channel))
    share = float(empty.mean())
    if share > _EMPTY_ROWS_RATIO:
        raise DamagedError(f"a camera RAW of which {share:.0%} of the sensor's rows hold nothing: it was cut off")


def _broken_codes(data: bytes) -> tuple[Finding, ...]:
    """Return the finding on damage in the sensor values' streams, for those that are lossless JPEG."""
    tiff = open_tiff(data)
    directories = list(_all_directories(tiff)) if tiff else []
    if any(_DNG_VERSION in one and one.bytes_of(_DNG_VERSION) < _FIRST_RIGHT_VERSION for one in directories):
        return ()  # their largest differences are followed by bits that T.81 does not have
    streams = [one for one in _streams(directories, data) if is_lossless(one)]
    try:
        damage = [(number, words) for number, one in enumerate(streams) if (words := damage_in_lossless(one))]
    except NotCompiledError as error:
        message = f"Small damage in this camera RAW was not looked for: numba can't be used here ({error})."
        return (Finding(code="damage_not_looked_for", status=Status.WARNING, message=message),)
    if not damage:
        return ()
    (number, words), several = damage[0], len(streams) > 1
    message = f"The camera RAW's sensor values{f', in part {number + 1} of {len(streams)},' if several else ''} have "
    return (
        Finding(
            code="codes_out_of_step",
            status=Status.FAILED,
            message=f"{message}{words}: bytes were lost or changed.",
            measured=len(damage),
            gate=True,
        ),
    )


def _streams(directories: Iterable[Directory], data: bytes) -> Iterator[bytes]:
    """Yield the parts of the pictures that begin as a JPEG does, together at most as long as the file.

    Only in a file that was made to cost time and memory are they longer, because they overlap.
    """
    left = len(data)
    for directory in directories:
        if directory.whole(_COMPRESSION) not in _JPEG_COMPRESSIONS:
            continue
        for starts, lengths in ((_TILES, _TILE_BYTES), (_STRIPS, _STRIP_BYTES)):
            for at, size in zip(directory.wholes(starts), directory.wholes(lengths), strict=False):
                left -= size
                if left < 0:
                    return
                if data[at : at + 2] == b"\xff\xd8":
                    yield data[at : at + size]


def _check_compression(data: bytes) -> None:
    """Name a compression that LibRaw does not read: it would call the file damaged.

    Raises:
        NotReadError: the picture has such a compression.
    """
    tiff = open_tiff(data)
    for directory in _all_directories(tiff) if tiff else ():
        name = _UNREAD_COMPRESSIONS.get(directory.whole(_COMPRESSION))
        if name and directory.whole(_PHOTOMETRIC) in _SENSOR_VALUES:
            advice = "Convert it to a DNG of version 1.4 or older, or develop it to a 16-bit TIFF."
            raise NotReadError(f"a DNG with {name}", advice)


def _lens_left_out(data: bytes) -> tuple[Finding, ...]:
    """Return the finding on corrections of the lens that a DNG asks for. Phones and some cameras rely on them."""
    tiff = open_tiff(data)
    lists = [
        directory.bytes_of(tag)
        for directory in (_all_directories(tiff) if tiff else ())
        if directory.whole(_PHOTOMETRIC, -1) in _SENSOR_VALUES
        for tag in _OPCODE_LISTS
    ]
    asked = sorted({_LENS[code] for one in lists for code in _opcodes(one) if code in _LENS})
    if not asked:
        return ()
    message = f"The DNG asks for corrections of its lens ({' and '.join(asked)}), which were not made."
    return (Finding(code="lens_not_corrected", status=Status.WARNING, message=message),)


def _opcodes(stored: bytes) -> Iterator[int]:
    """Yield the codes of a DNG's list of opcodes, as far as the list is whole."""
    at = 4
    for _ in range(min(int.from_bytes(stored[:4], "big"), _MOST_OPCODES)):
        if at + 16 > len(stored):
            return
        code, _, _, size = struct.unpack_from(">4I", stored, at)
        yield code
        at += 16 + size


def _missing_part(data: bytes) -> str:
    """Return which part of the file lies beyond its end. The result is empty if none does, or if the format does not
    say."""
    if data[4:8] == b"ftyp":
        return _missing_box(data)
    if data.startswith(b"FUJIFILM"):
        at, size = struct.unpack_from(">II", data, 100) if len(data) >= 108 else (0, 0)
        return "sensor values end beyond the file" if not size or at + size > len(data) else ""
    tiff = open_tiff(data)
    if tiff is None:
        return ""
    directories = list(_all_directories(tiff))
    if not directories:
        return "directory is missing"
    return next((word for directory in directories if (word := _missing_strip(directory, len(data)))), "")


def _missing_box(data: bytes) -> str:
    at = 0
    while at + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        if size == 1 and at + 16 <= len(data):
            (size,) = struct.unpack_from(">Q", data, at + 8)
        size = size or len(data) - at
        if size < 8 or at + size > len(data):
            return f"box {name.decode('latin-1')!r} ends beyond the file"
        at += size
    return ""


def _all_directories(tiff: TiffBytes) -> Iterator[Directory]:
    for directory in tiff.directories(most=8):
        yield directory
        yield from (tiff.directory_at(offset) for offset in directory.wholes(_SUB_IMAGES, most=8))


def _missing_strip(directory: Directory, n_bytes: int) -> str:
    for starts, lengths in ((_TILES, _TILE_BYTES), (_STRIPS, _STRIP_BYTES)):
        offsets, counts = directory.wholes(starts), directory.wholes(lengths)
        if offsets == (_SOMEWHERE,):
            offsets = directory.wholes(_PANASONIC_START)
        if len(counts) != len(offsets):
            counts = (0,) * len(offsets)
        beyond = sum(at + size > n_bytes for at, size in zip(offsets, counts, strict=True))
        if beyond:
            return f"{beyond} of {len(offsets)} parts of a picture lie beyond its end"
    return ""


def _xmp(data: bytes, exif: bytes) -> bytes:
    """Return the XMP packet beside the camera's metadata."""
    if data[4:8] == b"ftyp":
        return next((body[16:] for name, body in boxes(data) if name == b"uuid" and body[:16] == _XMP_UUID), b"")
    tiff = open_tiff(exif)
    return tiff.directory_at(tiff.first).bytes_of(_XMP_TAG) if tiff else b""


def _exif(data: bytes) -> tuple[bytes, bytes]:
    """Return the TIFF stream with the camera's metadata.

    The second item is EXIF's own stream, if the file keeps it apart.
    """
    if data[4:8] == b"ftyp":
        return _canon_exif(data)
    if data.startswith(b"FUJIFILM") and len(data) >= 92:
        at, size = struct.unpack_from(">II", data, 84)
        start = data.find(b"Exif\0\0", at, at + min(size, 65536))
        return (data[start + 6 : at + size], b"") if start >= 0 else (b"", b"")
    if data.startswith(b"\0MRM"):
        start = data.find(b"\0TTW", 0, 65536)
        return (data[start + 8 :], b"") if start >= 0 else (b"", b"")
    return (data if open_tiff(data) else b""), b""


def _canon_exif(data: bytes) -> tuple[bytes, bytes]:
    """Return the two TIFF streams of a CR3 file.

    In moov / uuid, CMT1 holds the main directory and CMT2 that of EXIF.
    """
    for name, body in boxes(data):
        if name == b"moov":
            for inner, content in boxes(body):
                if inner == b"uuid":
                    found = dict(boxes(content[16:]))
                    if _CANON_METADATA[0] in found:
                        return found[_CANON_METADATA[0]], found.get(_CANON_METADATA[1], b"")
    return b"", b""
