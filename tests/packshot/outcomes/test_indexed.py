"""The short form of a record: what lists need is there, what only its pages need is not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from packshot.decision import Choice, Decision, Reason
from packshot.naming import ShotId
from packshot.outcomes.indexed import ids_of, indexed
from packshot.record import EDIT, ShotRecord, Source
from packshot.types import Finding, Sourced, Status

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
FILE = {"path": "shopify/A1.jpg", "platform": "shopify", "passed": True, "sha256": "0" * 64}
REPORTS: dict[str, Any] = {
    "machine": {"edit": {"seconds": 2.0}},
    "audit": {"approved": True},
    "routing": {"category": "boxes", "features": {"hole_density": 0.1}, "reason": "simple"},
    "figures": {"fringe": 0.2},
    "edit": {"score": 95.0, "method": "auto"},
    "export": {
        "files": [
            {
                **FILE,
                "findings": [
                    {"code": "below_recommended_size", "status": "warning"},
                    {"code": "file_bytes", "status": "passed"},
                ],
            }
        ]
    },
    "reading": {"size": [1000, 800]},
}


def finding(status: Status) -> Finding:
    return Finding(code="fringe", status=status, message="")


def fact(value: str) -> Sourced:
    return Sourced(value=value, source="manifest")


RECORD = ShotRecord(
    shot=ShotId(client="acme", batch="spring", shot="A1"),
    source=Source(key="inbox/acme/spring/Set 1/Vase_MAIN.JPG", sha256="0" * 64, size_bytes=1),
    facts={"sku": fact("Vase-A1"), "gtin": fact("4006381333931"), "copyright": fact("Acme")},
    objects={EDIT: "e" * 64, "master.tif": "a" * 64},
    findings=tuple(finding(status) for status in Status),
    reports=REPORTS,
)
DECISION = Decision(choice=Choice.APPROVE, by="Ada", at=NOON, reason=Reason.MEETS_STANDARD, picture="e" * 64)


def test_it_keeps_what_lists_show_and_drops_what_passed() -> None:
    short = indexed(RECORD)
    assert set(short.facts) == {"sku", "gtin"}
    assert short.objects == {EDIT: "e" * 64}
    assert Status.PASSED not in {one.status for one in short.findings}
    assert len(short.findings) == len(Status) - 1
    assert short.reports["routing"] == {"category": "boxes"}
    assert short.reports["edit"] == {"score": 95.0}
    assert short.reports["machine"] == REPORTS["machine"]
    assert set(short.reports) == {"machine", "audit", "routing", "edit", "export"}
    (file,) = short.reports["export"]["files"]
    assert (file["path"], [one["code"] for one in file["findings"]]) == (FILE["path"], ["below_recommended_size"])
    assert indexed(short) == short


def test_of_a_shot_that_a_person_judged_the_figures_stay_to_learn_from() -> None:
    short = indexed(RECORD.model_copy(update={"decisions": (DECISION,)}))
    assert short.reports["figures"] == REPORTS["figures"]
    assert short.reports["routing"] == {"category": "boxes", "features": {"hole_density": 0.1}}


def test_a_new_record_has_no_reports() -> None:
    assert indexed(RECORD.model_copy(update={"reports": {}})).reports == {}


@pytest.mark.parametrize(("name", "value"), [("sku", "vase-a1"), ("gtin", "4006381333931"), ("asin", "")])
def test_a_shot_is_found_by_its_ids_and_its_file_in_small_letters(name: str, value: str) -> None:
    assert ids_of(RECORD)[name] == value
    assert ids_of(RECORD)["file"] == "vase_main.jpg"
