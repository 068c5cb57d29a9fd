"""Services and tiers by the trade's own rule, each with its reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot.handoff.services import estimate, needed_services
from packshot.specs.handoff import Tier
from packshot.specs.models import Feature
from packshot.specs.services import Service
from packshot.types import Complexity
from tests.configs import shipped_configs

LIMITS = shipped_configs().routing
ORDER = list(Tier)
figures = st.dictionaries(st.sampled_from([feature.value for feature in Feature]), st.floats(0, 1))


def services(features: dict[str, float], **asked: str) -> dict[Service, str]:
    found = needed_services(features=features, limits=LIMITS, asked=asked)
    return {one.service: one.why for one in found}


def tier(features: dict[str, float], complexity: Complexity = Complexity.SIMPLE, **asked: str) -> Tier:
    found = needed_services(features=features, limits=LIMITS, asked=asked)
    return estimate(features=features, limits=LIMITS, services=found, complexity=complexity).tier


@pytest.mark.parametrize(
    ("feature", "service", "words"),
    [
        ("hole_density", Service.COMPOUND_PATH, "there are gaps to look through"),
        ("objects", Service.COMPOUND_PATH, "there are several objects"),
        ("fuzzy_outline", Service.HAIR_MASK, "the outline is hairy or soft"),
        ("see_through", Service.TRANSPARENCY_MASK, "the backdrop shows through"),
        ("outline_complexity", Service.CLIPPING_PATH, "the outline is intricate"),
    ],
)
def test_what_is_measured_asks_for_its_service_and_says_the_figure(feature: str, service: Service, words: str) -> None:
    assert services({feature: 0.99})[service] == f"{words} (measured 0.99)"


def test_a_plain_product_still_gets_its_clipping_path() -> None:
    assert services({}) == {Service.CLIPPING_PATH: "every product is cut out"}


def test_words_of_the_manifest_are_understood_and_unknown_ones_are_retouching() -> None:
    found = services({}, ghost_mannequin="the manifest asks for it", wrinkle_removal="the manifest asks for it")
    assert found[Service.GHOST_MANNEQUIN] == "the manifest asks for it"
    assert found[Service.RETOUCH] == "wrinkle removal (the manifest asks for it)"


def test_a_reference_asks_for_colour_correction() -> None:
    (one,) = [
        one
        for one in needed_services(features={}, limits=LIMITS, asked={}, reference="swatch.jpg")
        if one.service is Service.COLOUR_CORRECTION
    ]
    assert "swatch.jpg" in one.why


@given(figures)
def test_every_service_has_a_reason_and_stands_once(features: dict[str, float]) -> None:
    found = needed_services(features=features, limits=LIMITS, asked={})
    assert found
    assert all(one.why for one in found)
    assert len({one.service for one in found}) == len(found)


@given(figures, st.sampled_from([feature.value for feature in Feature]), st.floats(0, 1))
def test_more_of_anything_is_never_a_lower_tier(features: dict[str, float], feature: str, figure: float) -> None:
    more = {**features, feature: max(figure, features.get(feature, 0.0))}
    assert ORDER.index(tier(more)) >= ORDER.index(tier(features))


@pytest.mark.parametrize(
    ("features", "complexity", "expected"),
    [
        ({}, Complexity.SIMPLE, Tier.BASIC),
        ({"hole_density": 0.5}, Complexity.SIMPLE, Tier.MEDIUM),
        ({}, Complexity.MEDIUM, Tier.MEDIUM),
        ({"hole_density": 0.9}, Complexity.SIMPLE, Tier.COMPLEX),
        ({"fuzzy_outline": 0.4}, Complexity.SIMPLE, Tier.COMPLEX),  # hair
        ({}, Complexity.COMPLEX, Tier.COMPLEX),  # the client's rule
        ({"fuzzy_outline": 0.9, "hole_density": 0.9}, Complexity.COMPLEX, Tier.SUPER_COMPLEX),
        ({"fuzzy_outline": 0.4, "see_through": 0.05}, Complexity.SIMPLE, Tier.SUPER_COMPLEX),
    ],
)
def test_tiers_are_as_the_table_says(features: dict[str, float], complexity: Complexity, expected: Tier) -> None:
    assert tier(features, complexity) is expected
