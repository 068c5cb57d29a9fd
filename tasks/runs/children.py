"""Cancel the runs that another run has started, if that run is cancelled."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterParentFlowRunId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import State, StateType
from prefect.states import Cancelled, Cancelling

from tasks.runs.resuming import runs_of

_NOT_ENDED = FlowRunFilterState(
    type=FlowRunFilterStateType(any_=[StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING, StateType.PAUSED])
)


def cancel_children(run_id: str, *, why: str) -> int:
    """Cancel the runs that another run has started and that have not ended; return how many these were.

    A run with a process is asked to stop, which takes a while; a run without one is cancelled at once. Only runs of
    deployments count: a subflow ends with the process that it is in. Prefect's server does the same by itself, but
    minutes later.

    Args:
        run_id: id of the flow run that started them.
        why: the reason, in words; Prefect shows it.
    Raises:
        httpx.HTTPError: Prefect's server does not answer, or answers with an error.
    """
    wanted = FlowRunFilter(state=_NOT_ENDED, parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[UUID(run_id)]))
    with get_client(sync_client=True) as client:
        found = [run for run in runs_of(client, wanted) if run.deployment_id is not None]
        for run in found:
            has_process = run.state is not None and (run.state.is_running() or run.state.is_pending())
            state: State[Any] = Cancelling(message=why) if has_process else Cancelled(message=why)
            client.set_flow_run_state(run.id, state, force=True)
    return len(found)
