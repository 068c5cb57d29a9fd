from __future__ import annotations

from collections.abc import Mapping

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from packshot.specs.models import Category, Client, IngestConfig, Platform
from packshot.specs.reading import NamesOf, config_error, parse, read

PLATFORM = """\
title: A shop
encoding: {format: jpeg, quality: 90}
canvas:
  aspect: "1:1"
  min_px: 1000
background: any
naming: "{sku}-{view}"
source: its page
checked: 2026-11-23
authority: official
"""


def problems(text: str, model: type = Platform) -> list[tuple[int, str, str]]:
    found = read(text, model, file="shop.yaml", names=NamesOf("shop"))
    assert found.value is None
    return [(problem.line, problem.field, problem.what) for problem in found.problems]


def test_a_correct_file_becomes_a_model_named_after_the_file() -> None:
    found = read(PLATFORM, Platform, file="shop.yaml", names=NamesOf("shop"))
    assert found.problems == ()
    assert found.value is not None
    assert found.value.name == "shop"
    assert found.value.canvas.min_px == 1000


def test_an_unknown_field_is_refused_with_its_line_and_the_nearest_known_one() -> None:
    found = read(PLATFORM.replace("min_px", "min_pix"), Platform, file="shop.yaml", names=NamesOf("shop"))
    unknown = next(problem for problem in found.problems if problem.what == "unknown field")
    assert (unknown.line, unknown.field) == (5, "canvas.min_pix")
    assert "did you mean min_px?" in unknown.allowed
    assert "recommended_px" in unknown.allowed


def test_all_errors_of_a_file_are_listed_at_once() -> None:
    text = PLATFORM.replace("1000", "-5").replace("any", "pink").replace("jpeg", "gif")
    assert problems(text) == [
        (2, "encoding.format", "not accepted"),
        (5, "canvas.min_px", "not accepted"),
        (6, "background", "not accepted"),
    ]
    error = str(config_error(read(text, Platform, file="shop.yaml", names=NamesOf("shop")).problems))
    assert all(part in error for part in ("shop.yaml:2", "shop.yaml:5", "shop.yaml:6", "'pink'", "'jpeg', 'webp'"))


def test_a_missing_field_is_named_where_it_is_missing() -> None:
    assert problems(PLATFORM.replace("  min_px: 1000\n", "")) == [(3, "canvas.min_px", "missing")]


def test_a_duplicate_key_is_refused_with_both_lines() -> None:
    found = read(PLATFORM + "title: Again\n", Platform, file="shop.yaml", names=NamesOf("shop"))
    (problem,) = found.problems
    assert (problem.line, problem.field, problem.what) == (11, "title", "given twice")
    assert "line 1" in problem.allowed


def test_an_unquoted_aspect_is_refused_rather_than_read_as_a_base_sixty_number() -> None:
    assert problems(PLATFORM.replace('"1:1"', "16:9")) == [(4, "canvas.aspect", "not accepted")]


@pytest.mark.parametrize("value", ["yes", '"1000"', "1000.5", ".nan", ".inf", "[1000]", "null"])
def test_a_number_of_pixels_is_a_whole_number_and_nothing_that_resembles_one(value: str) -> None:
    (problem,) = problems(PLATFORM.replace("1000", value))
    assert problem[:2] == (5, "canvas.min_px")


def test_a_name_stated_inside_the_file_is_refused() -> None:
    assert problems("name: other\n" + PLATFORM) == [(1, "name", "not stated here")]


def test_anchors_are_refused_so_that_no_file_grows_when_it_is_read() -> None:
    assert problems(PLATFORM + "rules: &r {fill_ratio: 0.9}\nnotes: *r\n")[0][1:] == (
        "notes",
        "an anchor is used twice",
    )


def test_keys_that_yaml_does_not_read_as_text_are_refused() -> None:
    categories: TypeAdapter[Mapping[str, Category]] = TypeAdapter(Mapping[str, Category])
    found = read("no: {title: Norway}\n", categories, file="categories.yaml", names=NamesOf())
    assert [problem.what for problem in found.problems] == ["a key that YAML does not read as text"]


@pytest.mark.parametrize(
    "text",
    [
        "title: [",
        "\ttitle: x",
        "a: b: c",
        "!!python/object:os.system x",
        "title: '\x00'",
        "title: !!bool x",
        "a: !!timestamp x",
    ],
)
def test_unreadable_yaml_is_one_problem_and_not_a_crash(text: str) -> None:
    found = read(text, Platform, file="shop.yaml", names=NamesOf("shop"))
    assert len(found.problems) == 1
    assert "YAML" in found.problems[0].what


def test_a_tag_on_a_mapping_is_refused() -> None:
    assert problems("!!python/object:os.system {}")[0][2] == "not plain YAML"


def test_a_regular_expression_that_does_not_compile_is_refused() -> None:
    text = "title: A\nplatforms: [shopify]\nfile_name_pattern: '(?P<sku>['\n"
    assert problems(text, Client)[0][:2] == (3, "file_name_pattern")


def test_a_pattern_that_reads_an_unknown_fact_is_refused() -> None:
    text = "title: A\nplatforms: [shopify]\nfile_name_pattern: '(?P<colour>.+)'\n"
    found = read(text, Client, file="a.yaml", names=NamesOf("a"))
    assert "colour" in found.problems[0].allowed
    assert "sku" in found.problems[0].allowed


def test_a_naming_template_with_an_unknown_field_is_refused() -> None:
    assert problems(PLATFORM.replace("{sku}", "{skew}"))[0][:2] == (7, "naming")


@given(st.text(max_size=200))
def test_no_text_makes_reading_crash(text: str) -> None:
    found = read(text, IngestConfig, file="ingest.yaml")
    assert (found.value is None) == bool(found.problems)


_plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text("abc: #'\"\n-é", max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc_", min_size=1), inner, max_size=3),
    max_leaves=12,
)


@given(_plain)
def test_what_is_read_is_what_a_plain_yaml_loader_reads(value: object) -> None:
    text = yaml.safe_dump({"root": value})
    document, found = parse(text, file="any.yaml")
    assert found == ()
    assert document.data == yaml.safe_load(text)


@given(st.lists(st.text("abcdefgh", min_size=1, max_size=6), min_size=1, max_size=20, unique=True))
def test_every_key_knows_its_own_line(keys: list[str]) -> None:
    document, _ = parse("".join(f"{key}: 'x'\n" for key in keys), file="any.yaml")
    assert [document.line((key,)) for key in keys] == list(range(1, len(keys) + 1))
