"""What the matte leaves out, on a drawn disc."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from packshot.colour.spaces import decode_working
from packshot.qc.outside import product_outside
from packshot.qc.reduced import Reduced
from packshot.types import Matte, Pixels16

MakeDisc = Callable[..., Matte]
Reduce = Callable[[Any], Reduced]


def test_light_that_the_product_throws_on_the_floor_is_no_part_of_it(
    good: Any, backdrop_pixels: Pixels16, make_disc: MakeDisc, reduced: Reduce, repaint: Callable[..., Any]
) -> None:
    glow = cv2.GaussianBlur(make_disc(680, 640, 60), (0, 0), 25) * (1 - good.matte)
    red = decode_working(backdrop_pixels) * np.array([1.0, 0.6, 0.6], np.float32)
    enclosed, open_ones = product_outside(reduced(repaint(good, glow.astype(np.float32), red)))
    assert not enclosed
    assert not open_ones


def test_a_part_outside_the_matte_is_found_by_the_edge_it_ends_in(
    good: Any, with_matte: Callable[..., Any], make_disc: MakeDisc, reduced: Reduce
) -> None:
    bitten = with_matte(good, good.matte * (1 - make_disc(730, 450, 50)))
    assert product_outside(reduced(bitten))[1][0].area > 1000
