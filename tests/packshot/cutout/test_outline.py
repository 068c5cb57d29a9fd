"""The line goes where the photograph changes most, and nowhere else."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy.special import ndtr

from packshot.colour.spaces import WORKING_GAMMA, encode_working
from packshot.cutout.outline import (
    LEAST_LENS_RATIO,
    MOST_EDGE_PX,
    MOST_LENS_RATIO,
    edge_sigma_px,
    lens_ratio,
    settled_line,
)
from packshot.types import FloatImage, Mask, Matte, Pixels16

SIZE, RADIUS, NOISE = 240, 80.0, 1.0
DARK, BACKDROP, SHADOW = 40.0, 200.0, 140.0


def _distance(radius: float = RADIUS) -> Matte:
    """Distance from a circle in pixels, positive inside."""
    rows, columns = np.mgrid[:SIZE, :SIZE].astype(np.float32) - SIZE / 2
    return np.asarray(radius - np.hypot(rows, columns), np.float32)


def _photo(*, shadow_px: float = 0.0, lens_px: float = 0.8) -> FloatImage:
    """A dark disc on a grey backdrop, with a ring of shadow around it, as a lens and a noisy sensor see them."""
    distance = _distance()
    light = np.where(distance > 0, DARK, np.where(distance > -shadow_px, SHADOW, BACKDROP))
    blurred = cv2.GaussianBlur(light.astype(np.float32), (0, 0), lens_px)
    noise = np.random.default_rng(3).normal(0, NOISE, (SIZE, SIZE, 3))
    return (blurred[..., None] + noise).astype(np.float32)


def _settled(
    product: Mask,
    photo: FloatImage,
    *,
    network: Matte | None = None,
    movable: Mask | None = None,
    shaded: Matte | None = None,
    lens: float = LEAST_LENS_RATIO,
    floor_from: float = 0,
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
        lens=lens,
        floor_from=floor_from,
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


def test_what_a_sharp_photograph_does_not_do_a_soft_one_may() -> None:
    """The same edge: in a photograph whose other edges are sharper the product fades there."""
    photo, network = _photo(lens_px=1.5), _network(3.0)

    own_lens = _settled(_distance() > 0, photo, network=network)
    sharper_lens = _settled(_distance() > 0, photo, network=network, lens=MOST_LENS_RATIO)

    assert abs(_away_px(own_lens)) < 0.5
    assert _away_px(sharper_lens) > 0.9


def test_a_shadows_edge_is_no_fading_product() -> None:
    """Behind the product's edge it goes on getting lighter: so does a shadow, and no backdrop."""
    photo = _photo(lens_px=1.5)
    penumbra = np.clip(1 + _distance() / 14, 0, 1) * (_distance() < 0) * 110
    network = _network(3.0)

    lines = [
        _settled(_distance() > 0, photo - dark[..., None], network=network, lens=MOST_LENS_RATIO)
        for dark in (0 * penumbra, penumbra)
    ]
    unheard = _settled(_distance() > 0, photo - penumbra[..., None], network=_network(0.0), lens=MOST_LENS_RATIO)

    assert _away_px(lines[0]) > 0.9
    assert _away_px(lines[1]) == pytest.approx(_away_px(unheard), abs=0.05)


def _standing(product: float, *, line_px: float = 0.0, sole_px: float = 0.0) -> FloatImage:
    """A disc on a floor in shadow, with a dark line outside of its edge or a dark sole inside of it."""
    away = -_distance()
    floor = BACKDROP - 60 * np.exp(-np.maximum(away, 0) / 25)
    light = np.where(away < 0, product, floor)
    light = np.where((away > -sole_px) & (away < line_px), 25.0, light)
    blurred = 255 * cv2.GaussianBlur((light / 255) ** WORKING_GAMMA, (0, 0), 0.7) ** (1 / WORKING_GAMMA)
    noise = np.random.default_rng(3).normal(0, NOISE, (SIZE, SIZE, 3))
    return (blurred[..., None] + noise).astype(np.float32)


def _away_below_px(line: Matte) -> float:
    """As `_away_px`, where the outline faces down."""
    below = np.abs(_distance()) < 2
    below[: round(SIZE / 2 + 0.7 * RADIUS)] = False
    return float((line - _distance())[below].mean())


@pytest.mark.parametrize("product", [110.0, 160.0, 230.0])
@pytest.mark.parametrize("line_px", [2.0, 3.5])
def test_the_dark_line_of_a_contact_shadow_is_not_kept(product: float, line_px: float) -> None:
    """Its outer side is as strong an edge as the product's own."""
    line = _settled(_distance(RADIUS + line_px + 0.5) > 0, _standing(product, line_px=line_px))

    assert abs(_away_below_px(line)) < 0.6


