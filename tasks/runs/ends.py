"""Wait for the end of another run, whatever Prefect's server answers in between."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State

from tasks.environment.logs import log
from tasks.environment.settings import get_settings

POLL_S = 5.0


def end_of(run_id: UUID, *, poll_s: float = POLL_S) -> State[Any]:
    """Return the final state of a run. Wait until the run has ended.

    An error of the server is logged, and the run is looked at again. While the server restarts or answers with an
    error, the run goes on. So such an error says nothing about the run.

    Args:
        run_id: the run to wait for.
        poll_s: time between two looks, in seconds.
    Raises:
        httpx.HTTPError: no look succeeded for ``PACKSHOT_PATIENCE_S``.
    """
    well_at = time.monotonic()
    while True:
        try:
            state = _state_of(run_id)
            well_at = time.monotonic()
        except httpx.HTTPError as error:
            if time.monotonic() - well_at > get_settings().patience_s:
                raise
            log().warning("Prefect's server did not say how a run stands (%s); looking again", error)
            state = None
        if state is not None and state.is_final():
            return state
        time.sleep(poll_s)


def _state_of(run_id: UUID) -> State[Any] | None:
    with get_client(sync_client=True) as client:
        return client.read_flow_run(run_id).state
