"""Records and plans as earlier versions wrote them, kept for good: every later version reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

import pytest

from packshot.batch import BatchRecord
from packshot.decision import Choice
from packshot.errors import RecordDamagedError
from packshot.handoff.rejecting import rejected_in
from packshot.record import ShotRecord, State
from packshot.specs.models import Plan
from packshot.stored import SCHEMA_VERSION, Stored, Upgrade, read_stored

KEPT = Path(__file__).parents[1] / "fixtures"


def kept(form: int, name: str) -> bytes:
    return (KEPT / f"schema_{form}" / f"{name}.json").read_bytes()


@pytest.mark.parametrize("form", range(1, SCHEMA_VERSION + 1))
def test_what_an_earlier_version_wrote_is_read(form: int) -> None:
    record = read_stored(ShotRecord, kept(form, "record"), name="a record")
    batch = read_stored(BatchRecord, kept(form, "batch"), name="a batch")
    plan = read_stored(Plan, kept(form, "plan"), name="a plan")
    assert record.state is State.IN_REVIEW
    assert record.shot.in_batch == batch.batch
    assert plan.client == record.shot.client
    assert [one.number for one in batch.deliveries] == [1]
    assert {one.schema_version for one in (record, batch, plan)} == {SCHEMA_VERSION}


@pytest.mark.parametrize("form", range(1, SCHEMA_VERSION + 1))
def test_a_kept_plan_is_the_one_that_its_record_names_whatever_fields_the_configs_have_got(form: int) -> None:
    record = read_stored(ShotRecord, kept(form, "record"), name="a record")
    plan = read_stored(Plan, kept(form, "plan"), name="a plan")
    assert plan.fingerprint == record.plan_fingerprint
    again = read_stored(Plan, plan.model_dump_json(exclude_unset=True).encode(), name="a plan")
    assert again.fingerprint == record.plan_fingerprint


def test_a_shot_that_its_client_sent_back_is_read_with_mark_and_words() -> None:
    record = read_stored(ShotRecord, kept(3, "sent_back"), name="a record")
    told = rejected_in(record, 1)
    assert told
    assert (record.state, told.choice, told.note) == (State.AWAITING_EDITOR, Choice.CLIENT_FAULT, "the rim is bitten")
    assert [one.box for one in told.marks] == [(10, 10, 60, 60)]


def test_a_shot_whose_name_a_person_corrected_is_read_with_the_name() -> None:
    record = read_stored(ShotRecord, kept(4, "corrected"), name="a record")
    given = record.decisions[-1]
    assert (given.choice, given.new_name, record.facts["sku"].source) == (Choice.CORRECT, "EX-20400_MAIN", "person")
    assert record.product == "EX-20400"


class Moved(Stored):
    """What was called `weight_kg` in form 1 is `weight_g` since."""

    UPGRADES: ClassVar[dict[int, Upgrade]] = {1: lambda one: {"weight_g": 1000 * one.pop("weight_kg"), **one}}

    weight_g: int
    colour: str = "grey"


def test_a_field_that_was_changed_is_read_through_its_upgrade() -> None:
    assert read_stored(Moved, b'{"weight_kg": 2}', name="m").weight_g == 2000
    assert read_stored(Moved, b'{"schema_version": 2, "weight_g": 5, "colour": "red"}', name="m").weight_g == 5


def changed(**fields: Any) -> bytes:
    return json.dumps({**json.loads(kept(1, "record")), **fields}).encode()


@pytest.mark.parametrize(
    ("data", "found", "next_step"),
    [
        (changed(schema_version=SCHEMA_VERSION + 1, mood="good"), f"schema version {SCHEMA_VERSION + 1}", "Upgrade"),
        (changed(mood="good"), "mood", "upgrade this one and retry"),
        (changed(state="lost"), "state: Input should be", "Restore it"),
        (changed(schema_version="two"), "schema_version: 'two'", "Restore it"),
        (changed(schema_version=0), "schema_version: 0", "Restore it"),
        (kept(1, "record")[:500], "no JSON", "Restore it"),
        (b"\xff\xfe", "no JSON", "Restore it"),
        (b"[1, 2]", "a list", "Restore it"),
    ],
)
def test_what_cannot_be_read_is_said_with_what_to_do(data: bytes, found: str, next_step: str) -> None:
    with pytest.raises(RecordDamagedError) as caught:
        read_stored(ShotRecord, data, name="batches/acme/spring/shots/A1.json")
    assert caught.value.subject == "batches/acme/spring/shots/A1.json"
    assert found in caught.value.found
    assert caught.value.allowed
    assert next_step in caught.value.next_step
