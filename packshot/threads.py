"""Run functions in parallel, in as many threads as OpenCV may use. OpenCV and numpy release the GIL while they work."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import cv2

Item = TypeVar("Item")
Result = TypeVar("Result")


def side_by_side(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Return the function's result for each item, in order. If several fail, the error of the first item is raised."""
    threads = cv2.getNumThreads()
    if threads <= 1:
        return [function(item) for item in items]
    with ThreadPoolExecutor(threads, thread_name_prefix="side-by-side") as pool:
        return list(pool.map(function, items))
