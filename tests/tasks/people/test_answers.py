"""What becomes of each kind of answer."""

from __future__ import annotations

from typing import Any

import pytest
from prefect.client.orchestration import get_client

from packshot.decision import Choice
from packshot.errors import DecisionRefusedError, TerminalError
from packshot.export.delivery import summarise_shot
from packshot.keys import job_returned_prefix, notice_key, shot_key
from packshot.naming import BatchId, ShotId
from packshot.record import State, found_in
from packshot.types import Finding, Status, Verdict
from tasks.people.followed_answers import wait_until_followed
from tasks.people.job_commands import job_of
from tasks.people.jobs import open_job
from tasks.people.tickets import issue_ticket
from tasks.records.stored import change_record, load_record
from tasks.results.handovers import RoutedShot
from tasks.runs.resuming import cancel_waiting, waiting_run_of
from tasks.storage.bucket import Storage
from tests import drawn_products
from tests.flows.people import as_the_ui_sends, form_of
from tests.tasks.by_people import another_product_by_hand, answer, cut_out_by_hand, follow, put_back
from tests.tasks.in_runs import in_a_run
from tests.tasks.shots import edited, routed


@pytest.fixture
def for_editor(line: Storage, batch: BatchId) -> ShotId:
    """A shot that is an editor's."""
    (shot,) = routed(batch, {"A1": 0.43}, category="glassware")
    in_a_run(lambda: open_job.fn(shot))
    return shot.shot


@pytest.fixture
def for_review(line: Storage, batch: BatchId) -> ShotId:
    """A shot whose edit a person shall look at."""
    (shot,) = routed(batch, {"A1": 0.43})
    edited(shot.shot, verdict=Verdict.HUMAN_REVIEW)
    return shot.shot


@pytest.fixture
def returned(for_editor: ShotId) -> ShotId:
    """A shot whose editor is done."""
    put_back(for_editor, "A1.png", cut_out_by_hand())
    outcome = in_a_run(lambda: follow(for_editor, answer(for_editor, Choice.RETURN)))
    assert not outcome.objection
    return for_editor


def test_the_form_asks_for_a_decision_a_name_a_reason_and_the_picture(for_editor: ShotId) -> None:
    run = waiting_run_of(for_editor)
    assert run
    form = form_of(run)
    fields = form.schema["properties"]
    assert list(fields) == ["decision", "person", "reason", "picture", "note", "returned_file", "override"]
    assert all(field.get("description") and field.get("title") for field in fields.values())
    assert fields["decision"]["enum"] == [Choice.RETURN.value, Choice.REJECT.value]
    assert fields["picture"]["default"] == load_record(for_editor).objects["master.tif"][:16]
    assert set(form.schema["required"]) == {"decision", "person", "reason", "picture"}
    assert job_returned_prefix(for_editor) in form.description
    assert "![" in form.description  # the picture


def test_an_answer_that_the_form_does_not_allow_is_rejected_and_the_run_goes_on_waiting(for_editor: ShotId) -> None:
    run = waiting_run_of(for_editor)
    assert run
    proposed = as_the_ui_sends(run, Choice.RETURN, person="Ada")
    for wrong in ({"decision": "paint it black"}, {"person": ""}, {"picture": None}):
        (named,) = wrong
        given = {name: value for name, value in {**proposed, **wrong}.items() if value is not None}
        with get_client(sync_client=True) as client:
            reply = client.resume_flow_run(run.id, run_input=given)
            now = client.read_flow_run(run.id)
        assert reply.status.value == "REJECT"
        assert named in str(getattr(reply.details, "reason", ""))
        assert now.state
        assert now.state.is_paused()


def test_an_approval_stands_in_the_person_s_name_with_its_reason(for_review: ShotId) -> None:
    outcome = follow(for_review, answer(for_review, Choice.APPROVE))
    assert outcome.sentence == "approve: meets standard (kept the rim), Ada"
    record = load_record(for_review)
    assert record.state is State.APPROVED
    assert (record.events[-1].actor, record.events[-1].why) == ("Ada", outcome.sentence)
    assert record.decisions[-1].picture == record.objects["edit.tif"][:16]


def test_a_stale_approval_is_refused_and_says_why(for_review: ShotId) -> None:
    said = answer(for_review, Choice.APPROVE)
    before = load_record(for_review)
    objection = follow(for_review, said.model_copy(update={"picture": "0123456789abcdef"})).objection
    for part in ("the picture has changed since it was shown", "0123456789abcdef", before.objects["edit.tif"][:16]):
        assert part in objection
    record = load_record(for_review)
    assert (record.state, record.decisions) == (State.IN_REVIEW, ())
    assert "not followed" in record.events[-1].why  # the trail shows it


