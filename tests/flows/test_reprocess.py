"""A person starts a shot again: its old question goes, its history stays, and it takes all stages anew."""

from __future__ import annotations

import pytest

from packshot.naming import batch_id
from packshot.record import State
from tasks.people.jobs import open_job
from tasks.records.stored import load_batch, load_record
from tasks.runs.resuming import waiting_run_of
from tests.flows.line import Line
from tests.tasks.in_runs import in_a_run
from tests.tasks.shots import routed

pytestmark = pytest.mark.slow
"""A worker's run. `tests/tasks/batches/test_batches.py` tries in `make test` that a restarted shot begins anew."""

BATCH = batch_id("acme", "started-again")
SHOT = BATCH.shot("A1")


def test_a_shot_that_waits_is_asked_about_anew_and_only_once(line: Line) -> None:
    (shot,) = routed(BATCH, {"A1": 0.43}, category="glassware")
    in_a_run(lambda: open_job.fn(shot))
    (before,) = line.waiting_runs(BATCH)
    asked = load_record(SHOT)
    assert asked.state is State.AWAITING_EDITOR

    run = line.run(
        "reprocess-shot/reprocess-shot",
        {"client": BATCH.client, "batch": BATCH.batch, "shot": "A1", "person": "Ada Boss", "reason": "another crop"},
    )

    assert run.state
    assert run.state.is_completed(), run.state.message
    assert str(run.state.message).startswith("A1 waits for an editor: ")
    cancelled = line.read(before.id).state
    assert cancelled
    assert cancelled.is_cancelled()
    now_asked = waiting_run_of(SHOT)
    assert now_asked
    assert now_asked.id != before.id
    record = load_record(SHOT)
    assert record.state is State.AWAITING_EDITOR
    assert record.events[: len(asked.events)] == asked.events
    (again,) = [event for event in record.events[len(asked.events) :] if event.why == "another crop"]
    assert again.actor.startswith("Ada Boss (")
    ref = load_batch(BATCH).ref("A1")
    assert ref
    assert ref.generation == 1
