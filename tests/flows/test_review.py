"""A reviewer's word on a real server and worker: done again by the machine, then approved from the command line."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from prefect.client.schemas.objects import FlowRun

from packshot.decision import Choice
from packshot.handoff.deciding import picture_shown
from packshot.naming import batch_id
from packshot.record import ShotRecord, State
from tasks.records import load_record
from tests.flows.line import Line, sample_folder
from tests.flows.people import answered, settled

BATCH = batch_id("acme", "review")
KETTLE = BATCH.shot("KTL301_MAIN")
"""Chrome that mirrors the studio: nothing in the photograph says which of it is backdrop."""
REVIEWER = "Re Viewer"


@pytest.fixture(scope="module")
def first(line: Line, tmp_path_factory: pytest.TempPathFactory) -> ShotRecord:
    """The record when a reviewer is asked for the first time."""
    line.submit(BATCH, sample_folder(tmp_path_factory.mktemp("review"), [f"{KETTLE.shot}.jpg"]))
    line.run("process-batch/process-batch", {"client": BATCH.client, "batch": BATCH.batch})
    record = load_record(KETTLE)
    assert record.state is State.IN_REVIEW
    return record


@pytest.fixture(scope="module")
def redone(line: Line, first: ShotRecord) -> FlowRun:
    """The run that waits again, once the machine has done what it was asked."""
    (waiting,) = line.waiting_runs(BATCH)
    return answered(line, waiting.id, Choice.REDO, person=REVIEWER)


@pytest.fixture(scope="module")
def approved(line: Line, redone: FlowRun) -> FlowRun:
    """The run after an approval of the present picture from the command line."""
    again = load_record(KETTLE)
    assert approve(picture_shown(again)).returncode == 0
    return settled(line, redone)


def approve(picture: str) -> subprocess.CompletedProcess[str]:
    command = shutil.which("packshot", path=str(Path(sys.executable).parent))
    assert command
    said = ("--by", REVIEWER, "--reason", "flaws_accepted", "--picture", picture[:16])
    return subprocess.run([command, "job", "approve", str(KETTLE), *said], capture_output=True, text=True, check=False)


def test_the_machine_does_it_again_by_the_other_method_and_asks_again(first: ShotRecord, redone: FlowRun) -> None:
    assert redone.state
    assert redone.state.is_paused()
    again = load_record(KETTLE)
    assert again.state is State.IN_REVIEW
    assert (first.reports["edit"]["method"], again.reports["edit"]["method"]) == ("refined", "network_only")
    assert picture_shown(first) != picture_shown(again)
    assert REVIEWER in next(event.why for event in again.events if event.to_state is State.REDO)


def test_an_approval_of_the_picture_of_before_is_refused(first: ShotRecord, redone: FlowRun, line: Line) -> None:
    refused = approve(picture_shown(first))
    assert refused.returncode != 0
    assert "changed" in refused.stderr
    run = line.read(redone.id)
    assert run.state_id == redone.state_id


def test_an_approval_from_the_command_line_ends_the_run_with_a_delivery(approved: FlowRun) -> None:
    assert approved.state
    assert approved.state.is_completed(), approved.state.message
    record = load_record(KETTLE)
    assert record.state is State.DELIVERED
    assert [(one.choice, one.by) for one in record.decisions] == [
        (Choice.REDO, REVIEWER),
        (Choice.APPROVE, REVIEWER),
    ]
