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
        refused: how many new connections, and requests for what is out of reach, were dropped.
    """

    def __init__(self, upstream: tuple[str, int]) -> None:
        self._upstream = upstream
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._is_cut = False
        self._out_of_reach = b""
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

    def cut_off(self, name: str) -> None:
        """Break each connection that asks for an object of this name, until `mend`; others are answered."""
        self._out_of_reach = name.encode()

    def mend(self) -> None:
        """Accept connections and requests again."""
        with self._lock:
            self._is_cut, self._out_of_reach = False, b""

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

    def _is_out_of_reach(self, chunk: bytes) -> bool:
        """Return whether a chunk begins with a request for an object that is out of reach."""
        line, name = chunk.partition(b"\r\n")[0], self._out_of_reach
        return bool(name) and line.endswith(b" HTTP/1.1") and name in line

    def _refuses(self) -> bool:
        with self._lock:
            self.refused += self._is_cut
            return self._is_cut

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(_CHUNK_BYTES):
                if self._is_out_of_reach(chunk):
                    with self._lock:
                        self.refused += 1
                    _break(source)
                    break
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
