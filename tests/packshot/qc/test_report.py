"""The whole report: a faultless edit is approved, and each fault is kept back under its own name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

from packshot.colour.spaces import decode_working, encode_working
from packshot.colour.transform import srgb8_to_working, working_to_srgb8
from packshot.errors import ConfigError
from packshot.qc.report import ALL_CODES, QcReport
from packshot.specs.models import Configs
from packshot.types import Matte, Status, Verdict
from tests.packshot.qc.conftest import SIDE, draw_edit


def wrong(report: QcReport) -> set[str]:
    return {f.code for f in report.findings if f.status in (Status.WARNING, Status.FAILED)}


def assert_kept_back(report: QcReport, *codes: str) -> None:
    assert report.verdict is not Verdict.AUTO_APPROVE
    assert wrong(report) & set(codes), f"expected one of {codes}, found {sorted(wrong(report))}"


def test_faultless_edit_is_approved_with_every_rule_reported(good: Any) -> None:
    report = good.judge()
    assert wrong(report) == set()
    assert report.score == 100
    assert report.verdict is Verdict.AUTO_APPROVE
    assert tuple(finding.code for finding in report.findings) == ALL_CODES


def test_score_is_the_sum_of_its_components(good: Any) -> None:
    report = good.change(network=np.zeros_like(good.matte)).judge()
    assert report.score == pytest.approx(report.background + report.edge + report.fill + report.colour, abs=0.02)
    assert report.edge < 25
    assert report.background == report.fill == report.colour == 25


def test_report_goes_to_json_and_back_unchanged(good: Any, with_matte: Callable[..., Any], make_disc: Any) -> None:
    report = with_matte(good, make_disc(450, 450, 303)).judge()
    assert QcReport.model_validate_json(report.model_dump_json()) == report


@pytest.mark.parametrize("halo_px", [1, 2, 3])
def test_halo_in_backdrop_colour_is_named(good: Any, with_matte: Any, make_disc: Any, halo_px: int) -> None:
    report = with_matte(good, make_disc(450, 450, 300 + halo_px)).judge()
    assert_kept_back(report, "fringe", "fringe_width")


def test_halo_in_the_composite_alone_is_named(good: Any, make_disc: Callable[..., Matte]) -> None:
    ring = (make_disc(450, 450, 303) > 0) & (good.matte < 1)
    report = good.change(composite=np.where(ring[..., None], good.master, good.composite)).judge()
    assert_kept_back(report, "fringe", "fringe_width")
    assert "non_white_background" in wrong(report)


@pytest.mark.parametrize("radius", [18, 30, 60])
def test_bite_is_named_and_shown(good: Any, with_matte: Any, make_disc: Any, radius: int) -> None:
    bitten = with_matte(good, good.matte * (1 - make_disc(750, 450, radius)))
    report = bitten.judge()
    assert_kept_back(report, "bite_suspected", "missing_part_suspected", "sharp_edge_outside")
    assert any(e.box.left <= 750 <= e.box.right and e.box.top <= 450 <= e.box.bottom for e in report.evidence)


def test_bite_is_found_even_if_the_network_made_it(good: Any, with_matte: Any, make_disc: Any) -> None:
    bitten = good.matte * (1 - make_disc(450, 160, 40))
    report = with_matte(good, bitten).change(network=bitten).judge()
    assert_kept_back(report, "bite_suspected", "missing_part_suspected")
    assert "network_disagreement_patch" not in wrong(report)


def test_leftover_backdrop_is_named(good: Any, with_matte: Any, make_disc: Any) -> None:
    report = with_matte(good, np.maximum(good.matte, make_disc(750, 450, 30))).judge()
    assert_kept_back(report, "leftover_suspected", "loose_outline")


def test_punched_hole_is_named(good: Any, with_matte: Any, make_disc: Any) -> None:
    report = with_matte(good, good.matte * (1 - make_disc(430, 470, 25))).judge()
    assert_kept_back(report, "punched_hole_suspected", "missing_part_suspected")


def test_filled_hole_is_named(good: Any, with_matte: Any, make_disc: Any, backdrop_pixels: Any) -> None:
    hole = make_disc(430, 470, 25)[..., None]
    master = np.where(hole > 0.5, backdrop_pixels, good.master)
    report = with_matte(good.change(master=master), good.matte).judge()
    assert_kept_back(report, "filled_hole_suspected")


def test_one_grey_level_in_the_background_is_never_approved(good: Any) -> None:
    composite = good.composite.copy()
    composite[20:24, 30:34] = 254 * 257
    report = good.change(composite=composite).judge()
    assert_kept_back(report, "non_white_background")
    assert any(finding.stops_approval for finding in report.findings)


def test_product_cut_by_the_canvas_is_named(good: Any) -> None:
    placement = good.edit().framed.placement
    window = placement.window
    shift = round(window.width * 0.5 * (1 - 0.85) + 0.012 * 600)
    moved = window._replace(left=window.left + shift, right=window.right + shift)
    report = good.change(placement=placement.model_copy(update={"window": moved})).judge()
    assert_kept_back(report, "product_cut", "part_outside_canvas")


def test_product_cut_by_the_photograph_is_named(good: Any) -> None:
    cut = slice(160, None)
    placed = good.change(
        master=np.ascontiguousarray(good.master[:, cut]),
        matte=np.ascontiguousarray(good.matte[:, cut]),
        composite=np.ascontiguousarray(good.composite[:, cut]),
    )
    assert_kept_back(placed.judge(), "product_touches_frame")


def test_colour_shift_is_named(good: Any) -> None:
    linear = decode_working(good.composite)
    shifted = encode_working((linear * np.array([1.25, 1.0, 0.9], np.float32)).astype(np.float32))
    composite = np.where((good.matte > 0)[..., None], shifted, good.composite)
    assert_kept_back(good.change(composite=composite).judge(), "colour_shift", "colour_shift_p95")


@pytest.mark.parametrize("width_px", [4, 6, 8])
def test_a_product_too_thin_to_compare_its_colours_is_never_approved(configs: Configs, width_px: int) -> None:
    rod = np.zeros((SIDE, SIDE), np.float32)
    rod[150:750, 450 : 450 + width_px] = 1
    report = draw_edit(configs, rod).judge()
    assert_kept_back(report, "colour_shift")
    (finding,) = [one for one in report.findings if one.code == "colour_shift"]
    assert finding.measured is None
    assert "too small" in finding.message


@pytest.mark.parametrize("sigma_px", [1.0, 2.0])
def test_blur_is_named(good: Any, sigma_px: float) -> None:
    blurred = cv2.GaussianBlur(good.composite, (0, 0), sigma_px)
    composite = np.where((good.matte == 1)[..., None], blurred, good.composite)
    assert_kept_back(good.change(composite=composite).judge(), "blurred")


@pytest.mark.parametrize("quality", [10, 30])
def test_jpeg_blocks_are_named(good: Any, quality: int) -> None:
    srgb = working_to_srgb8(good.composite)
    coded = cv2.imencode(".jpg", srgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    decoded = np.ascontiguousarray(np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR))[..., ::-1])
    composite = np.where((good.matte == 1)[..., None], srgb8_to_working(decoded), good.composite)
    assert_kept_back(good.change(composite=composite).judge(), "jpeg_blocks")


@pytest.mark.parametrize("step_px", [4, 7])
def test_jagged_edge_is_named(good: Any, with_matte: Any, step_px: int) -> None:
    side = good.matte.shape[0]
    small = cv2.resize(good.matte, (side // step_px, side // step_px), interpolation=cv2.INTER_AREA)
    stairs = cv2.resize((small > 0.5).astype(np.float32), (side, side), interpolation=cv2.INTER_NEAREST)
    assert_kept_back(with_matte(good, stairs).judge(), "jagged_edge")


def test_second_product_is_kept_back_unless_expected(good: Any, with_matte: Any, make_disc: Any) -> None:
    master = good.master.copy()
    second = make_disc(815, 815, 70)
    master[second > 0] = good.master[450, 450]
    two = with_matte(good.change(master=master), np.maximum(good.matte, second))
    assert_kept_back(two.judge(), "several_products")
    assert "several_products" not in wrong(two.change(expected_products=2).judge())


def test_empty_matte_is_never_approved(good: Any) -> None:
    placement = good.edit().framed.placement
    nothing = np.zeros_like(good.matte)
    report = good.change(matte=nothing, composite=np.full_like(good.composite, 65535), placement=placement).judge()
    assert_kept_back(report, "empty_product")


def test_backdrop_that_is_not_smooth_is_never_approved(good: Any) -> None:
    assert_kept_back(good.change(smooth=False).judge(), "backdrop_not_smooth")


def test_unverified_colour_is_always_visible(good: Any) -> None:
    finding = next(f for f in good.judge().findings if f.code == "colour_not_verified")
    assert finding.status is Status.SKIPPED
    assert not finding.stops_approval


def test_unverified_colour_stops_approval_where_the_client_asks_for_a_reference(good: Any) -> None:
    rules = good.rendition.rules.model_copy(update={"colour_reference_required": True})
    strict = good.change(rendition=good.rendition.model_copy(update={"rules": rules}))
    assert_kept_back(strict.judge(), "colour_not_verified")


def test_the_plan_sets_the_colour_limit(good: Any) -> None:
    rules = good.rendition.rules.model_copy(update={"colour_mean_delta_e": 7.0, "colour_p95_delta_e": 9.0})
    report = good.change(rendition=good.rendition.model_copy(update={"rules": rules})).judge()
    limits = {f.code: f.limit for f in report.findings}
    assert limits["colour_shift"] == 7.0
    assert limits["colour_shift_p95"] == 9.0


def test_rule_without_limits_is_refused(good: Any) -> None:
    rules = {code: limits for code, limits in good.configs.qc.rules.items() if code != "fringe"}
    qc = good.configs.qc.model_copy(update={"rules": rules})
    with pytest.raises(ConfigError, match=r"rules\.fringe"):
        good.change(configs=good.configs.model_copy(update={"qc": qc})).judge()


def test_config_names_exactly_the_rules_there_are(configs: Any) -> None:
    assert set(configs.qc.rules) == set(ALL_CODES)


def test_what_nobody_can_see_on_white_is_neither_bite_nor_leftover(good: Any, repaint: Any, with_matte: Any) -> None:
    white = np.ones((*good.matte.shape, 3), np.float32)
    half = np.zeros_like(good.matte)
    half[:, :450] = 1
    drawn = repaint(good, half, white)
    cut = good.matte.copy()
    cut[:, :300] = 0
    wrong = {f.code for f in with_matte(drawn, cut).judge().findings if f.status is not Status.PASSED}
    assert not wrong & {"bite_suspected", "loose_outline"}
