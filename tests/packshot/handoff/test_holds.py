"""What a shot waits for, and what meets the need."""

from __future__ import annotations

import pytest

from packshot.handoff.holds import Need, Sibling, missing_for
from packshot.specs.services import WORDS
from tests.configs import shipped_configs

CONFIG = shipped_configs().handoff


def sibling(view: str, *, product: str = "TSH700", batch: str = "later") -> Sibling:
    return Sibling(batch=batch, shot=f"{product}_{view}", product=product, view=view)


def needs(
    *siblings: Sibling,
    view: str = "MAIN",
    ghost: bool = True,
    required: bool = False,
    given: bool = False,
    services: tuple[str, ...] = (),
) -> list[Need]:
    missing = missing_for(
        file="spring/IMG_0815.jpg",
        product="TSH700",
        view=view,
        ghost_mannequin=ghost,
        reference_required=required,
        reference_given=given,
        services=services,
        siblings=siblings,
        config=CONFIG,
    )
    assert all("TSH700" in one.sentence for one in missing)
    return [one.need for one in missing]


def test_a_garment_waits_for_its_neck_shot_from_whatever_batch() -> None:
    assert needs() == [Need.NECK_SHOT]
    assert needs(sibling("NECK")) == []
    assert needs(sibling("NECK", product="tsh700")) == []


def test_another_product_s_neck_shot_or_another_view_does_not_do() -> None:
    assert needs(sibling("NECK", product="TSH701"), sibling("BACK")) == [Need.NECK_SHOT]


@pytest.mark.parametrize("view", ["BACK", "PT01", "NECK", "SWCH"])
def test_only_the_views_with_a_neck_joint_wait(view: str) -> None:
    assert needs(view=view) == []


def test_nothing_is_waited_for_that_nobody_asked_for() -> None:
    assert needs(ghost=False) == []


def test_a_required_colour_reference_is_a_swatch_or_something_else_that_counts() -> None:
    assert needs(ghost=False, required=True) == [Need.COLOUR_REFERENCE]
    assert needs(sibling("SWCH"), ghost=False, required=True) == []
    assert needs(ghost=False, required=True, given=True) == []


@pytest.mark.parametrize("view", ["SWCH", "NECK"])
def test_the_reference_itself_waits_for_none(view: str) -> None:
    assert needs(view=view, ghost=False, required=True) == []


def test_both_can_be_missing() -> None:
    assert needs(required=True) == [Need.NECK_SHOT, Need.COLOUR_REFERENCE]


def test_a_service_that_nobody_knows_is_asked_back_with_what_was_probably_meant() -> None:
    assert needs(ghost=False, services=("dust_remval",)) == [Need.KNOWN_SERVICE]
    (one,) = missing_for(
        file="spring/IMG_0815.jpg",
        product="TSH700",
        view="MAIN",
        ghost_mannequin=False,
        reference_required=False,
        reference_given=False,
        services=("Dust remval", "dust removal"),
        siblings=(),
        config=CONFIG,
    )
    assert "'Dust remval' (did you mean dust_removal?)" in one.sentence
    assert one.sentence.count("did you mean") == 1


def test_no_service_that_is_known_is_waited_for() -> None:
    for word in WORDS:
        assert needs(ghost=False, services=(word, word.replace("_", " ").title())) == []


def test_a_shot_whose_product_nothing_names_is_asked_back() -> None:
    (one,) = missing_for(
        file="spring/IMG_0815.jpg",
        product="",
        view="MAIN",
        ghost_mannequin=False,
        reference_required=False,
        reference_given=False,
        siblings=(),
        config=CONFIG,
    )
    assert one.need is Need.PRODUCT
    assert one.sentence.startswith("Which product is on spring/IMG_0815.jpg? The file's name does not say it")


def test_each_request_names_the_file_where_no_product_is_known() -> None:
    """It asked for 'the neck shot of  ', and 'for a service for  that nobody knows'."""
    missing = missing_for(
        file="商品-红色_正面.jpg",
        product="",
        view="MAIN",
        ghost_mannequin=True,
        reference_required=True,
        reference_given=False,
        services=("sparkle",),
        siblings=(),
        config=CONFIG,
    )
    assert [one.need for one in missing] == [*list(Need)[:2], Need.PRODUCT, Need.KNOWN_SERVICE]
    assert all("商品-红色_正面.jpg" in one.sentence for one in missing)
