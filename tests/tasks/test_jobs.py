"""Shots in people's hands: what they find, and what becomes of each kind of answer."""

from __future__ import annotations

import json
import re
from uuid import UUID

import numpy as np
import pytest
from prefect.client.orchestration import get_client

from packshot.naming import BatchId, ShotId, job_out_key, job_returned_prefix, shot_key
from packshot.record import State
from packshot.types import Verdict
from tasks.artifacts import artifact_key
from tasks.handovers import EditedShot, RoutedShot
from tasks.jobs import Decision, EditorAnswer, Outcome, accept_work, open_job, open_review
from tasks.records import load_record
from tasks.storage import Storage, open_storage
from tests import drawn_products
from tests.tasks.runs import artifact, in_a_run
from tests.tasks.shots import edited, routed

NAME = "A1"


def answer(decision: Decision, **values: str) -> EditorAnswer:
    return EditorAnswer(**{"decision": decision, "editor": "Ada", "note": "kept the rim", **values})  # type: ignore[arg-type]


RETURNED, APPROVED = Decision.USE_RETURNED_FILE, Decision.APPROVE_MACHINE_EDIT


def follow(shot: ShotId, given: EditorAnswer) -> Outcome:
    return accept_work.fn(shot, given, question="1")


def put_back(shot: ShotId, name: str, data: bytes) -> None:
    open_storage().put(job_returned_prefix(shot) + name, data, content_type="image/png")


def cut_out_by_hand() -> bytes:
    """The drawn product, cut out exactly."""
    share = drawn_products.coverage(1000, 1000)[..., None]
    work = np.rint(share * drawn_products.pixels() + (1 - share) * 255).astype(np.uint8)
    return drawn_products.encoded(work, "PNG", compress_level=1)


@pytest.fixture
def for_editor(line: Storage, batch: BatchId) -> RoutedShot:
    """A shot that is an editor's."""
    (shot,) = routed(batch, {NAME: 0.43}, category="glassware")
    in_a_run(lambda: open_job.fn(shot))
    return shot


@pytest.fixture
def for_review(line: Storage, batch: BatchId) -> ShotId:
    """A shot whose edit a person shall look at."""
    (shot,) = routed(batch, {NAME: 0.43})
    edited(shot.shot, verdict=Verdict.HUMAN_REVIEW)
    return shot.shot


# --- what a person finds ---


def test_an_editor_finds_the_master_and_a_ticket_that_says_everything(for_editor: RoutedShot, line: Storage) -> None:
    shot = for_editor.shot
    ticket = json.loads(line.get(job_out_key(shot, "ticket.json")))
    assert ticket["shot"] == shot.model_dump()
    assert line.get(ticket["take"]) == line.get(shot_key(shot, "master.tif"))
    assert ticket["put_back_into"] == job_returned_prefix(shot)
    assert ticket["size_px"] == [1000, 1000]
    assert ticket["facts"]["sku"] == NAME
    assert for_editor.reason in ticket["why"]
    assert load_record(shot).state is State.AWAITING_EDITOR


def test_opening_a_job_again_asks_nobody_twice(for_editor: RoutedShot, line: Storage) -> None:
    before = load_record(for_editor.shot)
    runs = {in_a_run(lambda: open_job.fn(for_editor)) for _ in range(2)}
    assert len(runs) == 1
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(UUID(runs.pop()))
    assert run.state
    assert run.state.is_paused()
    shot, category = for_editor.shot, for_editor.category
    assert {f"client:{shot.client}", f"batch:{shot.batch}", f"category:{category}"} <= set(run.tags)
    assert load_record(for_editor.shot) == before


def test_the_ui_shows_what_is_asked_with_the_picture(for_editor: RoutedShot, line: Storage) -> None:
    shot = for_editor.shot
    page = str(artifact(artifact_key("shot", shot.client, shot.batch, shot.shot)).data)
    assert re.search(r"!\[A1\]\(data:image/webp;base64,", page)
    assert job_returned_prefix(shot) in page


