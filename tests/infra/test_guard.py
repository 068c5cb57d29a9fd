"""The guard by itself: what it refuses, and what it passes on."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from infra.guard import Guard

OWN = {"host": "127.0.0.1:4200"}
JSON = {"content-type": "application/json", "content-length": "2"}
LINK = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}

PASSED: list[tuple[str, dict[str, str]]] = [
    ("GET", OWN),
    ("GET", {"host": "127.0.0.1"}),
    ("GET", {"host": "LOCALHOST:4200"}),
    ("GET", {"host": "prefect:4200"}),
    ("GET", {"host": "prefect.studio.example"}),
    ("GET", {"host": "[fd00::7]:4200"}),
    ("POST", {**OWN, **JSON}),
    ("POST", {**OWN, "content-type": "application/json; charset=utf-8", "content-length": "2"}),
    ("POST", {**OWN, "content-length": "0"}),
    ("POST", OWN),
    ("DELETE", OWN),
    ("POST", {**OWN, **JSON, "origin": "http://127.0.0.1:4200", "sec-fetch-site": "same-origin"}),
    ("POST", {**OWN, **JSON, "origin": "http://localhost:4200", "sec-fetch-site": "cross-site"}),
    ("POST", {"host": "prefect.studio.example", **JSON, "origin": "https://prefect.studio.example"}),
    ("OPTIONS", {**OWN, "origin": "http://localhost:4200", "access-control-request-method": "POST"}),
    ("GET", {**OWN, "sec-fetch-site": "none", "sec-fetch-mode": "navigate"}),
    ("GET", {**OWN, **LINK}),
    ("websocket", OWN),
    ("websocket", {**OWN, "origin": "http://127.0.0.1:4200"}),
]
REFUSED: list[tuple[str, dict[str, str], str]] = [
    ("GET", {}, "not called"),
    *(
        ("GET", {"host": name}, "not called")
        for name in (
            *("", "elsewhere.example", "elsewhere.example:4200", "127.0.0.1.elsewhere.example", "127.0.0.2"),
            *("0.0.0.0:4200", "[::1]:4200", "127.0.0.1:x", "127.0.0.1:99999", "a@127.0.0.1", "127.0.0.1/x", "[", "::1"),
            *("127.0.0.1:4200,elsewhere.example", "prefect.", "notprefect", "127.1", "2130706433"),
        )
    ),
    *(
        (method, {**OWN, **JSON, "origin": origin}, "a page of")
        for method in ("GET", "POST", "DELETE", "OPTIONS", "websocket")
        for origin in (
            *("null", "", "https://elsewhere.example", "http://127.0.0.1:4201", "http://127.0.0.1", "file://"),
            *("http://localhost:9999", "http://127.0.0.1.elsewhere.example:4200", "127.0.0.1:4200"),
            *("http://127.0.0.1:4200/", "http://127.0.0.1:4200@elsewhere.example", "app://127.0.0.1:4200"),
        )
    ),
    *(
        (method, {**OWN, **JSON, "sec-fetch-site": site}, "another site")
        for method in ("GET", "POST", "DELETE", "websocket")
        for site in ("cross-site", "same-site")
    ),
    ("POST", {**OWN, **LINK}, "another site"),  # a form that is sent without an Origin
    ("GET", {**OWN, **LINK, "sec-fetch-dest": "iframe"}, "another site"),
    *(
        (method, {**OWN, "content-length": "2", **kind}, "Content-Type")
        for method in ("POST", "PUT", "PATCH")
        for kind in (
            *(
                {},
                {"content-type": ""},
                {"content-type": "text/plain"},
                {"content-type": "text/plain,application/json"},
            ),
            *({"content-type": "application/x-www-form-urlencoded"}, {"content-type": "multipart/form-data"}),
        )
    ),
    ("POST", {**OWN, "transfer-encoding": "chunked"}, "Content-Type"),
]


def scope(method: str, headers: list[tuple[str, str]]) -> dict[str, Any]:
    kind = "websocket" if method == "websocket" else "http"
    raw = [(name.encode(), value.encode()) for name, value in headers]
    return {"type": kind, **({"method": method} if kind == "http" else {}), "path": "/api/x", "headers": raw}


def asked(given: dict[str, Any]) -> tuple[list[MutableMapping[str, Any]], bool]:
    """What the guard sends by itself, and whether the application behind it was asked."""
    reached: list[object] = []
    sent: list[MutableMapping[str, Any]] = []

    async def app(scope: object, receive: object, send: object) -> None:
        reached.append(scope)

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    guard = Guard(app, hosts=["prefect", " Prefect.Studio.Example", "fd00::7", ""])
    asyncio.run(guard(given, receive, send))
    return sent, bool(reached)


@pytest.mark.parametrize(("method", "headers"), PASSED)
def test_what_comes_from_its_own_pages_and_from_programs_is_passed_on(method: str, headers: dict[str, str]) -> None:
    assert asked(scope(method, list(headers.items()))) == ([], True)


@pytest.mark.parametrize(("method", "headers", "why"), REFUSED)
def test_what_comes_from_elsewhere_reaches_nothing(method: str, headers: dict[str, str], why: str) -> None:
    sent, reached = asked(scope(method, list(headers.items())))
    assert not reached
    if method == "websocket":
        assert [message["type"] for message in sent] == ["websocket.close"]
        assert why in sent[0]["reason"]
    else:
        assert sent[0]["status"] == 403
        assert why in sent[1]["body"].decode()


@pytest.mark.parametrize("name", ["host", "origin", "content-type"])
def test_a_header_that_comes_twice_counts_as_none(name: str) -> None:
    good = {**OWN, **JSON, "origin": "http://127.0.0.1:4200"}
    assert asked(scope("POST", list(good.items())))[1]
    for second in (good[name], "elsewhere.example"):
        sent, reached = asked(scope("POST", [*good.items(), (name, second)]))
        assert not reached
        assert sent[0]["status"] == 403


def test_the_start_and_the_end_of_the_server_are_passed_on() -> None:
    assert asked({"type": "lifespan"}) == ([], True)
