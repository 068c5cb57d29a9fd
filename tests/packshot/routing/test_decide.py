from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot.routing.decide import CategoryTag, RouteDecision, colour_match_risk, decide
from packshot.routing.features import Features
from packshot.routing.picture import Looks
from packshot.routing.words import WORD_SOURCES
from packshot.specs.models import Category, ColourMatch, Feature, RoutingConfig
from packshot.types import Complexity, Route
from tests.configs import shipped_configs

CONFIGS = shipped_configs()
ROUTING = CONFIGS.routing
RULED = [category for category in CONFIGS.categories.values() if category.complexity]
FREE = [category for category in CONFIGS.categories.values() if not category.complexity]

ratios = st.floats(0, 1)
features = st.builds(Features, **dict.fromkeys(Features.model_fields, ratios))
limits = st.dictionaries(st.sampled_from(Feature), ratios)


@st.composite
def routings(draw: st.DrawFn) -> RoutingConfig:
    medium, complex_ = draw(limits), draw(limits)
    for name in medium.keys() & complex_.keys():
        medium[name], complex_[name] = sorted((medium[name], complex_[name]))
    low, high = sorted((draw(ratios), draw(ratios)))
    return RoutingConfig(medium=medium, complex=complex_, colour_match=ColourMatch(medium=low, high=high))


def route(figures: Features, *, category: Category | None = None, config: RoutingConfig = ROUTING) -> RouteDecision:
    return decide(figures, category=category, category_source="manifest", config=config)


def test_the_measured_figures_are_the_features_that_the_config_may_limit() -> None:
    assert set(Features.model_fields) == {feature.value for feature in Feature}


@given(features, st.sampled_from(RULED))
def test_the_clients_rule_is_law_whatever_is_measured(figures: Features, category: Category) -> None:
    decision = route(figures, category=category)
    assert decision.complexity is category.complexity
    assert category.reason in decision.reason


@given(features, routings(), st.none() | st.sampled_from([*RULED, *FREE]))
def test_only_what_is_simple_goes_to_the_machine(
    figures: Features, config: RoutingConfig, category: Category | None
) -> None:
    decision = route(figures, category=category, config=config)
    assert (decision.route is Route.AUTOMATED) == (decision.complexity is Complexity.SIMPLE)
    assert decision.model == "rules only"
    assert decision.reason


@given(features, routings())
def test_without_a_rule_the_limits_decide(figures: Features, config: RoutingConfig) -> None:
    def reaches(limits: dict[Feature, float]) -> bool:
        return any(getattr(figures, name) >= limit for name, limit in limits.items())

    risk = colour_match_risk(figures, config)
    expected = Complexity.SIMPLE
    if reaches(dict(config.medium)) or risk == "high":
        expected = Complexity.MEDIUM
    if reaches(dict(config.complex)):
        expected = Complexity.COMPLEX
    assert route(figures, config=config).complexity is expected


ORDER = [Complexity.SIMPLE, Complexity.MEDIUM, Complexity.COMPLEX]


@given(features, routings(), st.sampled_from(list(Feature)), ratios)
def test_a_greater_figure_never_makes_a_shot_simpler(
    figures: Features, config: RoutingConfig, name: Feature, other: float
) -> None:
    low, high = sorted((getattr(figures, name), other))
    easier = route(figures.model_copy(update={name.value: low}), config=config)
    harder = route(figures.model_copy(update={name.value: high}), config=config)
    assert ORDER.index(easier.complexity) <= ORDER.index(harder.complexity)


def test_a_category_without_a_rule_changes_nothing_but_its_name() -> None:
    figures = Features(thin_structure=0.9)
    decision = route(figures, category=CONFIGS.categories["home"])
    assert decision.complexity is Complexity.COMPLEX
    assert (decision.category, decision.category_source) == ("home", "manifest")
    assert (route(figures).category, route(figures).category_source) == ("", "")


def test_the_reason_names_the_figure_and_the_limit_it_reached() -> None:
    reason = route(Features(thin_structure=0.2)).reason
    assert reason == "thin parts 0.20 at or above 0.15"


