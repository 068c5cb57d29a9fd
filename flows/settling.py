"""Waiting for many tasks without letting one failure stop the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from prefect.futures import PrefectFuture, as_completed

R = TypeVar("R")

Progress = Callable[[int, int], None]
"""Called with (settled so far, all)."""


def settle(futures: Iterable[PrefectFuture[R]], *, on_progress: Progress) -> list[R]:
    """Wait for all and return the results of those that completed, in the order they were submitted.

    What failed is not here: each failure stands red in the UI and as an event in its shot's record, from which the
    flow's final state is decided.

    Args:
        on_progress: told whenever a hundredth more has settled.
    """
    waiting = list(futures)
    step = max(1, len(waiting) // 100)
    for done, _ in enumerate(as_completed(waiting), start=1):
        if done % step == 0 or done == len(waiting):
            on_progress(done, len(waiting))
    for future in waiting:
        future.wait()  # takes the state from the task itself; without it the server is asked, which hears of it later
    return [future.result() for future in waiting if future.state.is_completed()]
