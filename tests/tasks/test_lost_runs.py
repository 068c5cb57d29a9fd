"""A run whose process is gone is started again; one that waits, or is at work, is left alone."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.states import Crashed, Running, State

from packshot.decision import Choice
from packshot.naming import BatchId
from tasks import lost_runs
from tasks.jobs import open_job
from tasks.lost_runs import LOST_AFTER, revive_lost_runs
from tasks.resuming import resume, waiting_run_of
from tasks.storage import Storage
from tests.tasks.people import answer_fields
from tests.tasks.runs import in_a_run
from tests.tasks.shots import routed


@pytest.fixture
def answered(line: Storage, batch: BatchId) -> UUID:
    """A run that somebody has answered; no worker takes it up here."""
    (shot,) = routed(batch, {"A1": 0.43}, category="glassware")
    in_a_run(lambda: open_job.fn(shot))
    run = waiting_run_of(shot.shot)
    assert run
    assert run.name not in in_a_run(revive_lost_runs.fn)  # it waits, and may do so for weeks
    resume(run, answer_fields(shot.shot, Choice.REJECT))
    return run.id


def put_into(run_id: UUID, state: State) -> FlowRun:
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(run_id, state, force=True)
        return client.read_flow_run(run_id)


def started_again(run: FlowRun) -> bool:
    """Whether a run has another state than when it was read; a worker may have taken it up already."""
    with get_client(sync_client=True) as client:
        return client.read_flow_run(run.id).state_id != run.state_id


def test_a_run_that_is_at_work_is_left_alone_until_it_must_be_lost(
    answered: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = put_into(answered, Running())
    assert run.name not in in_a_run(revive_lost_runs.fn)
    clock = lost_runs.now
    monkeypatch.setattr(lost_runs, "now", lambda: clock() + LOST_AFTER + timedelta(seconds=1))
    assert run.name in in_a_run(revive_lost_runs.fn)
    assert started_again(run)


def test_a_run_that_crashed_is_started_again_at_once(answered: UUID) -> None:
    run = put_into(answered, Crashed(message="the process was killed"))
    in_a_run(revive_lost_runs.fn)  # or a worker's own round was faster
    assert started_again(run)
