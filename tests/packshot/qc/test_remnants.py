"""Backdrop left in the matte, pale on pale above all, where the network saw nothing wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from packshot.qc.patches import kept_patches
from packshot.qc.reduced import Reduced, reduce_edit
from packshot.qc.report import QcReport
from packshot.types import Box, Finding, Mask, Matte, Status, Verdict
from tests.packshot.qc.conftest import SIDE, Drawn, draw_backdrop, on_white, photograph

CODES = ("backdrop_patch_suspected", "backdrop_strip_suspected")
ROWS, COLUMNS = np.mgrid[:SIDE, :SIDE]


def finding(report: QcReport, code: str) -> Finding:
    return next(one for one in report.findings if one.code == code)


def within(left: int, top: int, right: int, bottom: int) -> Mask:
    area = np.zeros((SIDE, SIDE), bool)
    area[top:bottom, left:right] = True
    return area


BOX = within(250, 250, 650, 650)
HANDLE = within(650, 380, 684, 520) & ~within(650, 390, 674, 510)
GAP = within(650, 390, 674, 510)


@pytest.fixture(scope="module")
def white_box(good: Drawn) -> Drawn:
    """A white box on white, each face in another shade, with a handle and a gap in it; cut out rightly."""
    product = np.full((SIDE, SIDE, 3), 0.66, np.float32)
    product[within(250, 250, 450, 650)] = 0.74
    product[HANDLE] = 0.6
    return edited(good, product, (BOX | HANDLE).astype(np.float32), kept=np.zeros((SIDE, SIDE), bool))


def edited(drawn: Drawn, product: Any, true: Matte, *, kept: Mask) -> Drawn:
    """A photograph on white, cut out with some backdrop kept; the network says the same."""
    master = photograph(product, draw_backdrop(grey=0.92), true, np.random.default_rng(5))
    matte = np.maximum(true, kept).astype(np.float32)
    composite = np.where((matte == 1)[..., None], master, on_white(product, matte))
    return drawn.change(master=master, matte=matte, composite=composite.astype(np.uint16), network=None)


def with_kept(drawn: Drawn, kept: Mask) -> Drawn:
    """The same photograph with some of its backdrop in the matte, and in the network's mask."""
    matte = np.maximum(drawn.matte, kept).astype(np.float32)
    composite = np.where(kept[..., None], drawn.master, drawn.composite)
    return drawn.change(matte=matte, composite=composite)


def test_a_white_box_on_white_with_shaded_faces_passes(white_box: Drawn) -> None:
    report = white_box.judge()
    assert [finding(report, code).status for code in CODES] == [Status.PASSED] * 2


WEDGE = within(230, 400, 250, 460) & (COLUMNS >= 250 - (ROWS - 400) * 0.3)


def test_a_wedge_of_white_backdrop_beside_it_is_kept_back_and_shown(white_box: Drawn) -> None:
    report = with_kept(white_box, WEDGE).judge()
    found = finding(report, "backdrop_patch_suspected")
    assert found.status is Status.FAILED
    assert found.box is not None
    assert found.box.left < 250 < found.box.right
    assert found.box.top < 430 < found.box.bottom
    assert report.verdict is not Verdict.AUTO_APPROVE


def test_the_same_wedge_beside_a_dark_box_lies_outside_the_photographs_strongest_edge(good: Drawn) -> None:
    product = np.full((SIDE, SIDE, 3), 0.2, np.float32)
    drawn = edited(good, product, BOX.astype(np.float32), kept=np.zeros((SIDE, SIDE), bool))
    assert finding(drawn.judge(), "backdrop_strip_suspected").measured == 0
    found = finding(with_kept(drawn, WEDGE).judge(), "backdrop_strip_suspected")
    assert found.status is Status.FAILED
    assert found.box is not None
    assert found.box.left < 250 < found.box.right
    assert found.box.top < 430 < found.box.bottom


def test_white_backdrop_in_the_gap_of_a_handle_is_kept_back_and_shown(white_box: Drawn) -> None:
    filled = with_kept(white_box, GAP)
    doubtful = (filled.matte - 0.05 * GAP).astype(np.float32)
    report = filled.change(network=doubtful).judge()
    found = finding(report, "backdrop_patch_suspected")
    assert found.status is Status.FAILED
    assert found.measured == pytest.approx(GAP.sum(), rel=0.2)
    assert found.box is not None
    assert found.box.left < 660 < found.box.right
    assert report.verdict is not Verdict.AUTO_APPROVE


