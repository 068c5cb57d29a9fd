"""Look for damage for which libjpeg gives no warning: impossible codes, and traces that only lost data leaves.

These JPEGs are checked: baseline, extended and progressive, with Huffman codes and 8 bits, any sampling, restart
intervals, any number of scans. Arithmetic-coded JPEGs are not.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from packshot.formats.container import DamagedError
from packshot.formats.jpeg_codes import NOTHING, load_walk
from packshot.formats.jpeg_passes import Passes, SplitRun, Unfinished
from packshot.formats.jpeg_scans import NotLookedAtError, Scan, read_scans
from packshot.formats.jpeg_seam import Seam, find_seam

_WORDS = (
    "",
    "a code that no table has",
    "a block of more than 64 values",
    "a block darker than black or brighter than white",
    "data that ends before the last block",
    "data left over behind the last block",
    "a restart marker that is not there",
    "a run of empty blocks beyond the last block",
    "a value larger than a picture of 8 bits has",
)


def look_for_damage(data: bytes) -> Seam | SplitRun | Unfinished | None:
    """Return the trace that lost data has left in a JPEG: a `Seam`, else a `SplitRun`, else an `Unfinished`.

    A seam is a step in brightness, a split run is a pair of codes that no encoder writes, and an unfinished JPEG lacks
    passes. None if there is no trace. None too if the JPEG is not checked: it is neither baseline, extended nor
    progressive, has not 8 bits or no Huffman codes, or its segments cannot be read.

    Args:
        data: the whole file. A decoder has read it before.
    Raises:
        DamagedError: a scan's codes are impossible.
        NotCompiledError: the loop that follows the codes cannot be compiled on this machine.
    """
    stored = np.frombuffer(data, np.uint8)
    passes = Passes(stored)
    found: Seam | None = None
    try:
        for scan in read_scans(data):
            means = np.zeros((len(scan.steps), scan.columns * scan.rows), np.int64)
            what, mcu = passes.follow(scan, means) if scan.progressive else _follow(stored, scan, means)
            if what != NOTHING:
                x, y = scan.place(mcu)
                raise DamagedError(f"a damaged JPEG ({_WORDS[what]}, met at x {x:,}, y {y:,} px)")
            if scan.has_means:
                found = found or _seam(scan, means)
    except (NotLookedAtError, struct.error, IndexError, ValueError) as error:
        if isinstance(error, DamagedError):
            raise
        return None
    return found or passes.split_run() or passes.unfinished()


def _follow(stored: NDArray[np.uint8], scan: Scan, means: NDArray[np.int64]) -> tuple[int, int]:
    return load_walk()(stored, scan.start, scan.tables, scan.blocks, scan.largest_means, scan.restart, means)


def _seam(scan: Scan, means: NDArray[np.int64]) -> Seam | None:
    used = sorted(set(scan.blocks[:, 0].tolist()))
    shares = np.bincount(scan.blocks[:, 0], minlength=len(scan.steps))[used]
    quanta = (scan.steps[used, 0] << scan.band[3]) / 8
    levels = (means[used] * (quanta / shares)[:, None]).reshape(-1, scan.rows, scan.columns)
    return find_seam(levels, quanta, scan.mcu_px)
