"""A run that is cancelled takes along what it has started, at once."""

from __future__ import annotations

from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.deployments import run_deployment
from prefect.runtime import flow_run
from prefect.states import Cancelled, Cancelling, Completed, Running

from flows.nightly import cancel_its_batches, nightly
from tasks.runs.lost_runs import _end
from tasks.storage.bucket import Storage
from tests.tasks.in_runs import in_a_run
from tests.tasks.runs.test_lost_runs import put_into, state_of


def night_with_batches() -> tuple[FlowRun, list[FlowRun]]:
    """A run that has started three batches, one to come, one at work, one done; and a batch that it has not started."""

    def started(*, as_subflow: bool = True) -> FlowRun:
        parameters = {"client": "acme", "batch": "night"}
        run = run_deployment("process-batch/process-batch", parameters=parameters, timeout=0, as_subflow=as_subflow)
        assert isinstance(run, FlowRun)
        return run

    def begin() -> tuple[UUID, list[FlowRun]]:
        runs = [started(), started(), started(), started(as_subflow=False)]
        put_into(runs[1].id, Running())
        put_into(runs[2].id, Completed())
        return UUID(str(flow_run.id)), runs

    night, runs = in_a_run(begin)
    with get_client(sync_client=True) as client:
        return client.read_flow_run(night), runs


def outcomes(runs: list[FlowRun]) -> list[str]:
    return [state_of(one).type.value for one in runs]


def test_a_cancelled_night_takes_its_batches_along_at_once(line: Storage) -> None:
    """Kind of test that was missing: Prefect's server looks after what a cancelled run has started minutes later."""
    night, runs = night_with_batches()
    cancel_its_batches(nightly, night, Cancelled())
    assert outcomes(runs) == ["CANCELLED", "CANCELLING", "COMPLETED", "SCHEDULED"]
    assert "the run that started it was cancelled" in str(state_of(runs[1]).message)


def test_so_does_one_whose_process_is_gone(line: Storage) -> None:
    night, runs = night_with_batches()
    with get_client(sync_client=True) as client:
        _end(client, put_into(night.id, Cancelling()))
    assert outcomes(runs) == ["CANCELLED", "CANCELLING", "COMPLETED", "SCHEDULED"]
