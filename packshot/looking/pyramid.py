"""Cut a picture into tiles of every size, as a deep-zoom viewer asks for them.

Level 0 is the smallest; the last level is the picture itself. Each level has half the size of the next, rounded up.
Tiles are 512 px (`TILE_PX`) wide and high without their overlap. They repeat 1 px (`OVERLAP_PX`) of each neighbour, so
that a viewer that interpolates shows no seams.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from packshot.colour.spaces import WHITE_16, srgb_decode, srgb_encode
from packshot.colour.transform import working_to_srgb8
from packshot.looking.pack import Layout, Pack, Tile, write_pack
from packshot.threads import side_by_side
from packshot.types import Pixels8, Pixels16, Size, size_of

TILE_PX = 512
OVERLAP_PX = 1
_ROWS_AT_ONCE = 256
"""Rows taken to linear light at a time; an even number."""


def picture_pack(pixels: Pixels16) -> Pack:
    """Return the tiles of a picture as one pack, each a lossless WebP in 8-bit sRGB.

    The last level has exactly the values that an export to 8-bit sRGB starts from (`working_to_srgb8`). The other
    levels are averages over areas in linear light.

    Args:
        pixels: (rows, columns, 3) uint16, Adobe RGB.
    """
    return pack_of(picture_levels(working_to_srgb8(pixels)), encode_picture)


def picture_levels(picture: Pixels8) -> list[Pixels8]:
    """Return a picture in several sizes for a viewer: the smallest first, the picture itself last.

    Each level is (rows, columns, 3) uint8, sRGB, half the size of the next. The first one fits into a tile. A pixel
    is the mean, in linear light, of the four pixels that it covers in the next larger level. At an odd right or lower
    border the last column or row counts twice.

    Args:
        picture: (rows, columns, 3) uint8, sRGB.
    """
    levels, linear = [picture], None
    while size_of(levels[-1]).longest > TILE_PX:
        linear = _halved_light(picture) if linear is None else _halved(linear)
        levels.append(np.asarray(cv2.LUT(linear, _encode_table()), np.uint8))
    return levels[::-1]


def value_levels(values: Pixels8, *, spread: bool = False) -> list[Pixels8]:
    """Return an overlay's values in several sizes for a viewer: the smallest first, the values themselves last.

    Each level is (rows, columns) uint8, half the size of the next. A pixel is the greatest of the four pixels that it
    covers in the next larger level. So nothing disappears when the picture is made smaller.

    Args:
        values: (rows, columns) uint8; 0 where the overlay shows nothing.
        spread: if True, each value on a smaller level also covers the eight pixels around it, so that a single pixel
            stays visible; False for values that cover an area anyway.
    """
    levels = [values]
    while size_of(levels[-1]).longest > TILE_PX:
        even = _even(levels[-1])
        half = np.maximum(np.maximum(even[::2, ::2], even[1::2, ::2]), np.maximum(even[::2, 1::2], even[1::2, 1::2]))
        levels.append(np.asarray(cv2.dilate(half, np.ones((3, 3), np.uint8)), np.uint8) if spread else half)
    return levels[::-1]


def pack_of(
    levels: Sequence[Pixels8],
    encode: Callable[[Pixels8], bytes],
    *,
    about: Mapping[str, Any] = MappingProxyType({}),
) -> Pack:
    """Return the tiles of all levels of a picture as one pack of bytes, the smallest level first.

    Args:
        levels: the picture in each size, the smallest first, as `picture_levels` and `value_levels` return them.
        encode: called with the pixels of one tile; returns the tile's bytes, which are empty if it shows nothing.
        about: further data about the picture, as plain JSON.
    """
    full = size_of(levels[-1])
    layout = Layout(
        width=full.width,
        height=full.height,
        tile_px=TILE_PX,
        overlap_px=OVERLAP_PX,
        levels=tuple(size_of(level) for level in levels),
    )
    tiles = layout.tiles()
    return write_pack(layout, side_by_side(lambda tile: encode(cut(levels[tile.level], tile)), tiles), about=about)


def cut(level: NDArray[Any], tile: Tile) -> NDArray[Any]:
    """Return the pixels of one tile, cut out of the picture at its level; shape and dtype as in `level`.

    The tile includes `OVERLAP_PX` of each neighbouring tile.

    Args:
        level: the picture at the size of the tile's level, (rows, columns) or (rows, columns, channels).
        tile: the tile. Only its column and row are used.
    """
    size = size_of(level)
    rows = _span(tile.row, size.height)
    columns = _span(tile.column, size.width)
    return np.ascontiguousarray(level[rows, columns])


def encode_picture(tile: Pixels8) -> bytes:
    """Return a tile of a picture as the bytes of a lossless WebP.

    Args:
        tile: (rows, columns, 3) uint8, sRGB; or (rows, columns, 4) with alpha, not premultiplied.
    """
    stream = io.BytesIO()
    Image.fromarray(tile).save(stream, "WEBP", lossless=True, quality=0, method=0)
    return stream.getvalue()


def _span(index: int, length: int) -> slice:
    return slice(max(0, index * TILE_PX - OVERLAP_PX), min(length, (index + 1) * TILE_PX + OVERLAP_PX))


def _halved_light(picture: Pixels8) -> NDArray[np.uint16]:
    """Return a picture at half the size in linear light, strip by strip to save memory."""
    size = size_of(picture)
    half = np.empty((-(-size.height // 2), -(-size.width // 2), 3), np.uint16)

    def halve_strip(top: int) -> None:
        linear = cv2.LUT(picture[top : top + _ROWS_AT_ONCE], _decode_table())
        half[top // 2 : (top + _ROWS_AT_ONCE) // 2] = _halved(np.asarray(linear, np.uint16))

    side_by_side(halve_strip, range(0, size.height, _ROWS_AT_ONCE))
    return half


def _halved(linear: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Return the means of 2 x 2 pixels."""
    even = _even(linear)
    half = Size(even.shape[1] // 2, even.shape[0] // 2)
    return np.asarray(cv2.resize(even, half, interpolation=cv2.INTER_AREA), np.uint16)


def _even(level: NDArray[Any]) -> NDArray[Any]:
    """Return the level with its last column and row repeated where their number is odd."""
    down, across = level.shape[0] % 2, level.shape[1] % 2
    if not down and not across:
        return level
    return np.asarray(cv2.copyMakeBorder(level, 0, down, 0, across, cv2.BORDER_REPLICATE))


@functools.cache
def _decode_table() -> NDArray[np.uint16]:
    """Return the linear light of each 8-bit sRGB value, (256,) in 0..65535."""
    return np.round(srgb_decode(np.arange(256) / 255) * WHITE_16).astype(np.uint16)


@functools.cache
def _encode_table() -> Pixels8:
    """Return the 8-bit sRGB value of each amount of linear light, (65536,)."""
    return np.round(srgb_encode(np.arange(WHITE_16 + 1) / WHITE_16) * 255).astype(np.uint8)
