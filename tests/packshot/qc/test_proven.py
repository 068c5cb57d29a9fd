"""What vouches for an outline: the photograph's edge or the network; and details kept or dropped against it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

from packshot.colour.spaces import decode_working
from packshot.qc.disagreement import overruled_details
from packshot.qc.outline import trace_outline, worst_stretch
from packshot.qc.reduced import Reduced, reduce_edit
from packshot.types import Finding, Matte, Pixels16, Status, Verdict

MakeDisc = Callable[..., Matte]


def finding(report: Any, code: str) -> Finding:
    return next(one for one in report.findings if one.code == code)


@pytest.fixture(scope="module")
def slit() -> Matte:
    """A gap 4 px wide and 40 px long in the middle of the disc."""
    gap = np.zeros((900, 900), np.float32)
    gap[430:470, 448:452] = 1
    return gap


def test_a_narrow_gap_that_stays_filled_against_the_network_is_kept_back(
    good: Any, slit: Matte, backdrop_pixels: Pixels16, repaint: Callable[..., Any]
) -> None:
    drawn = repaint(good, slit, decode_working(backdrop_pixels)).change(network=good.matte * (1 - slit))
    report = drawn.judge()
    found = finding(report, "network_overruled_detail")
    assert found.status is Status.FAILED
    assert found.box is not None
    assert found.box.left < 450 < found.box.right
    assert found.box.top < 450 < found.box.bottom
    assert report.verdict is not Verdict.AUTO_APPROVE
    assert finding(good.judge(), "network_overruled_detail").measured == 0


def test_a_small_part_that_is_dropped_against_the_network_is_kept_back(
    good: Any, with_matte: Callable[..., Any], make_disc: MakeDisc
) -> None:
    dropped = with_matte(good, good.matte * (1 - make_disc(500, 400, 4))).change(network=good.matte)
    assert finding(dropped.judge(), "network_overruled_detail").status is Status.FAILED


def test_what_both_the_matte_and_a_doubtful_network_leave_open_is_no_detail(good: Any, slit: Matte) -> None:
    doubtful = good.change(network=good.matte * (1 - 0.5 * slit))
    assert finding(doubtful.judge(), "network_overruled_detail").measured == 0


def test_a_detail_measures_the_same_in_a_picture_twice_as_large(good: Any, slit: Matte, make_disc: MakeDisc) -> None:
    network = good.matte * (1 - slit) * (1 - make_disc(600, 450, 9))
    small = reduce_edit(good.master, good.matte, network)
    doubled = [np.asarray(np.kron(picture, np.ones((2, 2)))) for picture in (good.matte, network)]
    matte, seen = (picture.astype(np.float32) for picture in doubled)
    large = reduce_edit(np.repeat(np.repeat(good.master, 2, axis=0), 2, axis=1), matte, seen)
    first, second = (overruled_details(one)[0].area for one in (small, large))
    assert second == pytest.approx(first, rel=0.2)


@pytest.fixture(scope="module")
def swollen(good: Any, with_matte: Callable[..., Any], make_disc: MakeDisc) -> Any:
    """A bulge of plain backdrop on the product's right side, of which the network is not sure."""
    bulge = np.maximum(good.matte, make_disc(710, 450, 60))
    network = np.maximum(good.matte, 0.6 * bulge).astype(np.float32)
    return with_matte(good, bulge).change(network=network)


def test_an_outline_without_an_edge_that_the_network_is_not_sure_of_is_kept_back(swollen: Any) -> None:
    report = swollen.judge()
    found = finding(report, "outline_unproven")
    assert found.status is Status.FAILED
    assert found.measured == 1.0
    assert found.box is not None
    assert found.box.right > 700
    assert report.verdict is not Verdict.AUTO_APPROVE


def test_the_networks_word_is_proof_where_the_photograph_has_no_edge(swollen: Any) -> None:
    sure = swollen.change(network=swollen.matte)
    assert finding(sure.judge(), "outline_unproven").status is Status.PASSED


def test_an_edge_in_the_photograph_is_proof_where_the_network_is_not_sure(good: Any) -> None:
    soft = cv2.GaussianBlur(good.matte, (0, 0), 6)
    assert finding(good.change(network=soft).judge(), "outline_unproven").status is Status.PASSED


def test_the_worst_stretch_may_pass_a_contours_first_point_and_no_other_contour_fills_it(
    good: Any, reduced: Callable[[Any], Reduced]
) -> None:
    outline = trace_outline(good.master, good.composite, good.matte, reduced(good), product_px=500)
    flags = np.zeros(outline.points, bool)
    flags[:10] = flags[-10:] = True
    point, share = worst_stretch(flags, outline, length_px=20)
    assert share == pytest.approx(20 / 21)
    assert min(point, outline.points - point) <= 3
    assert worst_stretch(flags, outline, length_px=1e6) == (0, 0.0)
