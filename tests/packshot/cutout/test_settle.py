"""Where a product may touch a floor: on a drawn stool with a bar above a gap."""

from __future__ import annotations

import numpy as np

from packshot.cutout.settle import LOWEST_CELLS, _floor_from
from packshot.types import FloatImage, Matte, Pixels16

FLOOR, SHADOW = 200, 150
BAR, SOLE = slice(250, 256), slice(290, 300)
"""Rows of a bar above a gap, and of what stands on the floor; both lie in the lowest quarter."""
GAP = slice(130, 200)
"""Columns between the legs."""
DOUBT_PX = float(LOWEST_CELLS)


def _stool() -> Matte:
    stool = np.zeros((400, 300), np.float32)
    stool[20:300, 100:110] = stool[20:300, 200:210] = 1
    stool[BAR, 100:210] = stool[SOLE, 100:210] = 1
    return stool


def _photo(*, shadow: bool) -> tuple[Pixels16, FloatImage]:
    levels = np.full((400, 300, 3), FLOOR, np.float32)
    surface = levels.copy()
    if shadow:
        levels[300:330, 90:220] = SHADOW
    levels[_stool() > 0] = 90
    return (levels * 257).astype(np.uint16), surface


def test_a_product_touches_the_floor_with_its_lowest_part_and_not_with_a_bar_above_a_gap() -> None:
    pixels, surface = _photo(shadow=True)

    floor_from = _floor_from(pixels, _stool(), surface, DOUBT_PX)

    assert floor_from[GAP].min() == floor_from[GAP].max() == SOLE.stop - 1 - DOUBT_PX
    assert floor_from[GAP].min() > BAR.stop


def test_what_casts_no_shadow_below_it_stands_on_no_floor() -> None:
    pixels, surface = _photo(shadow=False)

    assert np.isinf(_floor_from(pixels, _stool(), surface, DOUBT_PX)).all()


def test_without_a_product_there_is_no_floor() -> None:
    pixels, surface = _photo(shadow=True)

    assert np.isinf(_floor_from(pixels, np.zeros_like(_stool()), surface, DOUBT_PX)).all()
