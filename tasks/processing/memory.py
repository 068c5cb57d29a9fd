"""Limit the memory that one process uses for photographs at the same time.

The header of a photograph tells how much memory the work on it takes (`packshot.ingest.limits`). The largest accepted
photograph takes `max_working_bytes`. Several threads work on one shot each. Together they take no more than
`max_working_bytes`. If there is not enough room for a thread, it waits; threads get room in the order in which they
asked.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from packshot.ingest.limits import working_bytes
from packshot.record import ShotRecord
from tasks.environment.configs import configs_in_force

BYTES_PER_BYTE = 10
"""Memory for each byte of a file that is opened in a child: the file, its copy on the way, the master's file. A JPEG of
12 megapixels has 5 MB, its master 35 MB."""


class Room:
    """Memory that threads take and give back, in bytes. Thread-safe. Nothing is allocated here: it only counts."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()
        self._taken = 0

    @contextmanager
    def taken(self, wanted_bytes: int, *, of_bytes: int) -> Iterator[None]:
        """Wait until there is room for some bytes, and hold them for the block.

        Args:
            wanted_bytes: the bytes to hold.
            of_bytes: all memory that there is, taken or not. A thread that wants more than that gets all of it, and
                works alone.
        """
        wanted, turn = min(wanted_bytes, of_bytes), object()
        with self._changed:
            self._waiting.append(turn)
            try:
                self._changed.wait_for(lambda: self._waiting[0] is turn and self._taken + wanted <= of_bytes)
            finally:
                self._waiting.remove(turn)
                self._changed.notify_all()
            self._taken += wanted
        try:
            yield
        finally:
            with self._changed:
                self._taken -= wanted
                self._changed.notify_all()


_room, _mine = Room(), threading.local()


def room_for(record: ShotRecord) -> AbstractContextManager[None]:
    """Hold the memory that work on a mastered shot needs, during the block. First wait until that much is free.

    A thread that already holds memory continues at once. If it waited, it would wait for itself.

    Args:
        record: its ``reading`` report has the size of the photograph; without one, no memory is held.
    """
    width, height = record.reports.get("reading", {}).get("size", (0, 0))
    return _held(working_bytes(width * height))


def room_for_file(size_bytes: int) -> AbstractContextManager[None]:
    """Hold the memory that a file needs while a child process opens it, during the block. First wait until it is free.

    That is `BYTES_PER_BYTE` for each byte of the file. This process then holds only two things: the bytes of the file,
    and the bytes of the master that the child returns. A thread that already holds memory continues at once.
    """
    return _held(size_bytes * BYTES_PER_BYTE)


@contextmanager
def _held(wanted_bytes: int) -> Iterator[None]:
    if getattr(_mine, "holds", False):
        yield
        return
    with _room.taken(wanted_bytes, of_bytes=configs_in_force().ingest.max_working_bytes):
        _mine.holds = True
        try:
            yield
        finally:
            _mine.holds = False
