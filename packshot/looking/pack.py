"""Pack all tiles of a picture into one sequence of bytes, so that storage writes and removes them together.

The bytes are: a fixed beginning that marks a pack, the header's length (4 bytes, big-endian), the header as JSON, then
the tiles one after the other.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple

from pydantic import Field

from packshot.types import Size, Value

_MAGIC = b"PKTILES2"
HEAD_BYTES = len(_MAGIC) + 4


class Tile(NamedTuple):
    """The place of a tile: its level (0 is the smallest), column and row."""

    level: int
    column: int
    row: int


class Layout(Value):
    """How a picture is cut into tiles, in several sizes, for a viewer that loads only what it shows.

    Attributes:
        width, height: size of the picture, in pixels.
        tile_px: width and height of a tile without its overlap.
        overlap_px: pixels that a tile repeats of each neighbour.
        levels: size of each level, the smallest first; the last one is the picture's own.
    """

    width: int
    height: int
    tile_px: int
    overlap_px: int
    levels: tuple[Size, ...]

    def tiles(self) -> list[Tile]:
        """Return the places of all tiles in the order of a pack: by level, then by row, then by column."""
        return [
            Tile(number, column, row)
            for number, size in enumerate(self.levels)
            for row in range(-(-size.height // self.tile_px))
            for column in range(-(-size.width // self.tile_px))
        ]


class Contents(Value):
    """The header of a pack. A pack is all tiles of a picture as one sequence of bytes.

    Attributes:
        layout: how the picture is cut into tiles.
        lengths: length of each tile in bytes, in the order of `Layout.tiles`; 0 for a tile that shows nothing.
        checksums: CRC-32 of each tile, in the order of `Layout.tiles`.
        about: further data about the picture, as plain JSON.
    """

    layout: Layout
    lengths: tuple[int, ...]
    checksums: tuple[int, ...]
    about: Mapping[str, Any] = Field(default_factory=dict)

    @cached_property
    def places(self) -> dict[Tile, tuple[int, int]]:
        """Return tile -> (offset, length) of its bytes, in bytes. Offsets count from the end of the header."""
        starts = itertools.accumulate(self.lengths, initial=0)
        return dict(zip(self.layout.tiles(), zip(starts, self.lengths, strict=False), strict=True))

    @cached_property
    def checks(self) -> dict[Tile, int]:
        """Return tile -> CRC-32 of its bytes."""
        return dict(zip(self.layout.tiles(), self.checksums, strict=True))


@dataclass(frozen=True)
class Pack:
    """All tiles of a picture as one sequence of bytes, so that they are stored and removed together.

    Attributes:
        contents: the header: the layout, and the place of each tile.
        data: the whole pack, as it is stored.
    """

    contents: Contents
    data: bytes

    def tile(self, tile: Tile) -> bytes:
        """Return a tile's bytes; empty if the tile shows nothing.

        Args:
            tile: level, column and row.

        Raises:
            KeyError: the picture has no such tile.
        """
        start, length = self.contents.places[tile]
        start += len(self.data) - sum(self.contents.lengths)
        return self.data[start : start + length]


def write_pack(layout: Layout, tiles: Iterable[bytes], *, about: Mapping[str, Any] = MappingProxyType({})) -> Pack:
    """Return the tiles of a picture as one pack: a header with the place of each tile, then the tiles.

    Args:
        layout: how the picture is cut into tiles.
        tiles: the bytes of each tile, in the order of `Layout.tiles`, one for each; empty for a tile that shows
            nothing.
        about: further data about the picture, as plain JSON, which the header keeps.
    """
    bodies = list(tiles)
    contents = Contents(
        layout=layout,
        lengths=tuple(map(len, bodies)),
        checksums=tuple(map(zlib.crc32, bodies)),
        about=dict(about),
    )
    header = contents.model_dump_json().encode()
    return Pack(contents, b"".join([_MAGIC, len(header).to_bytes(4, "big"), header, *bodies]))


def header_bytes(head: bytes) -> int:
    """Return the length of a pack's header, in bytes.

    A pack is all tiles of a picture as one sequence of bytes. Whoever reads it in parts reads this length first.

    Args:
        head: the first `HEAD_BYTES` bytes of the pack. The header follows them.

    Raises:
        ValueError: the bytes are not the beginning of a pack.
    """
    if len(head) != HEAD_BYTES or not head.startswith(_MAGIC):
        raise ValueError("these are not the first bytes of a pack of tiles")
    return int.from_bytes(head[len(_MAGIC) :], "big")


def read_contents(header: bytes) -> Contents:
    """Return what a pack of tiles contains, read from its header.

    Args:
        header: the header's bytes, in JSON. `header_bytes` tells how many there are.

    Raises:
        ValueError: the data is not the header of a pack.
    """
    return Contents.model_validate_json(header)
