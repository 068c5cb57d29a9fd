"""Write a Photoshop document of masked layers, 16 bits per channel (Adobe Photoshop File Formats, 2019).

In 16-bit documents the layers are in a tagged block, ``Lr16``, after an empty layer list.
"""

from __future__ import annotations

import dataclasses
import struct
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from packshot.colour.spaces import WHITE_16, working_profile
from packshot.formats.blocks import Block, join_blocks, pascal
from packshot.types import Matte, Pixels16, Size

_RGB, _DEPTH = 3, 16
_RESOLUTION, _PROFILE, _VERSION, _CHANNEL_NAMES = 1005, 1039, 1057, 1006
_DPI = 300
_PACKED, _ZIP_PREDICTED = 1, 3
_TRANSPARENCY, _MASK = -1, -2
_DEFLATE_LEVEL = 1
_LONGEST_SIDE = 30_000
_MOST_BYTES = 2**31


@dataclasses.dataclass(frozen=True)
class Layer:
    """One layer of a Photoshop document, at the size of the document.

    Attributes:
        name: the layer's name.
        pixels: (rows, columns, 3) uint16, Adobe RGB.
        cover: (rows, columns) float32 in 0..1, the layer's own transparency. 1 is opaque.
        mask: (rows, columns) float32 in 0..1, the editable layer mask. 1 is visible.
    """

    name: str
    pixels: Pixels16
    cover: Matte
    mask: Matte


def fits(size: Size, *, layers: int) -> bool:
    """Return whether a document is small enough for a PSD: 30,000 px a side, and less than 2 GiB before compression.

    Args:
        size: size of the document in pixels.
        layers: number of layers.
    """
    planes = 5 * layers + 4
    return size.longest <= _LONGEST_SIDE and planes * size.width * size.height * 2 < _MOST_BYTES


def write_layers(layers: Sequence[Layer]) -> bytes:
    """Return a Photoshop document (PSD) of masked layers, as bytes.

    It has 16 bits per channel and the profile of Adobe RGB. It also holds the layers flattened on white, and the
    transparency of the flattened picture.

    Args:
        layers: the lowest first; at least one, all of one size that `fits`.
    """
    height, width = layers[0].pixels.shape[:2]
    picture, cover = flattened(layers)
    inside = _layer_list(layers)
    block = b"8BIM" + b"Lr16" + struct.pack(">I", len(inside)) + inside
    section = struct.pack(">II", 0, 0) + block
    resources = _resources()
    return b"".join(
        (
            struct.pack(">4sH6xHIIHH", b"8BPS", 1, 4, height, width, _DEPTH, _RGB),
            struct.pack(">I", 0),
            struct.pack(">I", len(resources)) + resources,
            struct.pack(">I", len(section)) + section,
            _flat_planes(np.dstack([picture, _levels(cover)])),
        )
    )


def flattened(layers: Iterable[Layer]) -> tuple[Pixels16, Matte]:
    """Return (pixels, coverage): the layers composited on white, and the coverage of each pixel.

    The pixels are (rows, columns, 3) uint16, Adobe RGB; the coverage is (rows, columns) float32 in 0..1. As in
    Photoshop, layers are blended in encoded values, not in linear light.

    Args:
        layers: the lowest first; at least one, all of one size.
    """
    premultiplied: NDArray[np.float32] | None = None
    covered: Matte | None = None
    for layer in layers:
        share = layer.cover * layer.mask
        if premultiplied is None or covered is None:
            premultiplied, covered = layer.pixels * share[..., None], share
            continue
        premultiplied = layer.pixels * share[..., None] + (1 - share[..., None]) * premultiplied
        covered = share + (1 - share) * covered
    assert premultiplied is not None
    assert covered is not None
    picture = premultiplied + (1 - covered[..., None]) * WHITE_16
    return np.rint(np.clip(picture, 0, WHITE_16)).astype(np.uint16), covered


def _resources() -> bytes:
    dots = struct.pack(">IHHIHH", _DPI << 16, 1, 1, _DPI << 16, 1, 1)
    program = "Packshot"
    wide = struct.pack(">I", len(program)) + program.encode("utf-16-be")
    version = struct.pack(">IB", 1, 1) + wide + wide + struct.pack(">I", 1)
    blocks = ((_RESOLUTION, dots), (_CHANNEL_NAMES, pascal(b"Transparency")), (_PROFILE, working_profile()))
    return join_blocks(Block(number, b"", content) for number, content in (*blocks, (_VERSION, version)))


def _layer_list(layers: Sequence[Layer]) -> bytes:
    """Return the layer records and their channels.

    A negative layer count means that the first extra channel of the flattened picture is its transparency.
    """
    records, planes = [], []
    for index, layer in enumerate(layers):
        stored = [_plane(values) for values in (_levels(layer.cover), *np.moveaxis(layer.pixels, -1, 0))]
        stored.append(_plane(_levels(layer.mask)))
        records.append(_record(layer, index + 1, [len(one) for one in stored]))
        planes += stored
    listed = struct.pack(">h", -len(layers)) + b"".join(records) + b"".join(planes)
    return listed + b"\0" * (-len(listed) % 4)


def _record(layer: Layer, number: int, sizes: Sequence[int]) -> bytes:
    height, width = layer.pixels.shape[:2]
    box = struct.pack(">4i", 0, 0, height, width)
    kinds = (_TRANSPARENCY, 0, 1, 2, _MASK)
    channels = b"".join(struct.pack(">hI", kind, size) for kind, size in zip(kinds, sizes, strict=True))
    mask = struct.pack(">I", 20) + box + struct.pack(">BB2x", 0, 0)
    ranges = struct.pack(">I", 0)
    name = pascal(layer.name.encode("ascii", "replace"))
    name += b"\0" * (-len(name) % 4)
    wide = struct.pack(">I", len(layer.name)) + layer.name.encode("utf-16-be")
    wide += b"\0" * (-len(wide) % 4)
    tagged = b"8BIMluni" + struct.pack(">I", len(wide)) + wide + b"8BIMlyid" + struct.pack(">II", 4, number)
    extra = mask + ranges + name + tagged
    head = box + struct.pack(">H", len(kinds)) + channels + b"8BIMnorm"
    return head + struct.pack(">BBBxI", 255, 0, 0, len(extra)) + extra


def _plane(values: NDArray[np.uint16]) -> bytes:
    """Return a channel with a horizontal predictor, compressed with Deflate."""
    steps = values.copy()
    steps[:, 1:] -= values[:, :-1]
    return struct.pack(">H", _ZIP_PREDICTED) + zlib.compress(steps.astype(">u2").tobytes(), _DEFLATE_LEVEL)


def _flat_planes(planes: NDArray[np.uint16]) -> bytes:
    """Return all channels compressed with PackBits by row. A table of the rows' lengths comes first."""
    rows: list[bytes] = [
        bytes(imagecodecs.packbits_encode(row.tobytes()))
        for channel in np.moveaxis(planes, -1, 0)
        for row in channel.astype(">u2")
    ]
    lengths: NDArray[Any] = np.array([len(row) for row in rows], ">u2")
    return struct.pack(">H", _PACKED) + lengths.tobytes() + b"".join(rows)


def _levels(share: Matte) -> NDArray[np.uint16]:
    return np.asarray(np.rint(np.clip(share, 0, 1) * np.float32(65535)), np.uint16)
