"""Wait while the storage or Prefect's server is away, and then make the same request again.

The client of the storage retries for seconds, and so does a task. That is too short if a server is being moved. So
every request of `tasks.storage.bucket` that fails because the storage is away comes here:

- In a flow, outside a task, where nothing else retries, the request is made again until ``PACKSHOT_PATIENCE_S`` is
  over.
- Inside a task, the request is made again until the same time is over, but only while the storage answers nothing at
  all. If the storage answers other requests, the trouble may concern one object only: the task fails, and the other
  shots go on.
- Outside a run, the error is raised at once: a person waits for the command, or a loop tries again later.

Prefect's own client retries requests to its server; `outlasting_prefect` lets it retry for the same time.

A lease shows who is at work on something, and may expire while its owner waits. So before a request is made again, the
owner checks that its leases are still its own, and takes back those that nobody else has claimed.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from prefect.context import FlowRunContext, TaskRunContext
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from packshot.errors import StorageUnavailableError
from tasks.environment.logs import log
from tasks.environment.settings import get_settings

R = TypeVar("R")

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 15.0

_CHECKS: ContextVar[tuple[Callable[[], object], ...]] = ContextVar("what a wait must not outlast", default=())


class _Outage:
    """Since when nothing that this process asked for was answered. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._since: float | None = None

    def seen(self, now: float) -> float:
        """Note that a request to the storage has failed, and return when the first of the failed requests in a row was.

        Args:
            now: the present time, in seconds of a clock that only goes forward. The result is in the same seconds.
        """
        with self._lock:
            self._since = now if self._since is None else self._since
            return self._since

    def over(self) -> None:
        """Note that the storage has answered a request: it is no longer away."""
        with self._lock:
            self._since = None


_outage = _Outage()


def outlasting(request: Callable[[], R], *, answers: Callable[[], bool]) -> R:
    """Return what `request` returns. If the storage is away, wait, and call `request` again.

    The wait ends after ``PACKSHOT_PATIENCE_S`` seconds. Pauses grow from 1 s to 15 s. Only a run waits (`waits`);
    elsewhere the first error is raised at once.

    Args:
        request: asks the storage and returns its answer. It may be called several times.
        answers: called without arguments, in tasks only; returns True if the storage answers any request at all.
    Raises:
        StorageUnavailableError: the storage is away, and the caller does not wait, or has waited long enough.
        LeaseLostError: while this run waited, another run has taken its work over.
    """
    failed_at: float | None = None
    pause_s = FIRST_PAUSE_S
    while True:
        try:
            result = request()
        except StorageUnavailableError as error:
            now = time.monotonic()
            since = _outage.seen(now)
            failed_at = now if failed_at is None else failed_at
            waited_s, patience_s = now - min(failed_at, since), get_settings().patience_s
            if not patience_s or not waits(answers):
                raise
            if waited_s >= patience_s:
                raise _given_up(error, waited_s) from error
            if now == failed_at:
                log().warning("waiting for the storage, up to %g s: %s", patience_s - waited_s, error)
        else:
            _outage.over()
            if failed_at is not None:
                log().warning("the storage answers again after %.0f s; going on", time.monotonic() - failed_at)
            return result
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        for check in _CHECKS.get():
            check()


def waits(answers: Callable[[], bool]) -> bool:
    """Return True if the code that runs now should wait for a storage that is away, False if it should fail at once.

    In a flow the result is True. In a task it is True only while the storage answers no request at all. Outside a run
    it is False.

    Args:
        answers: called without arguments, in tasks only; returns True if the storage answers any request at all.
    """
    if TaskRunContext.get() is not None:
        return not answers()
    return FlowRunContext.get() is not None


@contextmanager
def outlasting_prefect() -> Iterator[None]:
    """Return a context manager. In its block, Prefect's client retries requests to a server that is away for longer.

    The client goes on for up to ``PACKSHOT_PATIENCE_S``, with pauses of 2, 4, 8, ... s. By itself it would give up
    after about a minute.
    """
    tries = int(math.log2(get_settings().patience_s / 2 + 1))  # 2 + 4 + ... + 2^n = 2^(n + 1) - 2
    with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: max(tries, PREFECT_CLIENT_MAX_RETRIES.value())}):
        yield


@contextmanager
def only_while(check: Callable[[], object]) -> Iterator[None]:
    """Return a context manager. In its block, `check` is called after each pause of a wait for the storage.

    If `check` raises an error, the wait ends with that error. So a run whose work another run has taken over stops
    waiting.

    Args:
        check: called without arguments; its result is ignored. It may ask the storage itself.
    """

    def checked() -> None:
        with unchecked():
            check()

    token = _CHECKS.set((*_CHECKS.get(), checked))
    try:
        yield
    finally:
        _CHECKS.reset(token)


@contextmanager
def unchecked() -> Iterator[None]:
    """Return a context manager. In its block, waits for the storage call none of the checks that `only_while` has set.

    Use it around a check, because a check asks the storage itself. If its request has to wait, that wait must not call
    the checks again.
    """
    token = _CHECKS.set(())
    try:
        yield
    finally:
        _CHECKS.reset(token)


def _given_up(error: StorageUnavailableError, waited_s: float) -> StorageUnavailableError:
    return StorageUnavailableError(
        error.what,
        error.subject,
        found=f"{error.found}; this run has waited for {waited_s:.0f} s".removeprefix("; "),
        next_step="Bring the storage back, then retry the run: what is finished is not done again.",
    )
