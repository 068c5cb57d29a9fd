"""A run whose process is gone is ended and started again; one that waits, works, or has just begun is left alone."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.deployments import run_deployment
from prefect.runtime import flow_run
from prefect.states import Cancelling, Crashed, Running

from packshot.keys import lease_key, run_lease
from packshot.lease import Lease, Owner
from tasks.environment.settings import get_settings
from tasks.runs import lost_runs, resuming
from tasks.runs.lost_runs import MOST_TRIES, WHY, Lost, end_lost_runs
from tasks.storage.bucket import Storage
from tasks.storage.leases import at_work, look
from tasks.telling import night
from tests.tasks.in_runs import in_a_run


def started(deployment: str, parameters: dict[str, str]) -> FlowRun:
    """A run that no worker takes up here."""
    run = run_deployment(deployment, parameters=parameters, timeout=0, as_subflow=False)
    assert isinstance(run, FlowRun)
    return run


def batch_run() -> FlowRun:
    return started("process-batch/process-batch", {"client": "acme", "batch": f"b{uuid4().hex[:8]}"})


def put_into(run_id: UUID, state: State[Any]) -> FlowRun:
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(run_id, state, force=True)
        return client.read_flow_run(run_id)


def state_of(run: FlowRun) -> State[Any]:
    with get_client(sync_client=True) as client:
        state = client.read_flow_run(run.id).state
    assert state
    return state


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second look comes at once."""
    monkeypatch.setattr(lost_runs, "time", SimpleNamespace(sleep=lambda seconds: None))


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long after the runs came into their states."""
    clock = lost_runs._time_of_the_server
    monkeypatch.setattr(lost_runs, "_time_of_the_server", lambda client: clock(client) + timedelta(minutes=5))


def breathe(storage: Storage, run: FlowRun) -> None:
    """Write the lease that a living process of the run would renew."""
    name, owner = run_lease(str(run.id)), Owner(run=str(run.id), attempt="1")
    lease = Lease(name=name, owner=owner, number=1, nonce=uuid4().hex, holds_s=600)
    storage.put_if_absent(lease_key(name), lease.model_dump_json().encode(), content_type="application/json")


def swept() -> Lost:
    return in_a_run(end_lost_runs.fn)


def test_the_sentence_counts_and_names_the_runs() -> None:
    assert Lost(ended=("a", "b"), started=("a",)).sentence == (
        "2 runs without a process ended: a, b; 1 run without a process started again: a"
    )
    assert Lost().sentence == ""


@pytest.mark.usefixtures("later")
def test_a_run_without_a_process_ends_as_crashed_with_a_sentence_and_starts_again(line: Storage) -> None:
    run = put_into(batch_run().id, Running())
    lost = swept()
    assert run.name in lost.ended
    assert run.name in lost.started
    assert run.name in lost.sentence.partition("without a process started again: ")[2]
    with get_client(sync_client=True) as client:
        history = client.read_flow_run_states(run.id)
    assert [(one.type.value, one.message) for one in history if one.type.value == "CRASHED"] == [("CRASHED", WHY)]
    assert state_of(run).name == "AwaitingRetry"


@pytest.mark.usefixtures("later")
def test_a_run_whose_process_lives_is_left_alone_even_if_it_only_waits(line: Storage) -> None:
    run = put_into(batch_run().id, Running())
    breathe(line, run)
    lost = swept()
    assert run.name not in (*lost.ended, *lost.started)
    assert state_of(run).is_running()


def run_out(storage: Storage, run: FlowRun) -> None:
    """Write the lease of a process that died, or could not renew it."""
    name, owner = run_lease(str(run.id)), Owner(run=str(run.id), attempt="1")
    lease = Lease(name=name, owner=owner, number=1, nonce=uuid4().hex, holds_s=0)
    storage.put_if_absent(lease_key(name), lease.model_dump_json().encode(), content_type="application/json")


@pytest.mark.usefixtures("later")
def test_a_run_that_could_not_renew_its_lease_while_the_storage_was_away_is_left_alone(
    line: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lease has run out when the storage is back, and its process renews it some seconds later."""
    run = put_into(batch_run().id, Running())
    run_out(line, run)

    def sleep(seconds: float) -> None:
        line.remove_lease(run_lease(str(run.id)))
        breathe(line, run)

    monkeypatch.setattr(lost_runs, "time", SimpleNamespace(sleep=sleep))
    assert run.name not in swept().ended
    assert state_of(run).is_running()


