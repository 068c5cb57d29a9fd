"""The line goes where the photograph changes most, and nowhere else."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from packshot.cutout.outline import settled_line
from packshot.types import FloatImage, Mask, Matte

SIZE, RADIUS, NOISE = 240, 80.0, 1.0
DARK, BACKDROP, SHADOW = 40.0, 200.0, 140.0


def _distance(radius: float = RADIUS) -> Matte:
    """Distance from a circle in pixels, positive inside."""
    rows, columns = np.mgrid[:SIZE, :SIZE].astype(np.float32) - SIZE / 2
    return np.asarray(radius - np.hypot(rows, columns), np.float32)


def _photo(*, shadow_px: float = 0.0) -> FloatImage:
    """A dark disc on a grey backdrop, with a ring of shadow around it, as a lens and a noisy sensor see them."""
    distance = _distance()
    light = np.where(distance > 0, DARK, np.where(distance > -shadow_px, SHADOW, BACKDROP))
    blurred = cv2.GaussianBlur(light.astype(np.float32), (0, 0), 0.8)
    noise = np.random.default_rng(3).normal(0, NOISE, (SIZE, SIZE, 3))
    return (blurred[..., None] + noise).astype(np.float32)


def _settled(
    product: Mask,
    photo: FloatImage,
    *,
    network: Matte | None = None,
    movable: Mask | None = None,
    shaded: Matte | None = None,
) -> Matte:
    everywhere = np.ones((SIZE, SIZE), bool)
    none = np.zeros((SIZE, SIZE), np.float32)
    return settled_line(
        product,
        photo,
        product.astype(np.float32) if network is None else network,
        everywhere if movable is None else movable,
        none if shaded is None else shaded,
        noise=NOISE,
        least_levels=6.0,
    )


def _away_px(line: Matte) -> float:
    """How far the line lies from the true one on average, positive outwards."""
    near = np.abs(_distance()) < 2
    return float((line - _distance())[near].mean())


@pytest.mark.parametrize("off_px", [-1.0, 0.0, 0.9])
def test_a_line_that_is_a_little_off_goes_to_the_edge(off_px: float) -> None:
    line = _settled(_distance(RADIUS + off_px) > 0, _photo())

    assert abs(_away_px(line)) < 0.55
    assert float((line - _distance())[np.abs(_distance()) < 2].std()) < 0.35  # in one smooth course


def test_a_line_that_took_a_shadow_for_product_goes_back_to_the_product() -> None:
    shaded = ((_distance() < 0) & (_distance() > -4)).astype(np.float32)

    line = _settled(_distance(RADIUS + 4) > 0, _photo(shadow_px=4), shaded=shaded)

    assert abs(_away_px(line)) < 0.4


def test_what_is_not_shadow_is_never_left_out_for_a_stronger_edge_farther_in() -> None:
    line = _settled(_distance(RADIUS + 4) > 0, _photo(shadow_px=4))  # a rim, and nothing says that it is shadow

    assert _away_px(line) > 2.5


def _network(off_px: float) -> Matte:
    """A prediction whose line lies so far outside of the true one."""
    return np.asarray(np.clip(0.5 + (_distance() + off_px) / 4, 0, 1), np.float32)


def test_where_the_product_fades_into_the_backdrop_the_network_says_where_it_ends() -> None:
    """Chrome that mirrors the studio: from 12 px inside on it turns to the backdrop's colour, without any edge."""
    share = np.clip(_distance() / 12, 0, 1)
    photo = _photo() * 0 + (BACKDROP + share * (DARK - BACKDROP))[..., None]
    noise = np.random.default_rng(3).normal(0, NOISE, photo.shape)
    seen = _distance() > 1.5  # from here on it differs

    line = _settled(seen, (photo + noise).astype(np.float32), network=_network(0.0))

    assert _away_px(_settled(seen, (photo + noise).astype(np.float32))) < -1
    assert abs(_away_px(line)) < 0.6


def test_where_a_lens_made_the_edge_the_network_is_not_heard() -> None:
    assert abs(_away_px(_settled(_distance() > 0, _photo(), network=_network(3.0)))) < 0.4


def test_a_line_that_may_not_move_stays() -> None:
    product = _distance(RADIUS + 1) > 0

    line = _settled(product, _photo(), movable=np.zeros((SIZE, SIZE), bool))

    assert np.array_equal(line > 0, product) or float(((line > 0) != product).mean()) < 0.001


def test_without_any_edge_the_line_stays() -> None:
    flat = np.full((SIZE, SIZE, 3), BACKDROP, np.float32)
    product = _distance() > 0

    line = _settled(product, flat)

    assert abs(_away_px(line)) < 0.3


@pytest.mark.parametrize("product", [np.zeros((60, 60), bool), np.ones((60, 60), bool)])
def test_no_product_and_nothing_but_product_have_no_line(product: Mask) -> None:
    photo = np.zeros((60, 60, 3), np.float32)
    nowhere = np.zeros((60, 60), np.float32)
    line = settled_line(product, photo, nowhere, np.ones((60, 60), bool), nowhere, noise=NOISE, least_levels=6.0)

    assert line.shape == product.shape
    assert bool((line[10:-10, 10:-10] > 0).all()) == bool(product.all())
