"""Damage in a part of returned work that may hold its matte is refused or stops the work; it never reads as absent."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import imagecodecs
import numpy as np
import pytest
import tifffile

from packshot.errors import RefusedInputError
from packshot.formats.blocks import Block, join_blocks
from packshot.paths.records import encode_records
from packshot.paths.write import path_blocks
from packshot.returned.read import MatteSource, ReturnedWork, read_returned
from packshot.specs.models import IngestConfig
from packshot.types import Status
from tests.fuzz.files import psd_head
from tests.packshot.paths.drawn_paths import circle, saved

SIDE = 64
GRAIN = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
MATTE = np.full((SIDE, SIDE), 3, np.uint8)
MATTE[8:-8, 8:-8] = np.random.default_rng(2).integers(250, 256, (SIDE - 16, SIDE - 16))
PATH = saved(circle(0.5, 0.5, 0.3), name="Product", is_clipping=True)
RECORDS = encode_records(PATH.subpaths)


def read(data: bytes) -> ReturnedWork:
    return read_returned(data, name="A1.psd", limits=IngestConfig(min_px=1))


def packed(plane: np.ndarray) -> tuple[bytes, bytes]:
    """The row lengths and the rows of a plane that is compressed with PackBits."""
    rows = [bytes(imagecodecs.packbits_encode(row.tobytes())) for row in plane]
    return b"".join(struct.pack(">H", len(row)) for row in rows), b"".join(rows)


def document(*extra: np.ndarray, resources: bytes = b"", layers: bytes = b"") -> bytes:
    """A packed Photoshop document with more channels than colours."""
    parts = [packed(plane) for plane in (*np.moveaxis(GRAIN, 2, 0), *extra)]
    sections = struct.pack(">I", len(resources)) + resources + struct.pack(">I", len(layers)) + layers
    lengths, rows = (b"".join(part[at] for part in parts) for at in (0, 1))
    return psd_head(3 + len(extra)) + sections + b"\0\1" + lengths + rows


def layer(mask: bytes, *, tagged: bytes = b"", count: int = 1) -> bytes:
    """A layer section with one layer that has a mask and tagged blocks."""
    extra = struct.pack(">I4i4B", 20, 0, 0, SIDE, SIDE, 0, 0, 0, 0) + bytes(4) + b"\3Box" + tagged
    record = struct.pack(">4iH", 0, 0, SIDE, SIDE, 1) + struct.pack(">hI", -2, len(mask))
    info = struct.pack(">h", count) + record + b"8BIMnorm\xff\0\0\0" + struct.pack(">I", len(extra)) + extra + mask
    info += bytes(len(info) % 2)
    return struct.pack(">I", len(info)) + info + bytes(4)


def tiff(compression: str, planar: str) -> bytes:
    stream = io.BytesIO()
    pixels = np.dstack([GRAIN, MATTE])
    tifffile.imwrite(
        stream,
        pixels if planar == "contig" else np.moveaxis(pixels, 2, 0),
        photometric="rgb",
        planarconfig=planar,
        extrasamples=["unspecified"],
        compression=compression,
        metadata=None,
        rowsperstrip=16,
    )
    return stream.getvalue()


def last_strips(data: bytes) -> bytes:
    """The bytes of the last plane's strips, or of all strips."""
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages.first
        places = list(zip(page.dataoffsets, page.databytecounts, strict=True))[-4:]
        return data[places[0][0] : places[-1][0] + places[-1][1]]


NAMES = struct.pack(">I", 5) + "Maske".encode("utf-16-be")
VECTOR = b"8BIMvmsk" + struct.pack(">III", 8 + len(RECORDS), 3, 0) + RECORDS
ZIPPED = bytes(imagecodecs.zlib_encode(MATTE.tobytes()))
ROWS = packed(MATTE)
PARTS: dict[str, Callable[[], tuple[bytes, bytes]]] = {
    "saved channel, PSD": lambda: (document(MATTE), ROWS[1]),
    "its row lengths": lambda: (document(MATTE), ROWS[0]),
    "flat transparency": lambda: (document(MATTE, layers=layer(b"\0\0" + MATTE.tobytes(), count=-1)), ROWS[1]),
    "layer mask, packed": lambda: (document(layers=layer(b"\0\1" + b"".join(ROWS))), ROWS[1]),
    "layer mask, zipped": lambda: (document(layers=layer(b"\0\2" + ZIPPED)), ZIPPED),
    "vector mask": lambda: (document(layers=layer(b"\0\0" + MATTE.tobytes(), tagged=VECTOR)), RECORDS),
    "clipping path": lambda: (document(resources=join_blocks(path_blocks([PATH]))), RECORDS),
    "channel names": lambda: (document(MATTE, resources=join_blocks([Block(1045, b"", NAMES)])), NAMES[:4]),
    "saved channel, TIFF": lambda: (lambda data: (data, last_strips(data)))(tiff("zlib", "contig")),
    "saved channel, planar TIFF": lambda: (lambda data: (data, last_strips(data)))(tiff("zlib", "separate")),
    "saved channel, LZW": lambda: (lambda data: (data, last_strips(data)))(tiff("lzw", "separate")),
}
LOST = 30


def harmed(data: bytes, part: bytes, share: float, how: str) -> bytes:
    at = data.rindex(part) + int(share * max(0, len(part) - LOST))
    match how:
        case "cut off":
            return data[:at]
        case "lost":
            return data[:at] + data[at + LOST :]
        case "zeros":
            return data[:at] + bytes(min(LOST, len(part))) + data[at + min(LOST, len(part)) :]
    return data[:at] + b"\xff" * min(LOST, len(part)) + data[at + min(LOST, len(part)) :]


def stops(work: ReturnedWork) -> bool:
    return any(one.gate and one.status is Status.FAILED for one in work.findings)


@pytest.mark.parametrize("name", PARTS)
def test_a_whole_part_is_read_and_nothing_stops_the_work(name: str) -> None:
    work = read(PARTS[name]()[0])
    assert work.matte is not None
    assert not stops(work)
    assert work.source is not MatteSource.WHITE_BACKGROUND


@pytest.mark.parametrize("how", ["cut off", "lost", "zeros", "ones"])
@pytest.mark.parametrize("name", PARTS)
def test_damage_in_a_part_stops_the_work_or_changes_nothing(name: str, how: str) -> None:
    data, part = PARTS[name]()
    whole = read(data)
    for share in (0.0, 0.2, 0.5, 0.8, 1.0):
        try:
            work = read(harmed(data, part, share, how))
        except RefusedInputError:
            continue
        same = work.matte is not None and np.array_equal(work.matte, whole.matte)
        assert stops(work) or (same and work.source_name == whole.source_name), (share, work.source)
