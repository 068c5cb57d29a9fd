"""Read Photoshop documents: the flattened picture at the end of the file (Adobe Photoshop File Formats).

Layers are ignored. A document saved without "Maximize compatibility" has no flattened picture and is refused.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from packshot.colour.profile import ColourModel
from packshot.formats.blocks import EXIF, ICC, IPTC, VERSION, XMP, read_resources
from packshot.formats.container import Container, DamagedError, NotReadError, Raster, plain_exif
from packshot.formats.findings import extra_channels, on_white_already
from packshot.types import Finding, Size

_HEADER = 26
_MODELS: Mapping[int, tuple[ColourModel, int]] = {
    1: (ColourModel.GREY, 1),
    3: (ColourModel.RGB, 3),
    4: (ColourModel.CMYK, 4),
    8: (ColourModel.GREY, 1),  # duotone: its grey picture
    9: (ColourModel.LAB, 3),
}
_NAMES = {0: "bitmap", 2: "indexed", 7: "multichannel"}
_RAW, _RLE = 0, 1


def read_psd(data: bytes) -> Container:
    """Return the header of a document and its image resources.

    Raises:
        DamagedError: it is cut off, its colour mode is not read, or it has no flattened picture.
    """
    channels, height, width, depth, mode = struct.unpack_from(">HIIHH", data, 12)
    if mode not in _MODELS or depth not in (8, 16):
        raise NotReadError(
            f"a Photoshop document in {_NAMES.get(mode, f'mode {mode}')} at {depth} bits",
            "Convert it to RGB with 8 or 16 bits, and save it again.",
        )
    resources = read_resources(resources_of(data))
    if resources.get(VERSION, b"\0\0\0\1\1")[4:5] == b"\0":
        raise NotReadError(
            "a Photoshop document without a flattened picture",
            "Save it again with 'Maximize compatibility' switched on.",
        )
    return Container(
        size=Size(width, height),
        bit_depth=depth,
        channels=channels,
        icc=resources.get(ICC, b""),
        exif=plain_exif(resources.get(EXIF, b"")),
        xmp=resources.get(XMP, b""),
        iptc=resources.get(IPTC, b""),
    )


def decode_psd(data: bytes, container: Container) -> Raster:
    """Return the flattened picture, as stored. Photoshop has composited a transparent document on white.

    Raises:
        DamagedError: its compression is not read, or pixel data is missing.
    """
    (mode,) = struct.unpack_from(">H", data, 24)
    model, wanted = _MODELS[mode]
    if container.channels < wanted:
        raise DamagedError(f"a Photoshop document of {container.channels} channels, which need {wanted}")
    planes = _planes(data, _after_layers(data), container, wanted)
    pixels = planes[0] if wanted == 1 else np.ascontiguousarray(np.moveaxis(planes, 0, -1))
    if model is ColourModel.CMYK:  # stored as light, not as ink
        pixels = np.iinfo(pixels.dtype).max - pixels
    return Raster(pixels, model, findings=_channel_findings(data, container.channels - wanted))


def _planes(data: bytes, at: int, container: Container, wanted: int) -> NDArray[Any]:
    """Return (channels, rows, columns). Channels are stored one after the other, raw or compressed with PackBits."""
    width, height = container.size
    (compression,) = struct.unpack_from(">H", data, at)
    dtype = np.dtype(f">u{container.bit_depth // 8}")
    needed = wanted * height * width * dtype.itemsize
    at += 2
    if compression == _RAW:
        packed = data[at : at + needed]
    elif compression == _RLE:
        packed = _unpacked(data, at, container, wanted, needed)
    else:
        raise NotReadError(
            f"a Photoshop document with compression {compression}", "Save it again with Photoshop's usual compression."
        )
    if len(packed) < needed:
        raise DamagedError(f"a Photoshop document with {len(packed)} of {needed} bytes of its picture: it was cut off")
    planes = np.frombuffer(packed, dtype, wanted * height * width).reshape(wanted, height, width)
    return planes.astype(dtype.newbyteorder("="))


def _unpacked(data: bytes, at: int, container: Container, wanted: int, needed: int) -> bytes:
    rows = container.channels * container.size.height
    counts = np.frombuffer(data, ">u4" if _is_large(data) else ">u2", rows, at).astype(np.int64)
    start = at + rows * (4 if _is_large(data) else 2)
    length = int(counts[: wanted * container.size.height].sum())
    if start + length > len(data):
        raise DamagedError("a Photoshop document whose picture runs past its end: it was cut off")
    return bytes(imagecodecs.packbits_decode(data[start : start + length], out=needed))


def _is_large(data: bytes) -> bool:
    """Return True for a PSB file (version 2). It has wider length fields."""
    return data[5] == 2


def resources_of(data: bytes) -> bytes:
    at = _HEADER + 4 + struct.unpack_from(">I", data, _HEADER)[0]
    (size,) = struct.unpack_from(">I", data, at)
    return data[at + 4 : at + 4 + size]


def _layers_at(data: bytes) -> int:
    at = _HEADER + 4 + struct.unpack_from(">I", data, _HEADER)[0]
    return int(at + 4 + struct.unpack_from(">I", data, at)[0])


def _after_layers(data: bytes) -> int:
    at = _layers_at(data)
    code, width = (">Q", 8) if _is_large(data) else (">I", 4)
    return int(at + width + struct.unpack_from(code, data, at)[0])


def _channel_findings(data: bytes, extra: int) -> tuple[Finding, ...]:
    """Return findings on extra channels.

    A negative layer count means that the first extra channel is the transparency of the flattened picture.
    """
    at, width = _layers_at(data), 8 if _is_large(data) else 4
    transparent = (
        extra > 0
        and _after_layers(data) >= at + 2 * width + 2
        and struct.unpack_from(">h", data, at + 2 * width)[0] < 0
    )
    others = extra - transparent
    return (*((on_white_already(),) if transparent else ()), *((extra_channels(others),) if others > 0 else ()))
