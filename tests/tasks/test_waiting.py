"""Runs that wait for a person, on a real Prefect server."""

from __future__ import annotations

import uuid
from uuid import UUID

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import ObjectNotFound

from packshot.decision import Choice
from packshot.record import State
from tasks.forms import form_for
from tasks.jobs import HUMAN_EDIT, PAUSE_KEY
from tasks.storage import Storage
from tasks.waiting import create_waiting_run

PICTURE = "0123456789abcdef"


def waiting_run(idempotency_key: str, *, deployment: str = HUMAN_EDIT) -> UUID:
    return create_waiting_run(
        deployment,
        parameters={"client": "acme", "batch": "spring", "shot": "A1_MAIN"},
        form=form_for(State.AWAITING_EDITOR, description="**Look** at it.", picture=PICTURE, person="Ada"),
        pause_key=PAUSE_KEY,
        name="human edit · acme/spring · A1_MAIN",
        tags=["client:acme", "batch:spring"],
        idempotency_key=idempotency_key,
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
        answer = {"decision": Choice.RETURN.value, "person": "Ada", "reason": "work_done", "picture": PICTURE}
        assert client.resume_flow_run(run_id, run_input=answer).status.value == "ACCEPT"
    assert waiting_run(key) == run_id
    run = read(run_id)
    assert run.state
    assert not run.state.is_paused()


def test_something_else_is_another_run(line: Storage, key: str) -> None:
    assert waiting_run(key) != waiting_run(f"{key}-2")


def test_a_deployment_that_is_not_registered_is_said(line: Storage, key: str) -> None:
    with pytest.raises(ObjectNotFound):
        waiting_run(key, deployment="human-edit/nobody")
