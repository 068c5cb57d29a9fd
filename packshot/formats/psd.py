"""Read Photoshop documents: the flattened picture at the end of the file (Adobe Photoshop File Formats).

A document saved without "Maximize compatibility" has no flattened picture and is refused. `psd_layers` reads layers.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from packshot.colour.profile import ColourModel
from packshot.formats.blocks import EXIF, ICC, IPTC, VERSION, XMP, read_resources
from packshot.formats.container import Container, DamagedError, NotReadError, Raster, plain_exif
from packshot.formats.findings import extra_channels, inks_left_out, on_white_already
from packshot.types import Finding, Size

_HEADER = 26
_MODELS: Mapping[int, tuple[ColourModel, int]] = {
    1: (ColourModel.GREY, 1),
    3: (ColourModel.RGB, 3),
    4: (ColourModel.CMYK, 4),
    8: (ColourModel.GREY, 1),
    9: (ColourModel.LAB, 3),
}
_DUOTONE = 8
_NAMES = {0: "bitmap", 2: "indexed", 7: "multichannel"}
_RAW, _RLE = 0, 1
_MOST_CHANNELS = 56
_LONG_IN_PSB = {b"LMsk", b"Lr16", b"Lr32", b"Layr", b"Mt16", b"Mt32", b"Mtrn", b"Alph", b"FMsk", b"lnk2", b"FEid"}
_LONG_IN_PSB |= {b"FXid", b"PxSD"}


class Sections(NamedTuple):
    """Where the parts of a Photoshop document are in its file, as offsets in bytes.

    Attributes:
        layers: offset of the content of the layer section.
        picture: offset of the flattened picture, which is also the end of the layer section.
    """

    layers: int
    picture: int


class TaggedBlock(NamedTuple):
    """A block in the layer section of a Photoshop document.

    Attributes:
        key: four letters that say what the block holds, for example ``b"luni"`` for a layer's name.
        at: offset of its content in the file.
        size: number of bytes of its content.
    """

    key: bytes
    at: int
    size: int


class ExtraPlanes(NamedTuple):
    """The channels of a document's flattened picture beyond its colours, each (rows, columns) uint8 or uint16.

    Attributes:
        transparency: transparency of the flattened picture, the greatest value is opaque; None if it has none.
        saved: selections that somebody saved, in the order of the file.
    """

    transparency: NDArray[Any] | None
    saved: tuple[NDArray[Any], ...]


def read_psd(data: bytes) -> Container:
    """Return the header of a Photoshop document: size, bit depth, channels, ICC profile, metadata and image resources.

    The image resources contain the paths and the names of channels.

    Args:
        data: the whole file.
    Raises:
        DamagedError: the file is no Photoshop document.
        struct.error: the document ends inside its header.
    """
    if data[:4] != b"8BPS":
        raise DamagedError("no Photoshop document: it does not begin as one")
    channels, height, width, depth, _ = struct.unpack_from(">HIIHH", data, 12)
    stored = data[slice(*_resources(data))]
    resources = read_resources(stored)
    return Container(
        size=Size(width, height),
        bit_depth=depth,
        channels=channels,
        icc=resources.get(ICC, b""),
        exif=plain_exif(resources.get(EXIF, b"")),
        xmp=resources.get(XMP, b""),
        iptc=resources.get(IPTC, b""),
        resources=stored,
    )


def decode_psd(data: bytes, container: Container) -> Raster:
    """Return the flattened picture of a Photoshop document, as stored.

    Photoshop has composited a transparent document on white; a warning then says so. Channels beyond colour and
    transparency are left out, with a warning. Of a duotone the grey picture is taken, with a warning.

    Args:
        data: the whole file.
        container: its header, from `read_psd`.
    Raises:
        NotReadError: the document's colour mode or compression is not read, or it has no flattened picture.
        DamagedError: pixel data is missing.
    """
    model, wanted = _model_of(data, container)
    if read_resources(container.resources).get(VERSION, b"\0\0\0\1\1")[4:5] == b"\0":
        raise NotReadError(
            "a Photoshop document without a flattened picture",
            "Save it again with 'Maximize compatibility' switched on.",
        )
    if container.channels < wanted:
        raise DamagedError(f"a Photoshop document of {container.channels} channels, which need {wanted}")
    planes = _planes(data, container, wanted)
    pixels = planes[0] if wanted == 1 else np.ascontiguousarray(np.moveaxis(planes, 0, -1))
    if model is ColourModel.CMYK:  # stored as light, not as ink
        pixels = np.iinfo(pixels.dtype).max - pixels
    inks = (inks_left_out(),) if _mode_of(data) == _DUOTONE else ()
    return Raster(pixels, model, findings=(*inks, *_channel_findings(data, container.channels - wanted)))


def _mode_of(data: bytes) -> int:
    return int(struct.unpack_from(">H", data, 24)[0])


def _model_of(data: bytes, container: Container) -> tuple[ColourModel, int]:
    """Return the colour model of a document, and its number of colour channels."""
    mode = _mode_of(data)
    if mode not in _MODELS or container.bit_depth not in (8, 16):
        raise NotReadError(
            f"a Photoshop document in {_NAMES.get(mode, f'mode {mode}')} at {container.bit_depth} bits",
            "Convert it to RGB with 8 or 16 bits, and save it again.",
        )
    return _MODELS[mode]


def extra_planes(data: bytes, container: Container) -> ExtraPlanes:
    """Return the channels of a document's flattened picture beyond its colours: transparency and saved selections.

    A document without such channels, or with more than 56 channels in all, has neither.

    Args:
        data: the whole file.
        container: its header, from `read_psd`.
    Raises:
        DamagedError: the colour mode or the compression is not read, or pixel data is missing.
    """
    _, colours = _model_of(data, container)
    if not colours < container.channels <= _MOST_CHANNELS:
        return ExtraPlanes(None, ())
    planes = list(_planes(data, container, container.channels)[colours:])
    return ExtraPlanes(planes.pop(0) if _is_transparent(data) else None, tuple(planes))


def _planes(data: bytes, container: Container, wanted: int) -> NDArray[Any]:
    """Return (channels, rows, columns). Channels are stored one after the other, raw or compressed with PackBits."""
    at = sections(data).picture
    width, height = container.size
    (compression,) = struct.unpack_from(">H", data, at)
    dtype = np.dtype(f">u{container.bit_depth // 8}")
    needed = wanted * height * width * dtype.itemsize
    at += 2
    if compression == _RAW:
        packed = data[at : at + needed]
    elif compression == _RLE:
        packed = _unpacked(data, at, container, wanted)
    else:
        raise NotReadError(
            f"a Photoshop document with compression {compression}", "Save it again with Photoshop's usual compression."
        )
    if len(packed) < needed:
        raise DamagedError(f"a Photoshop document with {len(packed)} of {needed} bytes of its picture: it was cut off")
    planes = np.frombuffer(packed, dtype, wanted * height * width).reshape(wanted, height, width)
    return planes.astype(dtype.newbyteorder("="))


def _unpacked(data: bytes, at: int, container: Container, wanted: int) -> bytes:
    rows = container.channels * container.size.height
    counts = np.frombuffer(data, ">u4" if is_large(data) else ">u2", rows, at)
    start = at + rows * (4 if is_large(data) else 2)
    wanted_counts = counts[: wanted * container.size.height]
    return unpacked_rows(data[start:], wanted_counts, row_bytes=container.size.width * (container.bit_depth // 8))


def unpacked_rows(stored: bytes, lengths: NDArray[Any], *, row_bytes: int) -> bytes:
    """Return decompressed rows, one after the other. Photoshop compresses each row by itself with PackBits.

    Args:
        stored: the compressed rows, one after the other.
        lengths: number of bytes of each compressed row.
        row_bytes: number of bytes of each decompressed row.
    Raises:
        DamagedError: the data ends before the end of the last row, or a decompressed row is longer or shorter than
            `row_bytes`.
        imagecodecs.ImcdError: a row is no valid PackBits.
    """
    ends = np.cumsum(lengths, dtype=np.int64)
    if ends.size and ends[-1] > len(stored):
        raise DamagedError("a Photoshop document whose picture runs past its end: it was cut off")
    rows = []
    for number, (end, length) in enumerate(zip(ends.tolist(), lengths.tolist(), strict=True)):
        row = imagecodecs.packbits_decode(stored[end - length : end])
        if len(row) != row_bytes:
            raise DamagedError(f"a damaged Photoshop document: row {number} has {len(row)} of {row_bytes} bytes")
        rows.append(row)
    return b"".join(rows)


def is_large(data: bytes) -> bool:
    """Return True for a PSB file (version 2 of Photoshop's format, for large documents). Its length fields are wider.

    Args:
        data: the file, at least its first 6 bytes.
    """
    return data[5] == 2


def length_at(data: bytes, at: int) -> tuple[int, int]:
    """Return (the length field at an offset, the offset after the field), in bytes. In a PSB file the field is wider.

    Args:
        data: the whole file, whose header says whether it is a PSB.
        at: offset of the field.
    Raises:
        struct.error: the file ends inside the field.
    """
    code, width = (">Q", 8) if is_large(data) else (">I", 4)
    return int(struct.unpack_from(code, data, at)[0]), at + width


def sections(data: bytes) -> Sections:
    """Return where the layers and the flattened picture of a Photoshop document are in its file.

    Args:
        data: the whole file.
    Raises:
        struct.error: the document ends before the last part.
    """
    _, end = _resources(data)
    length, layers = length_at(data, end)
    return Sections(layers, layers + length)


def _resources(data: bytes) -> tuple[int, int]:
    """Return where the image resources begin and end."""
    at = _HEADER + 4 + struct.unpack_from(">I", data, _HEADER)[0]
    return at + 4, at + 4 + struct.unpack_from(">I", data, at)[0]


def tagged_blocks(data: bytes, at: int, end: int) -> Iterator[TaggedBlock]:
    """Yield the tagged blocks ("additional layer information") of a Photoshop document between two offsets, in order.

    The padding between blocks differs between programs, so up to 3 bytes are skipped. Reading ends where no block
    follows. A block that runs past `end` is cut off there.

    Args:
        data: the whole file.
        at, end: offsets in the file.
    """
    while at + 12 <= end:
        places = (at + skip for skip in range(4))
        start = next((one for one in places if data[one : one + 4] in (b"8BIM", b"8B64")), -1)
        if start < 0:
            return
        key = data[start + 4 : start + 8]
        wide = is_large(data) and key in _LONG_IN_PSB
        (size,) = struct.unpack_from(">Q" if wide else ">I", data, start + 8)
        content = start + (16 if wide else 12)
        yield TaggedBlock(key, content, min(size, max(0, end - content)))
        at = content + size


def layer_count_at(data: bytes) -> int | None:
    """Return the offset at which a Photoshop document stores the number of its layers; None without layers.

    The number is in the layer section. With 16 or 32 bits per channel it is in a block after that section.

    Args:
        data: the whole file.
    Raises:
        struct.error: the document ends too early.
    """
    start, end = sections(data)
    if start + 4 > end:
        return None
    inside, at = length_at(data, start)
    if inside:
        return at if at + 2 <= end else None
    at += 4 + struct.unpack_from(">I", data, at)[0]
    blocks = tagged_blocks(data, at, end)
    return next((one.at for one in blocks if one.key in (b"Lr16", b"Lr32", b"Layr") and one.size >= 2), None)


def _is_transparent(data: bytes) -> bool:
    """Return True if the first extra channel is the transparency of the flattened picture: a negative layer count."""
    at = layer_count_at(data)
    return at is not None and struct.unpack_from(">h", data, at)[0] < 0


def _channel_findings(data: bytes, extra: int) -> tuple[Finding, ...]:
    transparent = extra > 0 and _is_transparent(data)
    others = extra - transparent
    return (*((on_white_already(),) if transparent else ()), *((extra_channels(others),) if others > 0 else ()))
