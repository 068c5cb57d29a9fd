"""A client sends a delivered picture back, on real servers: it reaches the people once, and goes out again."""

from __future__ import annotations

import csv
import io
import json
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterName
from prefect.client.schemas.objects import FlowRun

from packshot.decision import Choice, ColourWord, Reason
from packshot.errors import DecisionRefusedError
from packshot.handoff.rejecting import Delivered
from packshot.keys import delivery_key, notice_key
from packshot.naming import BatchId, ShotId
from packshot.record import ShotRecord, State
from packshot.types import Box, Size
from tasks.batches.approved import approved_shots
from tasks.deliveries.delivering import deliver
from tasks.people.questions import WhoActs, next_step
from tasks.people.rejected_deliveries import Words, send_back
from tasks.people.tickets import ticket_of
from tasks.records.stored import load_batch, load_record
from tasks.runs.resuming import human_edits
from tasks.runs.suspended import run_name
from tasks.stages.shot_stages import export_shot
from tasks.storage.bucket import Storage
from tests.tasks.by_people import answer, cut_out_by_hand, follow, put_back
from tests.tasks.in_runs import in_a_run
from tests.tasks.shots import approved

EDGE = Words(reason=Reason.EDGE, note="the rim is bitten", boxes=(Box(100, 100, 200, 220),), size=Size(1000, 1000))


def delivered_file(record: ShotRecord, number: int = 1) -> Delivered:
    """The first file of a shot, as it went out in a delivery."""
    one = record.reports["export"]["files"][0]
    return Delivered(number=number, path=one["path"], sha256=one["sha256"])


@pytest.fixture
def out(line: Storage, batch: BatchId) -> ShotId:
    """A shot that the machine approved unseen, and that was delivered."""
    for one in approved(batch, {"A1": 0.43}):
        export_shot.fn(one)
    assert deliver.fn(batch, only=["A1"]).sentence.startswith("delivery 1: 1 shot")
    return batch.shot("A1")


def runs_of(shot: ShotId) -> list[FlowRun]:
    with get_client(sync_client=True) as client:
        return list(human_edits(client, FlowRunFilter(name=FlowRunFilterName(any_=[run_name(shot)]))))


def export_and_deliver(batch: BatchId) -> str:
    for one in approved_shots.fn(batch, only=[]):
        in_a_run(partial(export_shot, one))  # as the line does, with its cache
    return deliver.fn(batch, only=["A1"]).sentence


def corrected(shot: ShotId, *, picture: str = "better.png", round_: int = 1) -> None:
    """An editor returns a picture, and a senior signs it."""
    put_back(shot, picture, cut_out_by_hand())
    said = answer(shot, Choice.RETURN, person="Ada", returned_file=picture)
    assert not in_a_run(lambda: follow(shot, said, question=f"run-{round_}-1")).objection
    signed = answer(shot, Choice.SIGN, person="Sen Ior", colour=ColourWord.NOT_COMPARED)
    assert not follow(shot, signed, question=f"run-{round_}-2").objection


def test_it_waits_for_an_editor_who_sees_the_client_s_mark_and_words(out: ShotId, line: Storage) -> None:
    record = send_back(out, delivered_file(load_record(out)), EDGE)
    assert record.state is State.AWAITING_EDITOR
    (run,) = runs_of(out)
    assert run.state
    assert run.state.is_scheduled(), "a worker takes it at once"
    asked = in_a_run(lambda: next_step.fn(out))
    assert asked.step is WhoActs.PERSON
    assert asked.question
    assert "the rim is bitten" in asked.question.description
    back = ticket_of(out).sent_back
    assert back
    assert (back.by, back.verified, back.choice, back.note) == (
        "client acme",
        True,
        Choice.CLIENT_FAULT,
        "the rim is bitten",
    )
    (mark,) = back.marks
    size = record.reports["export"]["files"][0]["size"]
    assert 0 <= mark.left < mark.right <= 1000
    assert mark.box.width == pytest.approx(100 / record.reports["export"]["files"][0]["scale"], abs=2), size
    notice = json.loads(line.get(notice_key(out.in_batch, out.shot, "sent_back-delivery-1")))
    assert "It waits for an editor." in notice["message"]


def test_two_clients_at_once_and_one_again_later_are_one_rejection(out: ShotId) -> None:
    file = delivered_file(load_record(out))
    words = [EDGE, EDGE.model_copy(update={"reason": Reason.COLOUR, "note": "too red"})]
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(copy_context().run, send_back, out, file, words[number % 2]) for number in range(4)]
        records = [one.result() for one in both]
    send_back(out, file, words[1])
    record = load_record(out)
    assert len(record.decisions) == 1
    assert {one.decisions for one in records} == {record.decisions}
    assert len(runs_of(out)) == 1
    assert load_batch(out.in_batch).sent_back.keys() == {"A1"}


def test_a_broken_off_rejection_is_finished_by_the_next_try(out: ShotId, monkeypatch: pytest.MonkeyPatch) -> None:
    file = delivered_file(load_record(out))

    def away(*args: object, **kwargs: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as cut:
        cut.setattr("tasks.people.rejected_deliveries.get_client", away)
        with pytest.raises(ConnectionError):
            send_back(out, file, EDGE)
    assert load_record(out).state is State.AWAITING_EDITOR
    assert runs_of(out) == []
    send_back(out, file, EDGE)
    assert len(runs_of(out)) == 1


def test_what_was_edited_and_signed_goes_out_as_a_correction_with_a_number_of_its_own(
    out: ShotId, line: Storage, batch: BatchId
) -> None:
    before = delivered_file(load_record(out))
    first = line.get(delivery_key(batch, 1, before.path))
    send_back(out, before, EDGE)
    corrected(out)
    assert export_and_deliver(batch).startswith("delivery 2: 1 shot")
    after = delivered_file(load_record(out), 2)
    assert line.get(delivery_key(batch, 1, before.path)) == first, "what was delivered stays as it is"
    certificate = json.loads(line.get(delivery_key(batch, 2, "certificate.json")))
    assert [one["corrects"] for one in certificate["shots"]] == [1]
    rows = list(csv.DictReader(io.StringIO(line.get(delivery_key(batch, 2, "manifest.csv")).decode("utf-8-sig"))))
    assert all(one["remarks"].startswith("Replaces the file of delivery 1.") for one in rows)
    assert b"replaces the files of delivery 1" in line.get(delivery_key(batch, 2, "report.html"))
    assert "corrects" not in json.loads(line.get(delivery_key(batch, 1, "certificate.json")))["shots"][0]
    with pytest.raises(DecisionRefusedError, match="not the delivered one any more"):
        send_back(out, before.model_copy(update={"sha256": after.sha256, "number": 3}), EDGE)
    assert send_back(out, before, EDGE).state is State.DELIVERED, "the old one was answered; nothing changes"


def test_a_correction_with_the_same_edit_goes_out_too(out: ShotId, batch: BatchId) -> None:
    """Kind of test that was missing: one that exports the same edit twice. Its first result was kept for good."""
    send_back(out, delivered_file(load_record(out)), EDGE)
    corrected(out)
    assert export_and_deliver(batch).startswith("delivery 2: 1 shot")
    edit = load_record(out).objects["edit.tif"]
    send_back(out, delivered_file(load_record(out), 2), EDGE)
    corrected(out, picture="same.png", round_=2)
    assert load_record(out).objects["edit.tif"] == edit
    assert export_and_deliver(batch).startswith("delivery 3: 1 shot")
