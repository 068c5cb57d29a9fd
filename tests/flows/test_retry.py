"""One shot fails for a lasting reason; a person repairs the cause and presses Retry: only what is missing is done.

Task by task, `tests/tasks/results/test_block.py` (what runs again), `test_cache_keys.py` (what is tried again),
`test_bookkeeping.py` (a record that goes on from where it failed) and `test_late_deliveries.py` hold the same.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import pytest
from prefect.client.schemas.objects import FlowRun, TaskRun

from packshot.keys import delivery_prefix, inbox_key
from packshot.naming import batch_id
from packshot.record import ShotRecord, State
from tasks.batches.fates import Summary
from tasks.batches.summing_up import survey
from tasks.records.stored import load_batch, load_record
from tasks.results.cache_keys import RETRIES
from tasks.storage.bucket import open_storage
from tests.flows.line import STAGES, Line, Seen, objects, sample_folder

pytestmark = pytest.mark.slow

BATCH = batch_id("acme", "retry")
FILES = ("BOX102_MAIN.jpg", "BOX101_MAIN.jpg")
VICTIM, *OTHERS = (Path(name).stem for name in FILES)
ORIGINAL = inbox_key(BATCH, FILES[0])


class Attempt(NamedTuple):
    """The run after it has ended: once with the original damaged, once with it restored."""

    run: FlowRun
    task_runs: list[TaskRun]
    summary: Summary
    victim: ShotRecord
    objects: dict[str, Seen]


class Retried(NamedTuple):
    first: Attempt
    second: Attempt
    retried_at: datetime


@pytest.fixture(scope="module")
def retried(line: Line, tmp_path_factory: pytest.TempPathFactory) -> Retried:
    """A run over a batch of which one original rotted in storage; then the backup is put back and Retry pressed."""
    line.submit(BATCH, sample_folder(tmp_path_factory.mktemp("retry"), FILES))
    original = open_storage().get(ORIGINAL)
    store(original[:-1000] + bytes(1000), of=original)
    first = attempt(line, line.run("process-batch/process-batch", {"client": BATCH.client, "batch": BATCH.batch}))
    assert first.run.end_time
    store(original, of=original)
    return Retried(first, attempt(line, line.retry(first.run.id)), first.run.end_time)


def store(data: bytes, *, of: bytes) -> None:
    """Put bytes in the original's place behind the line's back; what is known of the original stays as it was."""
    storage = open_storage()
    known = {"sha256": hashlib.sha256(of).hexdigest()}
    storage._client.put_object(Bucket=storage.bucket, Key=ORIGINAL, Body=data, ContentType="image/jpeg", Metadata=known)


def attempt(line: Line, run: FlowRun) -> Attempt:
    return Attempt(run, line.task_runs(run.id), survey(BATCH), load_record(BATCH.shot(VICTIM)), objects())


def executed(retried: Retried) -> set[str]:
    """The stage tasks that did their work again: those found finished are in the state 'Cached'."""
    return {
        run.name
        for run in retried.second.task_runs
        if run.start_time and run.start_time > retried.retried_at and run.state and run.state.name != "Cached"
    }


def test_one_bad_shot_fails_alone_and_the_others_are_delivered(retried: Retried) -> None:
    kinds = {fate.shot: fate.kind for fate in retried.first.summary.fates}
    assert kinds == {VICTIM: "failed", **dict.fromkeys(OTHERS, "delivered")}
    (delivery, *_) = load_batch(BATCH).deliveries
    assert sorted(delivery.shots) == sorted(OTHERS)


def test_the_run_is_failed_and_names_the_shot(retried: Retried) -> None:
    state = retried.first.run.state
    assert state
    assert state.is_failed()
    assert f"1 of {len(FILES)} shots failed: {VICTIM}: " in str(state.message)


def test_the_failed_task_says_what_was_found_where_and_what_to_do(retried: Retried) -> None:
    stages = [run for run in retried.first.task_runs if run.name.startswith(STAGES)]
    (failed,) = [run for run in stages if run.state and run.state.is_failed()]
    assert failed.name == f"master · {VICTIM}"
    assert failed.run_count == 1 + RETRIES  # it might have been the network
    assert failed.state
    for part in (ORIGINAL, "the bytes read are not the bytes that were written; found SHA-256", "Restore it"):
        assert part in str(failed.state.message)
        assert part in retried.first.victim.events[-1].why


def test_the_record_says_where_it_failed(retried: Retried) -> None:
    assert retried.first.victim.state is State.FAILED
    assert retried.first.victim.failed_from is State.RECEIVED


def test_after_the_repair_the_retried_run_ends_well(retried: Retried) -> None:
    run = retried.second.run
    assert run.state
    assert run.state.is_completed(), run.state.message
    assert (run.id, run.run_count) == (retried.first.run.id, 2)
    assert {fate.kind for fate in retried.second.summary.fates} == {"delivered"}
    assert load_batch(BATCH).finished_at


def test_only_the_failed_task_and_what_depends_on_it_ran_again(retried: Retried) -> None:
    stages = {name for name in executed(retried) if name.startswith(STAGES)}
    assert stages == {f"{stage} · {VICTIM}" for stage in ("master", "route", "edit", "export")}


def test_what_was_finished_before_is_not_written_again(retried: Retried) -> None:
    before, after = retried.first.objects, retried.second.objects
    changed = {key for key in before if before[key] != after[key]}
    assert not [key for key in changed for other in OTHERS if f"/{other}/" in key or other.split("_")[0] in key]
    assert not [key for key in changed if key.startswith(delivery_prefix(BATCH, 1))]


def test_the_repaired_shot_goes_out_in_a_supplementary_delivery(retried: Retried) -> None:
    deliveries = load_batch(BATCH).deliveries
    assert [sorted(delivery.shots) for delivery in deliveries] == [sorted(OTHERS), [VICTIM]]


def test_the_record_goes_on_from_where_it_failed(retried: Retried) -> None:
    record = retried.second.victim
    assert record.state is State.DELIVERED
    assert record.events[: len(retried.first.victim.events)] == retried.first.victim.events
    back = record.events[len(retried.first.victim.events)]
    assert (back.from_state, back.to_state, back.why) == (State.FAILED, State.RECEIVED, "tried again")
