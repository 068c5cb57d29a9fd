"""Shots in people's hands: what they find."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from prefect.client.orchestration import get_client

from packshot.decision import Choice
from packshot.errors import StorageUnavailableError
from packshot.keys import job_out_key, job_returned_prefix, shot_key
from packshot.naming import BatchId, ShotId
from packshot.record import State
from packshot.types import Finding, Status, Verdict
from tasks.people.jobs import open_job, open_review
from tasks.people.questions import question_about
from tasks.people.tickets import TICKET_HTML, ticket_of
from tasks.records.bookkeeping import living
from tasks.records.stored import load_record
from tasks.results.handovers import EditedShot, RoutedShot
from tasks.storage.bucket import Storage
from tasks.telling.artifacts import artifact_key
from tests.tasks.in_runs import artifact, in_a_run
from tests.tasks.shots import edited, routed

NAME = "A1"


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


def test_an_editor_finds_the_master_and_a_ticket_that_says_everything(for_editor: RoutedShot, line: Storage) -> None:
    shot, ticket = for_editor.shot, ticket_of(for_editor.shot)
    assert (ticket.client, ticket.batch, ticket.shot) == (shot.client, shot.batch, shot.shot)
    assert line.get(ticket.take[0].key) == line.get(shot_key(shot, "master.tif"))
    assert ticket.picture == load_record(shot).objects["master.tif"]
    drafts = [one for one in ticket.take if "draft" in one.what]
    assert [line.get(one.key)[:4] for one in drafts] == [b"II*\0"]
    assert load_record(shot).reports["draft"]["knots"] > 3
    assert ticket.put_back_into == job_returned_prefix(shot)
    assert ticket.size_px == (1000, 1000)
    assert ticket.facts["sku"] == NAME
    assert for_editor.reason in ticket.why
    assert "transparency mask" in [one.service for one in ticket.services]
    assert all(one.why for one in ticket.services)
    assert ticket.issued_at < ticket.links_expire_at
    assert ticket.issued_at < ticket.due_at
    record = load_record(shot)
    assert (record.state, record.reports["job"]["tier"]) == (State.AWAITING_EDITOR, ticket.tier)


def test_the_ticket_is_also_a_page_with_links_that_expire(for_editor: RoutedShot, line: Storage) -> None:
    page = line.get(job_out_key(for_editor.shot, TICKET_HTML)).decode()
    for part in ("transparency mask", "data:image/webp;base64,", job_returned_prefix(for_editor.shot), "Expires="):
        assert part in page, part


def test_opening_a_job_again_asks_nobody_twice(for_editor: RoutedShot, line: Storage) -> None:
    before = load_record(for_editor.shot)
    runs = {in_a_run(lambda: open_job.fn(for_editor)) for _ in range(2)}
    assert len(runs) == 1
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(UUID(runs.pop()))
    assert run.state
    assert run.state.is_paused()
    shot, category = for_editor.shot, for_editor.category
    tags = {f"client:{shot.client}", f"batch:{shot.batch}", f"category:{category}", "service:transparency-mask"}
    assert tags <= set(run.tags)
    assert load_record(for_editor.shot).events == before.events


def test_the_ui_shows_what_is_asked_with_the_picture(for_editor: RoutedShot, line: Storage) -> None:
    shot = for_editor.shot
    page = str(artifact(artifact_key("shot", shot.client, shot.batch, shot.shot)).data)
    assert re.search(r"!\[A1\]\(data:image/webp;base64,", page)
    assert job_returned_prefix(shot) in page
    assert load_record(shot).objects["master.tif"][:16] in page
    to_do, found = page.index("To do"), page.find("What the machine found")
    assert page.index("an editor's work") < to_do < page.index("![A1]") < page.index("What is to be done")
    assert found < 0 or page.index("What is to be done") < found


def test_an_editor_reads_what_stops_approval_before_what_is_only_noticed(for_editor: RoutedShot) -> None:
    """Kind of test that was missing: findings of the ticket in the order of the form; a warning stood first."""
    said = {"small": Status.WARNING, "left": Status.FAILED}
    findings = tuple(
        Finding(code=code, status=status, message=f"It is {code}.", gate=status is Status.FAILED)
        for code, status in said.items()
    )
    record = load_record(for_editor.shot).model_copy(update={"findings": findings})
    asked = question_about(record).description
    assert asked.index("It is left") < asked.index("It is small")


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
    with pytest.raises(StorageUnavailableError), living(for_review):
        raise StorageUnavailableError("it did not answer")  # the first try
    run_id = UUID(in_a_run(lambda: open_review.fn(handover)))
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(run_id)
        assert run.state
        keyset = run.state.state_details.run_input_keyset or {}
        schema = client.request("GET", f"/flow_runs/{run_id}/input/{keyset['schema']}").json()
        said = str(client.request("GET", f"/flow_runs/{run_id}/input/{keyset['description']}").json())
    decision = schema["properties"]["decision"]
    assert "default" not in decision  # whoever sends the form without a look approves nothing
    assert "default" not in schema["properties"]["reason"]
    assert set(decision["enum"]) == {
        *(Choice.APPROVE, Choice.SEND_TO_EDITOR, Choice.REDO, Choice.RETURN, Choice.REJECT),
    }
    assert schema["properties"]["picture"]["default"] == load_record(for_review).objects["edit.tif"][:16]
    assert {"decision", "person", "reason", "picture"} <= set(schema["required"])
    assert "Score" in said
    assert "in_review" in run.tags
    assert load_record(for_review).state is State.IN_REVIEW
