"""The closer look: a region against the backdrop right beside it, and against the product around it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from packshot.qc.around import Around
from packshot.qc.closer_look import NAMES, closer_look
from packshot.qc.near_backdrop import Regions
from packshot.types import Box, FloatImage

SIDE = 240
PREDICTED = 200.0
AT_THE_RIM, INSIDE, WHOLE = (60, 110, 66, 130), (110, 110, 130, 120), (60, 60, 180, 180)
"""Left, top, right, bottom."""


def shaded() -> FloatImage:
    """A product of level 60 on a backdrop that its shade makes reddish, and darker than predicted."""
    levels = np.empty((SIDE, SIDE, 3), np.float32)
    levels[:] = (160, 150, 140)
    levels[60:180, 60:180] = 60
    return levels


def look(levels: FloatImage, boxes: Sequence[tuple[int, ...]], chosen: Sequence[int]) -> list[dict[str, float]]:
    kept = np.zeros((SIDE, SIDE), bool)
    kept[60:180, 60:180] = True
    around = Around(levels, kept, np.full((SIDE, SIDE, 3), PREDICTED, np.float32), 1.0, 0, 0)
    inside = [np.zeros((SIDE, SIDE), bool) for _ in boxes]
    for mask, (left, top, right, bottom) in zip(inside, boxes, strict=True):
        mask[top:bottom, left:right] = True
    places = [np.flatnonzero(mask) for mask in inside]
    numbers = np.concatenate([np.full(len(place), number) for number, place in enumerate(places)])
    area = np.array([len(place) for place in places], np.float64)
    regions = Regions(tuple(around.box(*box) for box in boxes), area, {}, np.concatenate(places), numbers)
    return [dict(zip(NAMES, row, strict=True)) for row in closer_look(around, 2.0, regions, np.array(chosen))]


def test_shaded_backdrop_at_the_rim_is_like_the_backdrop_beside_it_though_not_like_the_predicted_one() -> None:
    levels = shaded()
    levels[110:130, 60:66] = (160, 150, 140)
    (found,) = look(levels, [AT_THE_RIM], [0])
    for nearby in ("near", "far"):
        assert abs(found[f"{nearby}_bright"]) < 8
        assert found[f"{nearby}_unlike"] < 10
        assert found[f"{nearby}_tint"] < 3
    assert found["ring_alike"] == 0
    assert found["ring_least"] > 50


def test_a_part_in_the_predicted_colour_differs_from_the_backdrop_beside_it() -> None:
    levels = shaded()
    levels[110:130, 60:66] = PREDICTED
    (found,) = look(levels, [AT_THE_RIM], [0])
    assert found["near_bright"] > 35
    assert found["near_tint"] == pytest.approx(10, abs=3)
    assert found["near_bright_noises"] == pytest.approx(found["near_bright"] / 2.0)


def test_a_part_whose_colour_goes_on_around_it_is_told_by_its_ring() -> None:
    (found,) = look(shaded(), [INSIDE], [0])
    assert found["ring_alike"] == 1
    assert found["ring_least"] == pytest.approx(0, abs=0.5)


def test_a_region_without_product_around_it_says_so() -> None:
    (found,) = look(shaded(), [WHOLE], [0])
    assert (found["ring_alike"], found["ring_least"]) == (-1, -1)


def test_only_the_chosen_regions_are_measured_in_the_order_of_choice() -> None:
    alone = [look(shaded(), [box], [0])[0] for box in (WHOLE, INSIDE)]
    assert look(shaded(), [INSIDE, AT_THE_RIM, WHOLE], [2, 0]) == alone


@pytest.mark.parametrize("seed", range(5))
def test_a_region_s_pixels_are_those_that_carry_its_number_in_their_order(seed: int) -> None:
    """Sorted once for all: to look through every pixel for each region takes the square of their number."""
    draw = np.random.default_rng(seed)
    count, pixels = 7, 200
    region, places = draw.integers(0, count, pixels), draw.integers(0, 10_000, pixels)
    boxes = (Box(0, 0, 1, 1),) * count
    regions = Regions(boxes, np.bincount(region, minlength=count).astype(np.float64), {}, places, region)
    assert len(regions.pixels) == count
    for number, found in enumerate(regions.pixels):
        np.testing.assert_array_equal(found, places[region == number])
    assert regions.pixels is regions.pixels
