"""Runs of people's work whose process is gone: killed machines and workers lose no shot.

A run that was killed while it dealt with an answer stays *Running* in Prefect, or ends *Crashed*, and waits for nobody.
Started again it finds the answer and what came of it, and goes on; what is finished is not done again.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from prefect import task
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterStateType
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import Scheduled

from tasks.lives import ALWAYS, now
from tasks.resuming import human_edits

LOST_AFTER = timedelta(minutes=30)
"""An answer is dealt with in seconds, a delivery in minutes."""
MOST_TRIES = 5
"""A run that crashes again and again is left for a person: it is red in the UI."""

_AT_WORK = FlowRunFilterState(
    type=FlowRunFilterStateType(any_=[StateType.RUNNING, StateType.PENDING, StateType.CRASHED])
)


@task(name="revive lost runs", task_run_name="revive lost runs", **ALWAYS)
def revive_lost_runs() -> list[str]:
    """Start runs again whose process is gone, and return their names."""
    at, revived = now(), []
    with get_client(sync_client=True) as client:
        for run in list(human_edits(client, FlowRunFilter(state=_AT_WORK))):
            if _is_lost(run, at):
                client.set_flow_run_state(run.id, Scheduled(name="AwaitingRetry"), force=True)
                revived.append(run.name)
    return revived


def _is_lost(run: FlowRun, at: datetime) -> bool:
    if run.state is None or run.run_count >= MOST_TRIES:
        return False
    return run.state.is_crashed() or at - run.state.timestamp >= LOST_AFTER
