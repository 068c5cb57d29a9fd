"""Large arrays in memory that the process already has.

A photograph of 12 megapixels goes through some thirty arrays of 70 to 140 MB. glibc maps each block of more than 32 MB
anew and unmaps it after use, so that the kernel clears every page of it again, which takes a fifth of the whole time;
and as each thread has a heap of its own, what is freed in one cannot serve another, and a process grows by tens of
megabytes per hundred photographs. One heap for all threads, which keeps what is freed, needs less at its peak and stays
flat.
"""

from __future__ import annotations

import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_KEPT_BYTES = 1 << 30
"""Free memory beyond this, at the heap's end, goes back to the system; blocks beyond it are mapped by themselves."""


def reuse_freed_memory() -> bool:
    """Let this process use again what it freed (`mallopt(3)`); return whether it does.

    To be called before threads are started. Does nothing where the C library has no such call: macOS and musl have
    allocators of their own.
    """
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # TypeError: Windows has no library without a name
        return False
    options = ((_M_ARENA_MAX, 1), (_M_MMAP_THRESHOLD, _KEPT_BYTES), (_M_TRIM_THRESHOLD, _KEPT_BYTES))
    return all(set_option(option, value) for option, value in options)
