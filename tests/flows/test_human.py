"""A shot in people's hands, on a real server and worker: it waits as a row, takes every answer, and is delivered.

One shot goes the whole way: an editor answers by form, is sent back, returns a file by the hot folder; a senior rejects
it; the editor returns it by command; the senior signs by command; it is delivered with the trail.

Slow: ten runs of a worker, of which each starts a process. With `make test` the same is held by: `test_review.py` (an
answer by form, a refused one by command and one at the desk, on a real worker), `tests/tasks/people/test_answers.py`
(the form and every answer), `test_hot_folder.py`, `test_late_deliveries.py` and `test_delivering.py` beside it, on real
servers.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun

from deployments.demo import environment
from flows.delivery import deliver_batch
from packshot.decision import Choice
from packshot.errors import DecisionRefusedError
from packshot.escaping import markdown
from packshot.keys import delivery_prefix, drop_prefix, job_out_key, job_returned_prefix
from packshot.naming import batch_id
from packshot.outcomes.first_time import By
from packshot.record import State
from tasks.batches.summing_up import survey
from tasks.people import job_commands
from tasks.records.stored import load_batch, load_record
from tasks.runs.resuming import resume
from tasks.runs.suspended import REFUSED
from tasks.storage.bucket import Storage, open_storage
from tasks.telling.artifacts import artifact_key
from tests.flows import remeasure
from tests.flows.line import Line, poll, read_all, sample_folder
from tests.flows.people import answered, as_the_ui_sends, form_of, returned_picture, settled
from tests.tasks.by_people import answer_fields

pytestmark = pytest.mark.slow

BATCH = batch_id("acme", "human")
GLASS, RING = BATCH.shot("GLS501_MAIN"), BATCH.shot("RNG401_MAIN")
"""What a client's rule always gives to an editor."""
EDITOR, SENIOR = "Ada Editor", "Sen Ior"
COLLECT = "collect-returned-work/collect-returned-work"


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
    assert storage.exists(ticket["take"][0]["key"])
    assert ticket["put_back_into"] == job_returned_prefix(GLASS)
    assert "transparent" in ticket["why"]
    assert {f"client:{GLASS.client}", f"batch:{GLASS.batch}", "service:transparency-mask"} <= set(waiting.tags)


def test_the_form_asks_for_a_decision_a_name_a_reason_and_the_picture(waiting: FlowRun) -> None:
    form = form_of(waiting)
    fields = form.schema["properties"]
    assert list(fields) == ["decision", "person", "reason", "picture", "note", "returned_file", "override"]
    assert all(field.get("description") and field.get("title") for field in fields.values())
    assert fields["decision"]["enum"] == [Choice.RETURN.value, Choice.REJECT.value]
    assert fields["picture"]["default"] == load_record(GLASS).objects["master.tif"][:16]
    assert set(form.schema["required"]) == {"decision", "person", "reason", "picture"}
    assert job_returned_prefix(GLASS) in form.description
    assert "![" in form.description  # the picture


@pytest.mark.parametrize(
    ("wrong", "named"),
    [({"decision": "paint it black"}, "decision"), ({"person": ""}, "person"), ({"picture": None}, "picture")],
)
def test_an_answer_that_the_form_does_not_allow_is_rejected_and_the_run_goes_on_waiting(
    waiting: FlowRun, line: Line, wrong: dict[str, Any], named: str
) -> None:
    given = {**as_the_ui_sends(waiting, Choice.RETURN, person=EDITOR), **wrong}
    with get_client(sync_client=True) as client:
        reply = client.resume_flow_run(
            waiting.id, run_input={name: value for name, value in given.items() if value is not None}
        )
    assert reply.status.value == "REJECT"
    assert named in str(getattr(reply.details, "reason", ""))
    now = line.read(waiting.id)
    assert now.state
    assert now.state.is_paused()
    assert load_record(GLASS).state is State.AWAITING_EDITOR


@pytest.fixture(scope="module")
def sent_back(waiting: FlowRun, line: Line) -> FlowRun:
    """The run after an answer without a file."""
    return answered(line, waiting.id, Choice.RETURN, person=EDITOR)


def test_an_answer_without_a_file_waits_again_and_says_why(sent_back: FlowRun) -> None:
    assert sent_back.state
    assert sent_back.state.name == "Suspended"
    form = form_of(sent_back)
    for part in ("Not accepted", "no file was returned", markdown(job_returned_prefix(GLASS)), "finished picture"):
        assert part in form.description


def test_a_refused_answer_is_seen_at_the_run_itself_not_only_in_its_form(sent_back: FlowRun, line: Line) -> None:
    """The state's message and a tag, which lists show; and an artifact of the run."""
    assert sent_back.state
    assert str(sent_back.state.message).startswith("Your answer was refused: ")
    assert "no file was returned" in str(sent_back.state.message)
    assert REFUSED in sent_back.tags
    shown = line.artifacts(artifact_key("answer", GLASS.client, GLASS.batch, GLASS.shot))[0]
    assert shown.flow_run_id == sent_back.id
    assert "no file was returned" in str(shown.data)


