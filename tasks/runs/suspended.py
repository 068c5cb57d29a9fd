"""Create flow runs that are suspended from the start, so that waiting for a person uses no resources.

A usual run starts a process, and only then suspends itself. `create_waiting_run` creates the run in the suspended
state. The run is then only a row in Prefect's database, and shows its form in the UI. When somebody answers, the flow
starts from its first line in a new process. There it calls `ask` with the same key, which returns the answer at once.

This depends on how Prefect stores a pause (state details and run inputs). A test checks it against a real server.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
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
    """Return the name that Prefect shows for the runs that ask people about a shot.

    Example: "human edit · acme/spring · BTL201_MAIN".
    """
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
    says: str = "",
) -> UUID:
    """Create a suspended run that waits until somebody fills in a form, and return the run's id. No process is started.

    A second call with the same `idempotency_key` returns the same run, whatever its state is now. No waiting run is
    without a form: the run is created first, then its form is stored, then the run is suspended. If this process dies
    in between, the next call does the remaining steps. If there is no next call, the run is found dead
    (`tasks.runs.lost_runs`), is started, and asks its question itself.

    Args:
        deployment: ``flow-name/deployment-name``.
        parameters: the flow's parameters: name -> value.
        form: the model of the answer; the UI shows it as a form.
        pause_key: a name for the question. The flow must pass the same one to its first `ask`.
        name: of the run, for people.
        tags: of the run, for filters, such as ``client:acme``.
        idempotency_key: a text that is the same for all calls that mean the same run.
        says: what stands on the run's page while it waits, as plain text; without it the page is empty.
    Raises:
        httpx.HTTPError: Prefect's server does not answer, or answers with an error.
        ObjectNotFound: Prefect's server has no deployment of this name.
    """
    asked, keyset = _suspended(pause_key, message=one_line(says) or None)
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
            _say(client, run.id, one_line(says))
    return run.id


def _say(client: SyncPrefectClient, run_id: UUID, words: str) -> None:
    """Write a line into the log of a run that waits: its page shows the log first."""
    line = {
        "name": "packshot",
        "level": logging.INFO,
        "message": words,
        "timestamp": datetime.now(UTC).isoformat(),
        "flow_run_id": str(run_id),
    }
    if words:
        with only_shown():
            client.request("POST", "/logs/", json=[line])


def ask(form: type[F], *, pause_key: str, refused: str = "", followed: str = "") -> F:
    """Return a person's answer to a question of this flow run. Without an answer, the run is suspended here.

    Its process then ends. After the answer, Prefect starts the flow again from its first line; then this call returns
    the answer. The question is stored before the run is suspended, so that it can be answered at once. (Prefect's
    `suspend_flow_run` does it in the other order.) If a wait has ended without an answer, the question is asked again.

    Args:
        form: the model of the answer; the UI shows it as a form.
        pause_key: a name for the question, under which Prefect keeps question and answer.
        refused: why the last answer was refused; the run's state shows it. It is empty if none was.
        followed: what the last answer did, in words; the run's state shows it. It is empty if there was none, or it was
            refused.
    Raises:
        Pause: there is no answer yet. Prefect catches it and ends the process.
    """
    for number in count(1):
        message = refused_words(refused) if refused else followed_words(followed) if followed else None
        answer = _answer(form, pause_key if number == 1 else f"{pause_key}-{number}", message=message)
        if answer is not None:
            return answer
    raise AssertionError("unreachable")


def given_answer(form: type[F], *, pause_key: str) -> F | None:
    """Return the answer to a question that this flow run has asked; None if there is no answer yet.

    A run that continues after an answer starts from its first line. If it calls this first, it need not compose its
    question again. The call costs one small request.

    Args:
        form: the model of the answer.
        pause_key: the name of the question, as it was passed to `ask`.
    Raises:
        httpx.HTTPError: Prefect's server does not answer, or answers with an error.
    """
    _, keyset = _suspended(pause_key)
    run_id = UUID(str(flow_run.id))
    with get_client(sync_client=True) as client:
        answered = _is_stored(client, run_id, keyset["response"])
    return cast(F, form.load(keyset, flow_run_id=run_id)) if answered else None


def _answer(form: type[F], pause_key: str, *, message: str | None) -> F | None:
    """Return the answer to a question that was asked before; None if its wait ended without one. Else ask, and end."""
    state, keyset = _suspended(pause_key, message=message)
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
    """Return a sentence for the person whose answer did not count: "Your answer was refused: ", then the reason.

    Args:
        why: the reason, in words.
    """
    return f"Your answer was refused: {one_line(why)}"


def followed_words(what: str) -> str:
    """Return a sentence for the person whose answer counted: "The last answer was followed: ", then what it did.

    The run shows it while it waits for the next person.

    Args:
        what: what the answer did, in words.
    """
    return f"The last answer was followed: {one_line(what)}"


def show_whether_refused(shot: ShotId, why: str) -> None:
    """Show on this flow run's page in Prefect whether its last answer was refused, by a tag and a page with the reason.

    If the answer counted, the tag of an earlier refusal is removed.

    Args:
        shot: the shot that the run asks about.
        why: why the answer was refused; empty if it counted.
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
