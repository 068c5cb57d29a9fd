"""Run a function for many items in threads, and make objects that all threads share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from functools import cache, wraps
from typing import ParamSpec, TypeVar

Asked = ParamSpec("Asked")
Item = TypeVar("Item")
Result = TypeVar("Result")


def made_once(make: Callable[Asked, Result]) -> Callable[Asked, Result]:
    """Return a function that runs once for each set of arguments. Its result is kept and shared by all threads.

    Threads that ask at the same time get the same result. With `functools.cache` alone, each of them could make its own
    result at the first call. For example, there could be two event loops, and one of them would get the connections of
    the other.
    """
    kept, one_at_a_time = cache(make), threading.RLock()

    @wraps(make)
    def call(*args: Asked.args, **kwargs: Asked.kwargs) -> Result:
        with one_at_a_time:
            return kept(*args, **kwargs)  # type: ignore[arg-type]

    return call


def in_threads(
    function: Callable[[Item], Result], items: Iterable[Item], *, at_once: int = 16, name: str
) -> list[Result]:
    """Return the function's result for each item, in order. If several fail, the error of the first item is raised.

    Each call gets a copy of the caller's context. Without it, the thread would not know which run to log to, nor the
    leases that the run holds.

    Args:
        at_once: maximum number of threads.
        name: begin of the threads' names, as logs show them.
    """

    def run(one: tuple[Context, Item]) -> Result:
        context, item = one
        return context.run(function, item)

    with ThreadPoolExecutor(at_once, thread_name_prefix=name) as pool:
        return list(pool.map(run, [(copy_context(), item) for item in items]))
