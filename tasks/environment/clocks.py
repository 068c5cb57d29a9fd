"""Tell how much time has passed, also on a machine that was suspended meanwhile."""

from __future__ import annotations

import time

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def passed_s() -> float:
    """Return seconds that only go forward, and go on while this machine is suspended. Only differences mean anything.

    `time.monotonic` stands still on a suspended Linux machine. So whatever ends by itself, such as a lease or a
    person's session, is measured with this.
    """
    return time.clock_gettime(_CLOCK)
