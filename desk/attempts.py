"""How often a password may be tried: a few times at once, then at a slow pace, for each name and for all together."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable

from packshot.handoff.people import plain_name

AT_ONCE, REFILL_S = 5, 30.0
"""Attempts for one name: this many, and one more each so many seconds."""
AT_ONCE_IN_ALL, REFILL_IN_ALL_S = 30, 2.0
MOST_NAMES = 5000


@dataclasses.dataclass
class _Bucket:
    left: float
    at: float


class Attempts:
    """Counts attempts to sign in. Successful ones don't count."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with no attempts.

        Args:
            clock: seconds that only go forward.
        """
        self._clock, self._lock = clock, threading.Lock()
        self._names: dict[str, _Bucket] = {}
        self._all = _Bucket(AT_ONCE_IN_ALL, clock())

    def may_try(self, name: str) -> bool:
        """Count an attempt, and return whether it is allowed now."""
        at = self._clock()
        with self._lock:
            bucket = self._names.pop(plain_name(name), _Bucket(AT_ONCE, at))
            _refill(bucket, at, most=AT_ONCE, each_s=REFILL_S)
            _refill(self._all, at, most=AT_ONCE_IN_ALL, each_s=REFILL_IN_ALL_S)
            allowed = bucket.left >= 1 and self._all.left >= 1
            if allowed:
                bucket.left -= 1
                self._all.left -= 1
            self._names[plain_name(name)] = bucket
            if len(self._names) > MOST_NAMES:
                del self._names[next(iter(self._names))]  # the one that was not tried for longest
            return allowed

    def succeeded(self, name: str) -> None:
        """Take back the attempt that was counted last: it was the person's own."""
        with self._lock:
            bucket = self._names.get(plain_name(name))
            if bucket is not None:
                bucket.left = min(AT_ONCE, bucket.left + 1)
            self._all.left = min(AT_ONCE_IN_ALL, self._all.left + 1)


def _refill(bucket: _Bucket, at: float, *, most: int, each_s: float) -> None:
    bucket.left = min(most, bucket.left + (at - bucket.at) / each_s)
    bucket.at = at
