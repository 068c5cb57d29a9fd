"""Create flow runs that are suspended from the start, so that waiting for a person uses no resources.

A run that first has to reach a suspension costs a process start. `create_waiting_run` creates the run in the suspended
state. It is then only a row in Prefect's database and shows its form in the UI. When somebody answers, the flow starts
from its first line in a new process, and its call of ``suspend_flow_run`` with the same key returns the answer at once.

This depends on how Prefect stores a pause (state details and run inputs); a test checks it against a real server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRunPolicy
from prefect.input import RunInput, keyset_from_paused_state
from prefect.states import Suspended


def create_waiting_run(
    deployment: str,
    *,
    parameters: Mapping[str, Any],
    form: type[RunInput],
    pause_key: str,
    name: str,
    tags: Sequence[str],
    idempotency_key: str,
) -> UUID:
    """Create a suspended run of `deployment` that waits for `form`, and return its id.

    Idempotent: the same `idempotency_key` returns the same run, whatever its state is now.

    Args:
        deployment: ``flow-name/deployment-name``.
        form: the model of the answer; the UI shows it as a form.
        pause_key: the key that the flow passes to its first ``suspend_flow_run``.
    """
    state: Any = Suspended(timeout_seconds=None, pause_key=pause_key)
    keyset = keyset_from_paused_state(state)
    state.state_details.run_input_keyset = keyset
    with get_client(sync_client=True) as client:
        run = client.create_flow_run_from_deployment(
            client.read_deployment_by_name(deployment).id,
            parameters=dict(parameters),
            state=state,
            name=name,
            tags=list(tags),
            idempotency_key=idempotency_key,
        )
        if run.state is None or not run.state.is_paused() or run.empirical_policy.pause_keys:
            return run.id
        client.update_flow_run(run.id, empirical_policy=FlowRunPolicy(pause_keys={pause_key}))
    form.save(keyset, flow_run_id=run.id)
    return run.id
