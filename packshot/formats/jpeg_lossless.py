"""Follow the Huffman codes of a lossless JPEG (ITU-T T.81, annex H), in which cameras and DNG store sensor values.

Decoders take any codes: they fill what is missing with black and leave over what is too much. Each value is predicted
from its neighbours. So after a changed byte, later values are wrong or lie elsewhere, and the data does not end exactly
with the last value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from packshot.formats.jpeg_codes import (
    BITS_LEFT,
    ENDS_EARLY,
    NO_RESTART,
    NOTHING,
    UNKNOWN_CODE,
    VALUE_RANGE,
    compiled,
)

_SIGNATURE = (
    "UniTuple(int64, 2)(Array(uint8, 1, 'C', readonly=True), int64, uint16[:, ::1], int64[::1], int64, int64, int64, "
    "int64, int64[:, ::1])"
)


def load_lossless_walk() -> Callable[..., tuple[int, int]]:
    """Return the function `follow_lossless`, compiled by numba: the loop through the codes of a lossless scan.

    The returned function has the arguments of `follow_lossless`. The first call of `load_lossless_walk` on a machine
    compiles the loop, and stores it on disk if it can write there.

    Raises:
        NotCompiledError: numba cannot be loaded.
    """
    return compiled(follow_lossless, _SIGNATURE)


def follow_lossless(
    data: Any, at: Any, tables: Any, used: Any, predictor: Any, bits: Any, restart: Any, rows: Any, lines: Any
) -> Any:
    """Return (what is impossible in a lossless scan, the row where it was met); (`NOTHING`, 0) if nothing is.

    The first is a constant of `packshot.formats.jpeg_codes`: `UNKNOWN_CODE`, `ENDS_EARLY`, `BITS_LEFT`, `NO_RESTART`,
    or `VALUE_RANGE` for a value that the stated number of bits cannot hold.

    Args:
        data: the stream, uint8.
        at: offset of the scan's first code.
        tables: (8, 65536) uint16, as `packshot.formats.jpeg_codes.follow` describes them. Rows 0..3 are used.
        used: for each component the row of its table.
        predictor: 1 to 7 (T.81, table H.1).
        bits: bits of a value, without those that the point transform leaves out.
        restart: rows between two restart markers; 0 if there are none.
        rows: number of rows.
        lines: (2, columns x components) int64, room for two rows of values. It is overwritten.
    """
    end = data.shape[0]
    parts = used.shape[0]
    width = lines.shape[1]
    middle = np.int64(1) << (bits - 1)
    most = np.int64(1) << bits
    waiting = np.uint64(0)  # bits that were read, not used
    count = np.int64(0)
    marker = False  # the next byte belongs to a marker
    number = 0
    first = True  # nothing lies above this row
    for row in range(rows):
        line, above = row & 1, 1 - (row & 1)
        if restart > 0 and row > 0 and row % restart == 0:
            while at + 1 < end and data[at] == 0xFF and data[at + 1] == 0xFF:
                at += 1
            if count >= 8:
                return BITS_LEFT, row
            if at + 1 >= end or data[at] != 0xFF or data[at + 1] != 0xD0 + number:
                return NO_RESTART, row
            at += 2
            number = (number + 1) % 8
            waiting, count, marker, first = np.uint64(0), np.int64(0), False, True
        for x in range(width):
            while count <= 48 and not marker:
                if at >= end:
                    marker = True
                    break
                value = data[at]
                if value == 0xFF:
                    if at + 1 >= end or data[at + 1] != 0:
                        marker = True
                        break
                    at += 1
                at += 1
                waiting = (waiting << np.uint64(8)) | np.uint64(value)
                count += 8
            if count >= 16:
                ahead = (waiting >> np.uint64(count - 16)) & np.uint64(0xFFFF)
            else:
                ahead = (waiting << np.uint64(16 - count)) & np.uint64(0xFFFF)
            entry = np.int64(tables[used[x % parts], np.int64(ahead)])
            if entry == 0:
                return UNKNOWN_CODE, row
            length, size = entry & 255, entry >> 8
            if size > 16:
                return UNKNOWN_CODE, row
            extra = size if size < 16 else 0
            if length + extra > count:
                return ENDS_EARLY, row
            count -= length + extra
            difference = np.int64(0)
            if size == 16:
                difference = np.int64(32768)
            elif size > 0:
                read = np.int64((waiting >> np.uint64(count)) & np.uint64((1 << size) - 1))
                difference = read if read >> (size - 1) else read - (1 << size) + 1
            if x < parts:
                guess = middle if first else lines[above, x]
            else:
                left = lines[line, x - parts]
                if first or predictor == 1:
                    guess = left
                else:
                    up, corner = lines[above, x], lines[above, x - parts]
                    if predictor == 2:
                        guess = up
                    elif predictor == 3:
                        guess = corner
                    elif predictor == 4:
                        guess = left + up - corner
                    elif predictor == 5:
                        guess = left + ((up - corner) >> 1)
                    elif predictor == 6:
                        guess = up + ((left - corner) >> 1)
                    else:
                        guess = (left + up) >> 1
            found = (guess + difference) & 0xFFFF
            if found >= most:
                return VALUE_RANGE, row
            lines[line, x] = found
        first = False
    rest = count & 7  # bits of the last byte; encoders write ones (T.81, F.1.2.3) or noughts
    count -= rest
    spare = np.int64((waiting >> np.uint64(count)) & np.uint64((1 << rest) - 1))
    if spare != 0 and spare != (1 << rest) - 1:
        return BITS_LEFT, rows - 1
    filler = np.int64(-1)
    while True:  # some encoders fill a stream up with equal bytes
        if count >= 8:
            count -= 8
            byte = np.int64((waiting >> np.uint64(count)) & np.uint64(0xFF))
        elif at < end and not (data[at] == 0xFF and (at + 1 >= end or data[at + 1] != 0)):
            byte = np.int64(data[at])
            at += 2 if byte == 0xFF else 1
        else:
            return NOTHING, 0
        if (byte != 0 and byte != 0xFF) or (filler >= 0 and byte != filler):
            return BITS_LEFT, rows - 1
        filler = byte
