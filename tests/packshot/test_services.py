"""Every service that can be named, on every route: it is done by the machine, or the shot is a person's."""

from __future__ import annotations

from functools import cache

import pytest

from packshot import pipeline
from packshot.routing.decide import RouteDecision
from packshot.routing.features import Features
from packshot.specs.models import Plan
from packshot.specs.resolve import resolve
from packshot.specs.services import BY_MACHINE, WORDS, Service, service_of
from packshot.types import Complexity, Route
from tests.configs import shipped_configs

CONFIGS = shipped_configs()
ROUTES = {
    "simple by its figures": ("", Features(), Complexity.SIMPLE),
    "medium by its figures": ("", Features(hole_density=CONFIGS.routing.medium["hole_density"]), Complexity.MEDIUM),  # type: ignore[index]
    "complex by its figures": ("", Features(thin_structure=0.95), Complexity.COMPLEX),
    "simple by its category": ("books", Features(thin_structure=0.95), Complexity.SIMPLE),
    "complex by its category": ("transparent", Features(), Complexity.COMPLEX),
}


@cache
def plan_for(category: str) -> Plan:
    return resolve(CONFIGS, client="default", category=category)


def plan(category: str, *services: str) -> Plan:
    return plan_for(category).model_copy(update={"services": services})


def routed(name: str, *services: str) -> RouteDecision:
    category, features, _ = ROUTES[name]
    return pipeline.route(features, plan(category, *services), category_source="manifest")


@pytest.mark.parametrize("name", ROUTES)
def test_without_a_service_each_route_is_what_its_name_says(name: str) -> None:
    assert routed(name).complexity is ROUTES[name][2]


@pytest.mark.parametrize("name", ROUTES)
def test_a_service_that_the_machine_cannot_do_makes_the_shot_a_person_s(name: str) -> None:
    alone = routed(name)
    for word in (*WORDS, "dust_remval", "Dust Removal"):
        asked = routed(name, word)
        if service_of(word) in BY_MACHINE:
            assert asked == alone, word
            continue
        assert asked.route is Route.HUMAN, word
        assert asked.complexity is not Complexity.SIMPLE, word
        assert word.replace("_", " ") in asked.reason
        assert alone.reason in asked.reason


def test_every_service_has_a_word() -> None:
    assert set(WORDS.values()) == set(Service)


def test_the_words_that_categories_use_are_known() -> None:
    for category in CONFIGS.categories.values():
        assert not [word for word in category.services if service_of(word) is None], category.name


def test_a_plan_keeps_what_was_asked_for_and_is_another_plan_for_it() -> None:
    asked = resolve(CONFIGS, client="default", services=("dust_removal",))
    assert asked.services == ("dust_removal",)
    assert asked.fingerprint != plan("").fingerprint
