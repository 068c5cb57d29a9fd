"""Runs that wait for a person, on a real Prefect server."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any
from uuid import UUID

import httpx
import pytest
from prefect.client.base import PrefectHttpxSyncClient
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterIdempotencyKey
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import ObjectNotFound, Pause
from prefect.states import Running

from packshot.decision import Choice
from packshot.record import State
from tasks.people.forms import Answer, form_for
from tasks.people.jobs import HUMAN_EDIT, PAUSE_KEY
from tasks.runs.suspended import ask, create_waiting_run, given_answer
from tasks.storage.bucket import Storage
from tests.tasks.simulated_s3 import Died

PICTURE = "0123456789abcdef"
FORM = form_for(State.AWAITING_EDITOR, description="**Look** at it.", picture=PICTURE, person="Ada")
ANSWER = {"decision": Choice.RETURN.value, "person": "Ada", "reason": "work_done", "picture": PICTURE}


def waiting_run(idempotency_key: str, *, deployment: str = HUMAN_EDIT) -> UUID:
    return create_waiting_run(
        deployment,
        parameters={"client": "acme", "batch": "spring", "shot": "A1_MAIN"},
        form=FORM,
        pause_key=PAUSE_KEY,
        name="human edit · acme/spring · A1_MAIN",
        tags=["client:acme", "batch:spring"],
        idempotency_key=idempotency_key,
        says="To do: clipping path.\nLook at it.",
    )


def read(run_id: UUID) -> FlowRun:
    with get_client(sync_client=True) as client:
        return client.read_flow_run(run_id)


@pytest.fixture
def key() -> str:
    return f"human-edit-{uuid.uuid4()}"


def test_a_waiting_run_is_suspended_without_an_end_and_never_ran(line: Storage, key: str) -> None:
    run = read(waiting_run(key))
    assert run.state
    assert (run.state.name, run.state.is_paused(), run.run_count) == ("Suspended", True, 0)
    assert run.state.state_details.pause_timeout is None
    assert run.state.state_details.pause_key == PAUSE_KEY
    assert run.name == "human edit · acme/spring · A1_MAIN"
    assert {"client:acme", "batch:spring"} <= set(run.tags)
    assert run.parameters["shot"] == "A1_MAIN"


def test_its_page_says_what_it_waits_for_once(line: Storage, key: str) -> None:
    """Kind of test that was missing: a waiting run's page as people see it, which was empty."""
    run = read(waiting_run(key))
    assert waiting_run(key) == run.id
    with get_client(sync_client=True) as client:
        lines = client.request("POST", "/logs/filter", json={"logs": {"flow_run_id": {"any_": [str(run.id)]}}}).json()
    assert run.state
    assert run.state.message == "To do: clipping path. Look at it."
    assert [one["message"] for one in lines] == ["To do: clipping path. Look at it."]


def test_its_form_lies_on_the_server_with_what_was_filled_in(line: Storage, key: str) -> None:
    run = read(waiting_run(key))
    assert run.state
    keyset = run.state.state_details.run_input_keyset
    assert keyset
    with get_client(sync_client=True) as client:
        schema = client.request("GET", f"/flow_runs/{run.id}/input/{keyset['schema']}").json()
        description = client.request("GET", f"/flow_runs/{run.id}/input/{keyset['description']}").json()
    assert "**Look** at it." in str(description)
    fields = schema["properties"]
    assert list(fields) == ["decision", "person", "reason", "picture", "note", "returned_file", "override"]
    assert (fields["person"]["default"], fields["decision"]["default"]) == ("Ada", "use the returned file")
    assert fields["picture"]["default"] == PICTURE
    assert fields["person"]["minLength"] == 2
    assert set(schema["required"]) == {"decision", "person", "reason", "picture"}


def test_asking_again_for_the_same_gives_the_same_run(line: Storage, key: str) -> None:
    first = waiting_run(key)
    before = read(first)
    assert waiting_run(key) == first
    after = read(first)
    assert after.state_id == before.state_id
    assert after.empirical_policy == before.empirical_policy


def test_asking_again_does_not_ask_a_person_twice_who_has_answered(line: Storage, key: str) -> None:
    run_id = waiting_run(key)
    with get_client(sync_client=True) as client:
        assert client.resume_flow_run(run_id, run_input=ANSWER).status.value == "ACCEPT"
    assert waiting_run(key) == run_id
    run = read(run_id)
    assert run.state
    assert not run.state.is_paused()


def test_something_else_is_another_run(line: Storage, key: str) -> None:
    assert waiting_run(key) != waiting_run(f"{key}-2")


def test_a_deployment_that_is_not_registered_is_said(line: Storage, key: str) -> None:
    with pytest.raises(ObjectNotFound):
        waiting_run(key, deployment="human-edit/nobody")


# --- it dies while it asks ---


