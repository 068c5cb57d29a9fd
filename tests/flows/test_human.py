"""A shot in a person's hands: it waits as a row, shows a form, takes an answer, sends back what cannot be followed."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import psutil
import pytest
from PIL import Image, ImageDraw
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun

from deployments.demo import SAMPLES
from packshot.naming import batch_id, delivery_prefix, job_out_key, job_returned_prefix
from packshot.record import State
from tasks.artifacts import plain
from tasks.batches import survey
from tasks.jobs import Decision
from tasks.records import load_batch, load_record
from tasks.storage import Storage, open_storage
from tests.flows import remeasure
from tests.flows.line import Line, poll, read_all, sample_folder

BATCH = batch_id("acme", "human")
GLASS, RING = BATCH.shot("GLS501_MAIN"), BATCH.shot("RNG401_MAIN")
"""What a client's rule always gives to an editor."""
EDITOR = "Ada Editor"
RETURNED = "glass.png"


@pytest.fixture(scope="module")
def waiting(line: Line, tmp_path_factory: pytest.TempPathFactory) -> FlowRun:
    """The run that waits for the glass's editor."""
    folder = sample_folder(tmp_path_factory.mktemp("human"), [f"{shot.shot}.jpg" for shot in (GLASS, RING)])
    line.submit(BATCH, folder)
    run = line.run("process-batch/process-batch", {"client": BATCH.client, "batch": BATCH.batch})
    assert run.state
    assert run.state.message == "2 photographs: 0 delivered, 2 waiting, 0 refused, 0 failed"
    glass, ring = line.waiting_runs(BATCH)
    assert ring.parameters["shot"] == RING.shot
    return glass


class Form(NamedTuple):
    """What the UI shows of a waiting run."""

    schema: dict[str, Any]
    description: str


def form_of(run: FlowRun) -> Form:
    assert run.state
    keyset = run.state.state_details.run_input_keyset
    assert keyset, "the run shows no form"
    with get_client(sync_client=True) as client:
        answers = {
            what: client.request("GET", f"/flow_runs/{run.id}/input/{keyset[what]}").json()  # type: ignore[arg-type]
            for what in ("schema", "description")
        }
    schema = answers["schema"]
    return Form(schema if isinstance(schema, dict) else json.loads(schema), str(answers["description"]))


def answer(line: Line, run_id: UUID, **values: str) -> FlowRun:
    """Answer the form as the UI does, and return the run once it has ended or waits again."""
    before = line.read(run_id)
    with get_client(sync_client=True) as client:
        accepted = client.resume_flow_run(run_id, run_input={"editor": EDITOR, "note": "", **values})
    assert accepted.status.value == "ACCEPT", accepted

    def settled() -> FlowRun | None:
        run = line.read(run_id)
        assert run.state
        done = run.state.is_final() or run.state.is_paused()
        return run if done and run.state_id != before.state_id else None

    return poll(settled, until="the answer has been dealt with")


def returned_picture() -> bytes:
    """An editor's work: the photograph as large as it was, everything but the product transparent."""
    with Image.open(SAMPLES / f"{GLASS.shot}.jpg") as photograph:
        work = photograph.convert("RGB")
        profile = photograph.info.get("icc_profile")
    matte = Image.new("L", (work.width * 2, work.height * 2))
    ImageDraw.Draw(matte).ellipse([side * 0.6 for side in work.size] + [side * 1.4 for side in work.size], fill=255)
    work.putalpha(matte.resize(work.size, Image.Resampling.BOX))
    file = io.BytesIO()
    work.save(file, "PNG", icc_profile=profile, compress_level=1)
    return file.getvalue()


def test_a_waiting_run_is_suspended_and_holds_no_process(waiting: FlowRun) -> None:
    assert waiting.state
    assert waiting.state.name == "Suspended"
    assert waiting.run_count == 0
    assert waiting.infrastructure_pid is None
    assert not [process for process in psutil.process_iter(["cmdline"]) if is_of(process, waiting.id)]
    assert waiting.state.state_details.pause_timeout is None  # it may wait for weeks


def is_of(process: psutil.Process, run_id: UUID) -> bool:
    try:
        return str(run_id) in process.environ().values() or str(run_id) in " ".join(process.cmdline())
    except psutil.Error:
        return False


def test_the_editor_finds_the_master_and_a_ticket(waiting: FlowRun, storage: Storage) -> None:
    ticket = json.loads(storage.get(job_out_key(GLASS, "ticket.json")))
    assert storage.exists(ticket["take"])
    assert ticket["put_back_into"] == job_returned_prefix(GLASS)
    assert "transparent" in ticket["why"]


