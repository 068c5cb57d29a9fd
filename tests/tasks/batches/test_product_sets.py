"""A client that takes complete products only, on a storage in memory: what waits, why, and when it goes out."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from benchmarks.night import export_one_file
from packshot.batch import BatchRecord, Cancellation
from packshot.errors import ConfigError
from packshot.keys import delivery_key
from packshot.naming import BatchId, batch_id
from packshot.record import ShotRecord, State
from packshot.specs.models import Client
from packshot.specs.resolve import resolve
from packshot.specs.sets import ProductSets
from packshot.types import Sourced
from tasks.batches import product_sets
from tasks.batches.approved import approved_shots
from tasks.batches.fates import Fate, Summary
from tasks.batches.product_sets import close
from tasks.batches.stock import take_stock
from tasks.batches.summing_up import survey
from tasks.deliveries import late_deliveries
from tasks.deliveries.delivering import _opened, deliver
from tasks.deliveries.late_deliveries import deliver_elsewhere, gather
from tasks.environment.configs import configs_in_force
from tasks.records.bookkeeping import Life, now
from tasks.records.stored import change_batch, change_record, create_batch, load_batch, load_record
from tasks.storage.bucket import open_storage
from tasks.storage.inbox import open_inbox
from tasks.storage.shot_objects import PLAN
from tests.configs import changed_configs
from tests.tasks.simulated_s3 import Actor, World
from tests.tasks.test_crash_points import edit_of, hand_over, keep, world

__all__ = ["world"]

BATCH, LATER = batch_id("acme", "sets"), batch_id("acme", "sets-2")
PATTERN = r"(?P<sku>[A-Z]+)_(?P<view>[A-Z0-9]+)"
BOX, SHIRT = ["BOX_MAIN", "BOX_PT01"], ["SHIRT_MAIN", "SHIRT_PT01", "SHIRT_NECK"]


def ruled(said: Mapping[str, Any]) -> Callable[[str], Client]:
    """A function that returns a style guide with these sets, for any client."""

    def guide_of(client: str) -> Client:
        return Client(
            name=client, title=client, platforms=("shopify",), file_name_pattern=PATTERN, sets=ProductSets(**said)
        )

    return guide_of


@pytest.fixture
def guide(world: World, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the client's style guide says of sets; a test may change it."""
    said: dict[str, Any] = {
        "views": ("MAIN", "PT01"),
        "by_category": {"clothing": ("MAIN", "PT01", "NECK")},
        "deliver": "complete_sets",
    }

    monkeypatch.setattr(product_sets, "guide_of", ruled(said))
    world.act(Actor(run="a run"), lambda: None)
    return said


def submit(names: list[str], batch: BatchId = BATCH) -> None:
    for name in names:
        open_inbox().upload(batch, f"{name}.jpg", name.encode(), content_type="image/jpeg")
    open_inbox().close(batch)
    create_batch(BatchRecord(batch=batch, received_at=now()))
    take_stock.fn(batch)


def reach(name: str, *states: State, batch: BatchId = BATCH) -> None:
    """Take a shot to a state, with the facts that its file name gives."""
    shot = batch.shot(name)
    sku, view = name.split("_")
    facts = {
        "sku": Sourced(value=sku, source="file_name"),
        "view": Sourced(value=view, source="file_name"),
        "category": Sourced(value="clothing" if sku == "SHIRT" else "boxes", source="manifest"),
    }
    change_record(shot, lambda record: record.model_copy(update={"facts": facts}))
    kept = keep(shot, "edit.tif", edit_of(name))
    Life(shot).reach(State.MASTERED, State.ROUTED, *states, why="simple", objects=kept)


APPROVED = (State.EDITING_AUTO, State.SCORED, State.APPROVED)
REVIEW = (State.EDITING_AUTO, State.SCORED, State.IN_REVIEW)


def delivered(batch: BatchId = BATCH) -> list[set[str]]:
    return [set(one.shots) for one in load_batch(batch).deliveries]


def fate(summary: Summary, name: str) -> Fate:
    return next(one for one in summary.fates if one.shot == name)


