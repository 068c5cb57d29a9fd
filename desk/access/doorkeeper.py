"""Check every request to the desk before a page answers it: the server's name, the origin of a form, the session.

Every answer gets security headers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from desk.access import audit
from desk.access.accounts import Accounts
from desk.access.proxy import Proxy
from desk.access.sessions import LONGEST_S, Sessions

COOKIE = "packshot_desk"
OPEN_PATHS = ("/sign-in", "/health")
OPEN_FOLDERS = ("/static/", "/shared/")
"""What is served without signing in: no word and no picture of any shot, but to whoever has a share link."""
ASKED_BY_PAGES = ("/counts",)
"""What an open page asks for by itself, whether or not anybody is there."""
ALWAYS = ("127.0.0.1", "localhost")
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
LONGEST_PATH = 1000
"""Characters of an address without its query; the desk's own are shorter."""
_READS = ("GET", "HEAD")


class Doorkeeper:
    """ASGI middleware around the whole desk: it lets requests pass or refuses them. `application` makes it.

    It adds security headers to every answer. It refuses with 403 a request under a wrong server name or from another
    site's page. If a reverse proxy signs people in, it also refuses with 403 a request in which the proxy names nobody.
    It refuses with 404 a path that is too long. Without such a proxy, a person who has not signed in is led to the
    sign-in page, and a request that is not for a page gets 401.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        sessions: Sessions,
        accounts: Accounts,
        hosts: Iterable[str] = (),
        storage: str = "",
        proxy: Proxy | None = None,
    ) -> None:
        """Guard an application.

        Args:
            hosts: names of the server besides `ALWAYS`, without a port.
            storage: where an editor's page sends the finished picture: scheme, name and port.
            proxy: who signs people in; None: they sign in here, by a password.
        """
        own, wider = "connect-src 'self'", f"connect-src 'self' {storage}".strip()
        policy = HEADERS["Content-Security-Policy"].replace(own, wider)
        self._headers = {**HEADERS, "Content-Security-Policy": policy}
        self._proxy = proxy or Proxy()
        self._app, self._sessions, self._accounts = app, sessions, accounts
        self._hosts = frozenset(host.strip().lower() for host in (*ALWAYS, *hosts) if host.strip())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its person, send it to the sign-in, or refuse it."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
                if scope.get("state", {}).get("begun"):
                    headers.append("Set-Cookie", _cookie(scope))
            await send(message)

        self._proxy.note_scheme(scope)
        answer = self._refusal(scope) or self._let_in(scope)
        await (answer or self._app)(scope, receive, with_headers)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        if (_parts_of(f"//{headers.get('host', '')}").hostname or "") not in self._hosts:
            return _refused("this server is not called so; PACKSHOT_DESK_HOSTS names what it may be called.")
        if len(scope["path"]) > LONGEST_PATH:
            return PlainTextResponse("There is no such page.\n", status_code=404)
        if scope["method"] in _READS:
            return None
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        if origin is not None and _parts_of(origin).netloc != headers["host"]:
            return _refused("the request comes from another site's page.")
        if origin is None and site not in (None, "same-origin"):
            return _refused("the request comes from another site's page.")
        return None

    def _let_in(self, scope: Scope) -> RedirectResponse | PlainTextResponse | None:
        """Note who asks, in the request's state; return an answer if nobody may ask this without signing in."""
        state: dict[str, Any] = scope.setdefault("state", {})
        state["token"] = HTTPConnection(scope).cookies.get(COOKIE, "")
        if self._proxy.signs_in:
            return self._let_in_by_proxy(scope)
        by_itself = scope["path"] in ASKED_BY_PAGES
        session = self._sessions.find(state["token"], used=not by_itself) if state["token"] else None
        account = self._accounts.find(session.name) if session else None
        if session and account and account.password == session.password:
            state["session"], state["person"] = session, account.person
            return None
        state["session"] = state["person"] = None
        path, headers = scope["path"], Headers(scope=scope)
        if path in OPEN_PATHS or path.startswith(OPEN_FOLDERS):
            return None
        if "text/html" in headers.get("accept", ""):
            query = f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else ""
            to = path + query if scope["method"] in _READS else _page_of(headers)
            return RedirectResponse(f"/sign-in?to={quote(to)}", status_code=303)
        return PlainTextResponse("Sign in first.\n", status_code=401)

    def _let_in_by_proxy(self, scope: Scope) -> PlainTextResponse | None:
        """Note who asks, as the proxy says; return an answer if it doesn't, or nobody has such an account."""
        state, path = scope["state"], scope["path"]
        state["session"] = state["person"] = None
        if path == "/health" or path.startswith(OPEN_FOLDERS):
            return None
        if not self._proxy.is_peer(scope):
            return _refused("the desk is reached through its proxy only; PACKSHOT_DESK_PROXY_ADDRESSES names it.")
        name = self._proxy.name_in(scope)
        account = self._accounts.find(name) if name else None
        if account is None:
            who = f"no account has the name {name!r}; add it: packshot desk add-user." if name else "it names nobody."
            return _refused(f"the proxy signs people in, and {who}")
        used = path not in ASKED_BY_PAGES
        session = self._sessions.find(state["token"], used=used) if state["token"] else None
        if session is None or (session.name, session.password) != (account.name, account.password):
            state["token"] = self._sessions.begin(account)
            state["begun"] = True
            session = self._sessions.find(state["token"])
            audit.note("signed in", person=account.name, more="by the proxy")
        state["session"], state["person"] = session, account.person
        return None


def _cookie(scope: Scope) -> str:
    """Return the header by which a browser keeps the session that was begun for its request."""
    answer = Response()
    answer.set_cookie(
        COOKIE,
        scope["state"]["token"],
        max_age=int(LONGEST_S),
        httponly=True,
        samesite="strict",
        secure=scope["scheme"] == "https",
    )
    return answer.headers["set-cookie"]


def _page_of(headers: Headers) -> str:
    """Return the address of the desk's page that sent a form; the first page if it is not known."""
    page = _parts_of(headers.get("referer", ""))
    if page.netloc != headers["host"] or not page.path.startswith("/"):
        return "/"
    return f"{page.path}?{page.query}" if page.query else page.path


def _parts_of(address: str) -> SplitResult:
    """Return the parts of an address that a browser sent; none of them if it is no address."""
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")


def _refused(why: str) -> PlainTextResponse:
    return PlainTextResponse(f"Refused: {why}\n", status_code=403)
