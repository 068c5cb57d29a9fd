"""The figures along an edit's base: a kept dark line, and how far the base is from the true one."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.base_line import base_of, darkness, ends_beyond
from packshot.types import Matte, Pixels16


def _box(bottom: float) -> Matte:
    """A box that ends at a row, 160 px wide, with an edge of one pixel."""
    rows = np.arange(300, dtype=np.float32)[:, None]
    matte = np.clip(np.minimum(rows - 40, bottom - rows) + 0.5, 0, 1) * np.ones((1, 300), np.float32)
    matte[:, :70] = matte[:, 230:] = 0
    return matte.astype(np.float32)


def _photograph() -> Pixels16:
    """The box ends at row 200. Below it, three rows of the floor are dark."""
    pixels = np.full((300, 300, 3), 180 * 257, np.uint16)
    pixels[_box(200) > 0.5] = 140 * 257
    pixels[201:204, 70:230] = 20 * 257
    return pixels


def test_a_kept_dark_line_is_told_from_a_base_that_ends_above_it() -> None:
    kept, right = base_of(_box(203)), base_of(_box(200))
    assert kept is not None
    assert right is not None
    assert np.median(darkness(_photograph(), kept)) > 90
    assert np.median(darkness(_photograph(), right)) < 2


@pytest.mark.parametrize("off_px", [-2.0, 0.0, 1.5, 3.0])
def test_how_far_a_base_ends_beyond_the_true_one_is_measured_in_pixels(off_px: float) -> None:
    true = base_of(_box(200))
    assert true is not None
    assert np.median(ends_beyond(_box(200 + off_px), _box(200), true)) == pytest.approx(off_px, abs=0.1)


def test_without_a_product_there_is_no_base() -> None:
    assert base_of(np.zeros((50, 50), np.float32)) is None