def test_a_returned_file_is_scored_and_waits_for_a_second_person(returned: ShotId) -> None:
    record = load_record(returned)
    assert [event.to_state for event in record.events][-3:] == [
        *(State.RETURNED, State.SCORED, State.AWAITING_SIGNOFF),
    ]
    assert {event.actor for event in record.events[-3:]} == {"Ada"}
    assert record.reports["edit"]["method"] == "given"
    assert record.reports["edit"]["score"] > 70
    assert record.decisions[-1].file == job_returned_prefix(returned) + "A1.png"
    assert {"edit.tif", "matte.png"} <= set(record.objects)


def test_the_editor_cannot_sign_and_somebody_else_can(returned: ShotId) -> None:
    objection = follow(returned, answer(returned, Choice.SIGN, person="ada"), question="run-2").objection
    assert "nobody signs off their own work" in objection
    assert follow(returned, answer(returned, Choice.SIGN, person="Sen Ior"), question="run-3").sentence
    record = load_record(returned)
    assert (record.state, record.events[-1].actor) == (State.APPROVED, "Sen Ior")


def test_rejected_work_goes_back_with_what_was_said(returned: ShotId) -> None:
    marks = [{"left": 10, "top": 20, "right": 110, "bottom": 220, "text": "halo"}]
    said = answer(returned, Choice.REJECT_WORK, person="Sen Ior", note="redo the rim", marks=marks)
    assert not follow(returned, said, question="run-2").objection
    assert load_record(returned).state is State.AWAITING_EDITOR
    ticket = issue_ticket(load_record(returned), why="again")
    assert ticket.round == 2
    assert ticket.sent_back
    assert (ticket.sent_back.note, ticket.sent_back.marks[0].text) == ("redo the rim", "halo")
    assert [one.choice for one in ticket.history] == [Choice.RETURN, Choice.REJECT_WORK]


def test_a_reviewer_may_return_a_file_of_their_own_and_then_does_not_sign_it(for_review: ShotId) -> None:
    before = load_record(for_review).objects["edit.tif"]
    gate = Finding(code="background", status=Status.FAILED, message="not white", gate=True)
    change_record(for_review, lambda one: one.model_copy(update={"findings": found_in(before, [*one.findings, gate])}))
    assert gate.code in {one.code for one in job_of(str(for_review)).findings}
    put_back(for_review, "better.png", cut_out_by_hand())
    said = answer(for_review, Choice.RETURN, returned_file="better.png")
    assert not in_a_run(lambda: follow(for_review, said)).objection
    record = load_record(for_review)
    assert record.state is State.AWAITING_SIGNOFF
    assert record.objects["edit.tif"] != before
    assert gate.code in {one.code for one in record.findings}  # the record keeps what was found in the machine's edit
    certified = summarise_shot(record, file="A1.jpg", kind="delivered", why="", in_this_delivery=True)
    for shown in (record.present_findings, job_of(str(for_review)).findings, certified.findings):
        assert not [one for one in shown if one.stops_approval]
        assert {one.picture for one in shown} <= {"", record.objects["edit.tif"]}
    assert {one.code for one in record.present_findings if one.picture}
    assert "own work" in follow(for_review, answer(for_review, Choice.SIGN), question="run-2").objection


def test_an_answer_that_comes_twice_is_followed_once(for_review: ShotId) -> None:
    said = answer(for_review, Choice.APPROVE)
    first = follow(for_review, said)
    before = load_record(for_review)
    assert follow(for_review, said) == first
    assert load_record(for_review) == before


def test_a_second_answer_to_what_is_decided_is_told_so(for_review: ShotId) -> None:
    said = answer(for_review, Choice.APPROVE)
    follow(for_review, said)
    late = follow(for_review, said.model_copy(update={"person": "Bob"}), question="run-2")
    assert "'approved'" in late.objection
    assert load_record(for_review).state is State.APPROVED