def test_an_answer_without_a_file_leaves_the_shot_waiting(sent_back: FlowRun) -> None:
    assert load_record(GLASS).state is State.AWAITING_EDITOR
    assert {fate.kind for fate in survey(BATCH).fates} == {"waiting"}


@pytest.fixture(scope="module")
def second_ticket(sent_back: FlowRun) -> str:
    """The ticket when the editor was asked for the second time. Each ticket that is made has links of its own."""
    return open_storage().head(job_out_key(GLASS, "ticket.json")).etag


def test_an_answer_that_counts_makes_no_ticket_that_nobody_reads(
    second_ticket: str, collected: FlowRun, storage: Storage
) -> None:
    assert storage.head(job_out_key(GLASS, "ticket.json")).etag == second_ticket


@pytest.fixture(scope="module")
def collected(sent_back: FlowRun, second_ticket: str, line: Line) -> FlowRun:
    """The run after a file came into the batch's hot folder, under a name an editor might give it."""
    storage = open_storage()
    storage.put(drop_prefix(BATCH) + "holiday.png", returned_picture(), content_type="image/png")
    storage.put(drop_prefix(BATCH) + "RNG401_MAIN.tif.part", b"half of it", content_type="image/tiff")
    # Last, so that the others have lain long enough when this one has.
    storage.put(drop_prefix(BATCH) + f"{EDITOR}/gls501-main final v2.png", returned_picture(), content_type="image/png")

    def taken() -> FlowRun | None:
        run = line.run(COLLECT, {})
        assert run.state
        assert run.state.is_completed(), run.state.message
        return run if "1 returned" in str(run.state.message) else None

    run = poll(taken, until="the file counts as complete")
    assert run.state
    assert "1 fit no shot" in str(run.state.message)
    assert "1 still uploading" in str(run.state.message)
    return settled(line, sent_back)


def test_a_file_in_the_hot_folder_answers_in_its_editor_s_name(collected: FlowRun) -> None:
    assert collected.state
    assert collected.state.name == "Suspended"
    record = load_record(GLASS)
    assert record.state is State.AWAITING_SIGNOFF
    assert (record.decisions[-1].choice, record.decisions[-1].by) == (Choice.RETURN, EDITOR)
    assert load_record(RING).state is State.AWAITING_EDITOR


def test_an_answer_that_counts_takes_the_sign_away(collected: FlowRun) -> None:
    assert REFUSED not in collected.tags
    assert collected.state
    followed = "The last answer was followed: use the returned file: work done"
    assert collected.state.message == f"{followed}, {EDITOR}"


def test_the_hot_folder_takes_a_file_up_once_and_the_board_shows_with_whom_each_shot_waits(
    collected: FlowRun, line: Line
) -> None:
    before = load_record(GLASS)
    run = line.run(COLLECT, {})
    assert run.state
    assert "0 returned" in str(run.state.message)
    assert load_record(GLASS) == before
    rows = {row["shot"]: row for row in json.loads(str(line.artifacts("board")[0].data))}
    assert rows[GLASS.shot]["with"] == "a senior editor"
    assert rows[RING.shot]["with"] == "an editor"
    assert rows[RING.shot]["due"] > rows[RING.shot]["since"]


@pytest.fixture(scope="module")
def rejected(collected: FlowRun, line: Line) -> FlowRun:
    """The run after two seniors answered at the same moment: one signs, one rejects, and only one counts."""
    answers = [
        {**answer_fields(GLASS, Choice.REJECT_WORK), "person": person, "note": "halo along the rim"}
        for person in (SENIOR, "Other Senior")
    ]

    def told(answer: dict[str, Any]) -> str:
        try:
            resume(collected, answer)
        except DecisionRefusedError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(2) as pool:
        replies = [one.result() for one in [pool.submit(copy_context().run, told, answer) for answer in answers]]
    assert sorted(bool(reply) for reply in replies) == [False, True], replies
    assert "somebody else answered first" in max(replies)
    run = settled(line, collected)
    (decided,) = load_record(GLASS).decisions[1:]
    assert decided.by == answers[replies.index("")]["person"]
    return run


def test_rejected_work_is_the_editor_s_again_with_what_was_said(rejected: FlowRun, storage: Storage) -> None:
    assert load_record(GLASS).state is State.AWAITING_EDITOR
    assert "halo along the rim" in form_of(rejected).description
    ticket = json.loads(storage.get(job_out_key(GLASS, "ticket.json")))
    assert ticket["round"] == 2


def test_a_decision_about_the_earlier_picture_is_refused_before_the_run_is_resumed(rejected: FlowRun) -> None:
    with pytest.raises(DecisionRefusedError, match="the picture has changed"):
        job_commands.answer_job(
            str(GLASS),
            {State.AWAITING_EDITOR: Choice.REJECT},
            also={},
            fields={"person": EDITOR, "reason": "out_of_focus", "picture": "0123456789abcdef", "note": ""},
        )