def test_shots_of_an_incomplete_product_wait_with_the_reason_and_the_others_go_out(guide: dict[str, Any]) -> None:
    submit([*BOX, "SHIRT_MAIN", "SHIRT_PT01"])
    for name in (*BOX, "SHIRT_MAIN"):
        reach(name, *APPROVED)
    reach("SHIRT_PT01", *REVIEW)
    hand_over(BATCH, [])
    assert delivered() == [set(BOX)]
    summary = survey(BATCH)
    held = fate(summary, "SHIRT_MAIN")
    assert (held.kind, held.with_whom, held.due) == ("waiting", "the rest of its product", None)
    lacks = "SHIRT lacks PT01 (waits for a reviewer), NECK (not received)"
    assert held.why == f"approved, waits until its product is complete: {lacks}"
    assert "approved" not in fate(summary, "SHIRT_PT01").why
    assert summary.counts == {"delivered": 2, "waiting": 2, "refused": 0, "failed": 0}
    assert "1 of 2 products complete: SHIRT lacks PT01" in summary.sentence
    cells = {str(row["shot"]): row["product"] for row in summary.rows}
    assert cells["BOX_MAIN"] == "BOX complete"
    assert str(cells["SHIRT_PT01"]).startswith("SHIRT lacks PT01")
    said = json.loads(open_storage().get(delivery_key(BATCH, 1, "certificate.json")))["products"]
    assert [(one["product"], one["complete"]) for one in said] == [("BOX", True), ("SHIRT", False)]


def test_the_shot_that_completes_a_product_takes_the_others_with_it(guide: dict[str, Any]) -> None:
    submit([*SHIRT, "BOX_MAIN"])
    for name in SHIRT[:2]:
        reach(name, *APPROVED)
    reach("BOX_MAIN", *APPROVED)
    reach("SHIRT_NECK", *REVIEW)
    hand_over(BATCH, [])
    assert delivered() == []
    told = gather.fn(BATCH.shot("SHIRT_MAIN"))
    assert not told.goes_now
    assert "SHIRT lacks NECK (waits for a reviewer)" in told.sentence
    Life(BATCH.shot("SHIRT_NECK")).reach(State.APPROVED, why="Ada approves")
    assert gather.fn(BATCH.shot("SHIRT_NECK")).goes_now, "nothing else of the batch is open"
    hand_over(BATCH, [])
    assert delivered() == [set(SHIRT)]
    assert fate(survey(BATCH), "BOX_MAIN").with_whom == "the rest of its product"


def test_they_are_gathered_together_while_the_batch_is_open(guide: dict[str, Any]) -> None:
    submit([*BOX, "SHIRT_MAIN"])
    reach("BOX_MAIN", *APPROVED)
    reach("SHIRT_MAIN", *REVIEW)
    reach("BOX_PT01", *APPROVED)
    assert not gather.fn(BATCH.shot("BOX_PT01")).goes_now
    assert set(load_batch(BATCH).gathered) == set(BOX)
    assert {fate(survey(BATCH), name).with_whom for name in BOX} == {"the next delivery"}


def test_when_somebody_closes_the_batch_incomplete_products_go_out_too_and_what_comes_later(
    guide: dict[str, Any],
) -> None:
    submit(["BOX_MAIN", *SHIRT])
    reach("BOX_MAIN", *APPROVED)
    reach("SHIRT_MAIN", *APPROVED)
    reach("SHIRT_NECK", *REVIEW)
    hand_over(BATCH, [])
    assert delivered() == []
    close.fn(BATCH)
    hand_over(BATCH, [])
    assert delivered() == [{"BOX_MAIN", "SHIRT_MAIN"}]
    Life(BATCH.shot("SHIRT_NECK")).reach(State.APPROVED, why="Ada approves")
    gather.fn(BATCH.shot("SHIRT_NECK"))
    hand_over(BATCH, [])
    assert delivered()[1:] == [{"SHIRT_NECK"}]


def test_a_shot_whose_files_fail_holds_back_its_product(guide: dict[str, Any]) -> None:
    submit(BOX)
    for name in BOX:
        reach(name, *APPROVED)
    export_one_file(BATCH.shot("BOX_MAIN"))
    outcome = deliver.fn(BATCH, only=["BOX_MAIN"])  # the export of the other one failed
    assert delivered() == []
    assert outcome.sentence == "nothing new to deliver; 2 approved shots wait for the rest of its product"


def test_a_refused_photograph_is_lacking_although_it_was_never_read(guide: dict[str, Any]) -> None:
    submit(BOX)
    reach("BOX_MAIN", *APPROVED)
    Life(BATCH.shot("BOX_PT01")).reach(State.REFUSED, why="no picture")
    (box,) = survey(BATCH).products
    assert box.lacks == {"PT01": "refused"}