def dark_box(good: Drawn, inside: Mask, grey: float) -> Drawn:
    """A dark box on white with something pale deep in it, of which the network is as sure as of the rest."""
    product = np.full((SIDE, SIDE, 3), 0.2, np.float32)
    product[inside] = grey
    return edited(good, product, BOX.astype(np.float32), kept=np.zeros((SIDE, SIDE), bool))


DEEP = within(420, 420, 480, 440)


def test_a_print_in_nearly_the_backdrops_colour_deep_in_the_product_is_no_patch(good: Drawn) -> None:
    drawn = dark_box(good, DEEP, 0.87)
    assert finding(drawn.judge(), "backdrop_patch_suspected").measured == 0


def test_a_small_spot_of_the_backdrops_own_colour_deep_in_the_product_is_no_patch(good: Drawn) -> None:
    drawn = dark_box(good, within(420, 420, 429, 429), 0.92)
    assert finding(drawn.judge(), "backdrop_patch_suspected").measured == 0


def test_a_window_that_shows_the_backdrop_deep_in_the_product_is_kept_back_and_shown(good: Drawn) -> None:
    drawn = dark_box(good, DEEP, 0.92)
    empty = edited(good, np.zeros((SIDE, SIDE, 3), np.float32), np.zeros((SIDE, SIDE), np.float32), kept=BOX)
    there = drawn.master.copy()
    there[DEEP] = empty.master[DEEP]
    report = drawn.change(master=there, composite=np.where(BOX[..., None], there, drawn.composite)).judge()
    found = finding(report, "backdrop_patch_suspected")
    assert found.status is Status.FAILED
    assert found.measured == pytest.approx(DEEP.sum(), rel=0.2)
    assert found.box is not None
    assert found.box.left < 450 < found.box.right
    assert report.verdict is not Verdict.AUTO_APPROVE


def test_a_face_that_passes_through_the_backdrops_colour_in_its_shading_is_no_patch(good: Drawn) -> None:
    product = np.repeat((0.80 + 0.3 * (ROWS - 250) / 400)[..., None], 3, axis=2).astype(np.float32)
    drawn = edited(good, np.minimum(product, 1.0), BOX.astype(np.float32), kept=np.zeros((SIDE, SIDE), bool))
    assert finding(drawn.judge(), "backdrop_patch_suspected").status is Status.PASSED


def test_a_patch_measures_the_same_in_a_photograph_three_times_as_large(white_box: Drawn) -> None:
    drawn = with_kept(white_box, WEDGE)
    small = kept_patches(drawn.master, drawn.matte, reduced(drawn), Box(232, 250, 684, 650))[0]
    master = np.repeat(np.repeat(drawn.master, 3, axis=0), 3, axis=1)
    matte = np.repeat(np.repeat(drawn.matte, 3, axis=0), 3, axis=1)
    large = kept_patches(master, matte, reduce_edit(master, matte, matte), Box(696, 750, 2052, 1950))[0]
    assert large.area == pytest.approx(small.area * (1000 / SIDE) ** 2, rel=0.1)
    assert large.box.left == pytest.approx(3 * small.box.left, abs=6)
    assert large.box.bottom == pytest.approx(3 * small.box.bottom, abs=6)


def reduced(drawn: Drawn) -> Reduced:
    return reduce_edit(drawn.master, drawn.matte, drawn.matte)


def test_without_a_backdrop_nothing_is_looked_for(white_box: Drawn) -> None:
    blind = dataclasses.replace(reduced(white_box), backdrop=None)
    assert kept_patches(white_box.master, white_box.matte, blind, Box(250, 250, 684, 650)) == []


def test_backdrop_of_any_colour_counts(
    good: Drawn, with_matte: Callable[..., Drawn], make_disc: Callable[..., Matte]
) -> None:
    corner = make_disc(450, 155, 8)
    report = with_matte(good, np.maximum(good.matte, corner)).judge()
    assert finding(report, "backdrop_patch_suspected").status is Status.FAILED
    assert [finding(good.judge(), code).measured for code in CODES] == [0, 0]
