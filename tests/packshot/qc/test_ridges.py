"""The judge's own word on kept shadow, small holes, a moved outline, a blurred rim, and an overruled network."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

from packshot.colour.spaces import decode_working
from packshot.qc.around import around_product
from packshot.types import Box, Matte, Status, Verdict

MakeDisc = Callable[..., Matte]


def in_contact_shadow(drawn: Any, repaint: Callable[..., Any], tint: tuple[float, float, float]) -> Any:
    """The disc on a floor: below it light falls to a twelfth, its channels by different shares."""
    rows, columns = np.mgrid[: drawn.matte.shape[0], : drawn.matte.shape[1]].astype(np.float32)
    beyond = np.maximum(np.hypot(columns - 450, rows - 450) - 300, 0)
    below = np.clip((rows - 600) / 60, 0, 1)
    fall = (below * np.exp(-beyond / 12))[..., None] * np.array([0.92, 0.92, 0.92], np.float32)
    light = decode_working(drawn.master) * (1 - fall * np.array(tint, np.float32))
    return repaint(drawn, (1 - drawn.matte).astype(np.float32), light.astype(np.float32))


def finding(report: Any, code: str) -> Any:
    return next(one for one in report.findings if one.code == code)


@pytest.mark.parametrize("tint", [(1.0, 1.0, 1.0), (0.9, 0.97, 1.0)])
def test_a_contact_shadow_that_was_kept_is_suspected_however_tinted(
    good: Any, repaint: Callable[..., Any], with_matte: Callable[..., Any], make_disc: MakeDisc, tint: Any
) -> None:
    on_floor = in_contact_shadow(good, repaint, tint)
    kept = with_matte(on_floor, np.maximum(good.matte, make_disc(450, 459, 300)))
    report = kept.judge()
    found = finding(report, "kept_shadow_suspected")
    assert found.status is Status.FAILED
    assert report.verdict is not Verdict.AUTO_APPROVE
    assert found.box.bottom > 700  # it says where: at the bottom


def test_a_product_that_leaves_its_contact_shadow_outside_is_not_suspected(
    good: Any, repaint: Callable[..., Any]
) -> None:
    assert finding(in_contact_shadow(good, repaint, (0.9, 0.97, 1.0)).judge(), "kept_shadow_suspected").measured == 0


def test_a_dark_band_inside_a_product_with_a_hard_edge_is_no_shadow(
    good: Any, repaint: Callable[..., Any], make_disc: MakeDisc
) -> None:
    band = np.clip(good.matte - make_disc(450, 440, 292), 0, 1)
    dark = decode_working(good.master) * np.float32(0.2)
    drawn = repaint(good, band, dark)
    assert finding(drawn.judge(), "kept_shadow_suspected").measured == 0


def test_without_a_backdrop_nothing_is_searched_around_the_product(good: Any, reduced: Callable[[Any], Any]) -> None:
    blind = dataclasses.replace(reduced(good), backdrop=None)
    assert around_product(good.master, good.matte, blind, Box(150, 150, 750, 750), margin_px=24) is None


def test_a_pinhole_of_two_pixels_is_found_in_the_matte_and_in_the_colours_alone(
    good: Any, with_matte: Callable[..., Any]
) -> None:
    matte = good.matte.copy()
    matte[400:402, 500:502] = 0
    holed = with_matte(good, matte)
    composite_only = good.change(composite=holed.composite)
    for drawn in (holed, composite_only):
        report = drawn.judge()
        assert finding(report, "pinhole").status is Status.FAILED
        assert report.verdict is not Verdict.AUTO_APPROVE
    assert finding(good.judge(), "pinhole").measured == 0


def test_without_a_product_the_search_for_pinholes_says_so(good: Any) -> None:
    nothing, placement = np.zeros_like(good.matte), good.edit().framed.placement
    empty = good.change(matte=nothing, composite=np.full_like(good.composite, 65535), placement=placement)
    skipped = finding(empty.judge(), "pinhole")
    assert skipped.status is Status.SKIPPED
    assert "no product" in skipped.message


def test_a_small_gap_through_which_the_backdrop_shows_is_no_pinhole(
    good: Any, with_matte: Callable[..., Any], repaint: Callable[..., Any], backdrop_pixels: Any, make_disc: MakeDisc
) -> None:
    gap = make_disc(500, 400, 3)
    drawn = repaint(good, gap, decode_working(backdrop_pixels))
    assert finding(with_matte(drawn, good.matte * (1 - gap)).judge(), "pinhole").measured == 0


def test_an_outline_moved_by_a_pixel_is_kept_back(good: Any, with_matte: Callable[..., Any]) -> None:
    moved = with_matte(good, np.roll(good.matte, 1, axis=1))
    report = moved.judge()
    found = finding(report, "outline_moved")
    assert found.status is Status.FAILED
    assert found.measured == pytest.approx(1.0, abs=0.25)
    assert finding(good.judge(), "outline_moved").measured < 0.2


def test_a_rim_changed_over_six_pixels_is_kept_back(good: Any) -> None:
    blurred = cv2.GaussianBlur(good.composite, (0, 0), 3)
    rim = (good.matte == 1) & (cv2.erode(good.matte, np.ones((13, 13), np.uint8)) < 1)
    report = good.change(composite=np.where(rim[..., None], blurred, good.composite)).judge()
    assert finding(report, "rim_changed").status is Status.FAILED
    assert report.verdict is not Verdict.AUTO_APPROVE


def test_a_part_that_the_network_is_sure_of_is_missed_even_in_the_backdrops_own_colour(
    good: Any, with_matte: Callable[..., Any], repaint: Callable[..., Any], backdrop_pixels: Any, make_disc: MakeDisc
) -> None:
    label = make_disc(500, 400, 14)
    white_label = repaint(good, label, decode_working(backdrop_pixels))
    punched = with_matte(white_label, good.matte * (1 - label)).change(network=good.matte)
    assert finding(punched.judge(), "network_overruled").status is Status.FAILED
    assert finding(good.judge(), "network_overruled").measured == 0
