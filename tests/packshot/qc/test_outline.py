"""The photograph's edge is found to a fraction of a pixel, from outside in."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from packshot.colour.spaces import decode_working, encode_working
from packshot.qc.edge_figures import measure_edges
from packshot.qc.outline import Outline, longest_run, trace_outline
from packshot.qc.reduced import reduce_edit
from packshot.types import Matte, Pixels16


def outline_of(master: Pixels16, matte: Matte) -> Outline:
    reduced = reduce_edit(master, matte, matte)
    return trace_outline(master, master, matte, reduced, product_px=600)


@pytest.mark.parametrize("wider_px", [-2.0, -1.0, 0.0, 0.5, 1.0, 2.0])
def test_offset_says_how_far_the_matte_is_beside_the_edge(good: Any, make_disc: Any, wider_px: float) -> None:
    outline = outline_of(good.master, make_disc(450, 450, 300 + wider_px))
    offset = measure_edges(outline).offset
    assert float(np.isfinite(offset).mean()) > 0.95
    assert float(np.nanmedian(offset)) == pytest.approx(-wider_px, abs=0.3)


@pytest.mark.parametrize(("product", "backdrop"), [(0.5, 0.01), (0.01, 0.6), (0.5, 0.2)])
def test_soft_edge_of_a_faultless_matte_is_not_taken_for_a_shifted_one(
    make_disc: Any, product: float, backdrop: float
) -> None:
    matte = cv2.GaussianBlur(make_disc(450, 450, 300), (0, 0), 2.5)
    light = product * matte + backdrop * (1 - matte)
    noise = np.random.default_rng(5).normal(0, 0.0005, (*matte.shape, 3))
    outline = outline_of(encode_working((light[..., None] + noise).astype(np.float32)), matte)
    offset = measure_edges(outline).offset
    assert abs(float(np.nanmedian(offset))) < 0.4
    assert float((np.abs(offset[np.isfinite(offset)]) > 1).mean()) < 0.02


def test_shining_rim_does_not_move_the_edge(good: Any, make_disc: Any) -> None:
    rim = np.clip(make_disc(450, 450, 300) - make_disc(450, 450, 297), 0, 1)[..., None]
    linear = decode_working(good.master) * (1 - rim) + 0.3 * rim
    outline = outline_of(encode_working(linear.astype(np.float32)), good.matte)
    assert abs(float(np.nanmedian(measure_edges(outline).offset))) < 0.5


@pytest.mark.parametrize(("lighter", "loose"), [(1.0, True), (1.07, False)])
def test_an_outline_is_loose_in_plain_backdrop_and_not_at_a_face_that_is_a_little_lighter(
    good: Any, backdrop_pixels: Pixels16, repaint: Any, lighter: float, loose: bool
) -> None:
    left = (np.arange(good.matte.shape[1]) < 330).astype(np.float32) * good.matte
    drawn = repaint(good, left, decode_working(backdrop_pixels) * np.float32(lighter))
    assert bool(measure_edges(outline_of(drawn.master, good.matte)).loose.mean() > 0.05) == loose


def test_points_lie_on_the_outline_with_both_sides_told_apart(good: Any) -> None:
    outline = outline_of(good.master, good.matte)
    radius = np.hypot(outline.x - 450, outline.y - 450)
    assert radius == pytest.approx(np.full(len(radius), 300.0), abs=0.7)
    assert outline.matte[:, 0].min() > 0.99
    assert outline.matte[:, -1].max() < 0.01


def test_hole_is_traced_and_known_as_one(good: Any, make_disc: Any) -> None:
    outline = outline_of(good.master, good.matte * (1 - make_disc(450, 450, 60)))
    assert set(outline.loop) == {0, 1}
    assert 0.1 < outline.hole.mean() < 0.3


def test_large_product_is_measured_in_pixels_of_the_rendition(good: Any) -> None:
    reduced = reduce_edit(good.master, good.matte, good.matte)
    outline = trace_outline(good.master, good.master, good.matte, reduced, product_px=3400)
    assert outline.unit_px == 2


def test_matte_without_product_has_no_outline(good: Any) -> None:
    outline = outline_of(good.master, np.zeros_like(good.matte))
    assert outline.points == 0
    assert len(measure_edges(outline).offset) == 0


def test_longest_run_does_not_cross_from_one_line_to_the_next(good: Any, make_disc: Any) -> None:
    outline = outline_of(good.master, good.matte * (1 - make_disc(450, 450, 60)))
    counts = np.bincount(outline.loop)
    assert longest_run(np.ones(outline.points, bool), outline)[1] == counts.max()
    assert longest_run(np.zeros(outline.points, bool), outline) == (0, 0)
