"""Look for damage for which libjpeg gives no warning: impossible codes, and the step in brightness that lost data
leaves.

These JPEGs are checked: sequential (baseline and extended), with Huffman codes and 8 bits, any sampling, restart
intervals, any number of scans. Progressive and arithmetic-coded JPEGs are not.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from packshot.formats.container import DamagedError
from packshot.formats.jpeg_codes import NOTHING, load_walk
from packshot.formats.jpeg_header import segments
from packshot.formats.jpeg_seam import Seam, find_seam

_SEQUENTIAL = (0xC0, 0xC1)
_OTHER_FRAMES = frozenset(range(0xC2, 0xD0)) - {0xC4, 0xC8, 0xCC}
_LARGEST_MEAN = 1024
"""Largest magnitude of a block's DC coefficient: 8 x 128 (T.81, A.3.3), before quantisation."""
_MOST_TABLES = 256
_WORDS = (
    "",
    "a code that no table has",
    "a block of more than 64 values",
    "a block darker than black or brighter than white",
    "data that ends before the last block",
    "data left over behind the last block",
    "a restart marker that is not there",
)


class _Component(NamedTuple):
    """A component of the frame: its sampling factors and the number of its quantisation table."""

    name: int
    across: int
    down: int
    quantised_by: int


class _Scan(NamedTuple):
    """A scan.

    Attributes:
        start: offset of its first code.
        blocks: (blocks of one MCU, 3), as `jpeg_codes.follow` takes them.
        columns, rows: MCUs.
        mcu_px: width and height of an MCU in the picture.
        steps: for each component the quantisation step of its means.
    """

    start: int
    blocks: NDArray[np.int64]
    tables: NDArray[np.uint16]
    columns: int
    rows: int
    mcu_px: tuple[int, int]
    steps: NDArray[np.int64]
    restart: int


