from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from packshot.errors import ConfigError
from packshot.specs.models import (
    Background,
    Category,
    Client,
    Configs,
    EditRules,
    Fill,
    GroupCorrection,
    Platform,
    ResolvedRules,
    Shadow,
)
from packshot.specs.resolve import find_category, merged_rules, normal_words, resolve, style_guide
from packshot.types import Complexity
from tests.configs import shipped_configs

CONFIGS = shipped_configs()
FIELDS = tuple(ResolvedRules.model_fields)

_values = {
    "fill_ratio": st.floats(0.01, 1),
    "shadow": st.sampled_from(Shadow),
    "max_upscale_ratio": st.floats(1, 2),
    "colour_mean_delta_e": st.floats(0.1, 20),
    "colour_p95_delta_e": st.floats(0.1, 20),
    "colour_reference_required": st.booleans(),
    "group_correction": st.sampled_from(GroupCorrection),
}
_said = st.fixed_dictionaries({}, optional=_values)
_defaults = st.fixed_dictionaries(_values)


def merged(defaults: dict[str, Any], category: dict[str, Any], platform: dict[str, Any], client: dict[str, Any]) -> Any:
    anything_goes = CONFIGS.platforms["amazon_secondary"]
    return merged_rules(
        ResolvedRules(**defaults),
        category=Category(name="c", title="c", rules=EditRules(**category)),
        platform=anything_goes.model_copy(update={"rules": EditRules(**platform)}),
        client=EditRules(**client),
    )


@given(_defaults, _said, _said, _said)
def test_the_highest_layer_that_speaks_decides_field_by_field(
    defaults: dict[str, Any], category: dict[str, Any], platform: dict[str, Any], client: dict[str, Any]
) -> None:
    rules = merged(defaults, category, platform, client)
    for field in FIELDS:
        expected = next(layer[field] for layer in (client, platform, category, defaults) if field in layer)
        assert getattr(rules, field) == expected


@given(_defaults, _said, _said)
def test_a_layer_that_says_nothing_changes_nothing(
    defaults: dict[str, Any], platform: dict[str, Any], client: dict[str, Any]
) -> None:
    said_nothing = merged(defaults, {}, platform, client)
    no_category = merged_rules(
        ResolvedRules(**defaults),
        category=None,
        platform=CONFIGS.platforms["amazon_secondary"].model_copy(update={"rules": EditRules(**platform)}),
        client=EditRules(**client),
    )
    assert said_nothing == no_category
    assert merged(defaults, {}, {}, {}) == ResolvedRules(**defaults)


@given(_said, _said)
def test_a_clients_word_on_one_platform_goes_over_its_general_word(
    general: dict[str, Any], special: dict[str, Any]
) -> None:
    client = Client(
        name="c",
        title="c",
        platforms=("shopify", "ebay"),
        rules=EditRules(**general),
        platform_rules={"shopify": EditRules(**special)},
    )
    assert client.rules_for("shopify").stated() == {**general, **special}
    assert client.rules_for("ebay").stated() == general


def bounded(least: float, most: float) -> Platform:
    platform = CONFIGS.platforms["amazon_secondary"]
    return platform.model_copy(update={"fill": Fill(least_ratio=least, most_ratio=most)})


@given(st.floats(0.01, 1), st.floats(0.01, 1), st.floats(0.01, 1))
def test_a_category_never_takes_the_fill_out_of_the_platforms_range(wish: float, one: float, other: float) -> None:
    least, most = sorted((one, other))
    category = Category(name="c", title="c", rules=EditRules(fill_ratio=wish))
    rules = merged_rules(CONFIGS.defaults, category=category, platform=bounded(least, most), client=EditRules())
    assert least <= rules.fill_ratio <= most
    if least <= wish <= most:
        assert rules.fill_ratio == wish


@given(st.floats(0.01, 1), st.floats(0.01, 1), st.floats(0.01, 1))
def test_a_client_that_wants_a_fill_outside_the_platforms_range_is_told(wish: float, one: float, other: float) -> None:
    least, most = sorted((one, other))
    client, platform = EditRules(fill_ratio=wish), bounded(least, most)
    if least <= wish <= most:
        assert merged_rules(CONFIGS.defaults, category=None, platform=platform, client=client).fill_ratio == wish
    else:
        with pytest.raises(ConfigError, match="fill_ratio"):
            merged_rules(CONFIGS.defaults, category=None, platform=platform, client=client)


@given(st.floats(0, 0.49))
def test_a_margin_on_each_end_is_a_fill_of_what_is_left(margin: float) -> None:
    assert EditRules(margin_ratio=margin).stated()["fill_ratio"] == pytest.approx(1 - 2 * margin, abs=1e-6)


def test_amazon_main_aims_above_the_least_fill_it_accepts(configs: Configs) -> None:
    plan = resolve(configs, client="demo", view="MAIN")
    assert plan.renditions[0].platform.name == "amazon_main"
    assert 0.85 <= plan.rules.fill_ratio <= 0.87


def test_a_plan_has_the_clients_platforms_that_take_the_view_in_the_clients_order(configs: Configs) -> None:
    main = [r.platform.name for r in resolve(configs, client="demo", view="MAIN").renditions]
    second = [r.platform.name for r in resolve(configs, client="demo", view="pt03").renditions]
    assert main == ["amazon_main", "shopify", "google_shopping", "print_catalog"]
    assert second == ["amazon_secondary", "shopify", "google_shopping", "print_catalog"]


def test_platforms_asked_for_one_shot_go_before_the_clients(configs: Configs) -> None:
    plan = resolve(configs, client="demo", view="MAIN", platforms=("ebay", "amazon_main", "ebay"))
    assert [r.platform.name for r in plan.renditions] == ["ebay", "amazon_main"]