@pytest.fixture(scope="module")
def finished(rejected: FlowRun, line: Line, tmp_path_factory: pytest.TempPathFactory) -> FlowRun:
    """The run after the editor returned the work by command, and somebody else signed it from the command line."""
    file = tmp_path_factory.mktemp("returned") / "GLS501_MAIN_v3.png"
    file.write_bytes(returned_picture())
    job = job_commands.job_of(str(GLASS))
    said = {"person": EDITOR, "reason": "work_done", "picture": job.picture, "note": "kept the rim"}
    returned = {State.AWAITING_EDITOR: {"returned_file": file.name}}
    job_commands.answer_job(str(GLASS), {State.AWAITING_EDITOR: Choice.RETURN}, also=returned, fields=said, file=file)
    ready = settled(line, rejected)
    assert load_record(GLASS).state is State.AWAITING_SIGNOFF
    picture = load_record(GLASS).objects["edit.tif"][:16]
    signed = command("job", "approve", str(GLASS), "--by", SENIOR, "--picture", picture, "--colour", "confirmed")
    assert signed.returncode == 0, signed.stderr
    return settled(line, ready)


def command(*words: str) -> subprocess.CompletedProcess[str]:
    """What a person's terminal says to a command."""
    packshot = shutil.which("packshot", path=str(Path(sys.executable).parent))
    assert packshot
    return subprocess.run([packshot, *words], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def closed(finished: FlowRun) -> str:
    """What is said when somebody hands over what is gathered: it waited for the other shot, till the hour."""
    fate = {one.shot: one for one in survey(BATCH).fates}[GLASS.shot]
    assert (fate.kind, fate.with_whom) == ("waiting", "the next delivery")
    assert fate.why in str(finished.state and finished.state.message)
    done = command("batch", "close", "--client", BATCH.client, "--batch", BATCH.batch)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_once_signed_the_run_ends_well_and_the_shot_waits_for_the_others(finished: FlowRun) -> None:
    assert finished.state
    assert finished.state.is_completed(), finished.state.message
    assert SENIOR in str(finished.state.message)
    assert "approved, goes out at" in str(finished.state.message)


def test_closing_the_batch_hands_over_what_is_gathered_once(closed: str) -> None:
    assert "delivery 1: 1 shot in 4 files" in closed
    assert not load_batch(BATCH).gathered
    with environment({"PREFECT_LOGGING_TO_API_ENABLED": "false"}):  # what is to be sent must not outlive the server
        again = deliver_batch(client=BATCH.client, batch=BATCH.batch, return_state=True)
    assert again.message == "nothing new to deliver"


def test_the_trail_tells_who_decided_what_and_when(closed: str) -> None:
    record = load_record(GLASS)
    assert record.state is State.DELIVERED
    decided = [(one.choice, one.by) for one in record.decisions]
    assert [choice for choice, _ in decided] == [Choice.RETURN, Choice.REJECT_WORK, Choice.RETURN, Choice.SIGN]
    assert (decided[0][1], decided[2][1], decided[3][1]) == (EDITOR, EDITOR, SENIOR)
    path = [event.to_state for event in record.events if event.from_state is not event.to_state]
    start = path.index(State.AWAITING_EDITOR)
    assert path[start + 1 :] == [
        *(State.RETURNED, State.SCORED, State.AWAITING_SIGNOFF),
        State.AWAITING_EDITOR,
        *(State.RETURNED, State.SCORED, State.AWAITING_SIGNOFF, State.APPROVED),
        *(State.EXPORTED, State.VERIFIED, State.DELIVERED),
    ]
    refused = [event for event in record.events if event.from_state is event.to_state]
    assert ["no file was returned" in event.why for event in refused] == [True]
    assert record.decisions[2].file == job_returned_prefix(GLASS) + "GLS501_MAIN_v3.png"
    assert 0 < record.reports["edit"]["score"] <= 100


def test_the_first_time_rate_counts_the_rejection(finished: FlowRun) -> None:
    (rate,) = job_commands.first_time_rates(by=By.EDITOR, client=BATCH.client, batch=BATCH.batch)
    assert (rate.name, rate.shots, rate.approved) == (EDITOR, 1, 0)
    assert sum(rate.rejections.values()) == 1


def test_the_certificate_names_who_approved_and_that_the_colours_were_compared(closed: str) -> None:
    (delivery,) = load_batch(BATCH).deliveries
    certificate = json.loads(read_all(delivery_prefix(BATCH, delivery.number))["certificate.json"])
    (shot,) = certificate["shots"]
    assert shot["approved_by"] == SENIOR
    assert "sign off" in shot["approved_why"]
    last = shot["decisions"][-1]
    assert (last["by"], last["choice"], last["colour"]) == (SENIOR, Choice.SIGN.value, "confirmed")
    assert [one["choice"] for one in shot["decisions"]].count(Choice.REJECT_WORK.value) == 1


def test_the_editors_work_is_what_is_delivered(closed: str) -> None:
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


def test_the_other_shot_goes_on_waiting(closed: str, line: Line) -> None:
    assert load_record(RING).state is State.AWAITING_EDITOR
    (ring,) = [run for run in line.waiting_runs(BATCH) if run.parameters["shot"] == RING.shot]
    assert ring.state
    assert ring.state.is_paused()
