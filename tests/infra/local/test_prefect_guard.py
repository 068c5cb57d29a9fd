"""Prefect's real server behind the guard, asked by raw sockets with the right password; and whose variables it has."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path

import psutil
import pytest

from infra.local import watchdog
from infra.local.prefect_server import TO_THE_SERVER, authorization
from infra.local.processes import PASSED_ON, PYTHONS
from infra.local.stack import TO_THE_WORKER, WORKER_POLL, WORKER_POLL_S, Stack, start_worker
from tests.patience import PATIENCE_S
from tests.servers import USERS_OWN, USERS_WISHES

UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": "prefect",
}
JSON = {"Content-Type": "application/json"}
HERE = "http://HERE"
"""Stands for the server's own origin."""


def answered(stack: Stack, method: str, path: str, headers: Mapping[str, str], body: str = "") -> int:
    """The status that one request gets whose headers are exactly these, `Authorization` and the body's length."""
    port = int(stack.prefect_ui_url.rpartition(":")[2])
    sent = {"Host": "HERE", **authorization(stack.prefect_password), "Connection": "close", **headers}
    if body:
        sent["Content-Length"] = str(len(body))
    lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items()).replace("HERE", f"127.0.0.1:{port}")
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as wire:
        wire.sendall(f"{method} {path} HTTP/1.1\r\n{lines}\r\n{body}".encode())
        return int(wire.recv(4096).split(b" ")[1])


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/api/version", {}, 200),
        ("GET", "/api/version", {"Host": "prefect.example"}, 200),  # the user's wish
        ("GET", "/", {"Sec-Fetch-Site": "none"}, 200),
        ("POST", "/api/flows/filter", JSON, 200),
        ("POST", "/api/flows/filter", {**JSON, "Origin": HERE}, 200),
        ("GET", "/api/events/in", {**UPGRADE, "Origin": HERE}, 101),
        ("GET", "/api/events/in", UPGRADE, 101),
        # DNS rebinding: a name of the attacker's that leads to this machine.
        ("GET", "/api/version", {"Host": "elsewhere.example"}, 403),
        ("GET", "/", {"Host": "elsewhere.example"}, 403),
        ("GET", "/api/health", {"Host": "elsewhere.example"}, 403),
        ("GET", "/api/metrics", {"Host": "elsewhere.example"}, 403),
        ("GET", "/api/events/in", {**UPGRADE, "Host": "elsewhere.example"}, 403),
        # A page of another origin, also one of this machine.
        ("POST", "/api/flows/filter", {**JSON, "Origin": "https://elsewhere.example"}, 403),
        ("POST", "/api/flows/filter", {**JSON, "Origin": "http://127.0.0.1:1"}, 403),
        ("POST", "/api/flows/filter", {**JSON, "Origin": "null"}, 403),
        ("POST", "/api/flows/filter", {**JSON, "Sec-Fetch-Site": "cross-site"}, 403),
        ("DELETE", "/api/flows/x", {"Origin": "https://elsewhere.example"}, 403),
        ("GET", "/api/metrics", {"Origin": "https://elsewhere.example"}, 403),
        ("GET", "/api/events/in", {**UPGRADE, "Origin": "https://elsewhere.example"}, 403),
        ("GET", "/api/events/in", {**UPGRADE, "Origin": "null"}, 403),
        # A body that a page may send without asking first.
        ("POST", "/api/flows/filter", {}, 403),
        ("POST", "/api/flows/filter", {"Content-Type": "text/plain"}, 403),
    ],
)
def test_a_foreign_name_or_page_is_refused_even_with_the_password(
    prefect_stack: Stack, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    assert answered(prefect_stack, method, path, headers, "{}" if method == "POST" else "") == status


def test_the_server_has_its_own_settings_and_the_users_wishes_and_nothing_else_of_the_user(
    prefect_stack: Stack,
) -> None:
    (server,) = (part.child for part in prefect_stack.family.parts if part.name == "prefect")
    found = psutil.Process(server.pid).environ()
    assert not USERS_OWN.keys() & found.keys()
    assert USERS_WISHES.items() <= found.items()
    assert found["PREFECT_SERVER_DATABASE_CONNECTION_URL"].startswith("postgresql+asyncpg://packshot:")
    own = {"PREFECT_*", "DO_NOT_TRACK", watchdog.MARK}
    assert _others(found, *PASSED_ON, *PYTHONS, *TO_THE_SERVER, *own) == []
    assert {name for name in found if name.startswith("PACKSHOT_")} == {"PACKSHOT_ALLOWED_HOSTS", watchdog.MARK}


def test_the_worker_has_what_it_needs_and_nothing_else_of_the_user(
    prefect_stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    wishes = {"PREFECT_LOGGING_LEVEL": "ERROR", "PACKSHOT_ENGINE": "auto"}
    for name, value in {**USERS_OWN, **USERS_WISHES, **wishes}.items():
        monkeypatch.setenv(name, value)
    worker = start_worker(prefect_stack, work_pool="environment")
    deadline = time.monotonic() + PATIENCE_S
    while not (found := psutil.Process(worker.pid).environ()):  # empty until the new process has its own program
        assert time.monotonic() < deadline
    worker.kill()
    given = {**prefect_stack.environment(), WORKER_POLL: str(WORKER_POLL_S)}
    assert given.items() <= found.items()
    assert wishes.items() <= found.items()
    assert not USERS_OWN.keys() & found.keys()
    assert _others(found, *PASSED_ON, *PYTHONS, *TO_THE_WORKER, *given, watchdog.MARK) == []


def _others(found: Mapping[str, str], *known: str) -> list[str]:
    return [name for name in found if not any(fnmatchcase(name, one) for one in known)]


def test_it_does_not_start_without_a_password(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "infra.prefect_app", "--host", "127.0.0.1", "--port", "1"]
    variables = {"PATH": "", "HOME": str(tmp_path), "PREFECT_HOME": str(tmp_path)}
    done = subprocess.run(command, env=variables, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 2
    assert "PREFECT_SERVER_API_AUTH_STRING is empty" in done.stderr
