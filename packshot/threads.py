"""Run functions in parallel, in as many threads as OpenCV may use. OpenCV and numpy let other threads run meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import RLock
from typing import Any, Generic, Self, TypeVar, overload

import cv2

Item = TypeVar("Item")
Owner = TypeVar("Owner")
Result = TypeVar("Result")


class computed_once(Generic[Owner, Result]):  # noqa: N801  (it is used like `property`)
    """A property that is computed once for each object, even if several threads ask for it at the same time.

    Use it as a decorator of a method, like `functools.cached_property`. Threads that ask for properties of different
    objects do not wait for each other.
    """

    def __init__(self, compute: Callable[[Owner], Result]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type[Owner], name: str) -> None:
        self._name = name

    @overload
    def __get__(self, one: None, owner: type[Owner]) -> Self: ...

    @overload
    def __get__(self, one: Owner, owner: type[Owner]) -> Result: ...

    def __get__(self, one: Owner | None, owner: type[Owner]) -> Self | Result:
        if one is None:
            return self
        kept: dict[str, Any] = vars(one)  # what is kept there is found without this method
        with kept.setdefault(f"lock of {self._name}", RLock()):
            if self._name not in kept:
                kept[self._name] = self._compute(one)
        result: Result = kept[self._name]
        return result


def side_by_side(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Return the function's result for each item, in the order of the items.

    The function runs in as many threads as OpenCV may use. If it fails for several items, the error of the first of
    these items is raised.

    Args:
        function: called with one item. It must be safe to run in several threads.
        items: the items.
    """
    threads = cv2.getNumThreads()
    if threads <= 1:
        return [function(item) for item in items]
    with ThreadPoolExecutor(threads, thread_name_prefix="side-by-side") as pool:
        return list(pool.map(function, items))
