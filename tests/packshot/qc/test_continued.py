"""A printed stripe that runs out to the outline is told from a bit of backdrop that ends at the product's edges."""

from __future__ import annotations

import numpy as np
import pytest

from packshot.qc.around import Around
from packshot.qc.continued import goes_on

BACKDROP, PRODUCT = 180.0, (95.0, 45.0, 40.0)


def _around(*, stripe_to: int, shade: float = 0.0) -> Around:
    """A dark red box, its left edge at column 40. A stripe of nearly the backdrop's colour runs in from its edge.

    Args:
        stripe_to: the column in which the stripe ends.
        shade: by how many levels its colour has changed at its end.
    """
    levels = np.full((160, 240, 3), BACKDROP, np.float32)
    kept = np.zeros((160, 240), bool)
    kept[20:140, 40:220] = True
    levels[kept] = PRODUCT
    levels[78:84, 40:stripe_to] = BACKDROP + 6 - np.linspace(0, shade, stripe_to - 40)[None, :, None]
    levels += np.random.default_rng(4).normal(0, 1.5, levels.shape).astype(np.float32)
    return Around(levels.astype(np.float32), kept, np.full_like(levels, BACKDROP), 1.0, 0, 0)


END = np.mgrid[78:84, 40:50].reshape(2, -1)
"""The stripe's outer end: where its colour is taken for the backdrop's."""


@pytest.mark.parametrize("shade", [0.0, 25.0])
def test_a_stripe_that_runs_out_to_the_outline_goes_on(shade: float) -> None:
    assert goes_on(_around(stripe_to=180, shade=shade), *END)


@pytest.mark.parametrize("stripe_to", [50, 54, 60])
def test_a_bit_of_backdrop_that_ends_inside_does_not(stripe_to: int) -> None:
    assert not goes_on(_around(stripe_to=stripe_to), *END)


def test_the_same_colour_that_is_not_connected_is_not_meant() -> None:
    around = _around(stripe_to=50)
    around.levels[30:60, 60:200] = BACKDROP
    assert not goes_on(around, *END)


def test_backdrop_outside_the_matte_is_not_meant() -> None:
    around = _around(stripe_to=50)
    assert not goes_on(
        around._replace(kept=around.kept & (np.indices(around.kept.shape)[1] >= 44)), *END[:, END[1] >= 44]
    )
