"""The look of every minute: a step that cannot be taken stops none of the others."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from prefect.client.schemas.objects import State

from deployments.demo import environment
from flows import collect
from packshot.errors import LeaseLostError, StorageUnavailableError
from tasks.people.hot_folder import Collected
from tasks.runs.lost_runs import Lost
from tasks.storage.bucket import Storage
from tests.tasks.in_runs import in_a_run

STEPS = {
    "end_lost_runs": Lost(ended=("a run",)),
    "look_for_missing_night": "the night did not begin",
    "collect_returned": Collected(resumed={"acme/b/A": "a.tif"}),
    "release_holds": ["acme/b/A", "acme/b/B"],
    "update_board": "3 wait",
}
SAID = ("ended: a run", "the night did not begin", "1 returned", "2 no longer on hold", "3 wait")


def looked(monkeypatch: pytest.MonkeyPatch, **raised: Exception) -> State[Any]:
    """One look, with steps that have something to say or raise."""

    def step(name: str) -> Any:
        if name in raised:
            raise raised[name]
        return STEPS[name]

    for name in STEPS:
        monkeypatch.setattr(collect, name, lambda name=name: step(name))
    state: State[Any] = in_a_run(lambda: [collect._look()])[0]
    return state


def test_it_says_what_each_step_found(line: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    state = looked(monkeypatch)
    assert state.is_completed()
    assert [one for one in SAID if one not in str(state.message)] == []


@pytest.mark.parametrize("failing", STEPS)
@pytest.mark.parametrize("error", [StorageUnavailableError("the storage did not answer", "x"), KeyError("a mistake")])
def test_one_that_fails_is_named_and_the_others_are_taken(
    line: Storage, monkeypatch: pytest.MonkeyPatch, failing: str, error: Exception
) -> None:
    state = looked(monkeypatch, **{failing: error})
    assert state.is_failed()
    assert "1 of 6 steps failed" in str(state.message)
    assert type(error).__name__ in str(state.message)
    own = SAID[list(STEPS).index(failing)]
    assert [one for one in SAID if one not in str(state.message)] == [own]


def test_whoever_lost_the_lease_takes_no_further_step(line: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LeaseLostError):
        looked(monkeypatch, end_lost_runs=LeaseLostError("another run has it", "collection"))


@pytest.fixture
def monitor() -> Iterator[tuple[str, list[str]]]:
    """The address of a monitoring service, and what it was asked for."""
    asked: list[str] = []

    class Service(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(500 if "broken" in self.path else 200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Service) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def test_a_look_that_went_well_sends_a_sign_of_life_and_one_that_failed_sends_none(
    line: Storage, monkeypatch: pytest.MonkeyPatch, monitor: tuple[str, list[str]]
) -> None:
    address, asked = monitor
    with environment({"PACKSHOT_HEARTBEAT_URL": f"{address}/secret"}):
        assert looked(monkeypatch).is_completed()
        assert asked == ["/secret"]
        assert looked(monkeypatch, update_board=KeyError("a mistake")).is_failed()
        assert asked == ["/secret"]


@pytest.mark.parametrize("path", ["{monitor}/broken-secret", "http://127.0.0.1:9/secret", "http://secret.invalid/"])
def test_a_monitor_that_does_not_answer_stops_nothing_and_its_address_stays_out_of_the_log(
    line: Storage,
    monkeypatch: pytest.MonkeyPatch,
    monitor: tuple[str, list[str]],
    caplog: pytest.LogCaptureFixture,
    path: str,
) -> None:
    with environment({"PACKSHOT_HEARTBEAT_URL": path.format(monitor=monitor[0])}):
        assert looked(monkeypatch).is_completed()
    assert "no sign of life could be sent" in caplog.text
    assert "secret" not in caplog.text
