"""S3, PostgreSQL, Prefect and a worker together."""

from __future__ import annotations

import json
import stat
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from infra.local.prefect_server import authorization
from infra.local.processes import ServerError, free_ports
from infra.local.stack import Ports, Stack, running, start_worker, wait_for_worker
from tests.infra.local.conftest import Starter, left_over, wait_until_nothing_is_left
from tests.infra.local.neighbour import READ, act, as_root, ask
from tests.patience import PATIENCE_S
from tests.servers import open_folder

S3_VARIABLES = {
    "PACKSHOT_S3_ENDPOINT_URL",
    "PACKSHOT_S3_ACCESS_KEY",
    "PACKSHOT_S3_SECRET_KEY",
    "PACKSHOT_S3_REGION",
    "PACKSHOT_S3_BUCKET",
}


def call(stack: Stack, path: str, body: object = None) -> object:
    request = urllib.request.Request(
        f"{stack.prefect_api_url}{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json", **authorization(stack.prefect_password)},
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=PATIENCE_S) as answer:
        return json.load(answer)


def test_the_environment_names_every_server_and_keeps_prefect_at_home(prefect_stack: Stack) -> None:
    environment = prefect_stack.environment()
    assert set(environment) >= S3_VARIABLES | {"PREFECT_API_URL", "PREFECT_HOME", "PREFECT_PROFILES_PATH"}
    assert environment["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert environment["DO_NOT_TRACK"] == "1"
    assert Path(environment["PREFECT_HOME"]).is_relative_to(prefect_stack.state_dir)
    assert "SECRET" not in repr(prefect_stack).upper().replace("PACKSHOT_S3_SECRET_KEY", "")
    assert environment["PACKSHOT_S3_SECRET_KEY"] not in repr(prefect_stack)
    assert environment["PACKSHOT_INDEX_URL"] not in repr(prefect_stack)


def test_prefect_answers_and_shows_its_pages(prefect_stack: Stack) -> None:
    assert call(prefect_stack, "/health") is True
    with urllib.request.urlopen(prefect_stack.prefect_ui_url, timeout=PATIENCE_S) as answer:
        assert b"<html" in answer.read().lower()
    assert (prefect_stack.state_dir / "prefect" / "ui").is_dir()


@as_root
def test_a_neighbour_gets_nothing_from_prefect_without_its_password(prefect_stack: Stack) -> None:
    port = int(prefect_stack.prefect_ui_url.rpartition(":")[2])
    paths = ("/api/flow_runs/filter", "/api/deployments/filter", "/api/admin/settings", "/api/metrics", "/api/version")
    wrong = ({}, {"Authorization": "Basic Z3Vlc3M="}, {"Authorization": "Bearer x"}, {"X-Forwarded-For": "127.0.0.1"})
    for headers in wrong:
        for method in ("GET", "POST"):
            sent = {**headers, "Content-Type": "application/json"}
            answers = ask([port], paths, method=method, headers=sent, body="{}" if method == "POST" else None)
            assert len(answers) == len(paths)
            assert {answer[4] for answer in answers} == {401}, answers
    assert prefect_stack.prefect_password not in repr(prefect_stack)
    assert stat.S_IMODE((prefect_stack.state_dir / "prefect-password").stat().st_mode) == 0o600
    assert act(READ, [str(prefect_stack.state_dir / "prefect-password")]) == []
    assert isinstance(call(prefect_stack, "/flow_runs/filter", {}), list)  # and with it, everything


def test_no_websocket_of_prefect_opens_without_the_password(prefect_stack: Stack) -> None:
    subscriptions = "/task_runs/subscriptions/scheduled"
    for path in ("/events/out", "/events/in", "/logs/out", subscriptions, "/work_pools/packshot/workers/connect"):
        for token in (None, "", "guest"):
            with pytest.raises(ConnectionClosed), _websocket(prefect_stack, path, token) as socket:
                socket.recv(timeout=PATIENCE_S)
        with _websocket(prefect_stack, path, prefect_stack.prefect_password) as socket:
            assert json.loads(socket.recv(timeout=PATIENCE_S))["type"] == "auth_success"


def _websocket(stack: Stack, path: str, token: str | None) -> ClientConnection:
    socket = connect(
        f"ws{stack.prefect_api_url.removeprefix('http')}{path}",
        subprotocols=[Subprotocol("prefect")],
        proxy=None,
        open_timeout=PATIENCE_S,
    )
    assert socket.subprotocol == "prefect"
    socket.send(json.dumps({"type": "auth", "token": token}))
    return socket


def test_only_its_own_pages_may_call_prefect_from_a_browser(prefect_stack: Stack) -> None:
    own = prefect_stack.prefect_ui_url
    for origin in (own, own.replace("127.0.0.1", "localhost")):
        headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        request = urllib.request.Request(f"{prefect_stack.prefect_api_url}/health", headers=headers)
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            assert answer.headers.get("Access-Control-Allow-Origin") == origin
    request.add_header("Origin", "https://elsewhere.example")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=PATIENCE_S)
    assert refused.value.code == 403
    assert refused.value.headers.get("Access-Control-Allow-Origin") is None
    refused.value.close()


def test_the_database_is_postgresql(prefect_stack: Stack) -> None:
    assert not list(prefect_stack.state_dir.rglob("prefect.db"))
    assert "ready to accept connections" in (prefect_stack.state_dir / "postgres.log").read_text()


def test_logs_and_secrets_are_closed_to_others(prefect_stack: Stack) -> None:
    files = [path for path in prefect_stack.state_dir.iterdir() if path.is_file()]
    for path in files:
        if path.suffix == ".log" or "password" in path.name or "credentials" in path.name:
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


def test_a_running_folder_is_refused_and_the_error_names_the_process(prefect_stack: Stack) -> None:
    with pytest.raises(ServerError, match=r"already running, started by process \d+"), running(prefect_stack.state_dir):
        pass


def test_a_port_that_is_asked_for_and_taken_is_an_error(prefect_stack: Stack, tmp_path: Path) -> None:
    taken = int(prefect_stack.s3.endpoint_url.rpartition(":")[2])
    with pytest.raises(ServerError, match=f"The S3 server cannot use port {taken} of 127.0.0.1"):  # noqa: SIM117
        with running(tmp_path, prefect=False, ports=Ports(s3=taken)):
            pass
    assert left_over(tmp_path) == []


@pytest.mark.slow  # held server by server in test_processes.py, test_s3.py and test_postgres.py
def test_kill_9_leaves_nothing_and_the_next_start_goes_on_from_there(start: Starter) -> None:
    with open_folder() as folder:
        (port,) = free_ports(1)
        starter = start("stack", folder, port)  # with a worker
        assert len(left_over(folder)) >= 5
        starter.kill()
        wait_until_nothing_is_left(folder)
        with running(folder, ports=Ports(prefect=port)) as stack:
            assert stack.prefect_ui_url == f"http://127.0.0.1:{port}"
            pools = call(stack, "/work_pools/filter", {})  # the killed worker made it
            assert isinstance(pools, list)
            assert [pool["name"] for pool in pools] == ["tests"]
            worker = start_worker(stack, work_pool="tests")
            wait_for_worker(stack, worker, work_pool="tests")
        assert left_over(folder) == []


def test_a_worker_that_cannot_start_is_an_error_with_the_end_of_its_log(prefect_stack: Stack) -> None:
    worker = start_worker(prefect_stack, work_pool="a/b")
    with pytest.raises(ServerError, match="The worker ended with status"):
        wait_for_worker(prefect_stack, worker, work_pool="a/b", timeout_s=PATIENCE_S)
