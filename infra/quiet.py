"""Log the traceback of an error once, and then for a while only a line each time it comes again.

While its database is away, Prefect's server logs 1.6 MB a minute, nearly all of it one and the same traceback. Logs are
cut at a greatest length. So after an hour, all that was logged before the fault would be lost.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

QUIET_S = 600.0
"""How long a traceback is not repeated."""


def install(*, clock: Callable[[], float] = time.monotonic) -> None:
    """Shorten the tracebacks that this process logs from now on, by whichever logger. Nothing comes back.

    The first error of a kind is logged with its traceback. The next ones within `QUIET_S` (600) seconds are logged as
    one line each. Errors are of one kind if the same logger logs them, and if they began with the same class of error
    at the same line of code.

    Args:
        clock: called without arguments; returns a number of seconds that never goes back.
    """
    make, said, lock = logging.getLogRecordFactory(), dict[object, float](), threading.Lock()

    def shortened(*args: Any, **options: Any) -> logging.LogRecord:
        record = make(*args, **options)
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            return record
        cause, now = _first_cause(error), clock()
        # Whoever asks a server that is away logs the same: where that was says nothing.
        kind = type(cause) if isinstance(cause, OSError) else (record.name, type(cause), _place(cause))
        with lock:
            is_known = now - said.get(kind, float("-inf")) < QUIET_S
            if not is_known:
                said[kind] = now
        if is_known:
            words = next(iter(str(cause).splitlines()), "")
            record.msg = f"{record.getMessage().strip()} {type(cause).__name__}: {words} (traceback: see above)"
            record.args, record.exc_info = (), None
        return record

    logging.setLogRecordFactory(shortened)


def _first_cause(error: BaseException) -> BaseException:
    """Return the error with which it began. A wait that was called off because its time was over is none."""
    seen = set[int]()
    while id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
            continue
        earlier = error.__cause__ or error.__context__
        error = error if earlier is None or isinstance(earlier, asyncio.CancelledError) else earlier
    return error


def _place(error: BaseException) -> object:
    """Return where an error was raised."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    return place and (place.tb_frame.f_code, place.tb_lineno)
