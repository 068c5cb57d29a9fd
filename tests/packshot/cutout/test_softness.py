from __future__ import annotations

from functools import cache, partial

import cv2
import numpy as np
import pytest

from packshot.cutout import Method, cut_out
from packshot.cutout.values import Cutout
from tests.often import few_often
from tests.packshot.cutout.conftest import BACKDROPS, SIDE, Photograph, covered, disc, photograph, seen_by_network


def furry(backdrop: str = "mid grey") -> Photograph:
    """A disc with hairs of two to three pixels that stand out of it."""
    generator = np.random.default_rng(3)
    hairs = np.zeros((SIDE, SIDE), np.uint8)
    for angle in np.linspace(-np.pi, np.pi, 420, endpoint=False):
        outward = np.array([np.cos(angle), np.sin(angle)])
        tip = (380 + generator.uniform(25, 60)) * outward + generator.normal(0, 12, 2)
        start, end = (np.rint(16 * (700 + point)).astype(int).tolist() for point in (370 * outward, tip))
        cv2.line(hairs, start, end, 180, 2, cv2.LINE_AA, 4)
    whole = np.maximum(covered(partial(disc, radius=380)), hairs.astype(np.float32) / 255)
    return photograph(backdrop).change(matte=whole, network=seen_by_network(whole, blur=2.0, shift=0))


@cache
def solved(backdrop: str) -> Cutout:
    """The furry disc, cut out as the line does; several tests look at one result."""
    return furry(backdrop).cut


@pytest.mark.parametrize("backdrop", few_often(sorted(BACKDROPS, reverse=True), 1))
def test_fur_goes_to_the_matting_solver_which_keeps_quiet(backdrop: str, capfd: pytest.CaptureFixture[str]) -> None:
    solved.cache_clear()
    assert solved(backdrop).method is Method.MATTING
    assert capfd.readouterr().out == ""


def test_a_hard_edge_does_not_go_to_the_solver(on_each_backdrop: Photograph) -> None:
    assert on_each_backdrop.cut.method is Method.REFINED


def test_the_solver_finds_hairs_better_than_a_line_does() -> None:
    photo = furry()
    network = cut_out(photo.pixels, photo.network, method=Method.NETWORK_ONLY)
    rim = (photo.matte > 0) & (photo.matte < 1)
    errors = [float(np.abs(found.matte - photo.matte)[rim].mean()) for found in (solved("mid grey"), network)]
    assert errors[0] < 0.7 * errors[1]


def framed(photo: Photograph, margin: int) -> Photograph:
    """The same photograph with more backdrop around it."""
    around = ((margin, margin), (margin, margin), (0, 0))
    matte = np.pad(photo.matte, margin)
    product, backdrop = (np.pad(light, around, mode="edge") for light in (photo.product, photo.backdrop))
    cells = 256 * len(matte) // SIDE
    network = seen_by_network(matte, cells=cells, blur=2.0, shift=0)
    return Photograph(matte, product, backdrop, network)


@pytest.mark.slow
def test_hairs_are_solved_as_finely_in_a_wide_frame_as_in_a_tight_one() -> None:
    tight, wide = furry(), framed(furry(), SIDE // 2)
    errors = []
    solved_wide = cut_out(wide.pixels, wide.network, method=Method.MATTING)
    for photo, found in ((tight, solved("mid grey")), (wide, solved_wide)):
        errors.append(float(np.abs(found.matte - photo.matte)[(photo.matte > 0) & (photo.matte < 1)].mean()))
    assert errors[1] < 1.15 * errors[0]


def test_far_from_a_soft_edge_nothing_is_half_there() -> None:
    cutout = solved("mid grey")
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    away = np.hypot(y - 700, x - 700)
    assert (cutout.matte[away > 560] == 0).all()
    assert (cutout.matte[away < 300] == 1).all()


def test_a_thing_too_thin_to_have_an_inside_is_refined_instead(on_grey: Photograph) -> None:
    wire = covered(lambda y, x: np.maximum(np.abs(y - 700) - 4, np.abs(x - 700) - 500))
    photo = on_grey.change(matte=wire, network=seen_by_network(wire, cells=512, blur=0.8, shift=0))
    cutout = cut_out(photo.pixels, photo.network, method=Method.MATTING)
    assert cutout.method is Method.REFINED
    assert cutout.matte[700, 300:1100].min() == 1


def wheel(backdrop: str, *, spoke_px: int = 3) -> Photograph:
    """A tyre and a hub with spokes between them that the network sees."""
    tyre = covered(lambda y, x: np.abs(disc(y, x, radius=450)) - 22)
    spokes = np.zeros((SIDE, SIDE), np.uint8)
    for angle in np.linspace(-np.pi, np.pi, 28, endpoint=False):
        ends = [(700 + reach * np.cos(angle), 700 + reach * np.sin(angle)) for reach in (30, 440)]
        start, end = (np.rint(16 * np.array(point)).astype(int).tolist() for point in ends)
        cv2.line(spokes, start, end, 255, spoke_px, cv2.LINE_AA, 4)
    whole = np.maximum(np.maximum(tyre, covered(partial(disc, radius=40))), spokes.astype(np.float32) / 255)
    return photograph(backdrop).change(matte=whole, network=seen_by_network(whole, cells=1024, blur=0.8, shift=0))


def test_the_solver_takes_no_spoke_away_that_the_network_is_sure_of() -> None:
    photo = wheel("mid grey")
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    away = np.hypot(y - 700, x - 700)
    spokes = (photo.matte > 0.5) & (away > 80) & (away < 380)
    found = cut_out(photo.pixels, photo.network, method=Method.MATTING)
    network = cut_out(photo.pixels, photo.network, method=Method.NETWORK_ONLY)
    assert found.method is Method.MATTING
    assert found.matte[spokes].mean() >= network.matte[spokes].mean()
    between = (photo.matte == 0) & (away > 80) & (away < 380)
    assert found.matte[between].mean() < 0.005, "and the backdrop between them goes"
