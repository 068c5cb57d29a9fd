"""Read the layers of a Photoshop document: their names, masks and transparencies, never their colours.

Adobe Photoshop File Formats, "Layer and Mask Information".
"""

from __future__ import annotations

import dataclasses
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from packshot.formats.container import DamagedError
from packshot.formats.names import decode_name
from packshot.formats.psd import is_large, layer_count_at, length_at, tagged_blocks, unpacked_rows
from packshot.types import Box, Matte, Size

_TRANSPARENCY, _MASK = -1, -2
_RAW, _PACKED, _ZIP, _ZIP_PREDICTED = range(4)
_HIDDEN, _DISABLED, _INVERTED = 2, 2, 4
_MOST_LAYERS, _MOST_CHANNELS = 2000, 60
_MOST_TIMES_CANVAS = 4


@dataclasses.dataclass(frozen=True)
class Plane:
    """A mask or a transparency of a layer: for each pixel a value from 0 (the layer is hidden) to 1 (it is visible).

    The values are still in the file; `LayeredDocument.values` reads them. `LayeredDocument.layers` makes the plane.

    Attributes:
        box: the pixels of the document for which values are stored: (left, top, right, bottom), right and bottom
            excluded. It may reach beyond the document.
        outside: the value of all other pixels of the document, in 0..1. A transparency has 0.
        inverted: True if the values mean the contrary: each stored value v, and `outside` too, must be taken as 1 - v.
            Always False for a transparency.
        at, size: offset and number of the bytes of the stored values in the file.
    """

    box: Box
    outside: float
    inverted: bool
    at: int
    size: int


@dataclasses.dataclass(frozen=True)
class Layer:
    """A layer or group of a Photoshop document, without its colours.

    Attributes:
        name: the layer's name.
        visible: False if the layer itself is hidden. A group that contains it may be hidden all the same.
        mask: the layer mask; None if there is none, or if it is disabled.
        transparency: the layer's own transparency; None if it has none, or no pixels.
        vector: the bytes of its vector mask: path records, as in a saved path (Adobe Photoshop File Formats, "Path
            resource format"); empty if there is none, or if it is disabled.
        vector_inverted: True if the vector mask shows what lies outside its path.
    """

    name: str
    visible: bool
    mask: Plane | None
    transparency: Plane | None
    vector: bytes
    vector_inverted: bool


@dataclasses.dataclass
class _Record:
    box: Box
    channels: list[tuple[int, int]]
    visible: bool
    name: str = ""
    mask_box: Box | None = None
    mask_outside: int = 0
    mask_flags: int = 0
    vector: bytes = b""


