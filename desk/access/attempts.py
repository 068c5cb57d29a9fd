"""Limit how often something may be tried, such as a password: a few times at once, then slowly."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from packshot.handoff.people import plain_name

AT_ONCE, REFILL_S = 5, 30.0
"""Attempts for one name: this many, and one more each so many seconds."""
AT_ONCE_IN_ALL, REFILL_IN_ALL_S = 30, 2.0
MOST_NAMES = 5000


@dataclasses.dataclass
class _Bucket:
    left: float
    at: float


class Pace(NamedTuple):
    """Limits on how often something may be tried.

    Attributes:
        at_once: attempts that are allowed at once for each name; 5 by default.
        refill_s: after this many seconds, one more is allowed for the name; 30 by default.
        at_once_in_all, refill_in_all_s: the two limits for all names together; 30 attempts and 2 s by default.
    """

    at_once: int = AT_ONCE
    refill_s: float = REFILL_S
    at_once_in_all: int = AT_ONCE_IN_ALL
    refill_in_all_s: float = REFILL_IN_ALL_S


class Attempts:
    """Counts attempts, for example to sign in, and says whether one more is allowed.

    Attempts are counted for each name, such as that of an account, and for all names together. A `Pace` gives the
    limits of both. An attempt that succeeds does not count. So nobody can try thousands of passwords. The counts are
    only in memory.
    """

    def __init__(self, pace: Pace = Pace(), *, clock: Callable[[], float] = time.monotonic) -> None:  # noqa: B008
        """Begin with no attempts.

        Args:
            pace: the limits.
            clock: seconds that only go forward.
        """
        self._pace, self._clock, self._lock = pace, clock, threading.Lock()
        self._names: dict[str, _Bucket] = {}
        self._all = _Bucket(pace.at_once_in_all, clock())

    def may_try(self, name: str) -> bool:
        """Return whether an attempt is allowed now. If so, it is counted.

        Args:
            name: who or what the attempt is for, for example the name of an account. Case, accents and blanks don't
                matter.
        """
        at = self._clock()
        with self._lock:
            pace = self._pace
            bucket = self._names.pop(plain_name(name), _Bucket(pace.at_once, at))
            _refill(bucket, at, most=pace.at_once, each_s=pace.refill_s)
            _refill(self._all, at, most=pace.at_once_in_all, each_s=pace.refill_in_all_s)
            allowed = bucket.left >= 1 and self._all.left >= 1
            if allowed:
                bucket.left -= 1
                self._all.left -= 1
            self._names[plain_name(name)] = bucket
            if len(self._names) > MOST_NAMES:
                del self._names[next(iter(self._names))]  # the one that was not tried for longest
            return allowed

    def succeeded(self, name: str) -> None:
        """Take back the last counted attempt for a name, because it succeeded.

        Args:
            name: who or what the attempt was for, as in the call of `may_try`.
        """
        with self._lock:
            bucket = self._names.get(plain_name(name))
            if bucket is not None:
                bucket.left = min(self._pace.at_once, bucket.left + 1)
            self._all.left = min(self._pace.at_once_in_all, self._all.left + 1)


def _refill(bucket: _Bucket, at: float, *, most: int, each_s: float) -> None:
    bucket.left = min(most, bucket.left + (at - bucket.at) / each_s)
    bucket.at = at
