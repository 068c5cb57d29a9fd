"""What the matte keeps although it looks like the backdrop, on a drawn disc."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

from packshot.colour.spaces import decode_working
from packshot.qc.inside import filled_gaps, leftovers
from packshot.qc.reduced import Reduced
from packshot.types import Matte, Pixels16

MakeDisc = Callable[..., Matte]
Reduce = Callable[[Any], Reduced]


def side_face(drawn: Any) -> Matte:
    """The product's left third."""
    face = drawn.matte.copy()
    face[:, 300:] = 0
    return np.asarray(face, np.float32)


def test_a_face_in_the_colour_of_the_backdrop_is_no_leftover_where_it_ends_in_an_edge(
    good: Any, backdrop_pixels: Pixels16, reduced: Reduce, repaint: Callable[..., Any]
) -> None:
    shaded = cv2.GaussianBlur(good.matte, (0, 0), 30)[..., None] * (1 - good.matte[..., None])
    drawn = repaint(good, np.ones_like(good.matte), decode_working(good.master) * (1 - 0.8 * shaded))
    drawn = repaint(drawn, side_face(drawn), decode_working(backdrop_pixels))
    areas = leftovers(reduced(drawn))
    assert sum(area.area for area in areas) < 100


def test_a_face_that_goes_over_into_the_backdrop_is_suspected(
    good: Any, backdrop_pixels: Pixels16, reduced: Reduce, repaint: Callable[..., Any]
) -> None:
    drawn = repaint(good, side_face(good), decode_working(backdrop_pixels))
    areas = leftovers(reduced(drawn))
    assert areas[0].area > 10_000


def test_a_face_nearly_in_the_colour_of_the_backdrop_but_in_a_light_of_its_own_is_no_leftover(
    good: Any, backdrop_pixels: Pixels16, reduced: Reduce, repaint: Callable[..., Any]
) -> None:
    own_light = np.linspace(1.03, 1.07, good.matte.shape[0], dtype=np.float32)[:, None, None]
    drawn = repaint(good, side_face(good), decode_working(backdrop_pixels) * own_light)
    assert sum(area.area for area in leftovers(reduced(drawn))) < 100


@pytest.mark.parametrize(
    ("radius", "shade"), [*itertools.product([8, 20, 60], [1.0, 0.9]), *itertools.product([20, 60], [1.05, 0.75, 0.65])]
)
def test_a_gap_that_was_filled_is_found_also_where_the_backdrop_is_shaded(
    good: Any,
    make_disc: MakeDisc,
    backdrop_pixels: Pixels16,
    reduced: Reduce,
    repaint: Callable[..., Any],
    radius: int,
    shade: float,
) -> None:
    drawn = repaint(good, make_disc(450, 450, radius), decode_working(backdrop_pixels) * np.float32(shade))
    assert filled_gaps(reduced(drawn))[0].area > 0.4 * np.pi * radius**2


def test_a_face_in_the_colour_of_the_backdrop_that_goes_over_into_others_is_no_gap(
    good: Any, make_disc: MakeDisc, backdrop_pixels: Pixels16, reduced: Reduce, repaint: Callable[..., Any]
) -> None:
    faded = cv2.GaussianBlur(make_disc(450, 450, 120), (0, 0), 30)
    drawn = repaint(good, faded, decode_working(backdrop_pixels))
    assert not filled_gaps(reduced(drawn))


def test_a_grey_face_that_is_not_exactly_the_backdrops_colour_in_shadow_is_no_gap(
    good: Any, make_disc: MakeDisc, backdrop_pixels: Pixels16, reduced: Reduce, repaint: Callable[..., Any]
) -> None:
    warmer = decode_working(backdrop_pixels) * np.array([0.77, 0.75, 0.73], np.float32)
    assert not filled_gaps(reduced(repaint(good, make_disc(450, 450, 60), warmer)))


def test_a_highlight_is_no_gap(good: Any, make_disc: MakeDisc, reduced: Reduce, repaint: Callable[..., Any]) -> None:
    drawn = repaint(good, make_disc(450, 450, 60), np.ones((*good.matte.shape, 3), np.float32))
    assert not filled_gaps(reduced(drawn))


def test_a_gap_with_the_products_own_shadow_in_it_is_found_whole(
    good: Any, make_disc: MakeDisc, backdrop_pixels: Pixels16, reduced: Reduce, repaint: Callable[..., Any]
) -> None:
    shade = np.interp(np.arange(good.matte.shape[0]), [380, 430], [0.7, 1.0]).astype(np.float32)[:, None, None]
    drawn = repaint(good, make_disc(450, 450, 70), decode_working(backdrop_pixels) * shade)
    assert filled_gaps(reduced(drawn))[0].area > 0.7 * np.pi * 70**2


@pytest.mark.parametrize(("slope", "gaps"), [(0.0, True), (0.08, False)])
def test_a_face_whose_shading_runs_through_the_backdrops_colour_is_no_gap(
    good: Any,
    make_disc: MakeDisc,
    backdrop_pixels: Pixels16,
    reduced: Reduce,
    repaint: Callable[..., Any],
    slope: float,
    gaps: bool,
) -> None:
    shading = 1 + slope * np.linspace(-1, 1, 121, dtype=np.float32)
    own_light = np.ones(good.matte.shape[0], np.float32)
    own_light[390:511] = shading
    warm = np.array([1.02, 1.0, 0.98], np.float32)
    drawn = repaint(good, make_disc(450, 450, 60), decode_working(backdrop_pixels) * own_light[:, None, None] * warm)
    assert bool(filled_gaps(reduced(drawn))) == gaps