def test_a_client_who_takes_them_as_approved_waits_for_nothing_and_is_told(guide: dict[str, Any]) -> None:
    guide["deliver"] = "as_approved"
    submit(["BOX_MAIN"])
    reach("BOX_MAIN", *APPROVED)
    assert [one.name for one in approved_shots.fn(BATCH, only=[])] == ["BOX_MAIN"]
    hand_over(BATCH, [])
    assert delivered() == [{"BOX_MAIN"}]
    assert fate(survey(BATCH), "BOX_MAIN").lacks == "PT01 (not received)"


def test_an_open_delivery_gives_up_a_product_that_is_no_longer_complete(guide: dict[str, Any]) -> None:
    submit([*BOX, *SHIRT])
    for name in (*BOX, *SHIRT):
        reach(name, *APPROVED)
        export_one_file(BATCH.shot(name))
    _opened(BATCH, [*BOX, *SHIRT])
    change_record(
        BATCH.shot("SHIRT_NECK"), lambda record: record.restart(at=now(), actor="Ada", why="it has to be done again")
    )
    hand_over(BATCH, [])
    assert delivered() == [set(BOX)]


@pytest.mark.parametrize("wrong", [True, False], ids=["wrong", "gone"])
def test_nothing_goes_out_while_nobody_can_know_what_must_go_out_together(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: bool
) -> None:
    """Kind of test that was missing: one in which the style guide of finished work cannot be read.

    Without it nothing was asked for, so single views of a product went out.
    """
    world.act(Actor(run="a run"), lambda: None)
    folder = changed_configs(tmp_path / "configs", {})
    file, text = folder / "clients" / "acme.yaml", (folder / "clients" / "default.yaml").read_text()
    file.write_text(f"{text}file_name_pattern: '{PATTERN}'\nsets: {{views: [MAIN, PT01], deliver: complete_sets}}\n")
    monkeypatch.setenv("PACKSHOT_CONFIGS", str(folder))
    submit(BOX)
    for name in BOX:
        reach(name, *(APPROVED if name == "BOX_MAIN" else REVIEW))
        plan = resolve(configs_in_force(), client="acme", view="MAIN").model_dump_json().encode()
        kept = keep(BATCH.shot(name), PLAN, plan)
        change_record(BATCH.shot(name), lambda one: one.model_copy(update={"objects": {**one.objects, **kept}}))  # noqa: B023
    hand_over(BATCH, [])
    assert delivered() == []
    whole = file.read_text()
    file.write_text("half a wo") if wrong else file.rename(file.with_name("acmee.yaml"))
    with pytest.raises(ConfigError, match=r"this client's style guide (is wrong|was taken away)"):
        hand_over(BATCH, [])
    assert delivered() == []
    file.write_text(whole)
    hand_over(BATCH, [])
    assert delivered() == []
    Life(BATCH.shot("BOX_PT01")).reach(State.APPROVED, why="by Ada")
    hand_over(BATCH, [])
    assert delivered() == [set(BOX)]


# --- products whose views come in several batches ---


