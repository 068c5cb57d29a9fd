"""Sum order lines by product and day, for many windows of time at once, such as the weeks before new pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Counts = NDArray[np.float64]
"""(windows,) float64."""
FIGURES = ("lines", "returned", "pictured")


class Windows:
    """Order lines of a shop summed by product and day, so that sums over many windows of time are fast.

    There are three sums: the number of lines, their returned share, and the share returned because of the picture. Each
    line counts as 1, whatever its quantity, and its returned units count as a share of its units. The reason: a
    wholesale order of a thousand units is one decision, not a thousand.

    Args:
        lines: the order lines, in the form of `OrderLines.lines`.
    Attributes:
        skus: the SKUs, sorted. Products are named by their positions in it.
        first_day, last_day: first and last day with an order, in days since 1970.
    """

    def __init__(self, lines: pd.DataFrame) -> None:
        codes, skus = pd.factorize(lines["sku"], sort=True)
        self.skus: pd.Index[Any] = pd.Index(skus)
        day = lines["day"].to_numpy(np.int64)
        self.first_day, self.last_day = int(day.min()), int(day.max())
        self._days = self.last_day - self.first_day + 2
        key = codes.astype(np.int64) * self._days + (day - self.first_day)
        order = np.argsort(key, kind="stable")
        self._keys = key[order]
        quantity = lines["quantity"].to_numpy(np.float64)
        parts = [np.ones(len(lines)), *(lines[name].to_numpy(np.float64) / quantity for name in FIGURES[1:])]
        self._sums = {
            name: np.concatenate([[0.0], np.cumsum(part[order])]) for name, part in zip(FIGURES, parts, strict=True)
        }

    def sum(self, figure: str, product: NDArray[np.int64], start: Any, end: Any) -> Counts:
        """Return, for each window of time, the sum of one number for the window's product, (windows,) float64.

        A window contains the day `start`, but not the day `end`.

        Args:
            figure: ``lines``, ``returned`` or ``pictured``.
            product: (windows,): for each window, its product's position in `skus`.
            start, end: (windows,), or one value for all; in days since 1970.
        """
        total = self._sums[figure]
        low, high = (
            np.searchsorted(self._keys, product * self._days + np.clip(day - self.first_day, 0, self._days - 1))
            for day in (np.asarray(start), np.asarray(end))
        )
        return np.asarray(total[high] - total[low])
