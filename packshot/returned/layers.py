"""Read the masks of the layers of a Photoshop document, at the document's size.

Adobe Photoshop File Formats, "Layer and Mask Information". Only masks and transparencies are decoded, never a layer's
colours. Nothing here raises on damaged data: the result says in words what could not be read.
"""

from __future__ import annotations

import dataclasses
import struct
import zlib
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from packshot.paths.model import SavedPath
from packshot.paths.names import decode_name
from packshot.paths.rasterise import rasterise
from packshot.paths.records import decode_records
from packshot.types import Box, Matte, Size

_TRANSPARENCY, _MASK = -1, -2
_RAW, _PACKED, _ZIP, _ZIP_PREDICTED = range(4)
_HIDDEN, _MASK_DISABLED, _MASK_INVERTED = 2, 2, 4
_VECTOR_INVERTED, _VECTOR_DISABLED = 1, 4
_MOST_LAYERS = 2000
_MOST_KEPT = 2
_MOST_TIMES_CANVAS = 4
MOST_LAYER_PIXELS = 10_000_000_000
"""Maximum number of pixels that are decoded or drawn over all layers: about 400 masks of 24 megapixels."""
_LONG_IN_PSB = {b"LMsk", b"Lr16", b"Lr32", b"Layr", b"Mt16", b"Mt32", b"Mtrn", b"Alph", b"FMsk", b"lnk2", b"FEid"}
_LONG_IN_PSB |= {b"FXid", b"PxSD"}
_HEAD_BYTES = 26


@dataclasses.dataclass(frozen=True)
class LayerMatte:
    """The mask or transparency of one visible layer or group.

    Attributes:
        name: name of the layer.
        matte: (rows, columns) float32 in 0..1, at the document's size.
        is_mask: True for a mask, False for the layer's own transparency.
    """

    name: str
    matte: Matte
    is_mask: bool


@dataclasses.dataclass(frozen=True)
class LayerMattes:
    """The largest masks and transparencies of the visible layers, masks first.

    Attributes:
        damage: what could not be read, in words; empty if everything could.
    """

    found: tuple[LayerMatte, ...]
    damage: str = ""


@dataclasses.dataclass(frozen=True)
class _Channel:
    kind: int
    at: int
    size: int


@dataclasses.dataclass
class _Layer:
    box: Box
    channels: list[tuple[int, int]]
    visible: bool
    name: bytes = b""
    mask_box: Box | None = None
    mask_outside: int = 0
    mask_flags: int = 0
    vector: bytes = b""


def layer_mattes(data: bytes) -> LayerMattes:
    """Return the two largest masks and the two largest transparencies of the visible layers of a PSD or PSB.

    Disabled masks are ignored. The largest mask is the product's; smaller ones usually belong to retouching.
    """
    found: list[LayerMatte] = []
    try:
        document = _Document(data)
        for layer, channels in document.layers():
            if layer.visible:
                matte = document.matte_of(layer, channels)
                found = _largest([*found, matte]) if matte is not None else found
    except _DamagedLayersError as error:
        return LayerMattes(tuple(found), str(error))
    except (struct.error, ValueError, IndexError, OverflowError, zlib.error, RuntimeError, MemoryError) as error:
        return LayerMattes(tuple(found), f"its layers are cut off or damaged ({type(error).__name__})")
    return LayerMattes(tuple(found))


def _largest(mattes: list[LayerMatte]) -> list[LayerMatte]:
    """Return the largest mattes, without those that cover nothing or everything.

    Few are kept, because each takes as much memory as a channel of the picture.
    """
    kept = []
    for is_mask in (True, False):
        kind = [one for one in mattes if one.is_mask is is_mask and one.matte.min() < 0.5 <= one.matte.max()]
        kept += sorted(kind, key=lambda one: -float(one.matte.sum()))[:_MOST_KEPT]
    return kept


class _DamagedLayersError(ValueError):
    """The layers cannot be read. The message says why."""


