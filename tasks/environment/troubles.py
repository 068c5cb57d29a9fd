"""Log an error that happens again and again: once, then at longer and longer intervals, and once more when it is over.

A loop that looks every few seconds fails hundreds of times while a server is away. A reader of the log wants to know
since when, and whether it is over. A traceback says nothing about a server that is away; so only other errors are
logged with one.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections.abc import Callable

import httpx
from prefect.exceptions import PrefectException

from packshot.errors import PackshotError, TransientError

AWAY = (TransientError, httpx.HTTPError, OSError, PrefectException)
"""What is raised while Prefect or the storage can't be reached."""
FIRST_S, LONGEST_S = 60.0, 3600.0
"""Time until a trouble that goes on is said again. It doubles each time, up to the longest."""


@dataclasses.dataclass
class _Trouble:
    """A trouble that goes on. Times are in seconds, on the clock of `Troubles`."""

    kind: object
    since: float
    said_at: float
    pause_s: float = FIRST_S


class Troubles:
    """Decides which errors of a loop are logged, so that an error that goes on does not fill the log. Thread-safe.

    A loop makes one instance, calls `say` when one of its steps fails, and `over` when a step works.
    """

    def __init__(self, logger: logging.Logger, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with no open error.

        Args:
            logger: where the lines are logged, as warnings.
            clock: returns seconds that only go forward.
        """
        self._log, self._clock, self._lock = logger, clock, threading.Lock()
        self._open: dict[str, _Trouble] = {}

    def say(self, what: str, error: Exception) -> None:
        """Log that a step has failed, unless this error is known and was logged a short while ago.

        An error is known if the step failed before with an error of the same type, raised at the same place, and has
        not worked since. All errors of the network, of Prefect and of storage (`AWAY`) count as the same one. A known
        error is logged again after 60 s, then after pauses that double, at most one hour.

        Args:
            what: the step that failed; the log line begins with it.
            error: what the step raised.
        """
        now, kind = self._clock(), _kind(error)
        with self._lock:
            known = self._open.get(what)
            if known is None or known.kind != kind:
                self._open[what] = _Trouble(kind, since=known.since if known else now, said_at=now)
                trace = None if isinstance(error, AWAY) else error
                self._log.warning("%s: this failed and is tried again: %s", what, in_one_line(error), exc_info=trace)
            elif now - known.said_at >= known.pause_s:
                known.said_at, known.pause_s = now, min(2 * known.pause_s, LONGEST_S)
                since = _duration(now - known.since)
                self._log.warning("%s: this has failed for %s: %s", what, since, in_one_line(error))

    def over(self, what: str) -> None:
        """Log that a step works again, and after how long. If the step had not failed, nothing happens.

        Args:
            what: the step, with the same name that `say` was called with.
        """
        with self._lock:
            known = self._open.pop(what, None)
            if known is not None:
                self._log.warning("%s: works again after %s", what, _duration(self._clock() - known.since))


def in_one_line(error: Exception) -> str:
    """Return the first line of an error's text, for example for a log.

    For an error that is not Packshot's own, its type comes first: "ConnectError: connection refused".
    """
    first = next(iter(str(error).splitlines()), "")
    return first if isinstance(error, PackshotError) else f"{type(error).__name__}: {first}".removesuffix(": ")


def _kind(error: Exception) -> object:
    """Return what tells errors apart: their type and where they were raised; those of a server that is away are one."""
    if isinstance(error, AWAY):
        return AWAY
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    return type(error), place and (place.tb_frame.f_code, place.tb_lineno)


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.0f} hours"
