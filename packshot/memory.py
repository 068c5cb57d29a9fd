"""Memory that was freed, given back to the system.

glibc keeps what is freed between blocks still in use and rarely finds a place in it for the next picture's arrays:
while no more is held than before, a process grows by tens of megabytes per hundred pictures. To ask for it costs
some milliseconds per picture; to have every large array mapped by itself would cost a third of the time.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable


def give_back_free_memory() -> bool:
    """Give back what the C library holds free (`malloc_trim(3)`); return whether it did.

    Does nothing where the library has no such call: macOS and musl give large blocks back by themselves.
    """
    trim = _trim()
    return trim is not None and bool(trim(0))


@functools.cache
def _trim() -> Callable[[int], int] | None:
    try:
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # TypeError: Windows has no library without a name
        return None
    return trim
