"""A TCP proxy before the storage, to cut its connections in the middle of a run."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing throws away what is on the way, as a broken line does
_CHUNK_BYTES = 1 << 16


class Proxy:
    """Passes bytes on both ways, but not while it is cut.

    Attributes:
        refused: how many new connections were dropped.
    """

    def __init__(self, upstream: tuple[str, int]) -> None:
        self._upstream = upstream
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._is_cut = False
        self.refused = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def cut(self) -> None:
        """Break every connection there is, and drop all that come until `mend`."""
        with self._lock:
            self._is_cut = True
            for connection in self._open:
                _break(connection)
            self._open.clear()

    def mend(self) -> None:
        """Accept connections again."""
        with self._lock:
            self._is_cut = False

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        self.cut()

    def _serve(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            if self._refuses():
                _break(caller)
                caller.close()
                continue
            server = socket.create_connection(self._upstream)
            with self._lock:
                self._open |= {caller, server}
            for source, target in ((caller, server), (server, caller)):
                threading.Thread(target=self._pump, args=(source, target), daemon=True).start()

    def _refuses(self) -> bool:
        with self._lock:
            self.refused += self._is_cut
            return self._is_cut

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(_CHUNK_BYTES):
                target.sendall(chunk)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)
        with self._lock:
            self._open.discard(source)
        source.close()


def _break(connection: socket.socket) -> None:
    """End a connection at once for whoever waits on it; its pump closes it."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxy(upstream: tuple[str, int]) -> Iterator[Proxy]:
    """A proxy before a server, as a block."""
    running = Proxy(upstream)
    try:
        yield running
    finally:
        running.close()