def test_what_cannot_be_used_is_sent_back_with_the_reason_and_the_shot_waits_on(for_editor: ShotId) -> None:
    shot = for_editor

    def objection(**values: Any) -> str:
        return follow(shot, answer(shot, Choice.RETURN, **values)).objection

    assert "no file was returned" in objection()

    put_back(shot, "cropped.png", drawn_products.photograph(1000, 999))
    cropped = objection()
    for part in ("cropped.png", "1000 x 999", "1000 x 1000", "full size", "no path, mask or alpha"):
        assert part in cropped

    put_back(shot, "text.png", b"no picture")
    several = objection()
    for part in ("several files", "cropped.png", "text.png", "State which file counts"):
        assert part in several

    assert "text.png" in objection(returned_file="text.png")
    assert "nobody.png" in objection(returned_file="nobody.png")
    record = load_record(shot)
    assert (record.state, record.decisions) == (State.AWAITING_EDITOR, ())
    assert sorted(record.reports["returned"]["seen"]) == [
        job_returned_prefix(shot) + name for name in ("cropped.png", "text.png")
    ]


def test_a_file_outside_the_shot_s_own_folder_cannot_be_named(for_editor: ShotId) -> None:
    master = shot_key(for_editor, "master.tif")
    for named in (master, f"../out/{master}", "/etc/passwd"):
        said = answer(for_editor, Choice.RETURN, returned_file=named)
        assert "no file was returned" in follow(for_editor, said).objection
    assert load_record(for_editor).state is State.AWAITING_EDITOR


def test_a_failed_check_sends_back_unless_a_name_and_a_reason_override_it(for_editor: ShotId) -> None:
    put_back(for_editor, "A1.png", cut_out_by_hand(brightened=0.8))
    said = answer(for_editor, Choice.RETURN)
    objection = follow(for_editor, said).objection
    assert "colours drifted" in objection
    assert "no correction was ordered" in objection
    assert load_record(for_editor).state is State.AWAITING_EDITOR
    overridden = said.model_copy(update={"override": "the client wants it so"})
    assert not in_a_run(lambda: follow(for_editor, overridden, question="run-2")).objection
    (finding,) = [one for one in load_record(for_editor).findings if one.code == "check_overridden"]
    for part in ("Ada", "returned_colour", "the client wants it so"):
        assert part in finding.message


def test_another_shot_s_picture_is_sent_back(for_editor: ShotId) -> None:
    put_back(for_editor, "A1.png", another_product_by_hand())
    assert "another photograph" in follow(for_editor, answer(for_editor, Choice.RETURN)).objection


def test_the_checks_that_returned_work_passed_stand_in_the_record(returned: ShotId) -> None:
    checks = {one.code: one.status for one in load_record(returned).findings}
    for code in ("returned_size", "returned_matte", "returned_profile", "returned_colour", "product_repainted"):
        assert checks[code] is Status.PASSED


def test_whoever_answers_by_command_hears_what_came_of_it(for_editor: ShotId, line: Storage) -> None:
    run = waiting_run_of(for_editor)
    assert run is not None
    before = load_record(for_editor)
    with pytest.raises(TerminalError, match="no worker has followed it"):
        wait_until_followed(before, run.id, patience_s=0)
    missing = answer(for_editor, Choice.RETURN, returned_file="missing.png")
    assert follow(for_editor, missing, question=f"{run.id}-1").objection
    with pytest.raises(DecisionRefusedError, match=r"was not followed; found .*no file was returned"):
        wait_until_followed(before, run.id)
    told = notice_key(for_editor.in_batch, for_editor.shot, "answer_refused").removesuffix(".json")
    assert len(list(line.list(told))) == 1  # in the UI it looked accepted
    refused = load_record(for_editor)
    assert not follow(for_editor, answer(for_editor, Choice.REJECT), question=f"{run.id}-2").objection
    assert wait_until_followed(refused, run.id).choice is Choice.REJECT
    after = load_record(for_editor)
    cancel_waiting(for_editor, why="a test")
    with pytest.raises(TerminalError, match="ended before it could follow"):
        wait_until_followed(after, run.id)


def test_a_photograph_that_a_person_rejects_is_refused_with_the_reason(for_editor: ShotId) -> None:
    assert not follow(for_editor, answer(for_editor, Choice.REJECT, note="the stem is cut off")).objection
    record = load_record(for_editor)
    assert record.state is State.REFUSED
    assert "the stem is cut off" in record.events[-1].why


def test_routed_shots_of_a_batch_are_independent(line: Storage, batch: BatchId) -> None:
    shots: list[RoutedShot] = routed(batch, {"A1": 0.43, "A2": 0.4}, category="glassware")
    for shot in shots:
        in_a_run(lambda shot=shot: open_job.fn(shot))  # type: ignore[misc]
    follow(shots[0].shot, answer(shots[0].shot, Choice.REJECT))
    assert load_record(shots[1].shot).state is State.AWAITING_EDITOR
