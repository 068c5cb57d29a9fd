"""Limit the memory that one process uses for photographs at the same time.

The header of a photograph tells how much memory the work on it takes (`packshot.ingest.limits`). Several threads work
on one shot each. Together they take no more than the config's `max_working_bytes`, which is what the largest accepted
photograph takes. If there is not enough room for a thread, it waits; threads get room in the order in which they asked.
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
    """A count of the memory that threads use, in bytes. It makes a thread wait while too much is in use. Thread-safe.

    No memory is allocated here.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()
        self._taken = 0

    @contextmanager
    def taken(self, wanted_bytes: int, *, of_bytes: int) -> Iterator[None]:
        """Return a context manager that counts some bytes as used during its block.

        It first waits until so many bytes are free. Threads get their turn in the order in which they asked.

        Args:
            wanted_bytes: the bytes to use.
            of_bytes: the most bytes that may be used at once. A thread that wants more than that counts as using all of
                them, and works alone.
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
    """Return a context manager. Its block begins when there is enough memory for work on a shot, and holds that memory.

    How much it is follows from the picture's size. All threads of the process together hold at most the config's
    `max_working_bytes`. A thread that holds memory already begins at once: otherwise it would wait for itself.

    Args:
        record: the record of a shot that has a master; its report ``reading`` has the picture's size. Without that
            report no memory is held.
    """
    width, height = record.reports.get("reading", {}).get("size", (0, 0))
    return _held(working_bytes(width * height))


def room_for_file(size_bytes: int) -> AbstractContextManager[None]:
    """Return a context manager. Its block begins when there is enough memory to open a file in a child process.

    The block holds ten bytes for each byte of the file (`BYTES_PER_BYTE`). That is enough for the file and for the
    master that the child returns; the child's own memory is not counted. A thread that holds memory already begins at
    once.

    Args:
        size_bytes: length of the file.
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
