"""Create flow runs that are suspended from the start, so that waiting for a person uses no resources.

A usual run starts a process, and only then suspends itself. `create_waiting_run` creates the run in the suspended
state. It is then only a row in Prefect's database, and shows its form in the UI. When somebody answers, the flow starts
from its first line in a new process. There it calls `ask` with the same key, which returns the answer at once.

This depends on how Prefect stores a pause (state details and run inputs). A test checks it against a real server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from itertools import count
from typing import Any, TypeVar, cast
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import FlowRunPolicy
from prefect.exceptions import Pause, PrefectHTTPStatusError
from prefect.input import RunInput, keyset_from_paused_state
from prefect.input.run_input import Keyset
from prefect.runtime import flow_run
from prefect.states import Pending, Suspended
from prefect.utilities.engine import propose_state_sync

from packshot.escaping import markdown, one_line
from packshot.naming import ShotId
from tasks.telling.artifacts import artifact_key, only_shown, page_artifact

F = TypeVar("F", bound=RunInput)

REFUSED = "answer refused"
"""The tag of a run whose last answer was refused; lists of runs show it."""

BEING_ASKED = "Being asked"
"""Name of the state of a run whose form is not stored yet."""


def run_name(shot: ShotId) -> str:
    """Return the name in Prefect of the runs that ask people about a shot."""
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

    Idempotent: the same `idempotency_key` returns the same run, whatever its state is now. First the run is created,
    then its form is stored, then the run is suspended. So no waiting run is without a form. If this process dies in
    between, the next call does the remaining steps. If there is no next call, the run is found dead, is started, and
    asks its question itself (`tasks.runs.lost_runs`).

    Args:
        deployment: ``flow-name/deployment-name``.
        parameters: the flow's parameters: name -> value.
        form: the model of the answer; the UI shows it as a form.
        pause_key: the key that the flow passes to its first `ask`.
        name, tags: of the run, for people and for filters.
        idempotency_key: a text that is the same for all calls that mean the same run.
    """
    asked, keyset = _suspended(pause_key)
    with get_client(sync_client=True) as client:
        run = client.create_flow_run_from_deployment(
            client.read_deployment_by_name(deployment).id,
            parameters=dict(parameters),
            state=Pending(name=BEING_ASKED),
            name=name,
            tags=list(tags),
            idempotency_key=idempotency_key,
        )
        if run.state is not None and run.state.name == BEING_ASKED:
            client.update_flow_run(run.id, empirical_policy=FlowRunPolicy(pause_keys={pause_key}))
            if not _save_form(client, form, keyset, run.id):
                _save_form_anew(client, form, keyset, run.id)
            client.set_flow_run_state(run.id, asked, force=True)
    return run.id


def ask(form: type[F], *, pause_key: str, refused: str = "") -> F:
    """Return the filled-in form. This flow run is suspended until then: if there is no answer yet, the call ends its
    process.

    Prefect's `suspend_flow_run` suspends the run first and then stores its form. An answer in between would be refused.
    If the process died in between, nobody could ever answer. So the steps are taken here in the other order. A question
    whose wait ended without an answer is asked again.

    Args:
        form: the model of the answer; the UI shows it as a form.
        pause_key: the key under which Prefect keeps this question and its answer.
        refused: why the last answer was refused. The run's state shows it. The text may differ when the flow runs again
            after the answer. Empty if no answer was refused.
    Raises:
        Pause: the run is suspended now; Prefect ends it.
    """
    for number in count(1):
        answer = _answer(form, pause_key if number == 1 else f"{pause_key}-{number}", refused=refused)
        if answer is not None:
            return answer
    raise AssertionError("unreachable")


def given_answer(form: type[F], *, pause_key: str) -> F | None:
    """Return the answer to a question that this flow run asked before; None if there is none yet. It costs one small
    request.

    A run that continues after an answer starts from its first line. It calls this first, and if there is an answer, it
    need not compose the question again.

    Args:
        form: the model of the answer.
        pause_key: the key that the run passed to `ask`.
    """
    _, keyset = _suspended(pause_key)
    run_id = UUID(str(flow_run.id))
    with get_client(sync_client=True) as client:
        answered = _is_stored(client, run_id, keyset["response"])
    return cast(F, form.load(keyset, flow_run_id=run_id)) if answered else None


def _answer(form: type[F], pause_key: str, *, refused: str) -> F | None:
    """Return the answer to a question that was asked before; None if its wait ended without one. Else ask, and end."""
    state, keyset = _suspended(pause_key, message=refused_words(refused) if refused else None)
    run_id = UUID(str(flow_run.id))
    with get_client(sync_client=True) as client:
        if not _save_form(client, form, keyset, run_id):
            if _is_stored(client, run_id, keyset["response"]):
                return cast(F, form.load(keyset, flow_run_id=run_id))
            _save_form_anew(client, form, keyset, run_id)
        got = propose_state_sync(client, state, flow_run_id=run_id)
    if got.is_running():
        return None
    if not got.is_paused():
        raise RuntimeError(f"this run cannot be suspended: Prefect answers {got}")
    raise Pause(state=got)


def _suspended(pause_key: str, *, message: str | None = None) -> tuple[Any, Keyset]:
    """Return the state of a run that waits for a form, and the keys under which the server keeps form and answer."""
    state: Any = Suspended(timeout_seconds=None, pause_key=pause_key, message=message)
    keyset = keyset_from_paused_state(state)
    state.state_details.run_input_keyset = keyset
    return state, keyset


def _save_form(client: SyncPrefectClient, form: type[RunInput], keyset: Keyset, run_id: UUID) -> bool:
    """Store a run's form and return True; False if some of it is there already."""
    try:
        form.save(keyset, flow_run_id=run_id)
    except PrefectHTTPStatusError as error:
        if error.response.status_code != HTTPStatus.CONFLICT:
            raise
        return False
    return True


def _save_form_anew(client: SyncPrefectClient, form: type[RunInput], keyset: Keyset, run_id: UUID) -> None:
    """Store a run's form in the place of one that an earlier process stored, perhaps in part; nobody has seen it."""
    for key in (keyset["schema"], keyset["description"]):
        if _is_stored(client, run_id, key):
            client.delete_flow_run_input(run_id, key)
    form.save(keyset, flow_run_id=run_id)


def _is_stored(client: SyncPrefectClient, run_id: UUID, key: str) -> bool:
    return any(one.key == key for one in client.filter_flow_run_input(run_id, key, limit=2, exclude_keys=set()))


def refused_words(why: str) -> str:
    """Return a sentence for the person whose answer did not count.

    Args:
        why: the reason, in words.
    """
    return f"Your answer was refused: {one_line(why)}"


def show_whether_refused(shot: ShotId, why: str) -> None:
    """Show on this flow run's page whether its last answer was refused, by a tag and an artifact.

    If the answer counted, only the tag is removed.

    Args:
        shot: the shot that the run asks about.
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
