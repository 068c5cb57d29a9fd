"""Put an HTTP proxy in front of a storage; the proxy makes some requests fail, drawn at random by a seed.

The proxy answers 503, cuts bodies, resets connections, delays answers, or loses them.
"""

from __future__ import annotations

import contextlib
import http.client
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KINDS = ("503", "truncated", "reset", "slow", "answer lost")
SLOW_S = 5.0
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing throws away what is on the way
_OVERLOADED = b"<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"
_HOP_BY_HOP = ("connection", "expect", "keep-alive", "transfer-encoding")


class Faults:
    """Decides at random which requests to the storage fail, and how.

    The arguments are the share of all requests that fail (0..1), the seed of the random choice, and the kinds of faults
    to choose from; by default all five: ``503``, ``truncated`` (a cut body), ``reset`` (of the connection), ``slow``
    and ``answer lost``.

    Attributes:
        met: kind of fault -> number of requests that met it.
    """

    def __init__(self, ratio: float, seed: int, kinds: Sequence[str] = KINDS) -> None:
        """Begin with nothing met.

        Args:
            ratio: share of all requests that meet a fault; each kind has an equal part of it.
        """
        self._ratio, self._kinds = ratio, tuple(kinds)
        self._random, self._lock = random.Random(seed), threading.Lock()
        self.met: Counter[str] = Counter()

    def next(self) -> str:
        """Return how the next request fails; empty if it does not fail. The fault is counted in `met`.

        The kinds are ``503``, ``truncated`` (a cut body), ``reset`` (of the connection), ``slow`` and ``answer lost``.
        """
        with self._lock:
            kind = self._random.choice(self._kinds) if self._random.random() < self._ratio else ""
            self.met[kind] += bool(kind)
            return kind


@contextmanager
def faulty(upstream: tuple[str, int], faults: Faults) -> Iterator[str]:
    """Run a proxy in front of a storage during the block, and yield its address, such as ``http://127.0.0.1:12345``.

    Clients that use this address meet the faults.

    Args:
        upstream: host and port of the storage.
        faults: decides which requests fail.
    """

    class Handler(_Handler):
        server_address, plan = upstream, faults

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_address: tuple[str, int]
    plan: Faults

    def _pass_on(self) -> None:
        kind = self.plan.next()
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if kind == "slow":
            time.sleep(SLOW_S)
        if kind == "503":
            self._send(503, [("Content-Type", "application/xml")], _OVERLOADED)
        elif kind == "reset" or (answer := self._ask(body)) is None or kind == "answer lost":
            self._break()
        else:
            self._send(*answer, cut=kind == "truncated")

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass_on  # noqa: N815  (the library's names)

    def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes] | None:
        """The server's answer; None: it gives none."""
        connection = http.client.HTTPConnection(*self.server_address, timeout=60)
        try:
            kept = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
            connection.request(self.command, self.path, body=body, headers=kept)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def _send(self, status: int, headers: list[tuple[str, str]], body: bytes, *, cut: bool = False) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in (*_HOP_BY_HOP, "content-length"):
                self.send_header(name, value)
        length = dict(headers).get("Content-Length", "0") if self.command == "HEAD" else str(len(body))
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[: len(body) // 2] if cut else body)
        if cut:
            self._break()

    def _break(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.wfile.flush()
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: object) -> None:
        """Print nothing. The web server of Python's library would print a line for each request."""