@pytest.mark.parametrize("product", [110.0, 160.0, 230.0])
def test_a_dark_sole_stays(product: float) -> None:
    line = _settled(_distance(RADIUS + 0.5) > 0, _standing(product, sole_px=8))

    assert abs(_away_below_px(line)) < 0.5


def test_a_dark_line_above_the_floor_and_where_nothing_stands_on_one_stays() -> None:
    """The shaded edge of a seat, the dark seam of a hem."""
    photo, kept = _standing(160.0, line_px=3), _distance(RADIUS + 3.5) > 0

    assert _away_below_px(_settled(kept, photo, floor_from=SIZE)) > 2.5


def test_the_dark_rim_of_a_dark_product_stays() -> None:
    line = _settled(_distance(RADIUS + 0.5) > 0, _standing(60.0, sole_px=3))

    assert abs(_away_below_px(line)) < 0.5


def _pixels(lens_px: float) -> Pixels16:
    return np.clip(_photo(lens_px=lens_px) * 257, 0, 65535).astype(np.uint16)


def test_the_lens_is_told_by_the_sharper_edges_wherever_the_network_puts_them() -> None:
    ratios = [lens_ratio(_pixels(px), _network(2.0)) for px in (0.7, 1.0, 1.3)]

    assert MOST_LENS_RATIO >= ratios[0] > ratios[1] + 0.02
    assert ratios[1] > ratios[2] + 0.02
    assert ratios[1] == pytest.approx(lens_ratio(_pixels(1.0), _network(0.0)), abs=0.02)


def test_a_lens_is_never_taken_for_blunter_or_sharper_than_lenses_are() -> None:
    nothing_there = np.full((SIZE, SIZE, 3), 50_000, np.uint16)

    assert lens_ratio(_pixels(4.0), _network(0.0)) == LEAST_LENS_RATIO
    assert lens_ratio(_pixels(0.3), _network(0.0)) == MOST_LENS_RATIO
    assert lens_ratio(nothing_there, _network(0.0)) == LEAST_LENS_RATIO
    assert lens_ratio(_pixels(1.0), np.zeros((SIZE, SIZE), np.float32)) == LEAST_LENS_RATIO


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
    everywhere = np.ones((60, 60), bool)
    line = settled_line(
        product, photo, nowhere, everywhere, nowhere, noise=NOISE, least_levels=6.0, lens=0.4, floor_from=0
    )

    assert line.shape == product.shape
    assert bool((line[10:-10, 10:-10] > 0).all()) == bool(product.all())


@pytest.mark.parametrize("radius", [3.0, 8.0, 9.0])
def test_an_outline_shorter_than_the_stretch_that_is_looked_at_is_settled_too(radius: float) -> None:
    """A product that is nothing but a small disc: its whole outline has fewer points than a stretch."""
    line = _settled(_distance(radius) > 0, _photo())
    assert line.shape == (SIZE, SIZE)
    assert np.isfinite(line).all()


def blurred_disc(blur_px: float, backdrop: float) -> tuple[Pixels16, Matte]:
    """A small photograph of a disc whose edge a normal blur made, and its coverage."""
    y, x = np.mgrid[:300, :300].astype(np.float32)
    matte = ndtr((90.3 - np.hypot(y - 150, x - 150)) / blur_px).astype(np.float32)
    light = matte[..., None] * np.array([0.4, 0.12, 0.06]) + (1 - matte[..., None]) * backdrop
    light = light + np.random.default_rng(1).normal(0, 0.004, light.shape) * np.sqrt(light)
    return encode_working(np.clip(light, 0, 1).astype(np.float32)), matte


@pytest.mark.parametrize("backdrop", [0.03, 0.22, 0.6])
@pytest.mark.parametrize("blur_px", [0.35, 0.5, 0.65, 0.8, 1.2])
def test_a_photograph_s_own_sharpness_is_told_whatever_its_backdrop(blur_px: float, backdrop: float) -> None:
    pixels, matte = blurred_disc(blur_px, backdrop)
    assert edge_sigma_px(pixels, matte) == pytest.approx(min(blur_px, MOST_EDGE_PX), abs=0.22)
    assert edge_sigma_px(pixels, matte) >= min(blur_px, MOST_EDGE_PX), "never sharper than the photograph"


def test_without_an_edge_the_widest_is_taken() -> None:
    pixels, matte = blurred_disc(0.5, 0.22)
    assert edge_sigma_px(pixels, np.zeros_like(matte)) == MOST_EDGE_PX
    assert edge_sigma_px(np.full_like(pixels, 9000), matte) == MOST_EDGE_PX
