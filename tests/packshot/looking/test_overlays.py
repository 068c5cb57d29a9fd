"""Overlays show what the checks measure: the same pixels, the same counts."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot.colour.difference import delta_e_2000, lab_of
from packshot.colour.spaces import decode_working, encode_working, working_profile
from packshot.colour.transform import srgb8_to_working
from packshot.looking import overlays
from packshot.looking.overlays import STEPS_PER_DELTA_E, Overlay
from packshot.looking.shades import HEAT, OFF_WHITE_RGB, encode_overlay
from packshot.qc.white import find_off_white
from packshot.specs.rules import Shadow
from packshot.types import Box, Matte, Pixels16
from tests import drawn_products

SIDE = 400
PRODUCT = (90, 120, 60)


@pytest.fixture(scope="module")
def matte() -> Matte:
    return drawn_products.coverage(SIDE, SIDE)


def laid(matte: Matte, rgb: tuple[int, int, int] = PRODUCT, ground: float = 1.0) -> Pixels16:
    """An even product on an even ground, mixed in linear light."""
    light = decode_working(srgb8_to_working(np.full((*matte.shape, 3), rgb, np.uint8)))
    share = matte[..., None]
    return encode_working((share * light + (1 - share) * np.float32(ground)).astype(np.float32))


@given(st.integers(0, 40), st.integers(0, 2**32 - 1))
def test_off_white_pixels_are_those_that_the_checker_counts(spots: int, seed: int) -> None:
    matte = drawn_products.coverage(60, 50, radius_ratio=0.3)
    edit, chance = laid(matte), np.random.default_rng(seed)
    for _ in range(spots):
        edit[chance.integers(50), chance.integers(60), chance.integers(3)] -= chance.integers(0, 300, dtype=np.uint16)
    shown = overlays.off_white(edit, matte, shadow=Shadow.DROP)
    counted = find_off_white(edit, matte == 0)
    assert (shown.count, shown.compared, shown.worst) == (counted.count, counted.background, counted.worst_levels)
    assert np.count_nonzero(shown.values) == counted.count
    assert shown.box == counted.largest_box


def test_a_pixel_off_by_one_of_65535_is_shown(matte: Matte) -> None:
    edit = laid(matte)
    edit[3, 5, 2] -= 1
    assert overlays.off_white(edit, matte, shadow=Shadow.DROP).values[3, 5] == 1


def test_near_a_kept_shadow_nothing_has_to_be_white(matte: Matte) -> None:
    edit = laid(matte)
    edit[-20, SIDE // 2] = 60_000
    assert overlays.off_white(edit, matte, shadow=Shadow.DROP).count == 1
    assert overlays.off_white(edit, matte, shadow=Shadow.KEEP).count == 0


def test_the_mattes_edge_is_the_inner_border_of_half_coverage(matte: Matte) -> None:
    line = overlays.matte_edge(matte).values > 0
    inside = matte >= 0.5
    assert (inside[line]).all()
    assert not overlays.matte_edge(np.ones((20, 30), np.float32)).count
    filled = cv2.erode(inside.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)))
    np.testing.assert_array_equal(line, inside & (filled == 0))


def test_a_clean_edge_has_no_halo(matte: Matte) -> None:
    shown = overlays.halo(laid(matte), matte)
    assert shown.count == 0
    assert shown.box is None
    assert shown.compared > 1000


def test_a_rim_of_backdrop_is_a_halo_as_wide_as_it_is_and_as_strong(matte: Matte) -> None:
    wide = drawn_products.coverage(SIDE, SIDE, radius_ratio=0.435)  # two pixels too wide, filled with grey
    edit = laid(matte, ground=0.5)
    outside = (1 - wide)[..., None]
    edit = encode_working((decode_working(edit) * (1 - outside) + outside).astype(np.float32))
    shown = overlays.halo(edit, wide)
    labs = [lab_of(picture[None, None], icc=working_profile()) for picture in (edit[SIDE // 2, SIDE // 2], _grey())]
    assert shown.worst > 0.5 * float(delta_e_2000(labs[0], labs[1])[0, 0]) or shown.worst == 255 / STEPS_PER_DELTA_E
    assert 2 * np.pi * 0.435 * SIDE < shown.count < 4 * 2 * np.pi * 0.435 * SIDE


def _grey() -> Pixels16:
    return encode_working(np.full((1, 1, 3), 0.5, np.float32))[0, 0]


def test_no_halo_is_claimed_where_no_opaque_product_is_near() -> None:
    wire = np.zeros((60, 60), np.float32)
    wire[30] = 0.7
    shown = overlays.halo(laid(wire, ground=0.2), wire)
    assert (shown.count, shown.compared) == (0, 0)


def test_equal_colours_have_no_difference_and_changed_ones_have_the_deltas_size(matte: Matte) -> None:
    before = laid(matte)
    assert overlays.colour(before, before, matte).count == 0
    after = laid(matte, (96, 120, 60))
    shown = overlays.colour(after, before, matte)
    middle = SIDE // 2
    labs = [lab_of(one[middle : middle + 1, middle : middle + 1], icc=working_profile()) for one in (before, after)]
    expected = float(delta_e_2000(labs[0], labs[1])[0, 0])
    assert shown.values[middle, middle] == round(expected * STEPS_PER_DELTA_E)
    assert shown.count == shown.compared
    assert not shown.values[matte == 0].any()


def test_only_the_changed_place_differs_in_colour(matte: Matte) -> None:
    before = laid(matte)
    after = before.copy()
    after[200:208, 160:164] //= 2
    shown = overlays.colour(after, before, matte)
    assert (shown.count, shown.box) == (32, Box(160, 200, 161, 201))


def shaded(matte: Matte, rgb: tuple[int, int, int] = PRODUCT) -> Pixels16:
    """A product of one colour in light that falls off to a third from left to right."""
    light = decode_working(srgb8_to_working(np.full((*matte.shape, 3), rgb, np.uint8)))
    falls_off = np.linspace(1.0, 1 / 3, matte.shape[1], dtype=np.float32)[None, :, None]
    return encode_working((light * falls_off).astype(np.float32))


def lab_as_product(rgb: tuple[int, int, int] = PRODUCT) -> list[float]:
    one: list[float] = lab_of(srgb8_to_working(np.full((1, 1, 3), rgb, np.uint8)), icc=working_profile())[0, 0].tolist()
    return one


def test_light_and_shade_on_a_product_of_the_reference_s_colour_are_no_difference(matte: Matte) -> None:
    edit = shaded(matte)
    shown = overlays.reference_colour(edit, matte, lab_as_product())
    assert (shown.count, shown.worst < 0.5) == (0, True)
    assert shown.compared > 0.9 * np.count_nonzero(matte >= 1)
    assert overlays.colour(edit, laid(matte), matte).worst > 10, "the shade itself is there"


def test_a_place_of_another_colour_is_shown_however_dark_it_is(matte: Matte) -> None:
    edit = shaded(matte)
    patch = np.s_[196:204, 240:252]
    edit[patch] = shaded(matte, (120, 90, 60))[patch]
    shown = overlays.reference_colour(edit, matte, lab_as_product())
    rows, columns = np.nonzero(shown.values >= STEPS_PER_DELTA_E)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (196, 203, 240, 251)
    assert shown.count == 8 * 12
    assert shown.worst > 10


def test_what_is_too_dark_to_have_a_colour_is_not_compared(matte: Matte) -> None:
    shown = overlays.reference_colour(laid(matte, (8, 8, 8)), matte, lab_as_product())
    assert (shown.count, shown.compared, shown.worst) == (0, 0, 0.0)


def test_an_overlay_that_shows_nothing_has_no_bytes() -> None:
    nothing = np.zeros((8, 8), np.uint8)
    assert all(encode_overlay(nothing, one) == b"" for one in Overlay)
    below = np.full((8, 8), round(HEAT[0][0] * STEPS_PER_DELTA_E) - 1, np.uint8)
    assert encode_overlay(below, Overlay.HALO) == b""
    assert encode_overlay(below, Overlay.OFF_WHITE) != b""


def test_off_white_has_the_stated_colour() -> None:
    from tests.packshot.looking.test_pyramid import decoded

    tile = decoded(encode_overlay(np.eye(8, dtype=np.uint8), Overlay.OFF_WHITE))
    assert tuple(tile[0, 0]) == (*OFF_WHITE_RGB, 255)
    assert tile[0, 1, 3] == 0