def test_a_reviewer_is_asked_whether_to_approve_the_machine_s_edit(for_review: ShotId, line: Storage) -> None:
    handover = EditedShot(
        shot=for_review,
        source_sha256="f" * 64,
        plan_fingerprint="p",
        group="g",
        category="boxes",
        verdict=Verdict.HUMAN_REVIEW,
        score=80,
        reason="score 80.0, a reviewer decides",
        needs_person=True,
    )
    run_id = UUID(in_a_run(lambda: open_review.fn(handover)))
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(run_id)
        assert run.state
        keyset = run.state.state_details.run_input_keyset or {}
        schema = client.request("GET", f"/flow_runs/{run_id}/input/{keyset['schema']}").json()
    assert schema["properties"]["decision"]["default"] == APPROVED.value
    assert "in_review" in run.tags
    assert load_record(for_review).state is State.IN_REVIEW


# --- answers that can be followed ---


def test_an_approval_stands_in_the_person_s_name(for_review: ShotId, line: Storage) -> None:
    outcome = follow(for_review, answer(APPROVED))
    assert outcome == Outcome(sentence="approved by Ada: kept the rim")
    record = load_record(for_review)
    assert record.state is State.APPROVED
    assert (record.events[-1].actor, record.events[-1].why) == ("Ada", outcome.sentence)
    assert record.reports["approval"] == {"by": "Ada", "decision": APPROVED.value, "note": "kept the rim"}


def test_a_returned_file_is_scored_and_approved_in_the_editor_s_name(for_editor: RoutedShot, line: Storage) -> None:
    shot = for_editor.shot
    put_back(shot, "A1.png", cut_out_by_hand())
    outcome = in_a_run(lambda: follow(shot, answer(RETURNED)))
    assert not outcome.objection
    record = load_record(shot)
    assert [event.to_state for event in record.events][-3:] == [State.RETURNED, State.SCORED, State.APPROVED]
    assert {event.actor for event in record.events[-3:]} == {"Ada"}
    assert record.reports["edit"]["method"] == "given"
    assert record.reports["edit"]["score"] > 70
    assert record.reports["approval"]["file"] == job_returned_prefix(shot) + "A1.png"
    assert {"edit.tif", "matte.png"} <= set(record.objects)


def test_a_reviewer_may_return_a_file_of_their_own(for_review: ShotId, line: Storage) -> None:
    before = load_record(for_review).objects["edit.tif"]
    put_back(for_review, "better.png", cut_out_by_hand())
    assert not in_a_run(lambda: follow(for_review, answer(RETURNED, returned_file="better.png"))).objection
    record = load_record(for_review)
    assert record.state is State.APPROVED
    assert record.objects["edit.tif"] != before


def test_an_answer_that_comes_twice_is_followed_once(for_review: ShotId, line: Storage) -> None:
    follow(for_review, answer(APPROVED))
    before = load_record(for_review)
    late = follow(for_review, answer(APPROVED, editor="Bob"))
    assert late == Outcome(sentence="The shot is 'approved' by now; the answer changes nothing")
    assert load_record(for_review) == before


# --- answers that cannot ---


def test_there_is_no_machine_s_edit_to_approve_where_there_was_none(for_editor: RoutedShot, line: Storage) -> None:
    outcome = follow(for_editor.shot, answer(APPROVED))
    assert "no machine's edit" in outcome.objection
    assert load_record(for_editor.shot).state is State.AWAITING_EDITOR


def test_what_cannot_be_used_is_sent_back_with_the_reason_and_the_shot_waits_on(
    for_editor: RoutedShot, line: Storage
) -> None:
    shot = for_editor.shot
    before = load_record(shot)
    assert "no file was returned" in follow(shot, answer(RETURNED)).objection

    put_back(shot, "cropped.png", drawn_products.photograph(1000, 999))
    cropped = follow(shot, answer(RETURNED)).objection
    for part in ("cropped.png", "1000 x 999", "1000 x 1000", "full size"):
        assert part in cropped

    put_back(shot, "text.png", b"no picture")
    several = follow(shot, answer(RETURNED)).objection
    for part in ("several files", "cropped.png", "text.png", "Name the one that counts"):
        assert part in several

    assert "text.png" in follow(shot, answer(RETURNED, returned_file="text.png")).objection
    assert "nobody.png" in follow(shot, answer(RETURNED, returned_file="nobody.png")).objection
    assert load_record(shot) == before


def test_a_file_outside_the_shot_s_own_folder_cannot_be_named(for_editor: RoutedShot, line: Storage) -> None:
    shot = for_editor.shot
    master = shot_key(shot, "master.tif")
    for named in (master, f"../out/{master}", "/etc/passwd"):
        assert "no file was returned" in follow(shot, answer(RETURNED, returned_file=named)).objection
    assert load_record(shot).state is State.AWAITING_EDITOR
