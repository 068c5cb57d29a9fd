from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot.colour.gamut import out_of_gamut_ratio
from packshot.colour.spaces import display_p3_profile, srgb_profile, working_profile
from packshot.colour.transform import srgb8_to_working
from tests.drawn_press import press_profile


def flat(*colours: tuple[int, int, int]) -> np.ndarray:
    return np.array([colours], np.uint16)


def test_a_green_that_srgb_cannot_show_counts_and_a_grey_does_not() -> None:
    pixels = flat((0, 65535, 0), (30000, 30000, 30000))
    assert out_of_gamut_ratio(pixels, source=working_profile(), target=srgb_profile()) == 0.5


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_no_colour_of_srgb_is_outside_the_working_space(colour: tuple[int, int, int]) -> None:
    pixels = np.array([[colour]], np.uint8)
    assert out_of_gamut_ratio(pixels, source=srgb_profile(), target=working_profile()) == 0
    back = srgb8_to_working(pixels)
    assert out_of_gamut_ratio(back, source=working_profile(), target=srgb_profile()) == 0


def test_only_pixels_that_count_are_counted() -> None:
    pixels = flat((0, 65535, 0), (30000, 30000, 30000))
    where = np.array([[False, True]])
    assert out_of_gamut_ratio(pixels, source=working_profile(), target=srgb_profile(), where=where) == 0
    assert out_of_gamut_ratio(pixels, source=working_profile(), target=srgb_profile(), where=~where) == 1
    assert out_of_gamut_ratio(pixels, source=working_profile(), target=srgb_profile(), where=where & ~where) == 0


def test_a_red_of_display_p3_is_beyond_adobe_rgb() -> None:
    assert out_of_gamut_ratio(
        np.array([[[255, 0, 0]]], np.uint8), source=display_p3_profile(), target=working_profile()
    )


def test_what_a_press_cannot_print_is_found_through_its_tables() -> None:
    printable, vivid, deep = (
        srgb8_to_working(np.full((4, 4, 3), c, np.uint8)) for c in ((120, 90, 80), (0, 0, 255), 0)
    )
    shares = [
        out_of_gamut_ratio(one, source=working_profile(), target=press_profile()) for one in (printable, vivid, deep)
    ]
    assert shares == pytest.approx([0, 1, 1])


def test_large_pictures_are_sampled() -> None:
    pixels = np.zeros((3000, 2000, 3), np.uint16)
    pixels[:, :1000, 1] = 65535
    share = out_of_gamut_ratio(pixels, source=working_profile(), target=srgb_profile())
    assert share == pytest.approx(0.5, abs=0.01)
