"""Read the scans of a JPEG and the tables that they use (ITU-T T.81, annex B). No code is followed."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from packshot.formats.jpeg_header import segments

_SEQUENTIAL, _PROGRESSIVE = (0xC0, 0xC1), 0xC2
_OTHER_FRAMES = frozenset(range(0xC3, 0xD0)) - {0xC4, 0xC8, 0xCC}
_LARGEST_MEAN = 1024
"""Largest magnitude of a block's DC coefficient: 8 x 128 (T.81, A.3.3), before quantisation."""
_MOST_TABLES = 256
_MOST_BITS_LEFT = 13
_NO_STEPS = np.zeros(1, np.int64)


class _Component(NamedTuple):
    """A component of the frame: its sampling factors and the number of its quantisation table."""

    name: int
    across: int
    down: int
    quantised_by: int


class Scan(NamedTuple):
    """A scan of a JPEG: one pass through the coded picture, with the tables that are needed to follow its codes.

    An MCU is the smallest unit that a JPEG stores: some blocks of each component.

    Attributes:
        start: offset of its first code in the file.
        blocks: (blocks of one MCU, 3): for each block its component, row of its DC table, row of its AC table.
        tables: (8, 65536) uint16: Huffman tables, in the form that `jpeg_codes.follow` describes.
        columns, rows: number of MCUs across and down.
        mcu_px: width and height of an MCU in the picture.
        steps: (components, 64): the quantisation steps of each component, in zigzag order.
        restart: MCUs between two restart markers; 0 if there are none.
        band: four numbers: first and last coefficient of the scan, in zigzag order; number of low bits that the scan
            before left out (0 if this is the first scan of these coefficients); number of low bits that this scan
            leaves out. (0, 63, 0, 0) for a sequential scan.
        progressive: True if it is a scan of a progressive JPEG.
    """

    start: int
    blocks: NDArray[np.int64]
    tables: NDArray[np.uint16]
    columns: int
    rows: int
    mcu_px: tuple[int, int]
    steps: NDArray[np.int64]
    restart: int
    band: tuple[int, int, int, int]
    progressive: bool

    @property
    def has_means(self) -> bool:
        """True if the scan is the first that codes the blocks' means (DC coefficients).

        False if it codes only other coefficients, or only further bits of the means.
        """
        return self.band[0] == self.band[2] == 0

    @property
    def largest_means(self) -> NDArray[np.int64]:
        """For each component the largest magnitude that a block's mean (its DC coefficient) can have, (components,).

        It is the quantised value, without the bits that later scans bring (point transform; T.81, G.1.2.1). Cutting
        those bits off rounds down, so a negative mean can have a magnitude greater by one.
        """
        largest = (_LARGEST_MEAN + self.steps[:, 0] // 2) // self.steps[:, 0]
        return -(-largest >> self.band[3])

    def place(self, mcu: int) -> tuple[int, int]:
        """Return (x, y) of an MCU's upper left corner in the picture, in pixels of the picture as stored.

        Args:
            mcu: number of the MCU (the smallest unit that a JPEG stores), from 0, row by row.
        """
        return (mcu % self.columns) * self.mcu_px[0], (mcu // self.columns) * self.mcu_px[1]


class NotLookedAtError(Exception):
    """A JPEG is of a kind whose scans `read_scans` does not read, so nothing can be said of damage in them.

    An example is a JPEG with arithmetic coding.
    """


def read_scans(data: bytes) -> Iterator[Scan]:
    """Yield the scans of a JPEG, in the order of the file. A scan is one pass through the coded picture.

    Args:
        data: the whole file.
    Raises:
        NotLookedAtError: the frame is neither baseline, extended nor progressive with 8 bits, or a scan uses what the
            file has not defined.
        struct.error, IndexError, ValueError: a segment is too short, or names a component that is not there.
    """
    size: tuple[int, int] | None = None
    progressive = False
    components: list[_Component] = []
    steps: dict[int, NDArray[np.int64]] = {}
    tables = np.zeros((8, 1 << 16), np.uint16)
    restart, added = 0, 0
    for code, body, end in segments(data):
        if code in _OTHER_FRAMES:
            raise NotLookedAtError
        if code in (*_SEQUENTIAL, _PROGRESSIVE) and size is None:
            depth, height, width, count = struct.unpack_from(">BHHB", body)
            if depth != 8 or not height or not width:
                raise NotLookedAtError
            size, progressive = (width, height), code == _PROGRESSIVE
            parts = (body[6 + 3 * index : 9 + 3 * index] for index in range(count))
            components = [_Component(part[0], part[1] >> 4, part[1] & 15, part[2]) for part in parts]
        elif code == 0xDB:
            steps.update(_steps(body))
        elif code == 0xC4:
            tables = tables.copy()
            added += add_tables(body, tables)
            if added > _MOST_TABLES:
                raise NotLookedAtError
        elif code == 0xDD:
            (restart,) = struct.unpack_from(">H", body)
        elif code == 0xDA and size is not None:
            yield _scan(body, end, size, components, steps, tables, restart, progressive=progressive)


def _steps(body: bytes) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Yield (table's number, 64 steps) for each quantisation table of a segment (T.81, B.2.4.1)."""
    at = 0
    while at < len(body):
        wide = body[at] >> 4
        yield body[at] & 15, np.frombuffer(body, ">u2" if wide else ">u1", 64, at + 1).astype(np.int64)
        at += 1 + (128 if wide else 64)


def add_tables(body: bytes, tables: NDArray[np.uint16]) -> int:
    """Write the Huffman tables of a segment (T.81, B.2.4.2 and annex C) into rows of `tables`; return how many."""
    at, added = 0, 0
    while at < len(body):
        lengths = body[at + 1 : at + 17]
        symbols = body[at + 17 : at + 17 + sum(lengths)]
        added += 1
        if body[at] & 0xEC or len(symbols) != sum(lengths) or added > _MOST_TABLES:
            raise NotLookedAtError
        row = np.zeros(1 << 16, np.uint16)
        begin, taken = 0, 0
        for length, count in enumerate(lengths, start=1):
            for symbol in symbols[taken : taken + count]:
                row[begin : begin + (1 << 16 - length)] = length | symbol << 8
                begin += 1 << 16 - length
            taken += count
        if begin > 1 << 16:
            raise NotLookedAtError
        tables[(body[at] >> 4) * 4 + (body[at] & 3)] = row
        at += 17 + len(symbols)
    return added


def _scan(
    body: bytes,
    start: int,
    size: tuple[int, int],
    components: list[_Component],
    steps: dict[int, NDArray[np.int64]],
    tables: NDArray[np.uint16],
    restart: int,
    *,
    progressive: bool,
) -> Scan:
    """Return a scan by its header (T.81, B.2.3); the number of MCUs by A.2."""
    names = [one.name for one in components]
    across, down = max(one.across for one in components), max(one.down for one in components)
    if not all(one.across and one.down and steps.get(one.quantised_by, _NO_STEPS)[0] for one in components):
        raise NotLookedAtError
    band = _band(body) if progressive else (0, 63, 0, 0)
    has_means, has_others = band[0] == band[2] == 0, band[1] > 0
    blocks = []
    for index in range(body[0]):
        name, by = body[1 + 2 * index], body[2 + 2 * index]
        row = [names.index(name), by >> 4 & 3, 4 + (by & 3)]
        if (has_means and not tables[row[1]].any()) or (has_others and not tables[row[2]].any()):
            raise NotLookedAtError
        part = components[row[0]]
        blocks += [row] * (part.across * part.down if body[0] > 1 else 1)
    if not blocks:
        raise NotLookedAtError
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
    found = np.array(blocks, np.int64)
    return Scan(start, found, tables, columns, rows, mcu_px, by_component, restart, band, progressive)


def _band(body: bytes) -> tuple[int, int, int, int]:
    """Return first and last coefficient of a progressive scan, and the bits left before and after it (T.81, G.1.1)."""
    first, last, bits = body[1 + 2 * body[0]], body[2 + 2 * body[0]], body[3 + 2 * body[0]]
    high, low = bits >> 4, bits & 15
    in_order = first == last == 0 or (0 < first <= last <= 63 and body[0] == 1)
    if not in_order or low > _MOST_BITS_LEFT or (high and high != low + 1):
        raise NotLookedAtError
    return first, last, high, low
