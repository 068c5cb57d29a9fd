"""Do one thing for many items, in threads that know which run and which leases they belong to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_threads(
    function: Callable[[Item], Result], items: Iterable[Item], *, at_once: int = 16, name: str
) -> list[Result]:
    """Return the function's result for each item, in order. If several fail, the error of the first item is raised.

    Each call gets a copy of the caller's context. Without it, the thread would not know which run to log to, nor the
    leases that the run holds.
    """

    def run(one: tuple[Context, Item]) -> Result:
        context, item = one
        return context.run(function, item)

    with ThreadPoolExecutor(at_once, thread_name_prefix=name) as pool:
        return list(pool.map(run, [(copy_context(), item) for item in items]))