def test_a_lease_that_has_run_out_tells_of_a_death_sooner_than_none(
    line: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, lease_s = lost_runs._time_of_the_server, get_settings().lease_s
    monkeypatch.setattr(
        lost_runs, "_time_of_the_server", lambda client: clock(client) + timedelta(seconds=1.5 * lease_s)
    )
    without, begun = put_into(batch_run().id, Running()), put_into(batch_run().id, Running())
    run_out(line, begun)
    lost = swept()
    assert begun.name in lost.ended
    assert without.name not in lost.ended
    assert look(run_lease(str(begun.id))) is None, "its next try begins without a lease of the last"


def test_a_run_that_has_just_begun_is_left_alone(line: Storage) -> None:
    run = put_into(batch_run().id, Running())
    assert run.name not in swept().ended


def test_a_run_that_crashed_is_started_again_at_once_but_not_for_ever(line: Storage) -> None:
    run = put_into(batch_run().id, Crashed(message="the process was killed"))
    assert run.name in swept().started
    for _ in range(MOST_TRIES):
        put_into(run.id, Running())
    put_into(run.id, Crashed(message="the process was killed"))
    assert run.name not in swept().started
    assert state_of(run).is_crashed()


def test_a_crash_that_is_reported_again_while_the_next_try_works_starts_no_copy(line: Storage) -> None:
    run = put_into(batch_run().id, Crashed(message="the process was killed"))
    breathe(line, run)
    assert run.name not in swept().started


@pytest.mark.usefixtures("later")
def test_a_dead_run_that_somebody_cancelled_is_cancelled(line: Storage) -> None:
    run = put_into(put_into(batch_run().id, Running()).id, Cancelling())
    assert run.name in swept().ended
    assert state_of(run).is_cancelled()


@pytest.mark.usefixtures("later")
def test_a_dead_night_raises_the_alarm_and_goes_on(line: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, str]] = []
    monkeypatch.setattr(night, "raise_alarm", lambda kind, message, *, about: told.append((kind, message)))
    run = put_into(started("nightly/nightly", {}).id, Running())
    assert run.name in swept().started
    assert ("night_stopped", True) in [(kind, str(run.id) in message) for kind, message in told]


@pytest.mark.usefixtures("later")
def test_all_that_ran_within_a_dead_run_ends_with_it(line: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resuming, "_PAGE", 2)  # so that three parts need more than one page
    parts: list[UUID] = []

    @flow(name="part", persist_result=False)
    def part() -> None:
        parts.append(UUID(str(flow_run.id)))

    @flow(name="deliver-batch", persist_result=False)
    def whole() -> UUID:
        for _ in range(3):
            part()
        return UUID(str(flow_run.id))

    run_id, known = whole(), batch_run()
    with get_client(sync_client=True) as client:
        for one in parts:
            put_into(one, Running())
        found = list(lost_runs._parts(client, client.read_flow_run(run_id)))
        assert {one.id for one in found} == set(parts)
        lost_runs._end_parts(client, client.read_flow_run(run_id))
    for ended in found:
        assert state_of(ended).is_crashed()
        assert "the run it was a part of" in str(state_of(ended).message)
    assert not state_of(known).is_final()


def test_a_run_says_that_it_lives_for_as_long_as_it_does(line: Storage) -> None:
    def work() -> str:
        with at_work():
            seen = look(run_lease(str(flow_run.id)))
            assert seen is not None
            assert seen.is_alive
        return str(flow_run.id)

    assert look(run_lease(in_a_run(work))) is None
