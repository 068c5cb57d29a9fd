"""Training from the records of a line, on real servers."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from deployments.demo import environment
from packshot.batch import BatchRecord, ShotRef
from packshot.decision import Choice, Decision, Reason
from packshot.escaping import markdown
from packshot.keys import routing_model_key
from packshot.learning.evidence import truth_examples
from packshot.learning.service import SHIPPED
from packshot.naming import batch_id
from packshot.record import ShotRecord, Source
from packshot.routing.features import Features
from packshot.routing.mask_figures import MaskFigures
from tasks.learning.routing_model import load_version, service
from tasks.learning.training import promote, roll_back, train_candidate
from tasks.records.bookkeeping import now
from tasks.records.stored import create_batch, create_record
from tasks.storage.bucket import Storage, open_storage
from tests.tasks.in_runs import artifact, in_a_run

pytestmark = pytest.mark.slow

BATCH = batch_id("acme", "judged")


@pytest.fixture
def own_bucket(line_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Storage]:
    """The line with a bucket of this test's own, and with little truth, so that training is quick."""
    monkeypatch.setattr("tasks.learning.training.truth_examples", lambda: truth_examples()[:60])
    with environment({**line_environment, "PACKSHOT_S3_BUCKET": f"packshot-test-{uuid.uuid4().hex[:8]}"}):
        opened = open_storage()
        opened.ensure_bucket()
        yield opened


def judged(name: str, *, texture: float) -> ShotRecord:
    """A shot of a studio where nothing but texture makes an edit bad."""
    choice = Choice.SEND_TO_EDITOR if texture > 0.5 else Choice.APPROVE
    decision = Decision(choice=choice, by="Ada", at=now(), reason=Reason.OTHER, picture="0" * 8, note="n")
    reports: dict[str, Any] = {
        "routing": {"category": "home", "features": Features(texture=texture).model_dump()},
        "figures": MaskFigures().model_dump(),
        "audit": {"approved": True},
    }
    source = Source(key="k", sha256="0" * 64, size_bytes=1)
    return ShotRecord(shot=BATCH.shot(name), source=source, reports=reports, decisions=(decision,))


def studio(count: int) -> None:
    records = [judged(f"S{place}", texture=place % 10 / 10 + 0.05) for place in range(count)]
    refs = tuple(ShotRef(shot=one.shot, key="k", path="p.jpg", etag="e", size_bytes=1) for one in records)
    create_batch(BatchRecord(batch=BATCH, received_at=now(), shots=refs))
    for one in records:
        create_record(one)


def test_a_model_that_knows_the_studio_better_serves_and_can_be_rolled_back(own_bucket: Storage) -> None:
    studio(260)
    trained = in_a_run(train_candidate)
    assert trained.comparison.better, trained.comparison.why
    assert own_bucket.exists(routing_model_key(trained.version))
    in_a_run(lambda: promote(trained))
    assert service().version == trained.version
    assert load_version(trained.version).card["data"] != ""
    assert markdown(trained.version) in str(artifact("routing-model").data)
    assert in_a_run(lambda: roll_back(person="Ada", reason="worse")) == SHIPPED


def test_without_judged_shots_the_shipped_model_goes_on(own_bucket: Storage) -> None:
    trained = in_a_run(train_candidate)
    in_a_run(lambda: promote(trained))
    assert service().version == SHIPPED
    assert "it takes 60" in trained.comparison.why
