from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packshot.colour.spaces import srgb_profile, working_profile
from packshot.colour.transform import working_to_srgb8
from packshot.export.measure import measure_colour, measure_fill, measure_white, product_zone
from packshot.framing.fit import Placement
from packshot.framing.place import Framed
from packshot.types import Box, Mask, Size


def zone_of(left: int, top: int, right: int, bottom: int, *, size: int = 100) -> Mask:
    zone = np.zeros((size, size), np.bool_)
    zone[top:bottom, left:right] = True
    return zone


@settings(deadline=None)
@given(st.integers(0, 99), st.integers(0, 99), st.integers(0, 2), st.integers(0, 254), st.integers(0, 20))
def test_one_wrong_channel_of_one_pixel_beyond_the_ring_is_found(
    column: int, row: int, channel: int, level: int, ring_px: int
) -> None:
    pixels = np.full((100, 100, 3), 255, np.uint8)
    pixels[row, column, channel] = level
    zone = zone_of(40, 45, 60, 55)
    away = max(40 - column, column - 59, 45 - row, row - 54, 0)
    white = measure_white(pixels, zone, ring_distance_px=ring_px)
    assert white.beyond.count == (1 if away > ring_px else 0)
    if 0 < away <= ring_px:
        assert white.ring_floor == level
        assert white.white_from_px == away + 1


def test_the_ring_s_floor_counts_only_what_was_white_before() -> None:
    pixels = np.full((100, 100, 3), 255, np.uint8)
    zone = zone_of(40, 40, 60, 60)
    pixels[zone] = 10
    pixels[39, 50] = 240
    white = measure_white(pixels, zone, ring_distance_px=8)
    assert white.ring_floor == 240
    assert white.white_from_px == 2
    assert white.quick.status == "pass"


def test_a_border_pixel_off_white_fails_the_quick_check_too() -> None:
    pixels = np.full((100, 100, 3), 255, np.uint8)
    pixels[0] = 254
    white = measure_white(pixels, zone_of(40, 40, 60, 60), ring_distance_px=8)
    assert white.quick.status == "fail"
    assert white.quick.action == "correct_background_and_recheck"
    assert white.beyond.count == 100


def test_sixteen_bits_are_held_to_all_their_bits() -> None:
    pixels = np.full((100, 100, 3), 65535, np.uint16)
    pixels[5, 5] = 65534
    assert measure_white(pixels, zone_of(40, 40, 60, 60), ring_distance_px=0).beyond.count == 1


def test_a_kept_shadow_may_be_grey_a_dropped_one_may_not() -> None:
    matte = np.zeros((100, 100), np.float32)
    matte[40:60, 40:60] = 1
    before = np.full((100, 100, 3), 255, np.uint8)
    before[60:70, 40:60] = 200
    assert product_zone(matte, before, shadow_kept=True)[65, 50]
    assert not product_zone(matte, before, shadow_kept=False)[65, 50]


def framed_grey(*, thin: bool = False) -> Framed:
    """A mid-grey product on white, 64 x 64, or a line of one pixel."""
    matte = np.zeros((64, 64), np.float32)
    matte[30 : 31 if thin else 50, 10:50] = 1
    pixels = np.where(matte[..., None] > 0, np.uint16(30_000), np.uint16(65_535)).repeat(3, axis=2)
    box = Box(10, 30, 50, 31 if thin else 50)
    return Framed(pixels, matte, Placement(window=Box(0, 0, 64, 64), canvas=Size(64, 64), subject=box))


@pytest.mark.parametrize("thin", [False, True])
def test_the_same_colours_do_not_differ(thin: bool) -> None:
    framed = framed_grey(thin=thin)
    figures = measure_colour(working_to_srgb8(framed.pixels), framed, icc=srgb_profile())
    assert figures is not None
    assert figures.p95_delta_e < 0.3
    same = measure_colour(framed.pixels, framed, icc=working_profile())
    assert same is not None
    assert same.mean_delta_e == 0


def test_noise_within_a_cell_is_not_a_shift_but_a_shift_is() -> None:
    framed = framed_grey()
    delivered = working_to_srgb8(framed.pixels).astype(int)
    noise = np.where(np.indices((64, 64)).sum(axis=0) % 2, 8, -8)[..., None]
    noisy = np.where(framed.matte[..., None] > 0, delivered + noise, 255).astype(np.uint8)
    shifted = np.where(framed.matte[..., None] > 0, delivered + np.array([8, 0, -8]), 255).astype(np.uint8)
    for pixels, expected in ((noisy, False), (shifted, True)):
        figures = measure_colour(pixels, framed, icc=srgb_profile())
        assert figures is not None
        assert (figures.mean_delta_e > 2) is expected


def test_every_cell_of_the_product_is_compared_and_nothing_around_it() -> None:
    """Kind of test that was missing: one in which the colours differ from place to place."""
    framed = framed_grey()
    around = framed.pixels.copy()
    around[framed.matte < 1] = 0
    alike = measure_colour(around, framed, icc=working_profile())
    assert alike is not None
    assert (alike.mean_delta_e, alike.samples) == (0, 4 * 9)
    for top in range(32, 48, 4):
        for left in range(12, 48, 4):
            changed = framed.pixels.copy()
            changed[top : top + 4, left : left + 4, 0] += 9_000
            figures = measure_colour(changed, framed, icc=working_profile())
            assert figures is not None
            assert figures.mean_delta_e > 0.1, (top, left)


def test_of_a_large_product_some_thousand_cells_are_compared_from_all_over_it() -> None:
    side = 400
    pixels = np.full((side, side, 3), 30_000, np.uint16)
    whole = Placement(window=Box(0, 0, side, side), canvas=Size(side, side), subject=Box(0, 0, side, side))
    framed = Framed(pixels, np.ones((side, side), np.float32), whole)
    found = []
    for half in (np.s_[:200], np.s_[200:], np.s_[:, :200], np.s_[:, 200:]):
        changed = pixels.copy()
        changed[half] += 9_000
        figures = measure_colour(changed, framed, icc=working_profile())
        assert figures is not None
        assert 3_000 <= figures.samples <= 6_000
        found.append(figures.mean_delta_e)
    assert found == pytest.approx([found[0]] * 4, rel=0.02)


def test_without_a_product_no_colour_is_compared() -> None:
    framed = framed_grey()
    empty = dataclasses.replace(framed, matte=np.zeros_like(framed.matte))
    assert measure_colour(framed.pixels, empty, icc=working_profile()) is None


def test_the_fill_is_what_a_shopper_can_see() -> None:
    matte = np.zeros((100, 100), np.float32)
    matte[10:90, 40:60] = 1
    pixels = np.where(matte[..., None] > 0, np.uint8(90), np.uint8(255)).repeat(3, axis=2)
    assert measure_fill(pixels, matte) == pytest.approx(0.8)
    pixels[10:20] = 255
    assert measure_fill(pixels, matte) == pytest.approx(0.7)
    assert measure_fill(np.full_like(pixels, 255), matte) == 0
