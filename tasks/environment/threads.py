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
    """Return a function like `make` that makes its object only once and returns the same one to all threads.

    There is one object for each set of arguments. Use it for what a process must have only once, such as an event loop.
    With `functools.cache` alone, threads that ask at the same time could each make one of their own.

    Args:
        make: makes the object. Its arguments must be hashable. If it raises, nothing is kept, and the next call makes
            it again.
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
    """Return the function's result for each item, in the order of the items. Several threads work at once.

    Each call sees the context variables of the caller; so it logs to the caller's run. If calls fail, the error of the
    first such item in order is raised, after all calls have ended.

    Args:
        function: called with one item.
        at_once: greatest number of threads.
        name: what the threads' names begin with, as logs show them.
    """

    def run(one: tuple[Context, Item]) -> Result:
        context, item = one
        return context.run(function, item)

    with ThreadPoolExecutor(at_once, thread_name_prefix=name) as pool:
        return list(pool.map(run, [(copy_context(), item) for item in items]))
