from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packshot.errors import NamingError
from packshot.export.names import (
    delivered_name,
    delivered_path,
    require_own_names,
)
from packshot.gtin import has_right_check_digit
from packshot.specs.models import Configs, RenditionPlan, ResolvedRules
from tests.configs import shipped_configs

FACTS = {"sku": "KTL-301", "asin": "B0PACK0301", "view": "MAIN", "shot": "KTL301_MAIN"}


def with_template(configs: Configs, template: str, platform: str = "amazon_main") -> RenditionPlan:
    rules = ResolvedRules(**configs.defaults.model_dump())
    return RenditionPlan(platform=configs.platforms[platform], rules=rules, naming=template)


def check_digit(digits: str) -> str:
    return next(digit for digit in "0123456789" if has_right_check_digit(digits + digit))


def test_amazon_gets_id_and_variant_with_full_stops(configs: Configs) -> None:
    plan = with_template(configs, "{product_id}.{view}")
    assert delivered_path(plan, FACTS, extension="jpg", subject="KTL301") == "amazon_main/B0PACK0301.MAIN.jpg"


def test_every_platform_s_own_template_makes_a_name(configs: Configs) -> None:
    facts = {**FACTS, "gtin": "4006381333931", "client": "acme", "batch": "b1", "category": "home"}
    for platform in configs.platforms.values():
        name = delivered_name(with_template(configs, platform.naming, platform.name), facts, subject="x")
        assert re.fullmatch(r"[A-Za-z0-9._-]+", name)


@pytest.mark.parametrize(
    ("sku", "name"),
    [
        ("Кружка-1", "Kruzhka-1-MAIN"),
        ("Größe 42", "Grosse-42-MAIN"),
        ("Cafe\u0301", "Cafe-MAIN"),
        ("杯子7", "Bei-Zi-7-MAIN"),
    ],
)
def test_a_sku_in_another_script_is_written_in_latin_letters(sku: str, name: str, configs: Configs) -> None:
    plan = with_template(configs, "{sku}-{view}", "shopify")
    assert delivered_name(plan, {**FACTS, "sku": sku}, subject="x") == name
    assert delivered_name(plan, {**FACTS, "sku": "KTL_301"}, subject="x") == "KTL_301-MAIN"


@settings(max_examples=15, deadline=None)
@given(st.text(alphabet=st.sampled_from("Ж杯éßאع1a"), min_size=1, max_size=12))
def test_any_sku_of_letters_and_digits_gives_a_name(sku: str) -> None:
    plan = with_template(shipped_configs(), "{sku}-{view}", "shopify")
    assert re.fullmatch(r"[A-Za-z0-9._-]+", delivered_name(plan, {**FACTS, "sku": sku}, subject="x"))


def test_the_first_known_number_stands_for_the_product(configs: Configs) -> None:
    plan = with_template(configs, "{product_id}.{view}")
    facts = {"isbn": "978-3-16-148410-0", "ean": "4006381333931", "view": "pt01", "asin": ""}
    assert delivered_name(plan, facts, subject="x") == "9783161484100.PT01"


def test_a_short_number_is_filled_up_to_fourteen(configs: Configs) -> None:
    plan = with_template(configs, "{gtin14}-{view}", "walmart")
    assert delivered_name(plan, {"upc": "036000291452", "view": "MAIN"}, subject="x") == "00036000291452-MAIN"


def test_an_unknown_product_says_what_is_missing(configs: Configs) -> None:
    plan = with_template(configs, "{product_id}.{view}")
    with pytest.raises(NamingError, match=r"KTL301 for amazon_main: the name needs 'product_id'"):
        delivered_name(plan, {"view": "MAIN", "sku": "A"}, subject="KTL301")


