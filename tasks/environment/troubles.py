"""Log what fails again and again once, then at longer and longer intervals, and once more when it is over.

A loop that looks every few seconds fails hundreds of times while a server is away. A reader wants to know since when,
and whether it is over. A traceback says nothing about a server that is away, so it is only logged for other errors.
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
    """The errors of one loop that have not stopped yet, each under the name of its step. Thread-safe."""

    def __init__(self, logger: logging.Logger, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin without troubles.

        Args:
            clock: seconds that only go forward.
        """
        self._log, self._clock, self._lock = logger, clock, threading.Lock()
        self._open: dict[str, _Trouble] = {}

    def say(self, what: str, error: Exception) -> None:
        """Log an error, unless it is the same as before and was logged a short while ago.

        "The same" means: of the same step, and of the same type, raised at the same place. All errors of `AWAY` count
        as one.

        Args:
            what: the step that failed; the log line begins with it.
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
        """Log that a step works again, and after how long; do nothing if the step had not failed.

        Args:
            what: the step, as it was given to `say`.
        """
        with self._lock:
            known = self._open.pop(what, None)
            if known is not None:
                self._log.warning("%s: works again after %s", what, _duration(self._clock() - known.since))


def in_one_line(error: Exception) -> str:
    """Return the first line of an error's text; for errors that are not Packshot's own, with the error's type before
    it.
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
