import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packshot.colour.spaces import (
    WORKING_GAMMA,
    decode_working,
    encode_working,
    srgb_decode,
    srgb_profile,
    srgb_to_pcs,
    working_profile,
    working_to_pcs,
)
from packshot.colour.transform import Intent, convert, srgb8_to_working, working_to_srgb8
from packshot.errors import BadProfileError


def test_every_grey_survives_the_master_unchanged() -> None:
    greys = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    master = srgb8_to_working(greys)
    assert (working_to_srgb8(master) == greys).all()
    assert (np.ptp(master.astype(int), axis=2) <= 1).all(), "a grey stays a grey"


def test_a_million_colours_survive_the_master_unchanged() -> None:
    colours = np.random.default_rng(7).integers(0, 256, (1000, 1000, 3), dtype=np.uint8)
    assert (working_to_srgb8(srgb8_to_working(colours)) == colours).all()


def test_white_and_black_are_exact() -> None:
    ends = np.array([[[255, 255, 255], [0, 0, 0]]], np.uint8)
    assert srgb8_to_working(ends).tolist() == [[[65535] * 3, [0] * 3]]


def test_the_fast_path_agrees_with_the_published_formulas() -> None:
    colours = np.random.default_rng(3).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    linear = srgb_decode(colours / 255) @ (np.linalg.inv(working_to_pcs()) @ srgb_to_pcs()).T
    expected = np.clip(linear, 0, 1) ** (1 / WORKING_GAMMA) * 65535
    error = np.abs(srgb8_to_working(colours) - expected)
    # The profile's curve is sampled at 1024 points; in the deepest shadows that moves the 16-bit value a little.
    assert error.max() < 40
    assert error.mean() < 2


def test_the_fast_path_agrees_with_the_colour_engine() -> None:
    colours = np.random.default_rng(5).integers(0, 65536, (200, 200, 3), dtype=np.uint16)
    fast = working_to_srgb8(colours).astype(int)
    slow = convert(
        colours,
        source=working_profile(),
        target=srgb_profile(),
        bit_depth=8,
        intent=Intent.ABSOLUTE_COLORIMETRIC,  # takes the engine's way; both whites are D65, so the result is the same
    ).astype(int)
    assert np.abs(fast - slow).max() <= 1


def test_pixels_of_the_caller_are_not_changed() -> None:
    colours = np.full((4, 4, 3), 200, np.uint8)
    srgb8_to_working(colours)
    assert (colours == 200).all()


def test_unconnectable_profiles_are_named() -> None:
    with pytest.raises(BadProfileError, match="cannot be converted"):
        convert(np.zeros((2, 2, 3), np.uint8), source=b"no profile", target=working_profile(), bit_depth=16)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 65535), st.integers(0, 65535), st.integers(0, 65535))
def test_linear_light_and_back_is_the_identity(red: int, green: int, blue: int) -> None:
    pixel = np.array([[[red, green, blue]]], np.uint16)
    assert (encode_working(decode_working(pixel)) == pixel).all()


def test_linear_light_and_back_is_the_identity_for_every_value() -> None:
    values = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    assert (encode_working(decode_working(values)) == values).all()
