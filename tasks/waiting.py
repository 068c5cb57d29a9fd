"""Flow runs that wait for a person without holding anything.

A run that reaches a suspension by running costs a process start. `create_waiting_run` creates it suspended in the
first place: the run is a row in Prefect's database, shows its form in the UI, and its flow starts at its top in a
new process once somebody answers; ``suspend_flow_run`` with the same key then hands over the answer at once.

This leans on how Prefect stores a pause (state details and run inputs); the test runs it against a real server.
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
    """Return the id of a run of `deployment` that waits, suspended, for `form` to be filled in.

    Asking again with the same `idempotency_key` gives the same run, whatever became of it meanwhile.

    Args:
        deployment: ``flow-name/deployment-name``.
        form: what the person is asked; becomes the form in the UI.
        pause_key: the key the flow gives to its first ``suspend_flow_run``.
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
