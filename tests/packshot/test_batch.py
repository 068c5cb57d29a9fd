from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from packshot.batch import BatchRecord, Delivery, ShotRef
from packshot.naming import batch_id
from packshot.types import Finding, Status

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
BATCH = batch_id("acme", "spring")


def ref(name: str) -> ShotRef:
    return ShotRef(
        shot=BATCH.shot(name), path=f"{name}.jpg", key=f"inbox/acme/spring/{name}.jpg", etag="e", size_bytes=1
    )


def record(**changes: object) -> BatchRecord:
    values = {"batch": BATCH, "received_at": AT, "shots": (ref("A1"), ref("B1")), **changes}
    return BatchRecord.model_validate(values)


def test_a_batch_finds_its_photographs_by_their_whole_names() -> None:
    assert record().ref("B1") == ref("B1")
    assert record().ref("B") is None
    assert record().ref("b1") is None


def test_deliveries_are_counted_from_one() -> None:
    assert record().next_delivery == 1
    first = Delivery(number=1, at=AT, shots=("A1",), opened_by="run")
    assert record(deliveries=(first,)).next_delivery == 2


def test_a_record_comes_back_from_json_as_it_went() -> None:
    whole = record(
        ignored={"READY": "closes the batch"},
        findings=(Finding(code="duplicate", status=Status.WARNING, message="Twice."),),
        groups={"A1": "light-1"},
        deliveries=(Delivery(number=1, at=AT, shots=("A1",), opened_by="run", files=2, certificate_sha256="0" * 64),),
        claimed_by="run",
        finished_at=AT,
    )
    assert BatchRecord.model_validate_json(whole.model_dump_json()) == whole


def test_a_record_with_a_field_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValidationError, match="colour"):
        BatchRecord.model_validate({"batch": BATCH, "received_at": AT, "colour": "red"})
