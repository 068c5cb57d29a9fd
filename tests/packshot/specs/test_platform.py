from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from packshot.specs.models import Background, Canvas, EditRules, Encoding, Fill, Format, Platform, Shadow

SHOP: dict[str, Any] = {
    "name": "shop",
    "title": "A shop",
    "encoding": Encoding(format=Format.JPEG, quality=90),
    "canvas": Canvas(min_px=1000),
    "background": Background.ANY,
    "naming": "{sku}",
    "source": "its page",
    "checked": "2026-11-23",
    "authority": "official",
}


@pytest.mark.parametrize(
    "wrong",
    [
        {"format": "jpeg"},
        {"format": "webp", "quality": None},
        {"format": "png", "quality": 90},
        {"format": "tiff", "quality": 90},
        {"format": "jpeg", "quality": 80, "quality_floor": 81},
        {"format": "jpeg", "quality": 0},
        {"format": "jpeg", "quality": 101},
        {"format": "tiff", "bit_depth": 12},
        {"format": "gif"},
    ],
)
def test_an_encoding_that_cannot_be_written_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Encoding(**wrong)


@pytest.mark.parametrize("format_", list(Format))
def test_every_format_has_an_extension_of_its_own(format_: Format) -> None:
    assert len({one.extension for one in Format}) == len(Format)
    assert format_.extension.isalpha()


@given(st.integers(1, 9999), st.integers(1, 9999))
def test_an_aspect_is_width_over_height(width: int, height: int) -> None:
    ratio = Canvas(aspect=f"{width}:{height}", min_px=1).width_over_height
    assert ratio == pytest.approx(width / height)


@pytest.mark.parametrize("aspect", ["1", "1:0", "0:1", "1:1:1", "1/1", "a:b", "-1:1", "1:", "", "1 : 1", "1:1\n"])
def test_an_aspect_that_is_not_two_numbers_is_refused(aspect: str) -> None:
    with pytest.raises(ValidationError):
        Canvas(aspect=aspect, min_px=1)


def test_without_an_aspect_the_canvas_has_no_shape_of_its_own() -> None:
    assert Canvas(min_px=1).width_over_height is None


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(1, 5000))
def test_sizes_are_accepted_in_their_order_only(least: int, aim: int, most: int) -> None:
    if least <= aim <= most:
        assert Canvas(min_px=least, recommended_px=aim, max_px=most).recommended_px == aim
    else:
        with pytest.raises(ValidationError):
            Canvas(min_px=least, recommended_px=aim, max_px=most)


def test_a_fill_whose_least_is_above_its_most_is_refused() -> None:
    with pytest.raises(ValidationError, match="least_ratio"):
        Fill(least_ratio=0.9, most_ratio=0.8)


def test_a_pure_white_platform_that_keeps_shadows_is_refused() -> None:
    with pytest.raises(ValidationError, match="drop"):
        Platform(**{**SHOP, "background": Background.PURE_WHITE, "rules": EditRules(shadow=Shadow.KEEP)})


@pytest.mark.parametrize(
    ("patterns", "taken", "left"),
    [
        (("MAIN",), ["MAIN", "main"], ["PT01", "MAIN2", ""]),
        (("PT0[1-8]", "IN[0-9][0-9]"), ["PT01", "pt08", "IN42"], ["PT09", "PT10", "IN1", "MAIN"]),
        (("*",), ["MAIN", "PT01", "NECK"], []),
    ],
)
def test_views_are_matched_by_pattern_as_a_whole_in_any_case(
    patterns: tuple[str, ...], taken: list[str], left: list[str]
) -> None:
    platform = Platform(**{**SHOP, "views": patterns})
    assert all(platform.takes(view) for view in taken)
    assert not any(platform.takes(view) for view in left)


def test_a_platform_that_takes_no_view_at_all_is_refused() -> None:
    with pytest.raises(ValidationError, match="views"):
        Platform(**{**SHOP, "views": ()})


def test_a_platform_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Platform(**SHOP).title = "Another"  # type: ignore[misc]