@contextmanager
def dying(monkeypatch: pytest.MonkeyPatch, *, at: int, after: bool) -> Iterator[None]:
    """The process dies at its n-th request that changes something on the server: before it, or after it."""
    number, send = count(), PrefectHttpxSyncClient.send

    def mortal(self: PrefectHttpxSyncClient, request: httpx.Request, *args: Any, **kwargs: Any) -> httpx.Response:
        if request.method == "GET" or request.url.path.endswith("/filter") or next(number) != at:
            return send(self, request, *args, **kwargs)
        if after:
            send(self, request, *args, **kwargs)
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(PrefectHttpxSyncClient, "send", mortal)
        yield


def dies(monkeypatch: pytest.MonkeyPatch, work: Callable[[], object], *, at: int, after: bool) -> bool:
    """Do something in a process that dies at its n-th request; return whether it came so far."""
    with dying(monkeypatch, at=at, after=after):
        try:
            work()
        except (Died, Pause) as end:
            return isinstance(end, Died)
    return False


def whole_form(run: FlowRun) -> bool:
    """Whether the form of a run is stored, so that a person sees it and the server accepts an answer."""
    assert run.state
    keyset = run.state.state_details.run_input_keyset
    assert keyset
    with get_client(sync_client=True) as client:
        found = client.filter_flow_run_input(run.id, "suspended-", limit=200, exclude_keys=set())
    return {keyset["schema"], keyset["description"]} <= {one.key for one in found}


def waits_only_with_its_form(run: FlowRun) -> bool:
    return run.state is None or not run.state.is_paused() or whole_form(run)


@pytest.mark.parametrize("after", [False, True])
def test_whoever_dies_while_a_run_is_made_leaves_none_that_waits_without_a_form(
    line: Storage, key: str, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at in count():
        one = f"{key}-{at}"
        died = dies(monkeypatch, lambda one=one: waiting_run(one), at=at, after=after)
        wanted = FlowRunFilter(idempotency_key=FlowRunFilterIdempotencyKey(any_=[one]))
        with get_client(sync_client=True) as client:
            left = client.read_flow_runs(flow_run_filter=wanted, sort=FlowRunSort.NAME_ASC, limit=2)
        assert all(map(waits_only_with_its_form, left)), at
        run = read(waiting_run(one))
        assert run.state
        assert run.state.is_paused(), at
        assert whole_form(run), at
        if not died:
            break
    assert at > 3


@pytest.fixture
def begun(line: Storage, key: str, monkeypatch: pytest.MonkeyPatch) -> FlowRun:
    """A run that a worker has begun, and this process is the worker's."""
    with get_client(sync_client=True) as client:
        deployment = client.read_deployment_by_name(HUMAN_EDIT).id
        parameters = {"client": "acme", "batch": "spring", "shot": "A1_MAIN"}
        run = client.create_flow_run_from_deployment(deployment, parameters=parameters, idempotency_key=key)
    begin(run)
    monkeypatch.setenv("PREFECT__FLOW_RUN_ID", str(run.id))
    return run


def begin(run: FlowRun) -> None:
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(run.id, Running(), force=True)


def asks(pause_key: str) -> Answer:
    return ask(FORM, pause_key=pause_key)


@pytest.mark.parametrize("after", [False, True])
def test_whoever_dies_while_it_asks_leaves_no_run_that_waits_without_a_form(
    begun: FlowRun, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at in count():
        question = f"question-{at}"
        died = dies(monkeypatch, lambda question=question: asks(question), at=at, after=after)
        assert waits_only_with_its_form(read(begun.id)), at
        begin(begun)  # it was found dead
        with pytest.raises(Pause):
            asks(question)
        run = read(begun.id)
        assert run.state
        assert run.state.is_paused(), at
        assert whole_form(run), at
        with get_client(sync_client=True) as client:
            assert client.resume_flow_run(begun.id, run_input=ANSWER).status.value == "ACCEPT", at
        begin(begun)
        assert asks(question).person == "Ada", at
        if not died:
            break
    assert at > 1


def test_a_question_whose_wait_ended_without_an_answer_is_asked_again(begun: FlowRun) -> None:
    for _ in range(3):
        with pytest.raises(Pause):
            asks("question-1")
        assert whole_form(read(begun.id))
        begin(begun)


def test_an_answer_is_found_before_its_question_is_asked_again(begun: FlowRun) -> None:
    assert given_answer(Answer, pause_key="question-1") is None
    with pytest.raises(Pause):
        asks("question-1")
    assert given_answer(Answer, pause_key="question-1") is None
    with get_client(sync_client=True) as client:
        assert client.resume_flow_run(begun.id, run_input=ANSWER).status.value == "ACCEPT"
    begin(begun)
    given = given_answer(Answer, pause_key="question-1")
    assert given == asks("question-1")
    assert given_answer(Answer, pause_key="question-2") is None
