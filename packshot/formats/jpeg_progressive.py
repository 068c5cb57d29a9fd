"""Follow the Huffman codes of one scan of a progressive JPEG (ITU-T T.81, annex G), and say where they are impossible.

libjpeg does not say when a run of empty blocks is longer than the picture, when a block has values beyond its band, or
when up to seven bytes are left over. As bytes are lost, later blocks move; so a scan that does not end exactly with its
last block has lost or gained some.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from packshot.formats.jpeg_codes import (
    BITS_LEFT,
    ENDS_EARLY,
    LONG_BLOCK,
    LONG_RUN,
    MEAN_RANGE,
    NO_RESTART,
    NOTHING,
    UNKNOWN_CODE,
    VALUE_RANGE,
    compiled,
)

_SIGNATURE = (
    "UniTuple(int64, 2)(Array(uint8, 1, 'C', readonly=True), int64, uint16[:, ::1], int64[:, ::1], int64[::1], "
    "int64[::1], int64, int64[:, ::1], int64[::1], uint8[::1], int64[::1])"
)
LONGEST_RUN = 0x7FFF
MOST_CORRECTED = 900
"""libjpeg ends a run when 938 bits for values that are known wait for its end."""
SPARE_BYTES = 16
"""So many more bytes than the file the buffer holds. Codes are read ahead."""


def load_progressive_walk() -> Callable[..., tuple[int, int]]:
    """Return the function `follow_progressive`, compiled by numba: the loop through the codes of a progressive scan.

    The returned function has the arguments of `follow_progressive`. The first call of `load_progressive_walk` on a
    machine compiles the loop, and stores it on disk if it can write there.

    Raises:
        NotCompiledError: numba cannot be loaded.
    """
    return compiled(follow_progressive, _SIGNATURE)


def follow_progressive(
    data: Any,
    at: Any,
    tables: Any,
    blocks: Any,
    band: Any,
    limits: Any,
    restart: Any,
    means: Any,
    known: Any,
    buffer: Any,
    runs: Any,
) -> Any:
    """Return (what is impossible in a progressive scan, the MCU where it was met); (`NOTHING`, 0) if nothing is.

    The first is a constant of `jpeg_codes`, up to `VALUE_RANGE`. An MCU is the smallest unit that a JPEG stores,
    counted from 0; in a scan of other coefficients than means it is one block. Impossible codes prove that bytes were
    lost or changed.

    Args:
        data: the whole file, uint8.
        at: offset of the scan's first code.
        tables: (8, 65536) uint16, in the form that `jpeg_codes.follow` describes.
        blocks: (blocks of one MCU, 3): component, row of its DC table, row of its AC table.
        band: (4,): first and last coefficient of the scan, in zigzag order; number of low bits that the scan before
            left out (0 if this is the first scan of these coefficients); number of low bits that this scan leaves out.
        limits: in a first scan of means, for each component the largest magnitude in units of this scan. In a first
            scan of other coefficients, for each of the 64 the largest number of bits.
        restart: MCUs between two restart markers; 0 if there are none.
        means: (components, MCUs) int64, zeros on entry, filled in a first scan of means: the sum of the means of the
            MCU's blocks.
        known: int64, for each block of the component: bit n - 1 says that coefficient n is not 0. It is brought up to
            date in scans of other coefficients than means.
        buffer: uint8, longer than the file by `SPARE_BYTES`; overwritten.
        runs: (3,) int64, zeros on entry, filled: how many runs were longer than one block; how many began right behind
            another, although both could be one; the MCU where the first of these began.
    """
    end = data.shape[0]
    first, last, high = band[0], band[1], band[2]
    mean = np.zeros(means.shape[0], np.int64)
    at = np.int64(at)
    bit: Any = 0
    bits: Any = 0  # the next bit, and how many there are
    run: Any = 0  # blocks that have no more new values
    before: Any = 0  # blocks of the run that ended with the block before; 0 if none did, or if it could not be longer
    length: Any = 0
    corrected: Any = 0  # bits of the run for values that are known
    size: Any = 0
    number = 0
    for mcu in range(means.shape[1]):
        if mcu == 0 or (restart > 0 and mcu % restart == 0):
            if mcu > 0:
                while at + 1 < end and data[at] == 0xFF and data[at + 1] == 0xFF:
                    at += 1
                if run > 0:
                    return LONG_RUN, mcu
                if bits - bit >= 8:
                    return BITS_LEFT, mcu
                if at + 1 >= end or data[at] != 0xFF or data[at + 1] != 0xD0 + number:
                    return NO_RESTART, mcu
                at += 2
                number = (number + 1) % 8
                mean[:] = 0
                before = 0
            size = 0
            while at < end:
                value = data[at]
                if value == 0xFF:
                    if at + 1 >= end or data[at + 1] != 0:
                        break
                    at += 1
                at += 1
                buffer[size] = value
                size += 1
            buffer[size : size + 16] = 0
            bit, bits = 0, 8 * size
        if first == 0:
            for block in range(blocks.shape[0]):
                if high > 0:
                    bit += 1
                else:
                    component = blocks[block, 0]
                    near = bit >> 3
                    ahead = np.int64(buffer[near]) << 16 | np.int64(buffer[near + 1]) << 8 | np.int64(buffer[near + 2])
                    entry = np.int64(tables[blocks[block, 1], ahead >> (8 - (bit & 7)) & 0xFFFF])
                    if entry == 0:
                        return UNKNOWN_CODE, mcu
                    bit += entry & 255
                    size = entry >> 8
                    if size > 11:
                        return MEAN_RANGE, mcu
                    if size > 0:
                        near = bit >> 3
                        ahead = (
                            np.int64(buffer[near]) << 16 | np.int64(buffer[near + 1]) << 8 | np.int64(buffer[near + 2])
                        )
                        value = ahead >> (24 - (bit & 7) - size) & ((1 << size) - 1)
                        mean[component] += value if value >> (size - 1) else value - (1 << size) + 1
                        bit += size
                    if abs(mean[component]) > limits[component]:
                        return MEAN_RANGE, mcu
                    means[component, mcu] += mean[component]
                if bit > bits:
                    return ENDS_EARLY, mcu
            continue
        if high == 0 and run > 0:
            run -= 1
            before = length if run == 0 and length < LONGEST_RUN else 0
            continue
        seen = known[mcu]
        index = first
        if run == 0:
            while index <= last:
                near = bit >> 3
                ahead = np.int64(buffer[near]) << 16 | np.int64(buffer[near + 1]) << 8 | np.int64(buffer[near + 2])
                entry = np.int64(tables[blocks[0, 2], ahead >> (8 - (bit & 7)) & 0xFFFF])
                if entry == 0:
                    return UNKNOWN_CODE, mcu
                bit += entry & 255
                size, zeros = entry >> 8 & 15, entry >> 12
                if size == 0 and zeros < 15:
                    run = 1 << zeros
                    if zeros > 0:
                        near = bit >> 3
                        ahead = (
                            np.int64(buffer[near]) << 16 | np.int64(buffer[near + 1]) << 8 | np.int64(buffer[near + 2])
                        )
                        run += ahead >> (24 - (bit & 7) - zeros) & ((1 << zeros) - 1)
                        bit += zeros
                    length, corrected = run, 0
                    runs[0] += run > 1
                    if before > 0 and index == first:
                        if runs[1] == 0:
                            runs[2] = mcu
                        runs[1] += 1
                    break
                bit += size
                if high == 0:
                    index += zeros
                else:
                    if size > 1:
                        return VALUE_RANGE, mcu
                    while index <= last:
                        if seen >> (index - 1) & 1:
                            bit += 1
                        elif zeros == 0:
                            break
                        else:
                            zeros -= 1
                        index += 1
                if bit > bits:
                    return ENDS_EARLY, mcu
                if index > last:
                    return LONG_BLOCK, mcu
                if size > 0:
                    if size > limits[index]:
                        return VALUE_RANGE, mcu
                    seen |= np.int64(1) << (index - 1)
                index += 1
            known[mcu] = seen
            before = 0
        if run > 0:
            run -= 1
            if high > 0 and index <= last:
                rest = seen >> (index - 1) & ((np.int64(1) << (last - index + 1)) - 1)
                while rest:
                    rest &= rest - 1
                    bit += 1
                    corrected += 1
            if run == 0 and length < LONGEST_RUN and corrected <= MOST_CORRECTED:
                before = length
        if bit > bits:
            return ENDS_EARLY, mcu
    if run > 0:
        return LONG_RUN, means.shape[1] - 1
    # Bytes that were not even read are behind the last block as well.
    if bits - bit >= 8 or (at + 1 < end and (data[at] != 0xFF or data[at + 1] == 0)):
        return BITS_LEFT, means.shape[1] - 1
    return NOTHING, 0
