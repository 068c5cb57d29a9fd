"""Refuse requests from other sites' pages and for unknown host names (CSRF, DNS rebinding), as ASGI middleware.

A web page can send requests to any address that its reader's machine can reach. But it can't choose the headers in
which the browser states the request's origin, and it can't send a JSON body without permission. The guard checks these
headers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, TypeAlias
from urllib.parse import urlsplit

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

ALLOWED_HOSTS = "PACKSHOT_ALLOWED_HOSTS"
"""Environment variable with further host names, separated by commas."""
ALWAYS = ("127.0.0.1", "localhost")
"""Host names that always reach a server on this machine. Another site's page can't have them."""
POLICY_VIOLATION = 1008
READS = ("GET", "HEAD")
BODIES = ("POST", "PUT", "PATCH")


class Guard:
    """An ASGI application that checks HTTP and WebSocket requests, and passes good ones to another application.

    So a web page of another site can't use a server on its reader's machine. A refused HTTP request gets status 403; a
    refused WebSocket is closed. The arguments are the other application, and the server's host names besides
    ``127.0.0.1`` and ``localhost``.
    """

    def __init__(self, app: App, *, hosts: Iterable[str] = ()) -> None:
        """Guard an application.

        Args:
            hosts: host names of the server besides `ALWAYS`, without a port, for example ``prefect``.
        """
        self._app = app
        self._hosts = frozenset(host.strip().lower() for host in (*ALWAYS, *hosts) if host.strip())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it: HTTP with 403, a WebSocket by closing it before it opens."""
        kind = scope["type"]
        reason = self.refusal(scope) if kind in ("http", "websocket") else None
        if reason is None:
            await self._app(scope, receive, send)
        elif kind == "websocket":
            await receive()  # the connect event
            await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": reason})
        else:
            text = f"Refused: {reason}\n".encode()
            headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(text)).encode())]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": text})

    def refusal(self, scope: Scope) -> str | None:
        """Return why a request is refused, as a sentence; None if it is accepted.

        Refused are unknown host names, requests from another site's page, and bodies that are not JSON.

        Args:
            scope: the request's ASGI scope, of type ``http`` or ``websocket``.
        """
        host = _only(scope, b"host")
        name, port = _host_and_port(host or "")
        if host is None or name not in self._hosts:
            return f"this server is not called {host!r}; {ALLOWED_HOSTS} names what it may be called."
        if _all(scope, b"origin"):
            origin = _only(scope, b"origin") or ""
            if not self._is_own(origin, port):
                return f"a page of {origin!r} may send nothing here."
        elif _is_of_another_site(scope):
            return "a page of another site may send nothing here."
        if scope["type"] == "http" and scope["method"] in BODIES and _has_body(scope) and not _is_json(scope):
            return "a body has to come with `Content-Type: application/json`."
        return None

    def _is_own(self, origin: str, port: int | None) -> bool:
        """Return whether a page's origin is this server: one of its host names, on the port that was called."""
        scheme, _, rest = origin.partition("://")
        found, its_port = _host_and_port(rest)
        return scheme in ("http", "https") and found in self._hosts and its_port == port


def _is_of_another_site(scope: Scope) -> bool:
    """Return whether the browser says that another site's page sent this. Following a link to a page doesn't count."""
    if (_only(scope, b"sec-fetch-site") or "none") in ("none", "same-origin"):
        return False
    follows_a_link = _only(scope, b"sec-fetch-mode") == "navigate" and _only(scope, b"sec-fetch-dest") == "document"
    return not (scope["type"] == "http" and scope["method"] in READS and follows_a_link)


def _has_body(scope: Scope) -> bool:
    return bool(_all(scope, b"transfer-encoding")) or any(one != "0" for one in _all(scope, b"content-length"))


def _is_json(scope: Scope) -> bool:
    return (_only(scope, b"content-type") or "").partition(";")[0].strip().lower() == "application/json"


def _all(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1").strip() for key, value in scope["headers"] if key.lower() == name]


def _only(scope: Scope, name: bytes) -> str | None:
    """Return a header's value; None if there is none, or more than one."""
    found = _all(scope, name)
    return found[0] if len(found) == 1 else None


def _host_and_port(text: str) -> tuple[str, int | None]:
    """Split ``name:port``; the name is empty if the text doesn't have this form."""
    try:
        found = urlsplit(f"//{text}")
        name, port = found.hostname or "", found.port
    except ValueError:
        return "", None
    # Only a name and a port: no user, path, query or space.
    whole = name if port is None else f"{name}:{port}"
    return (name, port) if text.lower() in (whole, f"[{name}]", f"[{name}]:{port}") else ("", None)
