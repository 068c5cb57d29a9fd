"""Audits on real servers: what is chosen, what is measured, what follows from a broken promise."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from deployments.demo import environment
from packshot.batch import BatchRecord, ShotRef
from packshot.decision import Choice, Decision, Reason
from packshot.escaping import markdown
from packshot.naming import BatchId, batch_id
from packshot.pipeline import Edit
from packshot.record import ShotRecord, Source, State
from packshot.specs.models import AuditConfig, Plan, Promise
from packshot.types import Verdict
from tasks.learning.audits import audit_report, measure_escapes
from tasks.learning.routing_model import service
from tasks.people.job_commands import job_of
from tasks.people.questions import question_about
from tasks.processing.networks import LoadedModel
from tasks.records.bookkeeping import now
from tasks.records.stored import change_record, create_batch, create_record, load_record
from tasks.stages import first_edit, redo
from tasks.storage.bucket import Storage, open_storage
from tests.configs import changed_configs
from tests.drawn_products import ContrastNetwork
from tests.tasks.in_runs import artifact, in_a_run
from tests.tasks.shots import edited, routed

BATCH = batch_id("acme", "audited")
SHA256 = "0" * 64


@pytest.fixture
def own_bucket(line_environment: dict[str, str]) -> Iterator[Storage]:
    """The line with a bucket of this test's own: what audits find there changes how the line routes."""
    with environment({**line_environment, "PACKSHOT_S3_BUCKET": f"packshot-test-{uuid.uuid4().hex[:8]}"}):
        opened = open_storage()
        opened.ensure_bucket()
        yield opened


def record(name: str, batch: BatchId = BATCH, *, choice: Choice = Choice.APPROVE) -> ShotRecord:
    decision = Decision(choice=choice, by="Ada", at=now(), reason=Reason.OTHER, picture="0" * 8, note="n")
    return ShotRecord(
        shot=batch.shot(name),
        source=Source(key="k", sha256=SHA256, size_bytes=1),
        reports={"routing": {"category": "home"}, "audit": {"approved": True}},
        decisions=(decision,),
    )


def audited(*, refused: int, accepted: int) -> None:
    choices = [Choice.SEND_TO_EDITOR] * refused + [Choice.APPROVE] * accepted
    records = [record(f"S{place}", choice=choice) for place, choice in enumerate(choices)]
    refs = tuple(ShotRef(shot=one.shot, key="k", path="p.jpg", etag="e", size_bytes=1) for one in records)
    create_batch(BatchRecord(batch=BATCH, received_at=now(), shots=refs))
    for one in records:
        create_record(one)


def plan(ratio: float) -> Plan:
    routing = SimpleNamespace(audit=AuditConfig(ratio=ratio), approve=Promise(ratio=0.02))
    return cast(Plan, SimpleNamespace(routing=routing))


def edit(verdict: Verdict, *, unproven: bool = False) -> Edit:
    return cast(Edit, SimpleNamespace(verdict=verdict, score=95.0, unproven=unproven))


def test_a_broken_promise_is_told_and_tightens_routing_by_itself(own_bucket: Storage) -> None:
    audited(refused=6, accepted=30)
    found = in_a_run(measure_escapes)
    assert found.alarm
    assert service().strictness == 0.5
    assert "6 of 36 audited shots refused" in service().changes[-1].why
    assert service().heard == 36, "the share of audits falls with them"
    assert "| home | 36 | 6 |" in str(artifact("escape-rate").data)
    again = in_a_run(measure_escapes)
    assert not again.alarm
    assert service().strictness == 0.5


@pytest.mark.parametrize(
    ("verdict", "ratio", "expected"),
    [
        (Verdict.AUTO_APPROVE, 1.0, True),
        (Verdict.HUMAN_REVIEW, 1.0, False),
        (Verdict.REJECT_AND_REDO, 1.0, None),
        (Verdict.AUTO_APPROVE, 0.0, None),
    ],
)
def test_a_share_of_approvals_and_of_reviews_is_shown_blindly(
    storage: Storage, verdict: Verdict, ratio: float, expected: bool | None
) -> None:
    assert audit_report(record("A1"), plan(ratio), edit(verdict)).get("approved") is expected


def test_a_shot_that_only_lacks_the_proof_of_real_photographs_is_always_an_audit() -> None:
    held = edit(Verdict.HUMAN_REVIEW, unproven=True)
    assert audit_report(record("A1"), plan(0.0), held) == {"approved": True, "ratio": 1.0, "score": 95.0}


def test_a_shot_that_was_on_hold_is_chosen_like_any_other(
    line: Storage, batch: BatchId, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    audit = {"ratio": 1.0, "first_ratio": 1.0}
    configs = changed_configs(tmp_path / "configs", {"routing.yaml": {"audit": audit}})
    monkeypatch.setattr(first_edit, "load_model", lambda: LoadedModel("contrast", ContrastNetwork(), ()))
    with environment({"PACKSHOT_CONFIGS": str(configs)}):
        (one,) = routed(batch, {"A1": 0.43})
        in_a_run(lambda: redo.edit_released.fn(one.shot))
    edited = load_record(one.shot)
    assert edited.state is State.IN_REVIEW
    assert edited.reports["audit"]["ratio"] == 1.0
    assert "score" in edited.reports["audit"]
    assert edited.events[-1].why == "chosen to be looked at"


def test_the_reviewer_of_an_audit_sees_neither_score_nor_findings(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.people.questions.preview_of", lambda record: "")
    reports: dict[str, Any] = {"edit": {"score": 97.5, "verdict": "auto_approve"}}
    waiting = record("A1").model_copy(update={"state": State.IN_REVIEW, "decisions": ()})
    blind = waiting.model_copy(update={"reports": {**waiting.reports, **reports}})
    seen = waiting.model_copy(update={"reports": reports})
    assert markdown("97.5") not in question_about(blind).description
    assert "97.5" in question_about(seen).description


def test_whoever_looks_by_command_sees_neither_score_nor_findings_of_an_audit(line: Storage, batch: BatchId) -> None:
    (one,) = routed(batch, {"A1": 0.43})
    edited(one.shot, verdict=Verdict.HUMAN_REVIEW)
    seen = job_of(str(one.shot))
    assert seen.score is not None
    assert seen.findings
    audit = {"approved": True, "ratio": 1.0, "score": seen.score}
    change_record(one.shot, lambda known: known.model_copy(update={"reports": {**known.reports, "audit": audit}}))
    blind = job_of(str(one.shot))
    assert (blind.score, blind.findings) == (None, ())
    assert blind.picture == seen.picture