def test_the_reason_for_the_machine_names_what_came_closest() -> None:
    reason = route(Features(backdrop_roughness=0.19, hole_density=0.1)).reason
    assert reason == "every measured figure is below its limit (nearest: uneven backdrop 0.19 below 0.20)"


def test_where_a_rule_and_the_figures_disagree_the_reason_says_both() -> None:
    reason = route(Features(backdrop_roughness=0.9), category=CONFIGS.categories["electronics"]).reason
    assert reason.startswith("electronics are simple (client's rule)")
    assert "measured alone it would be complex: uneven backdrop 0.90 at or above 0.50" in reason
    assert "or the product fills the frame" in reason
    assert "measured alone" not in route(Features(), category=CONFIGS.categories["electronics"]).reason


@pytest.mark.parametrize(
    ("share", "risk", "complexity"),
    [(0.0, "low", "simple"), (0.3, "medium", "simple"), (0.69, "medium", "simple"), (0.7, "high", "medium")],
)
def test_a_high_colour_match_risk_alone_sends_a_shot_to_a_person(share: float, risk: str, complexity: str) -> None:
    decision = route(Features(colour_match=share))
    assert (decision.colour_match_risk, decision.complexity) == (risk, complexity)


looks = st.builds(
    Looks,
    category=st.sampled_from(sorted(CONFIGS.categories)),
    probability=ratios,
    ruled_category=st.sampled_from([one.name for one in RULED]),
    ruled_probability=ratios,
)


def seen(
    figures: Features, looks: Looks | None, *, category: Category | None = None, config: RoutingConfig = ROUTING
) -> RouteDecision:
    return decide(figures, category=category, category_source="manifest", config=config, looks=looks)


@given(features, looks, st.sampled_from([*RULED, *FREE]))
def test_looks_never_override_what_the_client_says(figures: Features, looks: Looks, category: Category) -> None:
    with_looks, without = seen(figures, looks, category=category), seen(figures, None, category=category)
    assert with_looks == without
    assert with_looks.tag == CategoryTag(value=category.name, source="manifest", probability=1.0)


@given(features, looks)
def test_looks_send_no_shot_to_the_machine(figures: Features, looks: Looks) -> None:
    with_looks, without = seen(figures, looks), seen(figures, None)
    assert ORDER.index(with_looks.complexity) >= ORDER.index(without.complexity)
    assert with_looks.category == without.category == ""


def test_what_looks_like_jewelry_goes_to_a_person_and_the_reason_says_so() -> None:
    ring = Looks(category="jewelry", probability=0.6, ruled_category="jewelry", ruled_probability=0.7)
    decision = seen(Features(), ring)
    assert decision.route is Route.HUMAN
    assert "may be jewelry" in decision.reason
    assert decision.tag == CategoryTag(value="jewelry", source="picture", probability=0.6)


@given(features, looks, st.sampled_from(FREE), st.sampled_from(WORD_SOURCES))
def test_a_word_that_names_no_rule_does_not_silence_the_looks(
    figures: Features, looks: Looks, category: Category, source: str
) -> None:
    """A vase is for the home, its file's name says; that it is of glass only the photograph says."""
    named = decide(figures, category=category, category_source=source, config=ROUTING, looks=looks)
    assert named.complexity is seen(figures, looks).complexity
    assert named.tag == CategoryTag(value=category.name, source=source, probability=1.0)


def test_looks_below_the_limits_change_nothing() -> None:
    faint = Looks(category="shoes", probability=0.49, ruled_category="jewelry", ruled_probability=0.19)
    assert seen(Features(), faint) == seen(Features(), None)


def test_without_limits_for_it_nothing_is_made_of_looks() -> None:
    ring = Looks(category="jewelry", probability=1, ruled_category="jewelry", ruled_probability=1)
    blind = ROUTING.model_copy(update={"picture": None})
    assert seen(Features(), ring, config=blind) == seen(Features(), None, config=blind)