@pytest.mark.parametrize(
    ("platforms", "view", "message"),
    [
        (("shopyfi",), "MAIN", "no such platform"),
        (("otto",), "MAIN", "this platform is disabled"),
        (("amazon_main",), "PT01", "no platform takes the view PT01"),
    ],
)
def test_what_cannot_be_delivered_is_told(
    configs: Configs, platforms: tuple[str, ...], view: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        resolve(configs, client="demo", view=view, platforms=platforms)


def test_a_client_without_a_style_guide_gets_the_one_for_all(configs: Configs) -> None:
    plan = resolve(configs, client="newcomer", category="shoes", view="MAIN")
    assert (plan.client, plan.style_guide) == ("newcomer", "default")
    assert style_guide(configs, "demo").name == "demo"


def test_one_edit_serves_all_renditions_so_they_agree_on_the_shadow(configs: Configs) -> None:
    keeper = Client(
        name="k",
        title="k",
        platforms=("shopify", "amazon_main"),
        platform_rules={"shopify": EditRules(shadow=Shadow.KEEP)},
    )
    spoilt = configs.model_copy(update={"clients": {**configs.clients, "k": keeper}})
    both = resolve(spoilt, client="k", view="MAIN")
    alone = resolve(spoilt, client="k", view="MAIN", platforms=("shopify",))
    assert {r.rules.shadow for r in both.renditions} == {Shadow.DROP}
    assert both.rules.shadow is Shadow.DROP
    assert alone.rules.shadow is Shadow.KEEP


def test_no_pure_white_rendition_ever_keeps_a_shadow_on_a_categorys_word(configs: Configs) -> None:
    category = Category(name="c", title="c", rules=EditRules(shadow=Shadow.KEEP))
    for platform in configs.platforms.values():
        rules = merged_rules(configs.defaults, category=category, platform=platform, client=EditRules())
        if platform.background is Background.PURE_WHITE:
            assert rules.shadow is Shadow.DROP


def test_a_clients_least_size_goes_over_the_general_one(configs: Configs) -> None:
    assert resolve(configs, client="example", view="MAIN").ingest.min_px == 1600
    assert resolve(configs, client="demo", view="MAIN").ingest.min_px == configs.ingest.min_px


def test_a_clients_naming_goes_over_the_platforms(configs: Configs) -> None:
    namings = {r.platform.name: r.naming for r in resolve(configs, client="example", view="MAIN").renditions}
    assert namings["shopify"] == "{sku}_{view}"
    assert namings["amazon_main"] == "{product_id}.{view}"


def test_the_fingerprint_is_the_same_for_the_same_plan_and_changes_with_any_figure(configs: Configs) -> None:
    plan = resolve(configs, client="demo", category="shoes", view="MAIN")
    again = resolve(shipped_configs(), client="demo", category="shoes", view="MAIN")
    assert plan.fingerprint == again.fingerprint
    assert len(plan.fingerprint) == 16
    stricter = configs.model_copy(update={"qc": configs.qc.model_copy(update={"approve_at": 91})})
    others = [
        resolve(configs, client="demo", category="shoes", view="PT01"),
        resolve(configs, client="demo", category="bags", view="MAIN"),
        resolve(configs, client="default", category="shoes", view="MAIN"),
        resolve(stricter, client="demo", category="shoes", view="MAIN"),
    ]
    assert len({plan.fingerprint, *(other.fingerprint for other in others)}) == 5


def test_a_plan_survives_json(configs: Configs) -> None:
    plan = resolve(configs, client="example", category="shoes", view="MAIN")
    again = type(plan).model_validate_json(plan.model_dump_json())
    assert again == plan
    assert again.fingerprint == plan.fingerprint


@pytest.mark.parametrize(
    ("words", "category"),
    [
        ("jewelry", "jewelry"),
        ("Jewellery", "jewelry"),
        ("SCHMUCK", "jewelry"),
        ("Apparel > Jewellery > Rings", "jewelry"),
        ("bijoux", "jewelry"),
        ("glass/transparent", "transparent"),
        ("Gläser", "transparent"),
        ("cosmetics_tube", "cosmetics_tube"),
        ("clothing/Hat", "accessories"),
        ("camera bag", "bags"),
        ("vêtements", "clothing"),
        ("Bücher", "books"),
        ("auriculares", "electronics"),
        ("schoenen", "shoes"),
        ("", None),
        ("  ", None),
        ("unobtainium", None),
        ("ringbinders", None),
    ],
)
def test_words_find_their_category_in_any_case_and_several_languages(
    configs: Configs, words: str, category: str | None
) -> None:
    found = find_category(configs.categories, words)
    assert (found.name if found else None) == category


def test_every_name_and_synonym_finds_its_own_category(configs: Configs) -> None:
    for category in configs.categories.values():
        for word in (category.name, *category.synonyms):
            found = find_category(configs.categories, word)
            assert found is not None
            assert found.name == category.name, word


@given(st.sampled_from(sorted(CONFIGS.categories)), st.sampled_from(sorted(CONFIGS.categories)))
def test_where_two_categories_fit_the_stricter_rule_wins(one: str, other: str) -> None:
    strictness = [Complexity.SIMPLE, None, Complexity.MEDIUM, Complexity.COMPLEX]
    found = find_category(CONFIGS.categories, f"{one} and {other} set")
    assert found is not None
    wanted = max(strictness.index(CONFIGS.categories[name].complexity) for name in (one, other))
    assert strictness.index(found.complexity) >= wanted


@given(st.text(max_size=30))
@example("\u2107")
def test_plain_words_stay_as_they_are_once_made_plain(text: str) -> None:
    assert normal_words(normal_words(text)) == normal_words(text)
