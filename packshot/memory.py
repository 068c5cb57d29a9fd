"""Make glibc (the C library of Linux) reuse freed memory for large arrays.

A photograph of 12 megapixels passes through some thirty arrays of 70 to 140 MB. By default glibc requests each block of
more than 32 MB from the kernel and gives it back after use. The kernel then has to clear every page again, which takes
a fifth of the whole time. Also, each thread has its own heap, so one thread can't use memory that another has freed,
and the process grows by tens of megabytes per hundred photographs. A single heap that keeps freed memory needs less at
its peak and doesn't grow.
"""

from __future__ import annotations

import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_KEPT_BYTES = 1 << 30
"""Free memory at the heap's end beyond this goes back to the system; single blocks larger than this are mapped."""


def reuse_freed_memory() -> bool:
    """Return whether glibc was told to reuse freed memory for large arrays (`mallopt(3)`).

    Call it once at the start of a process, before any thread starts. False means that nothing has changed, because
    the C library has no `mallopt`, as on macOS and musl, or refused an option.
    """
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # TypeError: Windows needs a library name
        return False
    options = ((_M_ARENA_MAX, 1), (_M_MMAP_THRESHOLD, _KEPT_BYTES), (_M_TRIM_THRESHOLD, _KEPT_BYTES))
    return all(set_option(option, value) for option, value in options)
