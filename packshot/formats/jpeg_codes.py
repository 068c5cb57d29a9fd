"""Follow the Huffman codes of one sequential scan of a JPEG (ITU-T T.81, F.2), and find codes that are impossible.

libjpeg gives no warning in three cases: a block has more than 64 coefficients, a block's mean (its DC coefficient) is
out of range, or up to seven bytes are left over. The loop runs once per code, so numba compiles it. It is compiled once
on a machine and then loaded from disk. `jpeg_progressive` follows the codes of a progressive scan.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

NOTHING, UNKNOWN_CODE, LONG_BLOCK, MEAN_RANGE, ENDS_EARLY, BITS_LEFT, NO_RESTART, LONG_RUN, VALUE_RANGE = range(9)
"""What is impossible: a code that no table has, a block of more than 64 coefficients, a mean darker than black or
brighter than white, data that ends before the last block, data behind the last block, a restart marker that is not
there; in progressive scans also a run of empty blocks beyond the last block, and a coefficient larger than 8 bits a
sample make."""

_LONGEST_MEAN = 11
"""Bits of the largest difference of means, with 8 bits a sample (T.81, table F.1)."""

_SIGNATURE = (
    "UniTuple(int64, 2)(Array(uint8, 1, 'C', readonly=True), int64, uint16[:, ::1], int64[:, ::1], int64[::1], "
    "int64, int64[:, ::1])"
)
_loading = threading.Lock()


class NotCompiledError(RuntimeError):
    """The loop that follows a JPEG's codes cannot be compiled on this machine, so damage is not looked for."""


def load_walk() -> Callable[..., tuple[int, int]]:
    """Return the function `follow`, compiled by numba: the loop through the codes of a sequential scan.

    The compiled function has the arguments and the result of `follow`.

    The first call on a machine compiles the loop and stores it on disk, if it can write there.

    Raises:
        NotCompiledError: numba cannot be loaded.
    """
    return compiled(follow, _SIGNATURE)


def compiled(loop: Callable[..., Any], signature: str) -> Callable[..., tuple[int, int]]:
    """Return a loop compiled by numba for one signature. Later calls return the same compiled loop.

    The compiled code is stored on disk if this process may write there, so that other processes need not compile again.
    The loop raises TypeError for arguments that do not fit the signature.

    Args:
        loop: the Python function.
        signature: the types of its result and arguments, as numba writes them.
    Raises:
        NotCompiledError: numba cannot be loaded.
    """
    with _loading:
        return _compiled(loop, signature)


@cache
def _compiled(loop: Callable[..., Any], signature: str) -> Callable[..., tuple[int, int]]:
    try:
        import numba

        try:
            walk = numba.njit(cache=True, nogil=True)(loop)
        except RuntimeError:  # no folder for compiled code can be read or written
            walk = numba.njit(nogil=True)(loop)
        with contextlib.suppress(OSError):  # compiled, but it cannot be kept
            walk.compile(signature)
        walk.disable_compile()
    except (ImportError, OSError, RuntimeError, MemoryError) as error:
        raise NotCompiledError(f"{type(error).__name__}: {error}") from error
    made: Callable[..., tuple[int, int]] = walk
    return made


def follow(data: Any, at: Any, tables: Any, blocks: Any, most: Any, restart: Any, means: Any) -> Any:
    """Return (what is impossible in a sequential scan, the MCU where it was met); (`NOTHING`, 0) if nothing is.

    The first is a constant of this module, from `UNKNOWN_CODE` to `NO_RESTART`. An MCU is the smallest unit that a JPEG
    stores: some blocks of each component. MCUs are counted from 0, row by row. Impossible codes prove that bytes were
    lost or changed.

    Args:
        data: the whole file, uint8.
        at: offset of the scan's first code.
        tables: (8, 65536) uint16. Each row is a Huffman table. Its entry for the next 16 bits is the length of the code
            that they begin with + 256 x the code's symbol; 0 if they begin with no code. Rows 0..3 are for means (DC),
            4..7 for the other coefficients (AC).
        blocks: (blocks of one MCU, 3): for each block its component, row of its DC table, row of its AC table.
        most: for each component the largest magnitude of a quantised mean.
        restart: MCUs between two restart markers; 0 if there are none.
        means: (components, MCUs) int64, zeros on entry. It is filled: the sum of the quantised means of the MCU's
            blocks. After an impossible code, the rest stays 0.
    """
    end = data.shape[0]
    mean = np.zeros(most.shape[0], np.int64)
    waiting = np.uint64(0)  # bits that were read, not used
    count = np.int64(0)
    marker = False  # the next byte belongs to a marker
    number = 0
    for mcu in range(means.shape[1]):
        if restart > 0 and mcu > 0 and mcu % restart == 0:
            while at + 1 < end and data[at] == 0xFF and data[at + 1] == 0xFF:
                at += 1
            if count >= 8:
                return BITS_LEFT, mcu
            if at + 1 >= end or data[at] != 0xFF or data[at + 1] != 0xD0 + number:
                return NO_RESTART, mcu
            at += 2
            number = (number + 1) % 8
            mean[:] = 0
            waiting, count, marker = np.uint64(0), np.int64(0), False
        for block in range(blocks.shape[0]):
            component = blocks[block, 0]
            index = np.int64(0)
            while index < 64:
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
                entry = np.int64(tables[blocks[block, 2 if index else 1], np.int64(ahead)])
                if entry == 0:
                    return UNKNOWN_CODE, mcu
                length, symbol = entry & 255, entry >> 8
                size = symbol & 15 if index else symbol
                if size > 15 or (index == 0 and size > _LONGEST_MEAN):
                    return MEAN_RANGE, mcu
                if length + size > count:
                    return ENDS_EARLY, mcu
                count -= length + size
                if index == 0:
                    if size > 0:
                        bits = np.int64((waiting >> np.uint64(count)) & np.uint64((1 << size) - 1))
                        mean[component] += bits if bits >> (size - 1) else bits - (1 << size) + 1
                    if abs(mean[component]) > most[component]:
                        return MEAN_RANGE, mcu
                    means[component, mcu] += mean[component]
                    index = np.int64(1)
                elif size == 0:
                    if symbol != 0xF0:
                        break
                    index += 16
                    if index > 63:
                        return LONG_BLOCK, mcu
                else:
                    index += (symbol >> 4) + 1
                    if index > 64:
                        return LONG_BLOCK, mcu
    # Bytes that were not even read are behind the last block as well.
    if count >= 8 or (at + 1 < end and (data[at] != 0xFF or data[at + 1] == 0)):
        return BITS_LEFT, means.shape[1] - 1
    return NOTHING, 0
