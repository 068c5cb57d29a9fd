"""Late approvals on real servers: gathered under one run that is to come, said while they wait, sent on by hand."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.states import Completed, Failed, Running

from benchmarks.night import measured
from flows.delivery import deliver_batch
from packshot.batch import BatchRecord, Delivery, ShotRef
from packshot.errors import ObjectMissingError, TerminalError
from packshot.keys import batch_record_key
from packshot.naming import BatchId, batch_id
from packshot.record import ShotRecord, Source, State
from packshot.specs.handoff import LateDeliveries
from packshot.specs.sets import ProductSets
from packshot.types import Sourced
from tasks.batches import product_sets, summing_up
from tasks.batches.restarting import restart_shot
from tasks.batches.summing_up import survey
from tasks.deliveries import late_deliveries
from tasks.deliveries.late_deliveries import Gathered, close_batch, gather, wait_until_delivered
from tasks.environment.style_guides import guide_of, promise_shown
from tasks.records.bookkeeping import Life
from tasks.records.stored import change_batch, create_batch, create_record, load_batch
from tasks.reports.board import update_board
from tasks.storage.bucket import Storage, open_storage
from tests.tasks.in_runs import artifact, in_a_run
from tests.tasks.shots import approved

AT = datetime(2031, 3, 1, 13, 20, tzinfo=UTC)
TWO, THREE = AT.replace(hour=14, minute=0), AT.replace(hour=15, minute=0)


@pytest.fixture
def waiting(line: Storage, batch: BatchId, monkeypatch: pytest.MonkeyPatch) -> BatchId:
    """A batch that went out without its last four shots, which people have to look at."""
    monkeypatch.setattr(late_deliveries, "now", lambda: AT)
    monkeypatch.setattr(summing_up, "now", lambda: AT)
    refs = tuple(
        ShotRef(shot=batch.shot(name), path=f"{name}.jpg", key=f"{name}.jpg", etag="e", size_bytes=1)
        for name in ("A", "B", "C", "D", "E")
    )
    create_batch(BatchRecord(batch=batch, received_at=AT, shots=refs))
    for ref in refs:
        create_record(ShotRecord(shot=ref.shot, source=Source(key=ref.key, sha256="", size_bytes=1)))
        Life(ref.shot).reach(State.MASTERED, State.ROUTED, State.EDITING_AUTO, State.SCORED, State.IN_REVIEW, why="")
    Life(batch.shot("E")).reach(State.APPROVED, State.EXPORTED, State.VERIFIED, State.DELIVERED, why="delivery 1")
    first = Delivery(number=1, at=AT, shots=("E",), opened_by="a night", certificate_sha256="0" * 64)
    change_batch(batch, lambda record: record.model_copy(update={"deliveries": (first,)}))
    return batch


@pytest.fixture
def rule(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the client's style guide says of late deliveries."""
    said: dict[str, Any] = {}
    known = promise_shown
    monkeypatch.setattr(
        late_deliveries,
        "promise_shown",
        lambda client: known(client).model_copy(update={"late_deliveries": LateDeliveries(**said)}),
    )
    return said


def approve(batch: BatchId, name: str) -> Gathered:
    Life(batch.shot(name)).reach(State.APPROVED, why="Ada approves")
    gathered: Gathered = in_a_run(lambda: gather.fn(batch.shot(name)))
    return gathered


def runs(batch: BatchId) -> list[FlowRun]:
    with get_client(sync_client=True) as client:
        return list(late_deliveries._runs_to_come(client, f"late:{batch}"))


def set_state(run_id: UUID, state: Any) -> None:
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(run_id, state, force=True)


def test_what_is_approved_within_an_hour_is_one_run_at_its_end(waiting: BatchId, rule: dict[str, Any]) -> None:
    for _ in range(2):  # a run that was killed asks again
        said = approve(waiting, "A")
    assert said == Gathered(goes_now=False, sentence="approved, goes out at 2031-03-01 14:00 UTC")
    assert approve(waiting, "B") == said
    (run,) = runs(waiting)
    assert run.next_scheduled_start_time == TWO
    assert run.parameters == {"client": waiting.client, "batch": waiting.batch}
    assert load_batch(waiting).gathered == {"A": TWO, "B": TWO}


