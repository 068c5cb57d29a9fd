"""Product sets: which products have all their views, and what is said of the others."""

from __future__ import annotations

import io
import json
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot.export.certificate import certificate_json
from packshot.export.delivery import DeliveredFile
from packshot.export.package import manifest_csv
from packshot.export.report_page import ShotPictures, report_html
from packshot.export.sets import SetShot, held_back, in_words, product_sets, set_shot
from packshot.record import State
from packshot.specs.sets import ProductSets
from packshot.types import Sourced
from tests.packshot.export.deliveries import delivery, record

RULE = ProductSets(views=("MAIN", "PT01"), by_category={"clothing": ("MAIN", "PT01", "NECK")}, deliver="complete_sets")
File = tuple[DeliveredFile, bytes]


def shot(product: str, view: str, *, ready: bool = True, stands: str = "", category: str = "") -> SetShot:
    name = f"{product or 'X'}_{view}"
    return SetShot(shot=name, product=product, view=view, category=category, ready=ready, stands=stands)


def test_a_product_is_complete_when_each_of_its_views_is_there() -> None:
    sets = product_sets([shot("B", "MAIN"), shot("A", "MAIN"), shot("a", "PT01"), shot("A", "PT07")], RULE)
    assert [(one.product, one.complete, dict(one.lacks)) for one in sets] == [
        ("A", True, {}),
        ("B", False, {"PT01": "not received"}),
    ]
    assert in_words(sets) == "1 of 2 products complete: B lacks PT01 (not received)"


def test_what_is_missing_is_told_from_what_is_not_ready() -> None:
    waits = shot("S", "PT01", ready=False, stands="waits for a reviewer")
    (one,) = product_sets([shot("S", "MAIN", category="clothing"), waits], RULE)
    assert one.lacking == "PT01 (waits for a reviewer), NECK (not received)"
    said = f"waits until its product is complete: S lacks {one.lacking}"
    assert held_back([one]) == {"S_MAIN": said, "S_PT01": said}


def test_a_view_that_was_photographed_twice_is_there_with_one_of_them() -> None:
    again = shot("S", "PT01", ready=False, stands="refused")
    assert product_sets([shot("S", "MAIN"), again, shot("S", "PT01")], RULE)[0].complete


def elsewhere(product: str, view: str, **said: Any) -> SetShot:
    return shot(product, view, **said).model_copy(update={"batch": "spring"})


def test_a_view_of_another_batch_completes_a_product() -> None:
    went_out = elsewhere("s", "PT01").model_copy(update={"delivered": True})
    others = [elsewhere("S", "PT01").model_copy(update={"batch": "autumn"}), went_out, elsewhere("T", "MAIN")]
    (one,) = product_sets([shot("S", "MAIN")], RULE, elsewhere=others)
    assert (one.complete, one.shots, one.from_elsewhere, one.to_come) == (True, ("S_MAIN",), "PT01 in spring", ())
    (one,) = product_sets([shot("S", "MAIN")], RULE, elsewhere=[elsewhere("S", "PT01")])
    assert (one.complete, one.to_come) == (True, ("PT01",)), "approved there, and not delivered yet"


def test_what_is_not_ready_in_another_batch_is_named_with_it() -> None:
    waits = elsewhere("S", "PT01", ready=False, stands="waits for a reviewer")
    (one,) = product_sets([shot("S", "MAIN")], RULE, elsewhere=[waits])
    assert one.lacking == "PT01 (waits for a reviewer in spring)"


def test_a_view_of_the_batch_itself_comes_before_one_of_another() -> None:
    (one,) = product_sets([shot("S", "MAIN"), shot("S", "PT01")], RULE, elsewhere=[elsewhere("S", "PT01")])
    assert (one.complete, one.from_elsewhere) == (True, "")


def test_a_client_that_asks_for_no_views_has_no_sets() -> None:
    assert product_sets([shot("S", "MAIN")], ProductSets()) == ()
    assert in_words(()) == ""


@given(
    st.lists(
        st.builds(shot, st.sampled_from(["", "A", "B"]), st.sampled_from(["MAIN", "PT01", "PT02"]), ready=st.booleans())
    )
)
def test_a_shot_is_held_back_if_and_only_if_a_view_of_its_product_is_not_ready(shots: list[SetShot]) -> None:
    held = held_back(product_sets(shots, RULE))
    for one in shots:
        there = {other.view for other in shots if other.product == one.product and other.ready}
        assert (one.shot in held) == (bool(one.product) and not there >= {"MAIN", "PT01"})


@pytest.mark.parametrize(
    ("state", "ready", "stands"),
    [
        (State.APPROVED, True, "not finished"),
        (State.DELIVERED, True, "not finished"),
        (State.IN_REVIEW, False, "waits for a reviewer"),
        (State.REFUSED, False, "refused"),
        (State.FAILED, False, "failed"),
    ],
)
def test_a_record_says_whether_its_view_is_there(state: State, ready: bool, stands: str) -> None:
    events = () if state is State.FAILED else record("S").events
    known = record("S").model_copy(update={"state": state, "events": events})
    if state is State.FAILED:
        failed = record("S").model_copy(update={"state": State.SCORED})
        known = failed.advance(State.FAILED, at=failed.events[-1].at, actor="run", why="no memory")
    found = set_shot(known)
    assert (found.product, found.view, found.ready) == ("KTL301", "MAIN", ready)
    assert ready or found.stands == stands


def test_an_approved_shot_whose_export_failed_is_there() -> None:
    approved = record("S")
    failed = approved.advance(State.FAILED, at=approved.events[-1].at, actor="run", why="the disk is full")
    assert set_shot(failed).ready
    assert not set_shot(failed, ready=False).ready


def test_a_product_that_is_only_the_name_of_a_file_is_none() -> None:
    facts = {"sku": Sourced(value="IMG_0001", source="default"), "view": Sourced(value="MAIN", source="config")}
    assert set_shot(record("S").model_copy(update={"facts": facts})).product == ""


def test_certificate_manifest_and_report_say_what_a_product_lacks(amazon_file: File) -> None:
    waits = shot("KTL301", "PT01", ready=False, stands="waits for an editor")
    sets = product_sets([shot("KTL301", "MAIN"), waits, shot("L", "MAIN")], RULE, elsewhere=[elsewhere("L", "PT01")])
    said = delivery(amazon_file[0]).model_copy(update={"products": sets})
    first, second = json.loads(certificate_json(said))["products"]
    assert first == {
        "product": "KTL301",
        "views": ["MAIN", "PT01"],
        "complete": False,
        "lacks": {"PT01": "waits for an editor"},
    }
    assert second == {"product": "L", "views": ["MAIN", "PT01"], "complete": True, "elsewhere": {"PT01": "spring"}}
    table = pd.read_csv(io.BytesIO(manifest_csv(said)))
    assert set(table[table["shot"] == "KTL301_MAIN"]["product_lacks"]) == {"PT01 (waits for an editor)"}
    page = report_html(said, pictures=lambda one: ShotPictures()).decode()
    assert "1 of 2" in page
    assert "PT01 (waits for an editor)" in page
    assert "some in other batches" in page


def test_a_delivery_of_a_client_without_sets_says_nothing_of_them(amazon_file: File) -> None:
    said = delivery(amazon_file[0])
    assert "products" not in json.loads(certificate_json(said))
    assert "every view that was agreed" not in report_html(said, pictures=lambda one: ShotPictures()).decode()
