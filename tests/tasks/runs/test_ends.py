"""A run is waited for to its end, although Prefect's server answers some questions about it with an error."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import httpx
import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.settings import PREFECT_API_URL, PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS, temporary_settings
from prefect.states import Completed, Crashed, Running

from tasks.runs import ends
from tasks.runs.ends import end_of
from tasks.runs.lost_runs import MOST_TRIES
from tests.patience import PATIENCE_S

POLL_S = 0.05
NOT_PASSED_ON = ("host", "accept-encoding", "connection")


class Moody(ThreadingHTTPServer):
    """Stands before the real server, passes everything on, and answers some looks at a run with an error of its own.

    Attributes:
        errors_left: how many looks will still be answered so.
    """

    def __init__(self, server: str, errors: int) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.server_url, self.errors_left = server, errors
        self.was_well = threading.Event()

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/api"


class _Answers(BaseHTTPRequestHandler):
    server: Moody

    def do_GET(self) -> None:
        if "/flow_runs/" in self.path:
            if self.server.errors_left > 0:
                self.server.errors_left -= 1
                self._send(500, b'{"exception_message": "Internal Server Error"}')
                return
            self.server.was_well.set()
        kept = {name: value for name, value in self.headers.items() if name.lower() not in NOT_PASSED_ON}
        answer = httpx.get(self.server.server_url + self.path, headers=kept)
        self._send(answer.status_code, answer.content)

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name is the library's
        """Say nothing on the terminal."""


@contextmanager
def moody(errors: int) -> Iterator[Moody]:
    with get_client(sync_client=True) as client:
        server = Moody(str(client.api_url).rstrip("/").removesuffix("/api"), errors)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        with temporary_settings({PREFECT_API_URL: server.api_url}):
            yield server
    finally:
        server.shutdown()
        server.server_close()
        serving.join()


@pytest.fixture(autouse=True)
def time_to_start() -> Iterator[None]:
    """Prefect starts a server of its own for these tests. On a busy machine it takes longer than Prefect waits."""
    with temporary_settings({PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS: int(PATIENCE_S)}):
        yield


@flow(name="a test that ends elsewhere")
def elsewhere() -> None:
    """Nobody runs it: the tests set its states."""


def begun() -> UUID:
    with get_client(sync_client=True) as client:
        return client.create_flow_run(elsewhere, state=Running()).id


def put_into(run: UUID, state: State[Any]) -> None:
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(run, state, force=True)


def test_a_run_goes_on_whatever_the_server_answers_about_it() -> None:
    run = begun()

    def finish(before: Moody) -> None:
        before.was_well.wait()  # looked at while it runs
        put_into(run, Completed())

    with moody(errors=3) as server:
        finishing = threading.Thread(target=finish, args=(server,))
        finishing.start()
        assert end_of(run, poll_s=POLL_S).is_completed()
        finishing.join()
    assert server.errors_left == 0


def test_a_run_whose_process_died_is_waited_for_until_it_has_been_started_again_and_has_ended() -> None:
    """A night called such a batch failed and began the next one beside it; minutes later the batch was delivered."""
    run = begun()
    put_into(run, Crashed())

    def go_on(before: Moody) -> None:
        before.was_well.wait()  # looked at while it was crashed
        for state in (Running(), Crashed(), Running(), Completed()):
            put_into(run, state)

    with moody(errors=0) as server:
        going_on = threading.Thread(target=go_on, args=(server,))
        going_on.start()
        assert end_of(run, poll_s=POLL_S).is_completed()
        going_on.join()


def test_a_run_that_is_not_started_again_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ends, "STARTED_AGAIN_S", 0.2)
    nobody_looks = begun()
    put_into(nobody_looks, Crashed())
    assert end_of(nobody_looks, poll_s=POLL_S).is_crashed()
    monkeypatch.undo()
    last_try = begun()
    for _ in range(MOST_TRIES):
        put_into(last_try, Crashed())
        put_into(last_try, Running())
    put_into(last_try, Crashed())
    assert end_of(last_try, poll_s=POLL_S).is_crashed()


def test_a_server_that_answers_no_more_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACKSHOT_PATIENCE_S", "0.3")
    run = begun()
    with moody(errors=1_000) as server, pytest.raises(httpx.HTTPStatusError):
        end_of(run, poll_s=POLL_S)
    assert server.errors_left < 1_000
