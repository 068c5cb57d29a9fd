"""The night on real servers: whatever becomes of one batch, the others go on, and it says what it left."""

from __future__ import annotations

import pytest
from prefect.states import Completed, Failed

from flows import nightly
from flows.presence import SKIPPED
from packshot.naming import BatchId, batch_id
from tasks.storage.bucket import Storage
from tasks.storage.inbox import open_inbox
from tasks.telling import notices
from tasks.telling.night import report_night
from tasks.telling.notices import Notice
from tests.tasks.in_runs import artifact, in_a_run

A, B, C = (batch_id("acme", name) for name in "abc")


def test_a_batch_that_cannot_be_run_is_named_and_the_next_one_is_tried(
    line: Storage, batch: BatchId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nightly, "PROCESS_BATCH", "process-batch/nobody-deployed-it")
    client = f"c-{batch.batch}"
    closed = [batch_id(client, name) for name in ("one", "two")]
    for one in closed:
        open_inbox().close(one)
    misnamed = f"inbox/{client}/a blank/READY"
    line._client.put_object(Bucket=line.bucket, Key=misnamed, Body=b"")  # as somebody with a key of the bucket does
    told: list[Notice] = []
    monkeypatch.setattr(notices, "send", told.append)

    said = in_a_run(lambda: str(nightly._night([client]).message))
    shown = str(artifact("night").data)
    assert "ObjectNotFound" in shown
    assert misnamed in shown
    in_a_run(lambda: report_night([], {misnamed: "the next night finds it once more"}))
    assert [one.kind for one in told if misnamed in one.message] == ["misnamed"]
    assert said == (
        f"0 of 2 batches processed; 2 had failures: {closed[0]}, {closed[1]}; "
        f"1 left out, because such a name is not allowed: {misnamed}"
    )
    assert misnamed in str(artifact("night").data)


def test_a_batch_that_another_run_is_at_work_on_counts_as_left_to_it() -> None:
    states = [(A, Completed(message="done")), (B, Completed(name=SKIPPED, message="at work"))]
    well = nightly._said(states, {})
    assert well.is_completed()
    assert well.message == f"1 of 2 batches processed; 1 left to another run: {B}"
    ill = nightly._said([*states, (C, Failed(message="no"))], {})
    assert ill.is_failed()
    assert f"1 had failures: {C}" in str(ill.message)


def test_a_night_without_work_says_so() -> None:
    assert nightly._said([], {}).message == "No closed batch was waiting"
    assert nightly._said([], {"inbox/acme/a b/READY": "a blank"}).is_failed()
