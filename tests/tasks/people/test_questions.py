"""What people are shown before they answer."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.night import measured
from packshot.handoff.ticket import colour_words
from packshot.keys import job_out_key
from packshot.naming import BatchId
from packshot.record import ShotRecord, State
from packshot.types import Finding, Status
from tasks.environment.desk_pages import desk_page
from tasks.people.questions import Next, WhoActs, next_step, question_about
from tasks.people.tickets import TICKET_JSON
from tasks.records.bookkeeping import Life
from tasks.records.stored import change_record, load_record
from tasks.storage import shot_objects
from tasks.storage.bucket import Storage
from tests.tasks.in_runs import in_a_run
from tests.tasks.shots import edited, routed

AFTER = Finding(
    code="colour_not_verified",
    status=Status.PASSED,
    message="The product has its reference's colour.",
    measured=1.1,
    limit=2.0,
    unit="delta E 2000",
)


def with_colour(record: ShotRecord, *findings: Finding, **draft: Any) -> ShotRecord:
    def change(one: ShotRecord) -> ShotRecord:
        return one.model_copy(
            update={"reports": {**one.reports, "draft": draft}, "findings": (*one.findings, *findings)}
        )

    return change_record(record.shot, change)


def test_whoever_signs_sees_the_colour_s_difference_before_and_after(line: Storage, batch: BatchId) -> None:
    (shot,) = routed(batch, {"A1": 0.43})
    edited(shot.shot)
    record = with_colour(load_record(shot.shot), AFTER, colour_before=5.21)
    record = record.model_copy(update={"state": State.AWAITING_SIGNOFF})
    shown = in_a_run(lambda: question_about(record)).description
    assert "delta E 2000 of 5.2 before the edit, 1.1 now" in shown


def test_the_ticket_says_how_far_the_product_is_from_its_reference(line: Storage, batch: BatchId) -> None:
    (shot,) = routed(batch, {"A1": 0.43})
    record = load_record(shot.shot)
    plan = shot_objects.plan_of(record)
    assert "against the reference, before the edit" not in colour_words(record, plan)
    said = colour_words(with_colour(record, colour_before=5.21), plan)
    assert said["against the reference, before the edit"] == "5.21 delta E 2000"
    assert said["reference"] == "not required"


@pytest.mark.parametrize("state", [State.AWAITING_EDITOR, State.IN_REVIEW, State.AWAITING_SIGNOFF])
def test_whoever_is_asked_sees_what_was_noticed_of_the_photograph(line: Storage, batch: BatchId, state: State) -> None:
    unknown = Finding(code="category_unknown", status=Status.WARNING, message="'kettels' is no category.")
    failed = Finding(code="colour_difference", status=Status.FAILED, message="The lid has another colour.")
    (shot,) = routed(batch, {"A1": 0.43})
    if state is not State.AWAITING_EDITOR:
        edited(shot.shot)
    record = with_colour(load_record(shot.shot), unknown, failed)
    record = record.model_copy(update={"state": state})
    question = in_a_run(lambda: question_about(record))
    shown, form = question.description, question.form().model_json_schema()
    first = form["properties"]["decision"]["description"]
    assert first.endswith(f" Look at it at full size: {desk_page(shot.shot)}"), "the default pages may hide the rest"
    assert state is State.AWAITING_EDITOR or first.startswith(record.worst_finding.message)
    assert "kettels" in shown
    if state is not State.AWAITING_EDITOR:
        assert shown.index("- The lid") < shown.index("kettels"), "what failed comes before what is only a warning"
    if state is State.AWAITING_EDITOR:
        assert "kettels" in line.get(job_out_key(shot.shot, "ticket.html")).decode()


def test_a_question_that_is_answered_is_not_put_together_again(line: Storage, batch: BatchId) -> None:
    """A run that goes on after an answer reads the record and nothing else: no draft, no ticket, no copy."""
    (shot,) = routed(batch, {"A1": 0.43})
    Life(shot.shot).reach(State.AWAITING_EDITOR, why="an editor's work")
    in_a_run(lambda: next_step.fn(shot.shot))
    ticket = line.head(job_out_key(shot.shot, TICKET_JSON))
    found: list[Next] = []
    cost = measured(lambda: found.append(in_a_run(lambda: next_step.fn(shot.shot, answered=True))))
    assert (found[0].step, found[0].state, found[0].question) == (WhoActs.PERSON, State.AWAITING_EDITOR, None)
    assert cost.requests == {"GetObject": 1}
    assert line.head(job_out_key(shot.shot, TICKET_JSON)).etag == ticket.etag
