"""Write the TIFF from which an editor starts: the photograph, the machine's matte, and a draft clipping path.

The matte is stored as a channel. A clipping path is a vector outline of the product.
"""

from __future__ import annotations

import io
import struct

import numpy as np
import tifffile

from packshot.colour.spaces import working_profile
from packshot.formats.blocks import Block, join_blocks
from packshot.paths.model import SavedPath
from packshot.paths.rasterise import rasterise
from packshot.paths.read import choose_path, read_paths
from packshot.paths.write import path_blocks
from packshot.types import Matte, Pixels16

CHANNEL_NAME = "Packshot matte"
_DPI = 300
_PHOTOSHOP_TAG, _BYTES = 34377, 1
_CHANNEL_NAMES, _UNICODE_CHANNEL_NAMES = 1006, 1045
_DEFLATE_LEVEL = 1
_ROWS_PER_STRIP = 64
_WRITERS = 2


def write_draft(pixels: Pixels16, matte: Matte, path: SavedPath) -> bytes:
    """Return the file from which an editor starts: a 16-bit TIFF with the matte as a channel, and a clipping path.

    The channel is marked "unspecified", not "alpha". So programs show it as a channel and keep the backdrop opaque.
    Equal arguments give equal bytes.

    Args:
        pixels: the photograph, (rows, columns, 3) uint16, Adobe RGB.
        matte: each pixel's share of product, (rows, columns) float32 in 0..1, of the photograph's size.
        path: the draft path, as `draft_path` returns it.
    """
    channel = np.rint(matte * np.float32(65535)).astype(np.uint16)
    resources = join_blocks((*_named_channel(CHANNEL_NAME), *path_blocks([path], clipping=path.name)))
    stream = io.BytesIO()
    tifffile.imwrite(
        stream,
        np.dstack([pixels, channel]),
        photometric="rgb",
        planarconfig="contig",
        extrasamples=["unspecified"],
        compression="adobe_deflate",
        compressionargs={"level": _DEFLATE_LEVEL},
        rowsperstrip=_ROWS_PER_STRIP,
        maxworkers=_WRITERS,
        iccprofile=working_profile(),
        resolution=(_DPI, _DPI),
        resolutionunit="INCH",
        software="Packshot",
        metadata=None,
        extratags=[(_PHOTOSHOP_TAG, _BYTES, len(resources), resources, True)],
    )
    return stream.getvalue()


def read_draft_matte(data: bytes) -> Matte | None:
    """Return the area that the clipping path of a draft (the file from which an editor starts) covers, as a matte:
    (rows, columns) float32 in 0..1.

    A draft that an editor returns unchanged has this matte. No pixel of the file is decoded. The result is None if
    the path covers everything or nothing, or if the file has none.

    Args:
        data: the whole file, as `write_draft` wrote it.

    Raises:
        UnreadableError: the file's header is damaged.
    """
    found = read_paths(data, name="draft")
    path = choose_path(found).path
    matte = rasterise(path, *found.size) if path is not None else None
    return matte if matte is not None and matte.min() < 0.5 <= matte.max() else None


def _named_channel(name: str) -> tuple[Block, Block]:
    """Return two resources with the channel's name, in ASCII and in UTF-16."""
    plain = bytes([len(name)]) + name.encode("ascii")
    wide = struct.pack(">I", len(name) + 1) + name.encode("utf-16-be") + b"\0\0"
    return Block(_CHANNEL_NAMES, b"", plain), Block(_UNICODE_CHANNEL_NAMES, b"", wide)
