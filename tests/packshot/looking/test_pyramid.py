"""Tiles put together are the picture, and smaller levels are averages of light."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from packshot.colour.spaces import srgb_decode, srgb_encode
from packshot.colour.transform import srgb8_to_working, working_to_srgb8
from packshot.export.encode import delivered_pixels
from packshot.looking.pack import HEAD_BYTES, Pack, Tile, header_bytes, read_contents
from packshot.looking.pyramid import OVERLAP_PX, TILE_PX, picture_levels, picture_pack, value_levels
from packshot.specs.models import Profile
from packshot.types import Pixels8
from tests import drawn_products


def decoded(data: bytes) -> Pixels8:
    return np.asarray(Image.open(io.BytesIO(data)))


def put_together(pack: Pack, level: int) -> Pixels8:
    """A level from its tiles without their overlaps."""
    size = pack.contents.layout.levels[level]
    picture = np.zeros((size.height, size.width, 3), np.uint8)
    for tile in pack.contents.layout.tiles():
        if tile.level == level:
            left, top = tile.column * TILE_PX, tile.row * TILE_PX
            right, bottom = min(left + TILE_PX, size.width), min(top + TILE_PX, size.height)
            inside = decoded(pack.tile(tile))
            across, down = OVERLAP_PX * (tile.column > 0), OVERLAP_PX * (tile.row > 0)
            picture[top:bottom, left:right] = inside[down : down + bottom - top, across : across + right - left]
    return picture


@pytest.fixture(scope="module")
def photograph() -> Pixels8:
    return drawn_products.pixels(1111, 777)


def test_the_last_levels_tiles_are_the_pixels_that_an_export_starts_from(photograph: Pixels8) -> None:
    working = srgb8_to_working(photograph)
    working[::7, ::5, 1] += 77  # values that 8 bits don't have
    pack = picture_pack(working)
    exported = delivered_pixels(working, profile=Profile.SRGB, bit_depth=8)
    np.testing.assert_array_equal(put_together(pack, len(pack.contents.layout.levels) - 1), exported)


def test_each_smaller_level_is_the_mean_of_light(photograph: Pixels8) -> None:
    levels = picture_levels(photograph)
    even = np.pad(photograph, ((0, 1), (0, 1), (0, 0)), mode="edge")
    light = srgb_decode(even / 255)
    mean = (light[::2, ::2] + light[1::2, ::2] + light[::2, 1::2] + light[1::2, 1::2]) / 4
    assert np.abs(levels[-2].astype(int) - np.round(srgb_encode(mean) * 255)).max() <= 1


@given(st.integers(1, 1300), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_sizes_halve_and_the_first_level_fits_into_a_tile(width: int, height: int, seed: int) -> None:
    picture = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    shapes = [level.shape[:2] for level in picture_levels(picture)]
    assert shapes[-1] == (height, width)
    assert max(shapes[0]) <= TILE_PX
    halves = [tuple(-(-side // 2) for side in shape) for shape in shapes[1:]]
    assert shapes[:-1] == halves


def test_white_stays_exactly_white_on_every_level() -> None:
    assert all((level == 255).all() for level in picture_levels(np.full((1500, 1030, 3), 255, np.uint8)))


def test_tiles_repeat_one_pixel_of_each_neighbour(photograph: Pixels8) -> None:
    pack = picture_pack(srgb8_to_working(photograph))
    last = len(pack.contents.layout.levels) - 1
    tile = decoded(pack.tile(Tile(last, 1, 0)))
    np.testing.assert_array_equal(tile, photograph[: TILE_PX + 1, TILE_PX - 1 : 2 * TILE_PX + 1])


@given(st.integers(0, 1500), st.integers(0, 600), st.booleans())
def test_a_single_value_is_seen_on_every_level(x: int, y: int, spread: bool) -> None:
    values = np.zeros((601, 1501), np.uint8)
    values[y, x] = 9
    assert all(level.max() == 9 for level in value_levels(values, spread=spread))


def test_a_spread_value_is_at_least_two_pixels_wide_on_smaller_levels() -> None:
    values = np.zeros((1024, 1024), np.uint8)
    values[500, 301] = 1
    small = value_levels(values, spread=True)[0]
    assert np.count_nonzero(small) == 9


def test_a_pack_is_read_again_from_its_bytes(photograph: Pixels8) -> None:
    pack = picture_pack(srgb8_to_working(photograph))
    length = header_bytes(pack.data[:HEAD_BYTES])
    assert read_contents(pack.data[HEAD_BYTES : HEAD_BYTES + length]) == pack.contents


def test_bytes_that_are_no_pack_are_refused() -> None:
    with pytest.raises(ValueError, match="pack of tiles"):
        header_bytes(b"RIFF\0\0\0\0WEBP")


def test_a_tile_that_does_not_exist_is_refused(photograph: Pixels8) -> None:
    with pytest.raises(KeyError):
        picture_pack(srgb8_to_working(photograph)).tile(Tile(0, 1, 0))


def test_colours_outside_srgb_are_clipped_as_in_an_export() -> None:
    green = np.zeros((4, 4, 3), np.uint16)
    green[..., 1] = 65535
    np.testing.assert_array_equal(put_together(picture_pack(green), 0), working_to_srgb8(green))
