"""Count the result for each photograph of a batch in the background, and keep it for a while.

Counting reads the record of every shot, which takes time. So no page waits for it. A page shows the last count and how
old it is.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime

from packshot.errors import PackshotError
from packshot.naming import BatchId
from tasks.batches.fates import Summary
from tasks.batches.status import standing_of
from tasks.records.bookkeeping import now

_LOG = logging.getLogger("packshot.desk")
KEPT_S = 60.0
SHARE_OF_TIME = 20
"""A count that took a second is not repeated for so many seconds."""
MOST = 100
"""Batches that are remembered; those that nobody asked for longest are forgotten first."""


@dataclasses.dataclass(frozen=True)
class Count:
    """What has become of each photograph of a batch, as it was last counted. `Counts.of` returns it.

    Attributes:
        summary: the result for each photograph; None if it could not be counted.
        trouble: why it could not be counted; empty if it could.
        read_at: when it was counted, or the attempt was made; None if it was never counted.
        fresh_until: the count is not repeated before this moment, which is in seconds of the clock of `Counts`.
    """

    summary: Summary | None = None
    trouble: str = ""
    read_at: datetime | None = None
    fresh_until: float = 0.0


class Counts:
    """The last count of each batch that somebody looked at: what has become of each of its photographs. Thread-safe.

    A count takes time, so it is made in the background and kept for a while. If too many batches are looked at, the
    counts that nobody asked for longest are forgotten.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin without counts.

        Args:
            clock: seconds that only go forward.
        """
        self._clock, self._lock = clock, threading.Lock()
        self._counts: OrderedDict[BatchId, Count] = OrderedDict()
        self._counting: set[BatchId] = set()
        self._counters = ThreadPoolExecutor(1, thread_name_prefix="counts")

    def of(self, batch: BatchId) -> Count:
        """Return the last count of a batch, without waiting. If there was none yet, the count has no summary.

        If the last count is old, a new one begins in the background.

        Args:
            batch: the batch.
        """
        with self._lock:
            known = self._counts.get(batch, Count())
            self._counts[batch] = known
            self._counts.move_to_end(batch)
            while len(self._counts) > MOST:
                self._counts.popitem(last=False)
            if batch not in self._counting and self._clock() >= known.fresh_until:
                self._counting.add(batch)
                self._counters.submit(copy_context().run, self._count, batch)
        return known

    def _count(self, batch: BatchId) -> None:
        began = self._clock()
        summary, trouble = None, ""
        try:
            summary = standing_of(batch)
        except PackshotError as error:
            trouble = str(error)
        except Exception as error:  # noqa: BLE001  (the storage or Prefect may be away; the page says so)
            _LOG.warning("%s could not be counted", batch, exc_info=error)
            trouble = f"It could not be counted ({type(error).__name__})."
        ended = self._clock()
        fresh_until = ended + max(KEPT_S, SHARE_OF_TIME * (ended - began))
        with self._lock:
            self._counting.discard(batch)
            if batch in self._counts:
                self._counts[batch] = Count(summary, trouble, now(), fresh_until)