def test_without_any_number_there_is_no_name_of_fourteen_zeros(configs: Configs) -> None:
    plan = with_template(configs, "{gtin14}-{view}", "walmart")
    with pytest.raises(NamingError, match="the name needs 'gtin14'"):
        delivered_name(plan, {"view": "MAIN", "sku": "A"}, subject="KTL301")


@pytest.mark.parametrize(
    ("field", "value"),
    [("asin", "B0PACK"), ("ean", "4006381333932"), ("ean", "40063813E3931"), ("isbn", "3161484101"), ("upc", "1")],
)
def test_a_wrong_number_is_refused(field: str, value: str, configs: Configs) -> None:
    plan = with_template(configs, "{product_id}.{view}")
    with pytest.raises(NamingError, match=f"this is not a valid {field.upper()}"):
        delivered_name(plan, {field: value, "view": "MAIN"}, subject="x")


def test_a_wrong_number_that_the_name_does_not_need_does_no_harm(configs: Configs) -> None:
    plan = with_template(configs, "{sku}-{view}", "shopify")
    assert delivered_name(plan, {**FACTS, "ean": "12"}, subject="x") == "KTL-301-MAIN"


def test_dashes_and_underscores_stop_where_full_stops_join(configs: Configs) -> None:
    with pytest.raises(NamingError, match="prevent the upload"):
        delivered_name(with_template(configs, "{sku}.{view}"), FACTS, subject="x")


@pytest.mark.parametrize("sku", ["a b", "a/b", "a:b", "..", "a\n"])
def test_illegal_characters_are_refused_not_replaced(sku: str, configs: Configs) -> None:
    plan = with_template(configs, "{sku}-{view}", "shopify")
    if sku.strip() == "a":
        assert delivered_name(plan, {"sku": sku, "view": "MAIN"}, subject="x") == "a-MAIN"
        return
    with pytest.raises(NamingError):
        delivered_name(plan, {"sku": sku, "view": "MAIN"}, subject="x")


@pytest.mark.parametrize("sku", ["con", "NUL.txt", ".hidden", "-rf", "x" * 121])
def test_names_that_some_system_cannot_hold_are_refused(sku: str, configs: Configs) -> None:
    with pytest.raises(NamingError):
        delivered_name(with_template(configs, "{sku}", "shopify"), {"sku": sku}, subject="x")


@given(st.lists(st.sampled_from("0123456789"), min_size=7, max_size=13).map("".join), st.data())
def test_a_check_digit_catches_every_single_wrong_digit(digits: str, data: st.DataObject) -> None:
    if len(digits) == 9:
        digits += "0"  # ten digits are an ISBN of the old kind, with a rule of its own
    right = digits + check_digit(digits)
    place = data.draw(st.integers(0, len(right) - 1))
    other = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != right[place]]))
    assert has_right_check_digit(right)
    assert not has_right_check_digit(right[:place] + other + right[place + 1 :])


def test_old_isbns_have_their_own_rule() -> None:
    assert has_right_check_digit("080442957X")
    assert not has_right_check_digit("0804429570")
    assert not has_right_check_digit("X804429570")


def test_two_shots_cannot_share_a_name() -> None:
    require_own_names("one", {})
    with pytest.raises(NamingError, match=r"1 delivered file: .* a/x\.jpg from one and two"):
        require_own_names("one", {"a/x.jpg": ("one", "two")})
    with pytest.raises(NamingError, match=r"a/x\.jpg from one and two"):
        require_own_names("two", {"a/x.jpg": ("one", "two")})


def test_of_many_shots_with_one_name_a_few_are_named() -> None:
    """Each of them gets the sentence in its record: it must not grow with their number."""
    shots = tuple(f"S{number:04}" for number in range(5000))
    for one in (shots[0], shots[2], shots[-1]):
        with pytest.raises(NamingError, match=r"and 4,996 others;") as refused:
            require_own_names(one, {"a/x.jpg": shots})
        assert len(named := re.findall(r"S\d{4}", str(refused.value))) == 4
        assert one in named