def look_for_damage(data: bytes) -> Seam | None:
    """Return the step that lost data has left in a JPEG.

    The result is None if there is no such step, or if this kind of JPEG is not checked.

    Args:
        data: the whole file. A decoder has read it before.
    Raises:
        DamagedError: its codes are impossible.
        NotCompiledError: the loop that follows the codes cannot be compiled on this machine.
    """
    stored = np.frombuffer(data, np.uint8)
    found: Seam | None = None
    try:
        for scan in _scans(data):
            means = np.zeros((len(scan.steps), scan.columns * scan.rows), np.int64)
            most = (_LARGEST_MEAN + scan.steps // 2) // scan.steps
            what, mcu = load_walk()(stored, scan.start, scan.tables, scan.blocks, most, scan.restart, means)
            if what != NOTHING:
                x, y = (mcu % scan.columns) * scan.mcu_px[0], (mcu // scan.columns) * scan.mcu_px[1]
                raise DamagedError(f"a damaged JPEG ({_WORDS[what]}, met at x {x:,}, y {y:,} px)")
            used = sorted(set(scan.blocks[:, 0].tolist()))
            shares = np.bincount(scan.blocks[:, 0], minlength=len(scan.steps))[used]
            quanta = scan.steps[used] / 8
            levels = (means[used] * (quanta / shares)[:, None]).reshape(-1, scan.rows, scan.columns)
            found = found or find_seam(levels, quanta, scan.mcu_px)
    except (_NotLookedAtError, struct.error, IndexError, ValueError) as error:
        if isinstance(error, DamagedError):
            raise
        return None
    return found


class _NotLookedAtError(Exception):
    """The JPEG is of a kind that is not looked at."""


def _scans(data: bytes) -> Iterator[_Scan]:
    """Yield the scans.

    Raises:
        _NotLookedAtError: the frame is not sequential, or a scan uses what the file has not defined.
        struct.error, IndexError: a segment is too short.
    """
    size: tuple[int, int] | None = None
    components: list[_Component] = []
    steps: dict[int, int] = {}
    tables = np.zeros((8, 1 << 16), np.uint16)
    restart, added = 0, 0
    for code, body, end in segments(data):
        if code in _OTHER_FRAMES:
            raise _NotLookedAtError
        if code in _SEQUENTIAL and size is None:
            depth, height, width, count = struct.unpack_from(">BHHB", body)
            if depth != 8 or not height or not width:
                raise _NotLookedAtError
            size = width, height
            parts = (body[6 + 3 * index : 9 + 3 * index] for index in range(count))
            components = [_Component(part[0], part[1] >> 4, part[1] & 15, part[2]) for part in parts]
        elif code == 0xDB:
            steps.update(_steps(body))
        elif code == 0xC4:
            tables = tables.copy()
            added += _add_tables(body, tables)
            if added > _MOST_TABLES:
                raise _NotLookedAtError
        elif code == 0xDD:
            (restart,) = struct.unpack_from(">H", body)
        elif code == 0xDA and size is not None:
            yield _scan(body, end, size, components, steps, tables, restart)


def _steps(body: bytes) -> Iterator[tuple[int, int]]:
    """Yield (table's number, step of the means) for each quantisation table of a segment (T.81, B.2.4.1)."""
    at = 0
    while at < len(body):
        wide = body[at] >> 4
        yield body[at] & 15, struct.unpack_from(">H" if wide else ">B", body, at + 1)[0]
        at += 1 + (128 if wide else 64)


def _add_tables(body: bytes, tables: NDArray[np.uint16]) -> int:
    """Write the Huffman tables of a segment (T.81, B.2.4.2 and annex C) into rows of `tables`; return how many."""
    at, added = 0, 0
    while at < len(body):
        lengths = body[at + 1 : at + 17]
        symbols = body[at + 17 : at + 17 + sum(lengths)]
        added += 1
        if body[at] & 0xEC or len(symbols) != sum(lengths) or added > _MOST_TABLES:
            raise _NotLookedAtError
        row = np.zeros(1 << 16, np.uint16)
        begin, taken = 0, 0
        for length, count in enumerate(lengths, start=1):
            for symbol in symbols[taken : taken + count]:
                row[begin : begin + (1 << 16 - length)] = length | symbol << 8
                begin += 1 << 16 - length
            taken += count
        if begin > 1 << 16:
            raise _NotLookedAtError
        tables[(body[at] >> 4) * 4 + (body[at] & 3)] = row
        at += 17 + len(symbols)
    return added


def _scan(
    body: bytes,
    start: int,
    size: tuple[int, int],
    components: list[_Component],
    steps: dict[int, int],
    tables: NDArray[np.uint16],
    restart: int,
) -> _Scan:
    """Return a scan by its header (T.81, B.2.3); the number of MCUs by A.2."""
    names = [one.name for one in components]
    across, down = max(one.across for one in components), max(one.down for one in components)
    if not all(one.across and one.down and steps.get(one.quantised_by) for one in components):
        raise _NotLookedAtError
    blocks = []
    for index in range(body[0]):
        name, by = body[1 + 2 * index], body[2 + 2 * index]
        row = [names.index(name), by >> 4 & 3, 4 + (by & 3)]
        if not tables[row[1]].any() or not tables[row[2]].any():
            raise _NotLookedAtError
        part = components[row[0]]
        blocks += [row] * (part.across * part.down if body[0] > 1 else 1)
    if not blocks:
        raise _NotLookedAtError
    width, height = size
    mcu_px = 8 * across, 8 * down
    if body[0] == 1:
        part = components[blocks[0][0]]
        mcu_px = 8 * across // part.across, 8 * down // part.down
        width, height = -(-width * part.across // across), -(-height * part.down // down)
        columns, rows = -(-width // 8), -(-height // 8)
    else:
        columns, rows = -(-width // mcu_px[0]), -(-height // mcu_px[1])
    by_component = np.array([steps[one.quantised_by] for one in components], np.int64)
    return _Scan(start, np.array(blocks, np.int64), tables, columns, rows, mcu_px, by_component, restart)
