"""A night that is skipped or cancelled on a real worker: people hear of it by an event of the server, once each."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.states import Cancelling

from packshot.keys import NIGHT_LEASE
from tasks.storage.leases import holding
from tests.flows.line import Line, poll

pytestmark = pytest.mark.slow

TOLD = "packshot.job.night_stopped"


def start(line: Line) -> FlowRun:
    return line.start("nightly/nightly", {"clients": ["nobody-has-this-name"]})


def told_of(words: str) -> list[str] | None:
    """The messages of the events that say so; None: none has come yet."""
    wanted = {"filter": {"event": {"name": [TOLD]}}, "limit": 50}
    with get_client(sync_client=True) as client:
        events: list[dict[str, Any]] = client.request("POST", "/events/filter", json=wanted).json()["events"]
    found = [str(one["payload"]["message"]) for one in events]
    return [one for one in found if words in one] or None


def running(line: Line, run_id: UUID) -> FlowRun | None:
    run = line.read(run_id)
    return run if run.state and run.state.is_running() else None


def test_a_night_that_finds_another_one_at_work_is_skipped_and_says_so(line: Line) -> None:
    with holding(NIGHT_LEASE):
        run = line.ended(start(line).id)
    assert run.state
    assert run.state.name == "Skipped"
    (message,) = poll(lambda: told_of("this night did not begin"), until="people hear of it")
    assert "somebody else is at work on it" in message


def test_a_night_that_somebody_cancels_says_so(line: Line) -> None:
    with holding(NIGHT_LEASE):  # so that the night waits, and there is something to cancel
        asked = start(line).id
        run = poll(lambda: running(line, asked), until="the night is at work")
        with get_client(sync_client=True) as client:
            client.set_flow_run_state(run.id, Cancelling())
        ended = line.ended(run.id)
    assert ended.state
    assert ended.state.is_cancelled()
    (message,) = poll(lambda: told_of(str(run.id)), until="people hear of it")
    assert message.startswith("it is cancel")