class LayeredDocument:
    """A Photoshop document whose layers are read one at a time, to find the mask that an editor made.

    Args:
        data: the whole file.
    Attributes:
        size: size of the document, in pixels.
    Raises:
        struct.error: the file ends inside its header.
    """

    def __init__(self, data: bytes) -> None:
        height, width, self._depth = struct.unpack_from(">IIH", data, 14)
        self.size = Size(width, height)
        self._data = data

    def layers(self) -> Iterator[Layer]:
        """Yield the layers in the order of the file, the lowest first. A document without layers yields none.

        Raises:
            DamagedError, struct.error, IndexError: the layers are damaged, or there are more than 2000.
        """
        at = layer_count_at(self._data)
        if at is None:
            return
        (count,) = struct.unpack_from(">h", self._data, at)
        if abs(count) > _MOST_LAYERS:
            raise DamagedError(f"{abs(count)} layers")
        at += 2
        records = []
        for _ in range(abs(count)):
            record, at = self._record(at)
            records.append(record)
        for record in records:
            places: dict[int, tuple[int, int]] = {}
            for kind, size in record.channels:
                places.setdefault(kind, (at, size))
                at += size
            yield _layer(record, places)

    def values(self, plane: Plane) -> Matte:
        """Return the stored values of a plane, only for the pixels of its box: (rows, columns) float32 in 0..1.

        If the plane is `inverted`, the caller must still take 1 - v for each value v. The array is empty if the box is.

        Args:
            plane: a mask or a transparency of one of the document's layers.
        Raises:
            DamagedError: the plane is damaged, more than four times larger than the document, or of a compression that
                is not read.
        """
        width, height = plane.box.width, plane.box.height
        if width < 1 or height < 1:
            return np.zeros((max(height, 0), max(width, 0)), np.float32)
        if width * height > _MOST_TIMES_CANVAS * self.size.width * self.size.height + 1_000_000:
            raise DamagedError(f"a layer of {plane.box.size} pixels in a document of {self.size}")
        dtype = np.dtype({8: ">u1", 16: ">u2", 32: ">f4"}.get(self._depth, ">u1"))
        (compression,) = struct.unpack_from(">H", self._data, plane.at)
        stored = self._data[plane.at + 2 : plane.at + plane.size]
        values = self._decoded(stored, compression, (height, width), dtype)
        if self._depth == 32:
            return np.clip(np.nan_to_num(values.astype(np.float32)), 0, 1)
        return (values / np.float32(np.iinfo(dtype).max)).astype(np.float32)

    def _decoded(self, stored: bytes, compression: int, shape: tuple[int, int], dtype: np.dtype[Any]) -> NDArray[Any]:
        needed = shape[0] * shape[1] * dtype.itemsize
        if compression == _PACKED:
            counts = shape[0] * (4 if is_large(self._data) else 2)
            lengths = np.frombuffer(stored[:counts], ">u4" if is_large(self._data) else ">u2")
            stored = unpacked_rows(stored[counts:], lengths, row_bytes=shape[1] * dtype.itemsize)
        elif compression in (_ZIP, _ZIP_PREDICTED):
            inflater = zlib.decompressobj()
            stored = inflater.decompress(stored, needed + 1)  # one more, so that it reaches its checksum
            if len(stored) >= needed and not inflater.eof:
                raise DamagedError(f"a mask that does not end after its {needed} bytes")
        elif compression != _RAW:
            raise DamagedError(f"a mask with compression {compression}")
        if len(stored) < needed:
            raise DamagedError(f"a mask with {len(stored)} of its {needed} bytes")
        values = np.frombuffer(stored, dtype, shape[0] * shape[1]).reshape(shape)
        if compression == _ZIP_PREDICTED:
            if self._depth == 32:
                raise DamagedError("a predicted mask of 32 bits")
            values = np.cumsum(values, axis=1, dtype=dtype.newbyteorder("="))
        return values

    def _record(self, at: int) -> tuple[_Record, int]:
        data = self._data
        top, left, bottom, right, count = struct.unpack_from(">4iH", data, at)
        at += 18
        if count > _MOST_CHANNELS:
            raise DamagedError(f"a layer of {count} channels")
        channels = []
        for _ in range(count):
            (kind,) = struct.unpack_from(">h", data, at)
            size, at = length_at(data, at + 2)
            channels.append((kind, size))
        flags, extra = struct.unpack_from(">10xBxI", data, at)
        record = _Record(Box(left, top, right, bottom), channels, visible=not flags & _HIDDEN)
        at += 16
        self._extra(record, at, at + extra)
        return record, at + extra

    def _extra(self, record: _Record, at: int, end: int) -> None:
        data = self._data
        (mask_size,) = struct.unpack_from(">I", data, at)
        if mask_size >= 18:
            top, left, bottom, right, outside, flags = struct.unpack_from(">4i2B", data, at + 4)
            record.mask_box = Box(left, top, right, bottom)
            record.mask_outside, record.mask_flags = outside, flags
        at += 4 + mask_size
        at += 4 + struct.unpack_from(">I", data, at)[0]
        record.name = decode_name(data[at + 1 : at + 1 + data[at]])
        at += (data[at] + 4) & ~3
        for key, start, size in tagged_blocks(data, at, end):
            content = data[start : start + size]
            if key in (b"vmsk", b"vsms") and size >= 8:
                record.vector = content
            elif key == b"luni" and size >= 4:
                (letters,) = struct.unpack_from(">I", content)
                record.name = content[4 : 4 + 2 * letters].decode("utf-16-be", "replace").rstrip("\0")


def _layer(record: _Record, places: dict[int, tuple[int, int]]) -> Layer:
    mask = transparency = None
    if _MASK in places and record.mask_box is not None and not record.mask_flags & _DISABLED:
        inverted = bool(record.mask_flags & _INVERTED)
        mask = Plane(record.mask_box, record.mask_outside / 255, inverted, *places[_MASK])
    if _TRANSPARENCY in places and record.box.width > 0 and record.box.height > 0:
        transparency = Plane(record.box, 0.0, False, *places[_TRANSPARENCY])
    flags = struct.unpack_from(">I", record.vector, 4)[0] if record.vector else 0
    vector = b"" if flags & 4 else record.vector[8:]
    return Layer(record.name, record.visible, mask, transparency, vector, bool(flags & 1))