class _Document:
    """The layers of a document, in the order of the file."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        height, width, self.depth = struct.unpack_from(">IIH", data, 14)
        self.size = Size(width, height)
        self.large = data[5] == 2
        self._pixels = 0

    def layers(self) -> list[tuple[_Layer, list[_Channel]]]:
        at = self._layers_at()
        if at is None:
            return []
        (count,) = struct.unpack_from(">h", self.data, at)
        if abs(count) > _MOST_LAYERS:
            raise _DamagedLayersError(f"{abs(count)} layers")
        at += 2
        layers = []
        for _ in range(abs(count)):
            layer, at = self._record(at)
            layers.append(layer)
        placed = []
        for layer in layers:
            channels = []
            for kind, size in layer.channels:
                channels.append(_Channel(kind, at, size))
                at += size
            placed.append((layer, channels))
        return placed

    def matte_of(self, layer: _Layer, channels: list[_Channel]) -> LayerMatte | None:
        name = decode_name(layer.name)
        masks = [self._pixel_mask(layer, one) for one in channels if one.kind == _MASK]
        masks += [self._vector_mask(layer)] if layer.vector else []
        used = [mask for mask in masks if mask is not None]
        if used:
            return LayerMatte(name, np.asarray(np.prod(used, axis=0), np.float32), is_mask=True)
        for one in channels:
            if one.kind == _TRANSPARENCY and layer.box.width > 0 and layer.box.height > 0:
                return LayerMatte(name, self._placed(self._plane(one, layer.box), layer.box, 0.0), is_mask=False)
        return None

    def _pixel_mask(self, layer: _Layer, channel: _Channel) -> Matte | None:
        if layer.mask_box is None or layer.mask_flags & _MASK_DISABLED:
            return None
        outside = layer.mask_outside / 255
        mask = self._placed(self._plane(channel, layer.mask_box), layer.mask_box, outside)
        return 1 - mask if layer.mask_flags & _MASK_INVERTED else mask

    def _vector_mask(self, layer: _Layer) -> Matte | None:
        (flags,) = struct.unpack_from(">I", layer.vector, 4)
        if flags & _VECTOR_DISABLED:
            return None
        records = decode_records(layer.vector[8:])
        if not records.subpaths and not records.starts_filled:
            return None
        self._take(*self.size)
        path = SavedPath("", 0, records.subpaths, starts_filled=records.starts_filled)
        mask = rasterise(path, self.size.width, self.size.height)
        return 1 - mask if flags & _VECTOR_INVERTED else mask

    def _take(self, width: int, height: int) -> None:
        """Add the pixels of one more plane to the total.

        Raises:
            _DamagedLayersError: the total is over the limit.
        """
        self._pixels += width * height
        if self._pixels > MOST_LAYER_PIXELS:
            raise _DamagedLayersError(f"more than {MOST_LAYER_PIXELS:,} pixels of layers in a document of {self.size}")

    def _placed(self, part: Matte, box: Box, outside: float) -> Matte:
        width, height = self.size
        self._take(width, height)
        whole = np.full((height, width), outside, np.float32)
        left, top = max(box.left, 0), max(box.top, 0)
        right, bottom = min(box.right, width), min(box.bottom, height)
        if right > left and bottom > top:
            rows = slice(top - box.top, bottom - box.top)
            whole[top:bottom, left:right] = part[rows, left - box.left : right - box.left]
        return whole

    def _plane(self, channel: _Channel, box: Box) -> Matte:
        if box.width < 1 or box.height < 1:
            return np.zeros((max(box.height, 0), max(box.width, 0)), np.float32)
        if box.width * box.height > _MOST_TIMES_CANVAS * self.size.width * self.size.height + 1_000_000:
            raise _DamagedLayersError(f"a layer of {box.size} pixels in a document of {self.size}")
        self._take(box.width, box.height)
        dtype = np.dtype({8: ">u1", 16: ">u2", 32: ">f4"}.get(self.depth, ">u1"))
        needed = box.width * box.height * dtype.itemsize
        (compression,) = struct.unpack_from(">H", self.data, channel.at)
        stored = self.data[channel.at + 2 : channel.at + channel.size]
        values = self._decoded(stored, compression, box, dtype, needed)
        if self.depth == 32:
            return np.clip(np.nan_to_num(values.astype(np.float32)), 0, 1)
        return (values / np.float32(np.iinfo(dtype).max)).astype(np.float32)

    def _decoded(self, stored: bytes, compression: int, box: Box, dtype: np.dtype[Any], needed: int) -> NDArray[Any]:
        if compression == _PACKED:
            counts = box.height * (4 if self.large else 2)
            stored = bytes(imagecodecs.packbits_decode(stored[counts:], out=needed))
        elif compression in (_ZIP, _ZIP_PREDICTED):
            stored = zlib.decompressobj().decompress(stored, needed)
        elif compression != _RAW:
            raise _DamagedLayersError(f"a mask with compression {compression}")
        if len(stored) < needed:
            raise _DamagedLayersError(f"a mask with {len(stored)} of its {needed} bytes")
        values = np.frombuffer(stored, dtype, box.width * box.height).reshape(box.height, box.width)
        if compression == _ZIP_PREDICTED:
            if self.depth == 32:
                raise _DamagedLayersError("a predicted mask of 32 bits")
            values = np.cumsum(values, axis=1, dtype=dtype.newbyteorder("="))
        return values

    def _layers_at(self) -> int | None:
        """Return the offset of the layer count; None without layers.

        It is in the layer section or, with 16 and 32 bits, in a block after it.
        """
        at = _HEAD_BYTES
        for _ in range(2):
            at += 4 + struct.unpack_from(">I", self.data, at)[0]
        section, at = self._length(at)
        end = at + section
        inside, at = self._length(at) if section else (0, at)
        if inside:
            return at
        if not section or at + 4 > end:
            return None
        at += 4 + struct.unpack_from(">I", self.data, at)[0]
        for key, start, _ in self._tagged(at, end):
            if key in (b"Lr16", b"Lr32", b"Layr"):
                return start
        return None

    def _length(self, at: int) -> tuple[int, int]:
        code, width = (">Q", 8) if self.large else (">I", 4)
        return int(struct.unpack_from(code, self.data, at)[0]), at + width

    def _tagged(self, at: int, end: int) -> list[tuple[bytes, int, int]]:
        """Return (key, offset of the content, size) of each tagged block.

        The padding between blocks differs between programs, so up to 3 bytes are skipped.
        """
        found = []
        while at + 12 <= end:
            places = (at + skip for skip in range(4))
            start = next((one for one in places if self.data[one : one + 4] in (b"8BIM", b"8B64")), -1)
            if start < 0:
                break
            key = self.data[start + 4 : start + 8]
            if self.large and key in _LONG_IN_PSB:
                (size,) = struct.unpack_from(">Q", self.data, start + 8)
                content = start + 16
            else:
                (size,) = struct.unpack_from(">I", self.data, start + 8)
                content = start + 12
            found.append((key, content, min(size, max(0, end - content))))
            at = content + size
        return found

    def _record(self, at: int) -> tuple[_Layer, int]:
        top, left, bottom, right, count = struct.unpack_from(">4iH", self.data, at)
        at += 18
        if count > 60:
            raise _DamagedLayersError(f"a layer of {count} channels")
        channels = []
        for _ in range(count):
            (kind,) = struct.unpack_from(">h", self.data, at)
            size, at = self._length(at + 2)
            channels.append((kind, size))
        flags, extra = struct.unpack_from(">10xBxI", self.data, at)
        layer = _Layer(Box(left, top, right, bottom), channels, visible=not flags & _HIDDEN)
        at += 16
        self._extra(layer, at, at + extra)
        return layer, at + extra

    def _extra(self, layer: _Layer, at: int, end: int) -> None:
        (mask_size,) = struct.unpack_from(">I", self.data, at)
        if mask_size >= 18:
            top, left, bottom, right, outside, flags = struct.unpack_from(">4i2B", self.data, at + 4)
            layer.mask_box = Box(left, top, right, bottom)
            layer.mask_outside, layer.mask_flags = outside, flags
        at += 4 + mask_size
        at += 4 + struct.unpack_from(">I", self.data, at)[0]
        layer.name = self.data[at + 1 : at + 1 + self.data[at]]
        at += (self.data[at] + 4) & ~3
        for key, start, size in self._tagged(at, end):
            content = self.data[start : start + size]
            if key in (b"vmsk", b"vsms") and size >= 8:
                layer.vector = content
            elif key == b"luni" and size >= 4:
                (letters,) = struct.unpack_from(">I", content)
                layer.name = content[4 : 4 + 2 * letters].decode("utf-16-be", "replace").rstrip("\0").encode()
