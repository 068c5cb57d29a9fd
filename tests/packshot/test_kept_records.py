"""Records and plans as earlier versions wrote them, kept for good: every later version reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from packshot.batch import BatchRecord
from packshot.record import ShotRecord, State
from packshot.specs.models import Plan

KEPT = Path(__file__).parents[1] / "fixtures"


@pytest.mark.parametrize("folder", sorted(KEPT.iterdir()), ids=lambda folder: folder.name)
def test_what_an_earlier_version_wrote_is_read(folder: Path) -> None:
    record = ShotRecord.model_validate_json((folder / "record.json").read_bytes())
    batch = BatchRecord.model_validate_json((folder / "batch.json").read_bytes())
    plan = Plan.model_validate_json((folder / "plan.json").read_bytes())
    assert record.state is State.IN_REVIEW
    assert record.shot.in_batch == batch.batch
    assert plan.client == record.shot.client
    assert [one.number for one in batch.deliveries] == [1]
