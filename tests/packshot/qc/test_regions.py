"""Areas where matte and photograph contradict each other, on a drawn disc."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

from packshot.colour.spaces import decode_working, encode_working
from packshot.qc.reduced import Reduced, reduce_edit
from packshot.qc.regions import backdrop_inside, disagreement, product_outside
from packshot.types import FloatImage, Matte, Pixels16

MakeDisc = Callable[..., Matte]


def reduce_drawn(drawn: Any) -> Reduced:
    edit = drawn.edit()
    return reduce_edit(edit.master16, edit.composite16, edit.cutout.matte, edit.cutout.network_matte)


def with_patch(drawn: Any, patch: Matte, colours: FloatImage) -> Any:
    """The same edit, a patch of the photograph in other colours (linear light)."""
    linear = decode_working(drawn.master)
    keep = patch[..., None]
    master = encode_working((linear * (1 - keep) + colours * keep).astype(np.float32))
    composite = np.where((drawn.matte == 1)[..., None], master, drawn.composite)
    return drawn.change(master=master, composite=composite)


def side_face(drawn: Any) -> Matte:
    """The product's left third."""
    face = drawn.matte.copy()
    face[:, 300:] = 0
    return np.asarray(face, np.float32)


def test_a_face_in_the_colour_of_the_backdrop_is_no_leftover_where_it_ends_in_an_edge(
    good: Any, backdrop_pixels: Pixels16
) -> None:
    shaded = cv2.GaussianBlur(good.matte, (0, 0), 30)[..., None] * (1 - good.matte[..., None])
    drawn = with_patch(good, np.ones_like(good.matte), decode_working(good.master) * (1 - 0.8 * shaded))
    drawn = with_patch(drawn, side_face(drawn), decode_working(backdrop_pixels))
    areas = backdrop_inside(reduce_drawn(drawn))[1]
    assert sum(area.area for area in areas) < 100


def test_a_face_that_goes_over_into_the_backdrop_is_suspected(good: Any, backdrop_pixels: Pixels16) -> None:
    drawn = with_patch(good, side_face(good), decode_working(backdrop_pixels))
    areas = backdrop_inside(reduce_drawn(drawn))[1]
    assert areas[0].area > 10_000


def test_the_photograph_settles_a_hole_that_only_the_network_saw(good: Any, make_disc: MakeDisc) -> None:
    network = good.matte * (1 - make_disc(450, 450, 60))
    share, areas = disagreement(reduce_drawn(good.change(network=network)))
    assert share == 0
    assert not areas


def test_the_photograph_settles_a_gap_that_the_network_filled(
    good: Any, make_disc: MakeDisc, backdrop_pixels: Pixels16
) -> None:
    gap = make_disc(450, 450, 60)
    drawn = with_patch(good, gap, decode_working(backdrop_pixels))
    white = np.where(gap[..., None] > 0, np.uint16(65535), drawn.composite)
    drawn = drawn.change(matte=good.matte * (1 - gap), composite=white, network=good.matte)
    assert not disagreement(reduce_drawn(drawn))[1]


@pytest.mark.parametrize("x", [450, 730])
def test_a_part_that_only_the_network_kept_is_disputed(
    good: Any, with_matte: Callable[..., Any], make_disc: MakeDisc, x: int
) -> None:
    drawn = with_matte(good, good.matte * (1 - make_disc(x, 450, 50))).change(network=good.matte)
    areas = disagreement(reduce_drawn(drawn))[1]
    assert areas[0].area > 2000


def test_backdrop_that_the_network_had_dropped_is_disputed(
    good: Any, with_matte: Callable[..., Any], make_disc: MakeDisc
) -> None:
    drawn = with_matte(good, np.maximum(good.matte, make_disc(750, 450, 50))).change(network=good.matte)
    assert disagreement(reduce_drawn(drawn))[1]


def test_a_part_beyond_all_that_the_network_saw_is_disputed(good: Any) -> None:
    network = good.matte.copy()
    network[:400] = 0
    assert disagreement(reduce_drawn(good.change(network=network)))[1][0].area > 10_000


def test_what_nobody_can_see_on_white_is_not_disputed(good: Any, make_disc: MakeDisc) -> None:
    highlight = make_disc(450, 450, 60)
    drawn = with_patch(good, highlight, np.ones((*good.matte.shape, 3), np.float32))
    assert not disagreement(reduce_drawn(drawn.change(network=good.matte * (1 - highlight))))[1]


def test_light_that_the_product_throws_on_the_floor_is_no_part_of_it(
    good: Any, backdrop_pixels: Pixels16, make_disc: MakeDisc
) -> None:
    glow = cv2.GaussianBlur(make_disc(680, 640, 60), (0, 0), 25) * (1 - good.matte)
    red = decode_working(backdrop_pixels) * np.array([1.0, 0.6, 0.6], np.float32)
    enclosed, open_ones = product_outside(reduce_drawn(with_patch(good, glow.astype(np.float32), red)))
    assert not enclosed
    assert not open_ones


def test_a_part_outside_the_matte_is_found_by_the_edge_it_ends_in(
    good: Any, with_matte: Callable[..., Any], make_disc: MakeDisc
) -> None:
    bitten = with_matte(good, good.matte * (1 - make_disc(730, 450, 50)))
    assert product_outside(reduce_drawn(bitten))[1][0].area > 1000
