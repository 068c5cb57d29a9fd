"""Create flow runs that are suspended from the start, so that waiting for a person uses no resources.

A run that first has to reach a suspension costs a process start. `create_waiting_run` creates the run in the suspended
state. It is then only a row in Prefect's database and shows its form in the UI. When somebody answers, the flow starts
from its first line in a new process, and its call of ``suspend_flow_run`` with the same key returns the answer at once.

This depends on how Prefect stores a pause (state details and run inputs); a test checks it against a real server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRunPolicy
from prefect.exceptions import Pause
from prefect.flow_runs import suspend_flow_run
from prefect.input import RunInput, keyset_from_paused_state
from prefect.runtime import flow_run
from prefect.states import Suspended
from prefect.utilities.engine import propose_state_sync

from packshot.escaping import markdown, one_line
from packshot.naming import ShotId
from tasks.artifacts import artifact_key, only_shown, page_artifact

F = TypeVar("F", bound=RunInput)

REFUSED = "answer refused"
"""The tag of a run whose last answer was refused; lists of runs show it."""


def run_name(shot: ShotId) -> str:
    """Return the name of the runs that ask people about a shot."""
    return f"human edit · {shot.client}/{shot.batch} · {shot.shot}"


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


def ask(form: type[F], *, pause_key: str, refused: str = "") -> F:
    """Return the filled-in form. Suspend this flow run until then, as Prefect's `suspend_flow_run` does.

    Args:
        refused: why the last answer was refused. The run's state shows it. Prefect's own function has no place for this
            text, so its steps are taken here one by one. The call after the answer may give another text.
    """
    if not refused:
        return suspend_flow_run(wait_for_input=form, key=pause_key, timeout=None)
    state: Any = Suspended(timeout_seconds=None, pause_key=pause_key, message=refused_words(refused))
    keyset = keyset_from_paused_state(state)
    state.state_details.run_input_keyset = keyset
    with get_client(sync_client=True) as client:
        got = propose_state_sync(client, state, flow_run_id=UUID(str(flow_run.id)))
    if got.is_running():  # it was asked before, and has been answered
        return cast(F, form.load(keyset))
    if not got.is_paused():
        raise RuntimeError(f"this run cannot be suspended: Prefect answers {got}")
    form.save(keyset)
    raise Pause(state=got)


def refused_words(why: str) -> str:
    """Return a sentence for the person whose answer did not count."""
    return f"Your answer was refused: {one_line(why)}"


def show_whether_refused(shot: ShotId, why: str) -> None:
    """Show on the run's page whether its last answer was refused: if so, by a tag and an artifact.

    Args:
        why: the reason; empty if the answer counted.
    """
    before = set(flow_run.tags or ())
    tags = before | {REFUSED} if why else before - {REFUSED}
    if tags != before:
        with only_shown(), get_client(sync_client=True) as client:
            client.update_flow_run(UUID(str(flow_run.id)), tags=sorted(tags))
    if why:
        text = f"# Your answer was refused\n\n{markdown(why)}\n\nThe run waits again: **Resume** shows its form."
        key = artifact_key("answer", shot.client, shot.batch, shot.shot)
        page_artifact(text, key=key, description=f"{shot}: {REFUSED}")
