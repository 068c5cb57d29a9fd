"""Find lost data in a JPEG whose codes are all possible, by the step in brightness that it leaves.

Each block's mean is stored as the difference from the block before. If bytes are lost, every later mean is wrong by the
same amount. Compared with the row above, this is a step in brightness. The step runs along the rest of one row of MCUs
(the blocks that a JPEG stores together) and the beginning of the next row. So it is exactly as long as one row, and
lies exactly on the grid of MCUs. Edges of real objects seldom do. A picture frame may, but it begins at the beginning
of a row.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_FEWEST_COLUMNS = 60
_LEAST_STEP, _LEAST_QUANTA = 2.0, 3
"""In levels of 255, and in steps of quantisation: smaller ones are found at edges of pale things, too."""
_MOST_STEP = 24.0
_EDGE = 0.05
"""A seam that begins within this part of the width from either side could be the edge of a thing."""
_LEAST_FIT = 0.88
_ENDS, _LEAST_FIT_OF_ENDS = 12, 0.6
_MOST_TRIED = 12


class Seam(NamedTuple):
    """A trace of lost data in a JPEG: the place where a step in brightness begins, and its size.

    Attributes:
        x, y: in pixels of the picture as stored.
        step: in levels (0..255); positive if the picture is brighter from there on.
    """

    x: int
    y: int
    step: float


def find_seam(means: NDArray[np.floating], quanta: NDArray[np.floating], mcu_px: tuple[int, int]) -> Seam | None:
    """Return the step in brightness that missing data has left in a picture, with the place where it begins.

    The step is exactly one row of MCUs long, on the grid of MCUs. None if there is none, or if the picture has fewer
    than 60 columns or 4 rows of MCUs.

    Args:
        means: (components, rows, columns): the mean of each MCU (smallest unit that a JPEG codes), in levels (0..255).
        quanta: for each component its quantisation step, in levels.
        mcu_px: width and height of an MCU, in pixels of the picture.
    """
    columns = means.shape[2]
    if columns < _FEWEST_COLUMNS or means.shape[1] < 4:
        return None
    for component, quantum in zip(means.reshape(len(means), -1).astype(np.float32), quanta.tolist(), strict=True):
        least = max(_LEAST_STEP, _LEAST_QUANTA * quantum)
        steps = component[columns:] - component[:-columns]
        sums = np.concatenate([[0.0], np.cumsum(np.clip(steps, -_MOST_STEP, _MOST_STEP), dtype=np.float64)])
        strength = np.abs(sums[columns:] - sums[:-columns]) / columns
        for _ in range(_MOST_TRIED):
            begin = int(strength.argmax())
            if strength[begin] < least / 2:
                break
            strength[max(0, begin - columns) : begin + columns] = 0
            step = _fitting_step(steps, begin, columns)
            if abs(step) >= least:
                row, column = divmod(begin + columns, columns)
                return Seam(column * mcu_px[0], row * mcu_px[1], step)
    return None


def _fitting_step(steps: NDArray[np.float32], begin: int, columns: int) -> float:
    """Return the step of the seam that begins at an MCU; 0 if there is none."""
    if not _EDGE * columns <= begin % columns <= (1 - _EDGE) * columns:
        return 0.0
    inside = steps[begin : begin + columns]
    before, behind = steps[max(0, begin - columns) : begin], steps[begin + columns : begin + 2 * columns]
    step = float(np.median(inside))
    half, few = abs(step) / 2, columns // _ENDS
    if min(len(before), len(behind)) < few:
        return 0.0
    fits = np.abs(inside - step) <= half
    quiet = np.abs(before) <= half, np.abs(behind) <= half
    turn = columns - begin % columns  # where the seam goes on in the next row
    ends = fits[:few], fits[-few:], quiet[0][-few:], quiet[1][:few]
    fitting = min(float(one.mean()) for one in (fits[:turn], fits[turn:], *quiet)) >= _LEAST_FIT
    return step if fitting and min(float(one.mean()) for one in ends) >= _LEAST_FIT_OF_ENDS else 0.0
