"""Find traces of lost data in a progressive JPEG, whose picture is stored in several passes, each finer than the last.

Two traces are looked for. No encoder leaves them, and no decoder complains of them. One is a pass that is not there.
The other is two runs of empty blocks in one pass that could be one run (T.81, G.1.2.2). After bytes are lost, a decoder
reads nonsense, which has such runs, until it happens to be in step again.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from packshot.formats.jpeg_progressive import SPARE_BYTES, load_progressive_walk
from packshot.formats.jpeg_scans import Scan

_LARGEST_VALUE = 2048
"""No coefficient is larger than 8 x 128; twice that leaves room for encoders that change coefficients."""
_UNSEEN, _MEANS = -1, -1
_FEWEST_RUNS, _FEWEST_OTHERS = 4, 2
"""An encoder joins runs if in so many other passes there are so many long runs, none of them split."""
_MOST_SPLIT, _FEW_SPLIT = 0.05, 2
"""More split runs than this part of the long ones, and than these few, are the encoder's way."""


class SplitRun(NamedTuple):
    """A trace of lost data in a progressive JPEG: two runs of empty blocks, one right behind the other.

    An encoder would have written them as one run. The JPEG's other runs show that its encoder did so.

    Attributes:
        x, y: where the second run of the first such pair begins, in pixels of the picture as stored.
        places: how many such pairs the pass has.
    """

    x: int
    y: int
    places: int


class Unfinished(NamedTuple):
    """A trace of lost data: a progressive JPEG some of whose passes are not there, so the picture is coarse.

    Attributes:
        missing: how many of a block's 64 coefficients are not there, or not to their last bit, added up over the
            components.
    """

    missing: int


class Passes:
    """Traces of lost data in the passes of a progressive JPEG, collected pass by pass.

    A pass is a scan of the file; each makes the picture finer.

    Call `follow` for each pass in the order of the file. Then `split_run` says whether bytes were lost, and
    `unfinished` how much of the picture is missing.

    Args:
        stored: the whole file, uint8.
    """

    def __init__(self, stored: NDArray[np.uint8]) -> None:
        self._stored = stored
        self._buffer = np.empty(0, np.uint8)
        self._known: dict[int, NDArray[np.int64]] = {}
        self._left = np.zeros((0, 64), np.int64)
        self._whole = 0
        self._split: list[tuple[int, SplitRun]] = []

    def follow(self, scan: Scan, means: NDArray[np.int64]) -> tuple[int, int]:
        """Return (what is impossible in the next pass, the MCU where it was met); (`NOTHING`, 0) if nothing is.

        The first is a constant of `jpeg_codes`, such as `UNKNOWN_CODE`. An MCU is the smallest unit that a JPEG stores,
        counted from 0, row by row.

        Args:
            scan: the pass, as `read_scans` yields it.
            means: (components, MCUs) int64, zeros on entry. It is filled in a first pass of means: the sum of the means
                of the MCU's blocks.
        Raises:
            NotCompiledError: numba cannot be loaded.
        """
        if not len(self._left):
            self._left = np.full((len(scan.steps), 64), _UNSEEN, np.int64)
            self._buffer = np.empty(len(self._stored) + SPARE_BYTES, np.uint8)
        first, last, _, low = scan.band
        self._left[np.unique(scan.blocks[:, 0]), first : last + 1] = low
        key = int(scan.blocks[0, 0]) if first else _MEANS
        known = self._known.setdefault(key, np.zeros(means.shape[1], np.int64))
        limits = _longest_values(scan) if first else scan.largest_means
        runs = np.zeros(3, np.int64)
        found = load_progressive_walk()(
            *(self._stored, scan.start, scan.tables, scan.blocks, np.array(scan.band, np.int64), limits, scan.restart),
            *(means, known, self._buffer, runs),
        )
        long, split, mcu = runs.tolist()
        if split:
            self._split.append((long, SplitRun(*scan.place(mcu), places=split)))
        elif long >= _FEWEST_RUNS:
            self._whole += 1
        return found

    def split_run(self) -> SplitRun | None:
        """Return the first split run that was met: two runs of empty blocks that an encoder would have written as one.

        None if no pass has such a pair. None too if the file's encoder may have split runs itself, so that a pair
        proves nothing: there are many pairs, or too few other passes show that the encoder does not split runs.
        """
        splitting = len(self._split) > self._whole or any(
            one.places > max(_FEW_SPLIT, _MOST_SPLIT * long) for long, one in self._split
        )
        return None if not self._split or splitting or self._whole < _FEWEST_OTHERS else self._split[0][1]

    def unfinished(self) -> Unfinished | None:
        """Return how much of the picture's detail is missing: it is in none of the passes that were followed.

        None if the passes hold the whole picture, or if no pass was followed.
        """
        missing = int((self._left != 0).sum())
        return Unfinished(missing) if missing else None


def _longest_values(scan: Scan) -> NDArray[np.int64]:
    """Return for each of 64 coefficients how many bits the largest possible one has in units of the scan."""
    steps = scan.steps[int(scan.blocks[0, 0])]
    largest = (_LARGEST_VALUE + steps) // np.maximum(steps, 1) >> scan.band[3]
    longest: NDArray[np.int64] = np.maximum(np.frexp(largest.astype(np.float64))[1], 1).astype(np.int64)
    return longest