def test_the_form_asks_for_a_decision_a_name_and_the_file(waiting: FlowRun) -> None:
    form = form_of(waiting)
    fields = form.schema["properties"]
    assert list(fields) == ["decision", "editor", "note", "returned_file"]
    assert all(field.get("description") for field in fields.values())
    assert [field["title"] for field in fields.values() if "$ref" not in field] == [
        *("Your name", "Note", "Returned file"),
    ]
    (choices,) = [one["enum"] for one in form.schema["definitions"].values() if "enum" in one]
    assert choices == [decision.value for decision in Decision]
    assert "editor" in form.schema["required"]
    assert fields["decision"]["default"] == Decision.USE_RETURNED_FILE.value
    assert job_returned_prefix(GLASS) in form.description
    assert "![" in form.description  # the picture


def test_an_answer_that_the_form_does_not_allow_is_rejected_and_the_run_goes_on_waiting(
    waiting: FlowRun, line: Line
) -> None:
    with get_client(sync_client=True) as client:
        reply = client.resume_flow_run(waiting.id, run_input={"decision": "paint it black", "editor": EDITOR})
    assert reply.status.value == "REJECT"
    assert "decision" in str(getattr(reply.details, "reason", ""))
    now = line.read(waiting.id)
    assert now.state
    assert now.state.is_paused()
    assert load_record(GLASS).state is State.AWAITING_EDITOR


@pytest.fixture(scope="module")
def sent_back(waiting: FlowRun, line: Line) -> FlowRun:
    """The run after an answer without a file."""
    return answer(line, waiting.id, decision=Decision.USE_RETURNED_FILE.value, returned_file="")


def test_an_answer_without_a_file_waits_again_and_says_why(sent_back: FlowRun) -> None:
    assert sent_back.state
    assert sent_back.state.name == "Suspended"
    form = form_of(sent_back)
    for part in ("Not accepted", "no file was returned", plain(job_returned_prefix(GLASS)), "finished picture"):
        assert part in form.description
    assert form.schema["properties"]["editor"]["default"] == EDITOR


def test_an_answer_without_a_file_leaves_the_shot_waiting(sent_back: FlowRun) -> None:
    assert load_record(GLASS).state is State.AWAITING_EDITOR
    assert {fate.kind for fate in survey(BATCH).fates} == {"waiting"}


@pytest.fixture(scope="module")
def finished(sent_back: FlowRun, line: Line) -> FlowRun:
    """The run after an answer with a file."""
    work = returned_picture()
    key = job_returned_prefix(GLASS) + RETURNED
    open_storage().put(key, work, content_type="image/png")
    return answer(
        line, sent_back.id, decision=Decision.USE_RETURNED_FILE.value, returned_file=RETURNED, note="kept the rim"
    )


def test_with_the_returned_file_the_run_ends_well(finished: FlowRun) -> None:
    assert finished.state
    assert finished.state.is_completed(), finished.state.message
    assert EDITOR in str(finished.state.message)
    assert "delivery 1" in str(finished.state.message)


def test_the_returned_work_was_scored_and_approved_in_the_editors_name(finished: FlowRun) -> None:
    record = load_record(GLASS)
    assert record.state is State.DELIVERED
    path = [event.to_state for event in record.events]
    start = path.index(State.AWAITING_EDITOR)
    assert path[start + 1 :] == [
        *(State.RETURNED, State.SCORED, State.APPROVED),
        *(State.EXPORTED, State.VERIFIED, State.DELIVERED),
    ]
    approved = next(event for event in record.events if event.to_state is State.APPROVED)
    assert approved.actor == EDITOR
    assert "kept the rim" in approved.why
    assert record.reports["approval"]["file"] == job_returned_prefix(GLASS) + RETURNED
    assert 0 < record.reports["edit"]["score"] <= 100
    assert set(record.reports["edit"]["components"]) == {"background", "edge", "fill", "colour"}


def test_the_editors_work_is_what_is_delivered(finished: FlowRun) -> None:
    (delivery,) = load_batch(BATCH).deliveries
    assert delivery.shots == (GLASS.shot,)
    files = read_all(delivery_prefix(BATCH, delivery.number))
    pictures = {name: remeasure.decode(data) for name, data in files.items() if Path(name).suffix in (".jpg", ".webp")}
    assert len(pictures) == 4  # Shopify and Google, as WebP and JPEG
    for name, picture in pictures.items():
        assert remeasure.border_is_white(picture), name
        facts = remeasure.platform(name.split("/")[0])
        assert remeasure.fill_ratio(picture) == pytest.approx(
            remeasure.wanted_fill(facts), abs=remeasure.fill_tolerance(picture)
        ), name


def test_the_other_shot_goes_on_waiting(finished: FlowRun, line: Line) -> None:
    assert load_record(RING).state is State.AWAITING_EDITOR
    (ring,) = [run for run in line.waiting_runs(BATCH) if run.parameters["shot"] == RING.shot]
    assert ring.state
    assert ring.state.is_paused()
