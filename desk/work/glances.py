"""Keep in memory what a shot's page shows of the shots beside it: their state and their small picture.

The pages that a reviewer opens one after the other have mostly the same shots beside them. To read the record of each
from storage for every page took half of a page's processor time.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import NamedTuple

from packshot.naming import ShotId
from packshot.record import ShotRecord, State
from tasks.records.stored import load_records

PREVIEW = "preview.webp"
"""Name of a shot's small picture among its objects."""
KEPT_S = 20.0
"""A state that is shown beside a picture may be so old."""
MOST_KEPT = 2_000
"""Shots that are remembered; the one that was read first is forgotten first."""


class Glance(NamedTuple):
    """What is shown of a shot beside another one.

    Attributes:
        preview: SHA-256 of its small picture; empty if it has none.
        view: the side of the product that it shows, such as ``MAIN``; empty if it is not known.
        product: SKU, else ASIN or GTIN; empty if it is not known.
    """

    shot: ShotId
    state: State
    preview: str
    view: str
    product: str


class Glances:
    """What is shown of shots beside others, as it was read at most 20 s ago (`KEPT_S`). Thread-safe."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin empty.

        Args:
            clock: returns seconds that only go forward.
        """
        self._clock, self._lock = clock, threading.Lock()
        self._known: OrderedDict[ShotId, tuple[float, Glance]] = OrderedDict()

    def of(self, shots: Iterable[ShotId]) -> list[Glance]:
        """Return what is shown of these shots, in their order. Shots without a readable record are left out.

        Args:
            shots: the shots that stand beside another one.
        """
        wanted, at = list(dict.fromkeys(shots)), self._clock()
        with self._lock:
            found = {one: self._known[one][1] for one in wanted if self._is_fresh(one, at)}
        read = {one.shot: _glance(one) for one in load_records([one for one in wanted if one not in found])}
        with self._lock:
            for shot, glance in read.items():
                self._known.pop(shot, None)
                self._known[shot] = (at, glance)
            while len(self._known) > MOST_KEPT:
                self._known.popitem(last=False)
        found |= read
        return [found[one] for one in wanted if one in found]

    def _is_fresh(self, shot: ShotId, at: float) -> bool:
        known = self._known.get(shot)
        return known is not None and at - known[0] < KEPT_S


def _glance(record: ShotRecord) -> Glance:
    preview = record.objects.get(PREVIEW, "")
    return Glance(record.shot, record.state, preview, record.fact("view"), record.product)
