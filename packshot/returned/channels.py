"""Read the extra channels of a file: selections that an editor saved beside colour and transparency."""

from __future__ import annotations

import io
import struct
from typing import Any

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray

from packshot.formats.blocks import split_blocks
from packshot.formats.carried import read_carried
from packshot.paths.names import decode_name
from packshot.types import Matte

_UNSPECIFIED = 0  # TIFF 6.0, ExtraSamples
_COLOURS = {1: 1, 3: 3, 4: 4, 8: 1, 9: 3}
_CHANNEL_NAMES, _UNICODE_CHANNEL_NAMES = 1006, 1045
_RAW, _PACKED = 0, 1
_MOST_CHANNELS = 56
_NEAR_BYTES = 64


def saved_channels(data: bytes, *, name: str) -> tuple[tuple[str, Matte], ...]:
    """Return (name, values) of each extra channel in a TIFF, PSD or PSB, as stored. Empty if the file is damaged.

    The values are (rows, columns) float32 in 0..1.

    Args:
        data: a file that was opened before, so its size is within the limits.
        name: used in messages only.
    """
    try:
        planes = _of_photoshop(data) if data.startswith(b"8BPS") else _of_tiff(data)
    except Exception:  # noqa: BLE001  decoders raise anything for damaged bytes; the picture itself was read
        return ()
    names = _names(data, name)
    said = [*names[-len(planes) :], *[""] * len(planes)] if planes else []
    return tuple(
        (text or f"Alpha {index + 1}", plane) for index, (text, plane) in enumerate(zip(said, planes, strict=False))
    )


def flat_transparency(data: bytes) -> Matte | None:
    """Return the transparency of the flattened picture in a PSD or PSB; None if it has none or is damaged.

    It is (rows, columns) float32 in 0..1, as stored. Documents without a background layer have one.

    Args:
        data: a file that was opened before, so its size is within the limits.
    """
    try:
        channels, height, width, depth, mode = struct.unpack_from(">HIIHH", data, 12)
        at, transparent = _after_layers(data)
        colours = _COLOURS.get(mode, channels)
        if not transparent or channels <= colours or channels > _MOST_CHANNELS or depth not in (8, 16):
            return None
        return _shares(_planes(data, at, (channels, height, width), np.dtype(f">u{depth // 8}"))[colours])
    except (struct.error, ValueError, IndexError, imagecodecs.PackbitsError):  # damaged; the picture itself was read
        return None


def _of_tiff(data: bytes) -> list[Matte]:
    if data[:2] not in (b"II", b"MM"):
        return []
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        page = tiff.pages.first
        assert isinstance(page, tifffile.TiffPage)
        extra = [int(one) for one in page.extrasamples]
        wanted = [index - len(extra) for index, one in enumerate(extra[:_MOST_CHANNELS]) if one == _UNSPECIFIED]
        if not wanted:
            return []
        pixels = page.asarray(maxworkers=1)
        if page.planarconfig == 2:
            pixels = np.moveaxis(pixels, 0, -1)
        return [_shares(pixels[..., index]) for index in wanted]


def _of_photoshop(data: bytes) -> list[Matte]:
    channels, height, width, depth, mode = struct.unpack_from(">HIIHH", data, 12)
    colours = _COLOURS.get(mode, channels)
    if channels <= colours or channels > _MOST_CHANNELS or depth not in (8, 16):
        return []
    at, transparent = _after_layers(data)
    planes = _planes(data, at, (channels, height, width), np.dtype(f">u{depth // 8}"))
    return [_shares(plane) for plane in planes[colours + transparent :]]


def _after_layers(data: bytes) -> tuple[int, int]:
    """Return (offset of the flattened picture, 1 if its first extra channel is its transparency, else 0)."""
    code, width = (">Q", 8) if data[5] == 2 else (">I", 4)
    at = 26
    for _ in range(2):
        at += 4 + struct.unpack_from(">I", data, at)[0]
    (size,) = struct.unpack_from(code, data, at)
    end = at + width + size
    counted = at + 2 * width
    if size > 2 * width and not struct.unpack_from(code, data, at + width)[0]:  # 16 bits: the layers are in a block
        counted = _deep_layers(data, counted, end)
    negative = 0 < counted <= end - 2 and struct.unpack_from(">h", data, counted)[0] < 0
    return end, int(negative)


def _deep_layers(data: bytes, at: int, end: int) -> int:
    """Return the offset of the layer count in a 16-bit document; 0 if there is none.

    The count is in the first block after the global layer mask.
    """
    at += 4 + struct.unpack_from(">I", data, at)[0]
    found = data.find(b"8BIMLr16", at, min(end, at + _NEAR_BYTES))
    return found + 8 + (8 if data[5] == 2 else 4) if found >= 0 else 0


def _planes(data: bytes, at: int, shape: tuple[int, int, int], dtype: np.dtype[Any]) -> NDArray[Any]:
    channels, height, width = shape
    needed = channels * height * width * dtype.itemsize
    (compression,) = struct.unpack_from(">H", data, at)
    stored = data[at + 2 :]
    if compression == _PACKED:
        stored = bytes(
            imagecodecs.packbits_decode(stored[channels * height * (4 if data[5] == 2 else 2) :], out=needed)
        )
    return np.frombuffer(stored, dtype, channels * height * width).reshape(shape)


def _shares(plane: NDArray[Any]) -> Matte:
    if plane.dtype.kind == "f":
        return np.clip(np.nan_to_num(plane.astype(np.float32)), 0, 1)
    return (plane / np.float32(np.iinfo(plane.dtype).max)).astype(np.float32)


def _names(data: bytes, name: str) -> list[str]:
    blocks = {block.number: block.content for block in split_blocks(read_carried(data, name=name).resources).blocks}
    wide, plain = blocks.get(_UNICODE_CHANNEL_NAMES, b""), blocks.get(_CHANNEL_NAMES, b"")
    names, at = [], 0
    while at + 4 <= len(wide):
        (letters,) = struct.unpack_from(">I", wide, at)
        names.append(wide[at + 4 : at + 4 + 2 * letters].decode("utf-16-be", "replace").rstrip("\0"))
        at += 4 + 2 * letters
    while not wide and at < len(plain):
        names.append(decode_name(plain[at + 1 : at + 1 + plain[at]]))
        at += 1 + plain[at]
    return names
