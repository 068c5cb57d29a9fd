"""Shots that people approve after their batch went out leave together, at their time, once, by a real worker.

Without a worker and an hour that comes, `tests/tasks/deliveries/test_late_deliveries.py` holds the same.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun

from packshot.handoff import late
from packshot.keys import delivery_prefix
from packshot.naming import batch_id
from packshot.record import State
from packshot.types import Verdict
from tasks.batches.summing_up import survey
from tasks.deliveries import late_deliveries
from tasks.deliveries.late_deliveries import Gathered, gather
from tasks.records.bookkeeping import Life
from tasks.records.stored import load_batch, load_record
from tests.flows.line import Line, read_all
from tests.tasks.in_runs import in_a_run
from tests.tasks.shots import edited, routed

pytestmark = pytest.mark.slow

BATCH = batch_id("acme", "late")
LATE = ("B2", "C3")
IN_S = 45
"""The hour is that near; what waits for it is the same."""

NEXT = timedelta(seconds=1)
EARLY = timedelta(milliseconds=500)
"""Prefect rounds the wait for a run's time to whole seconds, so a run may begin half a second early."""


class Left(NamedTuple):
    """What was said of the gathered shots, when they were to leave, and the run that took them."""

    said: tuple[Gathered, ...]
    due: datetime
    run: FlowRun


@pytest.fixture(scope="module")
def left(line: Line) -> Left:
    shots = {one.shot.shot: one.shot for one in routed(BATCH, {"A1": 0.42, "B2": 0.43, "C3": 0.44, "D4": 0.45})}
    for name, shot in shots.items():
        edited(shot, verdict=Verdict.AUTO_APPROVE if name == "A1" else Verdict.HUMAN_REVIEW)
    first = deliver(line)
    assert first.state
    assert first.state.is_completed(), first.state.message
    due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=IN_S)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(
            late_deliveries.late, "goes_out_at", lambda rule, *, after: due if after < due else after + NEXT
        )
        said = tuple(approve(name) for name in LATE)
        (run,) = waiting()
    return Left(said, due, line.ended(run.id))


def deliver(line: Line) -> FlowRun:
    return line.run("deliver-batch/deliver-batch", {"client": BATCH.client, "batch": BATCH.batch})


def approve(name: str) -> Gathered:
    Life(BATCH.shot(name)).reach(State.APPROVED, why="Ada approves")
    said: Gathered = in_a_run(lambda: gather.fn(BATCH.shot(name)))
    return said


def waiting() -> list[FlowRun]:
    with get_client(sync_client=True) as client:
        return list(late_deliveries._runs_to_come(client, f"late:{BATCH}"))


def running_since(line: Line, run: FlowRun) -> list[Any]:
    with get_client(sync_client=True) as client:
        return [one.timestamp for one in client.read_flow_run_states(run.id) if one.name == "Running"]


def test_they_are_told_their_time_and_leave_then_not_before(left: Left, line: Line) -> None:
    assert [one.sentence for one in left.said] == [late.in_words(left.due)] * len(LATE)
    assert left.run.state
    assert left.run.state.is_completed(), left.run.state.message
    (began,) = running_since(line, left.run)
    assert began >= left.due - EARLY


def test_they_are_one_package_beside_the_first(left: Left) -> None:
    first, second = load_batch(BATCH).deliveries
    assert (first.shots, second.shots) == (("A1",), LATE)
    files = read_all(delivery_prefix(BATCH, second.number))
    assert {"certificate.json", "package.zip"} <= files.keys()
    assert {one["shot"] for one in json.loads(files["certificate.json"])["shots"]} >= set(LATE)
    assert {fate.shot: fate.kind for fate in survey(BATCH).fates} == {
        **dict.fromkeys(("A1", *LATE), "delivered"),
        "D4": "waiting",
    }


def test_nothing_leaves_twice_whoever_delivers_again(left: Left, line: Line) -> None:
    assert not waiting()
    again = deliver(line)
    assert again.state
    assert again.state.message == "nothing new to deliver"
    assert len(load_batch(BATCH).deliveries) == 2
    for name in LATE:
        arrivals = [event.to_state for event in load_record(BATCH.shot(name)).events]
        assert arrivals.count(State.DELIVERED) == 1
