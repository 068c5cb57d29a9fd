"""A batch is cancelled: its runs and questions end, the record says who and why, and submitted again it goes on."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.states import Pending, Running

from packshot.batch import BatchRecord, Cancellation
from packshot.errors import BatchCancelledError, ObjectMissingError, TerminalError
from packshot.keys import inbox_key
from packshot.naming import READY, BatchId, ShotId
from packshot.record import State
from tasks.batches.cancelling import cancel_batch, take_up_again
from tasks.batches.claiming import at_work_on
from tasks.batches.closed import closed_batches
from tasks.batches.restarting import restart_shot
from tasks.batches.status import standing_of
from tasks.batches.submitting import submit_folder
from tasks.people.jobs import open_job
from tasks.people.unasked import ask_who_was_not_asked
from tasks.records.bookkeeping import Life, now
from tasks.records.stored import create_batch, load_batch, load_record
from tasks.runs.resuming import waiting_run_of
from tasks.storage.bucket import Storage
from tasks.storage.inbox import open_inbox
from tests.flows.line import poll
from tests.tasks.in_runs import in_a_run
from tests.tasks.shots import routed

WHY = "the client has withdrawn it"


@pytest.fixture
def shot(line: Storage, batch: BatchId) -> ShotId:
    """A shot that waits for an editor."""
    (one,) = routed(batch, {"A1_MAIN": 0.43}, category="glassware")
    in_a_run(lambda: open_job.fn(one))
    return one.shot


def started(batch: BatchId, deployment: str, state: Any = None) -> Any:
    """A run of a batch, as Prefect knows it; return its id."""
    with get_client(sync_client=True) as client:
        known = client.read_deployment_by_name(f"{deployment}/{deployment}")
        names = {"client": batch.client, "batch": batch.batch}
        return client.create_flow_run_from_deployment(known.id, parameters=names, state=state).id


def state_of(run: Any) -> tuple[str, str]:
    with get_client(sync_client=True) as client:
        state = client.read_flow_run(run).state
        assert state
        return state.type.value, state.message or ""


def test_runs_and_questions_end_and_everything_says_who_and_why(shot: ShotId) -> None:
    batch = shot.in_batch
    to_come, at_work = started(batch, "process-batch"), started(batch, "deliver-batch", Running())
    just_taken = started(batch, "process-batch", Pending())
    other = started(BatchId(client=batch.client, batch=f"{batch.batch}-other"), "process-batch")
    question = waiting_run_of(shot)
    assert question
    done = cancel_batch(batch, person="Max", reason=WHY)
    assert (done.runs, done.questions, done.at_work) == (3, 1, False)
    assert state_of(to_come)[0] == state_of(question.id)[0] == "CANCELLED"
    assert state_of(at_work)[0] == state_of(just_taken)[0] == "CANCELLING"  # the worker ends their processes
    assert all(WHY in state_of(one)[1] and "Max" in state_of(one)[1] for one in (to_come, at_work, question.id))
    assert state_of(other)[0] == "SCHEDULED"
    assert standing_of(batch).stands.startswith("Cancelled by Max at ")
    assert load_record(shot).state is State.AWAITING_EDITOR
    again = cancel_batch(batch, person="Ada", reason="as well")
    assert again.cancellation.by == "Max"


def test_whoever_comes_later_is_refused_with_the_reason(shot: ShotId) -> None:
    batch = shot.in_batch
    cancel_batch(batch, person="Max", reason=WHY)
    with pytest.raises(BatchCancelledError, match=WHY):
        in_a_run(lambda: at_work_on(batch).__enter__())
    with pytest.raises(BatchCancelledError, match=WHY):
        restart_shot.fn(shot, person="Ada", reason="a new wish")


def test_taken_up_again_it_is_processed_and_its_people_are_asked_anew(shot: ShotId) -> None:
    batch = shot.in_batch
    question = waiting_run_of(shot)
    assert question
    cancel_batch(batch, person="Max", reason=WHY)
    assert batch not in closed_batches.fn().batches
    assert take_up_again(batch)
    assert not take_up_again(batch)
    assert batch in closed_batches.fn().batches
    assert not standing_of(batch).stands
    assert in_a_run(lambda: ask_who_was_not_asked.fn(batch, waiting=[shot.shot])) == [shot.shot]
    anew = waiting_run_of(shot)
    assert anew
    assert anew.id != question.id


def test_a_client_s_new_ready_takes_it_up_again_and_the_old_one_does_not(shot: ShotId, line: Storage) -> None:
    batch = shot.in_batch
    closed = line.head(inbox_key(batch, READY)).modified
    assert closed
    cancel_batch(batch, person="Max", reason=WHY)
    assert batch not in closed_batches.fn().batches

    def closed_anew() -> bool | None:
        """As any S3 client writes it. A storage's clock counts in seconds."""
        line._client.put_object(Bucket=line.bucket, Key=inbox_key(batch, READY), Body=b"")
        return (line.head(inbox_key(batch, READY)).modified or closed) > closed or None

    poll(closed_anew, until="READY has a later time", timeout_s=60)
    assert batch in closed_batches.fn().batches
    (cancelled,) = load_batch(batch).cancellations
    assert cancelled.taken_up_at
    cancel_batch(batch, person="Max", reason="once more")
    assert batch not in closed_batches.fn().batches


def test_a_bucket_that_was_put_back_from_a_copy_takes_up_no_cancelled_batch(line: Storage, batch: BatchId) -> None:
    """Kind of test that was missing: a copy of the bucket, whose objects are all as new as the copy."""
    open_inbox().upload(batch, "A1.jpg", b"x", content_type="image/jpeg")
    open_inbox().close(batch)
    long_ago = now() - timedelta(days=3)
    cancelled = Cancellation(at=long_ago, by="Max", why=WHY, closed_at=long_ago - timedelta(hours=1))
    create_batch(BatchRecord(batch=batch, received_at=long_ago, cancellations=(cancelled,)))
    assert batch not in closed_batches.fn().batches
    assert load_batch(batch).cancelled == cancelled


def test_the_end_of_an_upload_that_was_cancelled_meanwhile_takes_up_nothing(line: Storage, batch: BatchId) -> None:
    open_inbox().upload(batch, "A1.jpg", b"x", content_type="image/jpeg")
    cancel_batch(batch, person="Max", reason=WHY)
    open_inbox().close(batch)
    assert batch not in closed_batches.fn().batches


def test_what_was_never_uploaded_or_is_over_is_not_cancelled(line: Storage, batch: BatchId) -> None:
    with pytest.raises(ObjectMissingError, match="never uploaded"):
        cancel_batch(batch, person="Max", reason=WHY)
    (one,) = routed(batch, {"A1_MAIN": 0.43}, category="glassware")
    Life(one.shot).reach(State.AWAITING_EDITOR, State.REFUSED, why="not sharp")
    with pytest.raises(TerminalError, match="nothing is left to cancel"):
        cancel_batch(batch, person="Max", reason=WHY)


def test_a_batch_that_no_night_has_begun_is_cancelled_and_submitted_again(
    line: Storage, batch: BatchId, tmp_path: Path
) -> None:
    (tmp_path / "A1.jpg").write_bytes(b"x")

    def submit() -> None:
        submit_folder(tmp_path, batch, on_progress=lambda *_: None, on_left_out=lambda *_: None)

    submit()
    cancel_batch(batch, person="Max", reason=WHY)
    assert batch not in closed_batches.fn().batches
    submit()
    assert batch in closed_batches.fn().batches
    (cancelled,) = load_batch(batch).cancellations
    assert cancelled.taken_up_at
