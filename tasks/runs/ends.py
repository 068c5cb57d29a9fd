"""Wait for the end of another flow run, even if Prefect's server answers with errors in between."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun, State

from tasks.environment.logs import log
from tasks.environment.settings import get_settings
from tasks.runs.lost_runs import MOST_TRIES

POLL_S = 5.0
STARTED_AGAIN_S = 180.0
"""Within this time a crashed run is started again (`tasks.runs.lost_runs`)."""


def end_of(run_id: UUID, *, poll_s: float = POLL_S) -> State[Any]:
    """Wait until a flow run has ended for good, and return its final state.

    A crashed run has usually not ended for good, because it is started again. A crashed run counts as ended after its
    fifth try (`MOST_TRIES`), or if nobody has started it again within 180 s. If the server answers with an error, that
    is logged, and the run is looked at again: while the server restarts, the run itself goes on.

    Args:
        run_id: the run to wait for.
        poll_s: time between two looks, in seconds; by default 5.
    Raises:
        httpx.HTTPError: no look succeeded for ``PACKSHOT_PATIENCE_S`` seconds.
    """
    well_at = time.monotonic()
    crashed_at: float | None = None
    while True:
        try:
            run = _run(run_id)
            well_at = time.monotonic()
        except httpx.HTTPError as error:
            if time.monotonic() - well_at > get_settings().patience_s:
                raise
            log().warning("Prefect's server did not say how a run stands (%s); looking again", error)
            run = None
        if run is not None and run.state is not None:
            crashed_at = (crashed_at or time.monotonic()) if run.state.is_crashed() else None
            if run.state.is_final() and not _goes_on(run, crashed_at):
                return run.state
        time.sleep(poll_s)


def _goes_on(run: FlowRun, crashed_at: float | None) -> bool:
    """Return whether a run will be started again because its process died."""
    waited = crashed_at is not None and time.monotonic() - crashed_at < STARTED_AGAIN_S
    return waited and run.run_count < MOST_TRIES


def _run(run_id: UUID) -> FlowRun:
    with get_client(sync_client=True) as client:
        return client.read_flow_run(run_id)
