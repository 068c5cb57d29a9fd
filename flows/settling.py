"""Wait for many task runs without letting one failure stop the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from prefect.futures import PrefectFuture, as_completed

R = TypeVar("R")

Progress = Callable[[int, int], None]
"""Called with (finished so far, all)."""


def settle(futures: Iterable[PrefectFuture[R]], *, on_progress: Progress) -> list[R]:
    """Wait for all task runs; return the results of those that completed, in the order in which they were submitted.

    Failed ones are left out. Each failure is red in Prefect's UI, and is an event in its shot's record. The flow
    decides its final state from the records.

    Args:
        futures: what `submit` of Prefect's tasks has returned.
        on_progress: called with (task runs that have ended so far, all), each time another hundredth has ended.
    """
    waiting = list(futures)
    step = max(1, len(waiting) // 100)
    for done, _ in enumerate(as_completed(waiting), start=1):
        if done % step == 0 or done == len(waiting):
            on_progress(done, len(waiting))
    for future in waiting:
        future.wait()  # sets the state locally; the server, which Prefect asks otherwise, learns of it later
    return [future.result() for future in waiting if future.state.is_completed()]
