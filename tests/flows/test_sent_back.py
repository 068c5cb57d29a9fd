"""A delivered picture comes back from its client and goes out again, with a real server and worker all the way."""

from __future__ import annotations

import pytest

from packshot.decision import Choice, Reason
from packshot.handoff.rejecting import Delivered
from packshot.naming import batch_id
from packshot.record import State
from packshot.types import Box, Size, Verdict
from tasks.batches.summing_up import survey
from tasks.deliveries.late_deliveries import close_batch
from tasks.people.rejected_deliveries import Words, send_back
from tasks.records.stored import load_batch, load_record
from tasks.reports.board import waits
from tasks.runs.resuming import waiting_run_of
from tests.flows.line import Line, poll
from tests.flows.people import answered, form_of
from tests.tasks.by_people import cut_out_by_hand, put_back
from tests.tasks.shots import edited, routed

pytestmark = pytest.mark.slow

BATCH = batch_id("acme", "sent-back")
SHOT = BATCH.shot("A1")
WORDS = Words(reason=Reason.EDGE, note="the rim is bitten", boxes=(Box(10, 10, 90, 90),), size=Size(1000, 1000))


def test_it_is_asked_edited_signed_and_delivered_as_a_correction(line: Line) -> None:
    (shot,) = routed(BATCH, {"A1": 0.43})
    edited(shot.shot, verdict=Verdict.AUTO_APPROVE)
    first = line.run("deliver-batch/deliver-batch", {"client": BATCH.client, "batch": BATCH.batch})
    assert first.state
    assert first.state.is_completed(), first.state.message
    one = load_record(SHOT).reports["export"]["files"][0]
    send_back(SHOT, Delivered(number=1, path=one["path"], sha256=one["sha256"]), WORDS)

    run = poll(lambda: waiting_run_of(SHOT), until="a worker has asked the editor")
    assert "the rim is bitten" in form_of(run).description
    assert [wait.why for _, wait in waits(client=BATCH.client, batch=BATCH.batch)] == [load_record(SHOT).events[-1].why]

    put_back(SHOT, "better.png", cut_out_by_hand())
    answered(line, run.id, Choice.RETURN, person="Ada Editor")
    ended = answered(line, run.id, Choice.SIGN, person="Sen Ior")
    assert ended.state
    assert ended.state.is_completed(), ended.state.message
    if load_record(SHOT).state is not State.DELIVERED:  # gathered for the next full hour
        assert line.ended(close_batch(BATCH)).state.is_completed()  # type: ignore[union-attr]
    assert [(delivery.number, delivery.shots) for delivery in load_batch(BATCH).deliveries] == [
        (1, ("A1",)),
        (2, ("A1",)),
    ]
    assert [fate.kind for fate in survey(BATCH).fates] == ["delivered"]