@pytest.fixture
def planned(guide: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> list[BatchId]:
    """The batches for which a run of `deliver-batch` was planned."""
    asked: list[BatchId] = []

    def run_to_come(batch: BatchId, rule: object) -> datetime:
        asked.append(batch)
        return now() + timedelta(hours=1)

    monkeypatch.setattr(late_deliveries, "_run_to_come", run_to_come)
    return asked


def test_a_view_that_was_delivered_earlier_completes_a_product_of_a_later_batch(guide: dict[str, Any]) -> None:
    guide["deliver"] = "as_approved"
    submit(["BOX_MAIN"])
    reach("BOX_MAIN", *APPROVED)
    hand_over(BATCH, [])
    guide["deliver"] = "complete_sets"
    submit(["BOX_PT01"], LATER)
    reach("BOX_PT01", *APPROVED, batch=LATER)
    hand_over(LATER, [])
    assert delivered(LATER) == [{"BOX_PT01"}]
    (box,) = survey(LATER).products
    assert (box.complete, box.from_elsewhere, box.shots) == (True, "MAIN in sets", ("BOX_PT01",))
    assert survey(LATER).rows[0]["product"] == "BOX complete (MAIN in sets)"
    said = json.loads(open_storage().get(delivery_key(LATER, 1, "certificate.json")))["products"]
    assert [(one["complete"], one["elsewhere"]) for one in said] == [(True, {"MAIN": "sets"})]
    assert survey(BATCH).products[0].from_elsewhere == "PT01 in sets-2", "the earlier batch counts it too"


def test_two_batches_that_complete_a_product_together_both_go_out(planned: list[BatchId]) -> None:
    submit(["BOX_MAIN"])
    reach("BOX_MAIN", *APPROVED)
    hand_over(BATCH, [])
    assert (delivered(), planned) == ([], [])
    submit(["BOX_PT01"], LATER)
    reach("BOX_PT01", *REVIEW, batch=LATER)
    assert fate(survey(BATCH), "BOX_MAIN").lacks == "PT01 (waits for a reviewer in sets-2)"
    Life(LATER.shot("BOX_PT01")).reach(State.APPROVED, why="Ada approves")
    told = fate(survey(BATCH), "BOX_MAIN")
    assert (told.kind, told.why) == ("waiting", "approved, goes out after batch sets-2, which completes its product")
    hand_over(LATER, [])
    assert deliver_elsewhere.fn(LATER) == (BATCH,)
    assert (delivered(LATER), planned) == ([{"BOX_PT01"}], [BATCH])
    assert fate(survey(BATCH), "BOX_MAIN").with_whom == "the next delivery"
    assert deliver_elsewhere.fn(LATER) == (), "it is planned already"
    hand_over(BATCH, [])
    assert delivered() == [{"BOX_MAIN"}]
    assert deliver_elsewhere.fn(BATCH) == ()


def test_an_approval_that_is_gathered_plans_the_delivery_of_the_other_batch_too(planned: list[BatchId]) -> None:
    submit(["BOX_MAIN"])
    reach("BOX_MAIN", *APPROVED)
    submit(["BOX_PT01", "SHIRT_MAIN"], LATER)
    reach("SHIRT_MAIN", *REVIEW, batch=LATER)
    reach("BOX_PT01", *APPROVED, batch=LATER)
    assert not gather.fn(LATER.shot("BOX_PT01")).goes_now
    assert planned == [LATER, BATCH]
    assert set(load_batch(BATCH).gathered) == {"BOX_MAIN"}


def test_a_view_that_only_the_index_calls_ready_completes_nothing(
    guide: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(["BOX_MAIN"])
    reach("BOX_MAIN", *APPROVED)
    stale = [load_record(BATCH.shot("BOX_MAIN"))]
    submit(["BOX_PT01"], LATER)
    reach("BOX_PT01", *APPROVED, batch=LATER)
    change_record(
        BATCH.shot("BOX_MAIN"), lambda record: record.restart(at=now(), actor="Ada", why="it has to be done again")
    )
    monkeypatch.setattr(product_sets, "records_of_products", lambda client, products: stale)
    hand_over(LATER, [])
    assert delivered(LATER) == []


def test_an_approved_view_of_a_cancelled_batch_completes_nothing(guide: dict[str, Any]) -> None:
    submit(["BOX_MAIN"])
    reach("BOX_MAIN", *APPROVED)
    cancelled = Cancellation(at=now(), by="Ada", why="sent by mistake")
    change_batch(BATCH, lambda one: one.model_copy(update={"cancellations": (cancelled,)}))
    submit(["BOX_PT01"], LATER)
    reach("BOX_PT01", *APPROVED, batch=LATER)
    hand_over(LATER, [])
    assert delivered(LATER) == []


def test_another_clients_view_never_counts(guide: dict[str, Any]) -> None:
    other = batch_id("globex", "sets")
    submit(["BOX_MAIN"], other)
    reach("BOX_MAIN", *APPROVED, batch=other)
    submit(["BOX_PT01"])
    reach("BOX_PT01", *APPROVED)
    assert survey(BATCH).products[0].lacking == "MAIN (not received)"


def test_the_index_is_asked_once_for_all_products_and_not_at_all_where_nothing_lacks(
    guide: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[set[str]] = []
    ask_index = product_sets.records_of_products

    def count(client: str, products: Collection[str]) -> list[ShotRecord]:
        asked.append(set(products))
        return ask_index(client, products)

    monkeypatch.setattr(product_sets, "records_of_products", count)
    submit(BOX)
    for name in BOX:
        reach(name, *APPROVED)
    survey(BATCH)
    assert asked == []
    submit(["BAG_MAIN", "CUP_MAIN", *BOX], LATER)
    for name in ("BAG_MAIN", "CUP_MAIN", "BOX_MAIN"):
        reach(name, *APPROVED, batch=LATER)
    survey(LATER)
    assert asked == [{"bag", "cup", "box"}]
