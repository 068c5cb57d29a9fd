"""Exact white means every pixel, and the quick check never says worse than the full one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from packshot.qc.white import away_from, border_points, check_border_points, find_off_white


@pytest.mark.parametrize(("dtype", "white"), [(np.uint8, 255), (np.uint16, 65535)])
def test_one_pixel_a_level_below_white_is_found_where_it_is(dtype: type, white: int) -> None:
    pixels: NDArray[Any] = np.full((40, 60, 3), white, dtype)
    pixels[7, 11, 1] = white - 1
    off = find_off_white(pixels, np.ones((40, 60), bool))
    assert off.count == off.largest_count == 1
    assert off.box == off.largest_box == (11, 7, 12, 8)
    assert off.exact_ratio == pytest.approx(1 - 1 / 2400)


def test_product_pixels_do_not_count() -> None:
    pixels = np.full((40, 60, 3), 255, np.uint8)
    pixels[10:20, 10:20] = 0
    background = np.ones((40, 60), bool)
    background[10:20, 10:20] = False
    assert find_off_white(pixels, background).count == 0


def test_worst_and_largest_are_told_apart() -> None:
    pixels = np.full((40, 60, 3), 255, np.uint8)
    pixels[2, 2] = 100
    pixels[20:24, 20:25] = 254
    off = find_off_white(pixels, np.ones((40, 60), bool))
    assert off.worst_levels == 155
    assert off.largest_box == (20, 20, 25, 24)
    assert off.largest_count == 20


@given(width=st.integers(2, 80), height=st.integers(2, 80))
def test_border_points_lie_on_the_border_and_reach_all_four_sides(width: int, height: int) -> None:
    points = border_points(width, height, points=50)
    assert len(points) == 50
    assert all(0 <= x < width and 0 <= y < height for x, y in points)
    assert all(x in (0, width - 1) or y in (0, height - 1) for x, y in points)


def test_quick_check_reports_every_failure_and_what_to_do() -> None:
    pixels = np.full((100, 100, 3), 255, np.uint8)
    pixels[0] = 254
    quick = check_border_points(pixels, np.zeros((100, 100), np.float32))
    assert quick.status == "fail"
    assert quick.action == "correct_background_and_recheck"
    assert len(quick.failures) == 13
    assert quick.compliance_rate == pytest.approx(1 - 13 / 50)


def test_quick_check_leaves_out_what_the_product_covers() -> None:
    pixels = np.full((100, 100, 3), 255, np.uint8)
    pixels[0] = 10
    matte = np.zeros((100, 100), np.float32)
    matte[0] = 1
    quick = check_border_points(pixels, matte)
    assert (quick.status, quick.compliance_rate, quick.failures, quick.action) == ("pass", 1.0, (), "none")


@settings(deadline=None)
@given(seed=st.integers(0, 2**16), spots=st.integers(0, 30))
def test_quick_check_fails_only_where_the_full_check_fails(seed: int, spots: int) -> None:
    rng = np.random.default_rng(seed)
    pixels = np.full((30, 30, 3), 255, np.uint8)
    pixels[rng.integers(0, 30, spots), rng.integers(0, 30, spots)] = 250
    matte = np.zeros((30, 30), np.float32)
    if check_border_points(pixels, matte).status == "fail":
        assert find_off_white(pixels, matte == 0).count > 0


@pytest.mark.parametrize("distance_px", [0, 2, 12])
def test_background_starts_at_the_distance(distance_px: int) -> None:
    product = np.zeros((60, 60), bool)
    product[30, 30] = True
    background = away_from(product, distance_px)
    assert not background[30, 30 + distance_px]
    assert background[30, 30 + distance_px + 1]
