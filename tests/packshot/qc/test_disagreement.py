"""What network and matte disagree about, on a drawn disc."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from packshot.colour.spaces import decode_working
from packshot.qc.disagreement import disagreement
from packshot.qc.reduced import Reduced
from packshot.types import Matte, Pixels16

MakeDisc = Callable[..., Matte]
Reduce = Callable[[Any], Reduced]


def test_the_photograph_settles_a_hole_that_only_the_network_saw(
    good: Any, make_disc: MakeDisc, reduced: Reduce
) -> None:
    network = good.matte * (1 - make_disc(450, 450, 60))
    share, areas = disagreement(reduced(good.change(network=network)))
    assert share == 0
    assert not areas


def test_the_photograph_settles_a_gap_that_the_network_filled(
    good: Any, make_disc: MakeDisc, backdrop_pixels: Pixels16, reduced: Reduce, repaint: Callable[..., Any]
) -> None:
    gap = make_disc(450, 450, 60)
    drawn = repaint(good, gap, decode_working(backdrop_pixels))
    white = np.where(gap[..., None] > 0, np.uint16(65535), drawn.composite)
    drawn = drawn.change(matte=good.matte * (1 - gap), composite=white, network=good.matte)
    assert not disagreement(reduced(drawn))[1]


@pytest.mark.parametrize("x", [450, 730])
def test_a_part_that_only_the_network_kept_is_disputed(
    good: Any, with_matte: Callable[..., Any], make_disc: MakeDisc, x: int, reduced: Reduce
) -> None:
    drawn = with_matte(good, good.matte * (1 - make_disc(x, 450, 50))).change(network=good.matte)
    areas = disagreement(reduced(drawn))[1]
    assert areas[0].area > 2000


def test_backdrop_that_the_network_had_dropped_is_disputed(
    good: Any, with_matte: Callable[..., Any], make_disc: MakeDisc, reduced: Reduce
) -> None:
    drawn = with_matte(good, np.maximum(good.matte, make_disc(750, 450, 50))).change(network=good.matte)
    assert disagreement(reduced(drawn))[1]


def test_a_part_beyond_all_that_the_network_saw_is_disputed(good: Any, reduced: Reduce) -> None:
    network = good.matte.copy()
    network[:400] = 0
    assert disagreement(reduced(good.change(network=network)))[1][0].area > 10_000


def test_what_nobody_can_see_on_white_is_not_disputed(
    good: Any, make_disc: MakeDisc, reduced: Reduce, repaint: Callable[..., Any]
) -> None:
    highlight = make_disc(450, 450, 60)
    drawn = repaint(good, highlight, np.ones((*good.matte.shape, 3), np.float32))
    assert not disagreement(reduced(drawn.change(network=good.matte * (1 - highlight))))[1]


@pytest.mark.parametrize("radius", [40, 150])
def test_so_large_a_hole_in_what_the_network_saw_is_for_a_person(
    good: Any, make_disc: MakeDisc, reduced: Reduce, radius: int
) -> None:
    network = good.matte * (1 - make_disc(450, 450, radius))
    assert bool(disagreement(reduced(good.change(network=network)))[1]) is (radius == 150)
