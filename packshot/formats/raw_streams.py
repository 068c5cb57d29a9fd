"""Look for damage in lossless JPEG streams (ITU-T T.81, annex H), in which cameras and DNG store sensor values."""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from packshot.formats.jpeg_codes import (
    BITS_LEFT,
    ENDS_EARLY,
    NO_RESTART,
    NOTHING,
    UNKNOWN_CODE,
    VALUE_RANGE,
)
from packshot.formats.jpeg_header import segments
from packshot.formats.jpeg_lossless import load_lossless_walk
from packshot.formats.jpeg_scans import NotLookedAtError, add_tables

_LOSSLESS = 0xC3
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_MOST_TABLES = 16
_MOST_COMPONENTS = 4
_WORDS = {
    UNKNOWN_CODE: "a code that no table has",
    ENDS_EARLY: "data that ends before the last value",
    BITS_LEFT: "data left over behind the last value",
    NO_RESTART: "a restart marker that is not there",
    VALUE_RANGE: "a value larger than its number of bits allows",
}


class _Scan(NamedTuple):
    start: int
    tables: NDArray[np.uint16]
    used: NDArray[np.int64]
    predictor: int
    bits: int
    restart: int
    rows: int
    columns: int


def damage_in_lossless(stream: bytes) -> str:
    """Return in words what is impossible in a lossless JPEG and where, such as "a code that no table has in row 12".

    Empty if nothing is impossible, and if the stream is not checked: it is no lossless JPEG with Huffman codes and one
    scan, its components have different sizes, or its segments cannot be read. A row is one of the stream, from 0.

    Whole streams have no damage by this function. Changed, lost or added bytes have, unless all later values lie in
    their places again and within their range: then a part of one or more rows has wrong values.

    Args:
        stream: from the start marker on. What stands behind its end marker is not looked at.
    Raises:
        NotCompiledError: the loop that follows the codes cannot be compiled on this machine.
    """
    try:
        scan = _scan(stream)
    except (NotLookedAtError, struct.error, IndexError, ValueError):
        return ""
    lines = np.zeros((2, scan.columns * len(scan.used)), np.int64)
    what, row = load_lossless_walk()(
        np.frombuffer(stream, np.uint8),
        scan.start,
        scan.tables,
        scan.used,
        scan.predictor,
        scan.bits,
        scan.restart,
        scan.rows,
        lines,
    )
    return "" if what == NOTHING else f"{_WORDS[what]} in row {row:,}"


def is_lossless(stream: bytes) -> bool:
    """Return whether a stream is a JPEG whose first frame is lossless with Huffman codes.

    Args:
        stream: from the start marker on.
    """
    if not stream.startswith(b"\xff\xd8"):
        return False
    try:
        return next((code for code, _, _ in segments(stream) if code in _FRAMES), 0) == _LOSSLESS
    except struct.error:
        return False


def _scan(stream: bytes) -> _Scan:
    """Return the only scan of a lossless JPEG with its tables.

    Raises:
        NotLookedAtError: the stream is of another kind.
        struct.error, IndexError, ValueError: a segment is too short, or names a component that is not there.
    """
    tables = np.zeros((8, 1 << 16), np.uint16)
    frame: tuple[int, int, int, bytes] | None = None
    restart, added = 0, 0
    for code, body, end in segments(stream):
        if code in _FRAMES:
            if code != _LOSSLESS or frame:
                raise NotLookedAtError
            bits, rows, columns, count = struct.unpack_from(">BHHB", body)
            names, sampling = body[6 : 6 + 3 * count : 3], {body[7 + 3 * index] for index in range(count)}
            if not (1 <= count <= _MOST_COMPONENTS and 2 <= bits <= 16 and rows and columns and len(sampling) == 1):
                raise NotLookedAtError
            frame = bits, rows, columns, names
        elif code == 0xC4:
            added += add_tables(body, tables)
            if added > _MOST_TABLES:
                raise NotLookedAtError
        elif code == 0xDD:
            (restart,) = struct.unpack_from(">H", body)
        elif code == 0xDA:
            if frame is None:
                raise NotLookedAtError
            bits, rows, columns, names = frame
            in_order = bytes(body[1 + 2 * index] for index in range(body[0])) == names
            used = np.array([body[2 + 2 * index] >> 4 & 3 for index in range(body[0])], np.int64)
            predictor, shift = body[1 + 2 * body[0]], body[3 + 2 * body[0]] & 15
            if not in_order or not 1 <= predictor <= 7 or restart % columns or shift >= bits:
                raise NotLookedAtError
            if not tables[used].any(axis=1).all():
                raise NotLookedAtError
            return _Scan(end, tables, used, predictor, bits - shift, restart // columns, rows, columns)
    raise NotLookedAtError