def test_status_and_board_say_when_it_goes_out(waiting: BatchId, rule: dict[str, Any]) -> None:
    for name in ("A", "B"):
        approve(waiting, name)
    fate = {one.shot: one for one in survey(waiting).fates}["A"]
    assert (fate.kind, fate.with_whom, fate.due) == ("waiting", "the next delivery", TWO)
    assert fate.why == "approved, goes out at 2031-03-01 14:00 UTC"
    assert survey(waiting).counts == {"delivered": 1, "waiting": 4, "refused": 0, "failed": 0}
    sentence = in_a_run(update_board.fn)
    assert "approved and gathered for the next delivery" in sentence
    (row,) = [row for row in json.loads(str(artifact("board").data)) if row["batch"] == waiting.batch]
    assert (row["shot"], row["state"], row["with"]) == ("A, B", "approved", "the next delivery")
    assert row["due"] == "2031-03-01 14:00"


def test_what_did_not_go_out_in_time_counts_as_failed(
    waiting: BatchId, rule: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    approve(waiting, "A")
    monkeypatch.setattr(summing_up, "now", lambda: TWO + timedelta(hours=1))
    (fate,) = survey(waiting).failed
    assert "but not delivered at 2031-03-01 14:00 UTC" in fate.why


@pytest.mark.parametrize("state", [Running(), Completed(), Failed()])
def test_a_run_that_has_begun_may_have_looked_already_and_the_next_one_is_taken(
    waiting: BatchId, rule: dict[str, Any], state: Any
) -> None:
    """However far the clocks of worker and server are apart."""
    approve(waiting, "A")
    set_state(runs(waiting)[0].id, state)
    assert approve(waiting, "B").sentence == "approved, goes out at 2031-03-01 15:00 UTC"
    (run,) = runs(waiting)
    assert run.next_scheduled_start_time == THREE


def test_enough_of_them_go_out_at_once(waiting: BatchId, rule: dict[str, Any]) -> None:
    rule["count"] = 2
    assert not approve(waiting, "A").goes_now
    assert approve(waiting, "B").goes_now


def test_an_approval_reads_its_own_record_and_no_neighbour(waiting: BatchId, rule: dict[str, Any]) -> None:
    """Else the approvals of a batch would cost as the square of its shots."""
    add_neighbours(waiting, 12)
    Life(waiting.shot("A")).reach(State.APPROVED, why="Ada approves")
    cost = in_a_run(lambda: measured(lambda: gather.fn(waiting.shot("A"))))
    assert load_batch(waiting).gathered == {"A": TWO}
    assert cost.requests["GetObject"] <= 4, cost.requests  # its record, and the batch's for each thing that is done


def add_neighbours(batch: BatchId, count: int) -> None:
    """Add shots that people have to look at."""
    refs = tuple(
        ShotRef(shot=batch.shot(f"N{number}"), path=f"N{number}.jpg", key=f"N{number}.jpg", etag="e", size_bytes=1)
        for number in range(count)
    )
    for ref in refs:
        create_record(ShotRecord(shot=ref.shot, source=Source(key=ref.key, sha256="", size_bytes=1)))
        Life(ref.shot).reach(State.MASTERED, State.ROUTED, State.EDITING_AUTO, State.SCORED, State.IN_REVIEW, why="")
    change_batch(batch, lambda record: record.model_copy(update={"shots": (*record.shots, *refs)}))


def test_they_go_out_at_once_when_none_is_left_to_wait_for(waiting: BatchId, rule: dict[str, Any]) -> None:
    for name in ("A", "B"):
        assert not approve(waiting, name).goes_now
    Life(waiting.shot("C")).reach(State.REFUSED, why="out of focus")
    assert approve(waiting, "D").goes_now


def test_what_is_delivered_or_has_failed_waits_for_nothing(waiting: BatchId, rule: dict[str, Any]) -> None:
    assert in_a_run(lambda: gather.fn(waiting.shot("E"))).goes_now
    assert not runs(waiting)


def test_a_client_whose_batches_are_closed_by_hand_waits_for_that(waiting: BatchId, rule: dict[str, Any]) -> None:
    rule["on_close"] = True
    for name in ("A", "B", "C", "D"):
        assert "packshot batch close" in approve(waiting, name).sentence
    (run,) = runs(waiting)
    assert run.state
    assert run.state.is_paused()
    in_a_run(update_board.fn)
    (row,) = [row for row in json.loads(str(artifact("board").data)) if row["batch"] == waiting.batch]
    assert (row["shot"], row["due"]) == ("A, B, C, D", "")
    assert close_batch(waiting) == run.id
    with get_client(sync_client=True) as client:
        closed = client.read_flow_run(run.id)
    assert closed.state
    assert closed.state.is_scheduled()
    assert closed.next_scheduled_start_time
    assert closed.next_scheduled_start_time < datetime.now(UTC) + timedelta(minutes=1)


def test_closing_brings_the_run_of_the_hour_forward(waiting: BatchId, rule: dict[str, Any]) -> None:
    approve(waiting, "A")
    (run,) = runs(waiting)
    assert close_batch(waiting) == run.id
    (again,) = runs(waiting)
    assert again.next_scheduled_start_time
    assert again.next_scheduled_start_time < datetime.now(UTC) + timedelta(minutes=1)
    set_state(run.id, Completed(message="delivery 2: 1 shot in 4 files"))
    assert wait_until_delivered(waiting, run.id) == "delivery 2: 1 shot in 4 files"
    another = close_batch(waiting)
    assert another != run.id
    set_state(another, Failed(message="1 of 1 approved shot not delivered"))
    with pytest.raises(TerminalError, match="1 of 1 approved shot"):
        wait_until_delivered(waiting, another)


def test_there_must_be_a_batch_to_close(line: Storage) -> None:
    with pytest.raises(ObjectMissingError):
        close_batch(batch_id("acme", "nobody-sent-it"))


@pytest.mark.parametrize("data", [None, b"{"], ids=["gone", "unreadable"])
def test_a_batch_whose_record_cannot_be_read_takes_nothing_from_the_board(
    waiting: BatchId, rule: dict[str, Any], monkeypatch: pytest.MonkeyPatch, data: bytes | None
) -> None:
    approve(waiting, "A")
    whole = open_storage().get(batch_record_key(waiting))
    if data is None:
        monkeypatch.setattr(late_deliveries, "batch_id", lambda client, batch: batch_id(client, f"{batch}-x"))
    else:
        open_storage().put(batch_record_key(waiting), data, content_type="application/json")
    try:
        assert "wait" in in_a_run(update_board.fn)
    finally:
        open_storage().put(batch_record_key(waiting), whole, content_type="application/json")  # others read them all
    assert waiting.batch not in {row["batch"] for row in json.loads(str(artifact("board").data))}


def test_a_shot_that_starts_again_is_gathered_no_more(waiting: BatchId, rule: dict[str, Any]) -> None:
    approve(waiting, "A")
    restart_shot.fn(waiting.shot("A"), person="Ada", reason="another crop")
    assert not load_batch(waiting).gathered


@pytest.mark.slow
def test_a_delivery_that_completes_a_product_plans_one_of_the_batch_with_its_other_view(
    line: Storage, batch: BatchId, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The flow itself, on real servers, with a picture that is exported.

    Without pictures, `tests/tasks/batches/test_product_sets.py` holds what `deliver_elsewhere` plans.
    """
    guide = guide_of(batch.client)
    sets = ProductSets(views=("MAIN", "PT01"), deliver="complete_sets")
    monkeypatch.setattr(product_sets, "guide_of", lambda client: guide.model_copy(update={"sets": sets}))
    sku = f"A-{batch.batch[-8:]}"
    earlier = batch_id(batch.client, f"{batch.batch}-earlier")
    ref = ShotRef(shot=earlier.shot("A_PT01"), path="A_PT01.jpg", key="A_PT01.jpg", etag="e", size_bytes=1)
    create_batch(BatchRecord(batch=earlier, received_at=AT, shots=(ref,)))
    facts = {name: Sourced(value=value, source="manifest") for name, value in (("sku", sku), ("view", "PT01"))}
    create_record(ShotRecord(shot=ref.shot, source=Source(key=ref.key, sha256="", size_bytes=1), facts=facts))
    Life(ref.shot).reach(
        State.MASTERED, State.ROUTED, State.EDITING_AUTO, State.SCORED, State.APPROVED, why="Ada approves"
    )
    assert survey(earlier).fates[0].lacks == "MAIN (not received)"
    approved(batch, {sku: 0.43})
    state = deliver_batch(client=batch.client, batch=batch.batch, return_state=True)
    assert state.is_completed(), state.message
    assert [one.shots for one in load_batch(batch).deliveries] == [(sku,)]
    (run,) = runs(earlier)
    assert run.parameters == {"client": earlier.client, "batch": earlier.batch}
    assert set(load_batch(earlier).gathered) == {"A_PT01"}
    assert survey(earlier).fates[0].with_whom == "the next delivery"
