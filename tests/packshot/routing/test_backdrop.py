from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packshot.routing.backdrop import Surface, backdrop_at, border_of
from packshot.routing.seen_backdrop import see_backdrop
from packshot.types import Box, FloatImage, Size

SIZE = Size(240, 180)


def lit(*, light: float = 80, fall_off: float = 0, slant: float = 0, noise: float = 0, seed: int = 0) -> FloatImage:
    """A backdrop in L*a*b* with light that falls off towards the corners and from one side."""
    y, x = np.mgrid[-1 : 1 : SIZE.height * 1j, -1 : 1 : SIZE.width * 1j]
    random = np.random.default_rng(seed)
    lab = np.zeros((SIZE.height, SIZE.width, 3), np.float32)
    lab[..., 0] = light - fall_off * (x**2 + y**2) + slant * x
    lab[..., 1:] = (2, -4)
    return lab + random.normal(0, noise, lab.shape).astype(np.float32)


def distances(lab: FloatImage) -> np.ndarray:
    return see_backdrop(lab).backdrop.distance


@settings(max_examples=30)
@given(st.floats(30, 99), st.floats(0, 15), st.floats(-10, 10))
def test_a_smooth_backdrop_is_explained_completely(light: float, fall_off: float, slant: float) -> None:
    assert distances(lit(light=light, fall_off=fall_off, slant=slant)).max() < 0.1


@settings(max_examples=30)
@given(st.integers(20, 200), st.integers(20, 140), st.integers(10, 60), st.integers(10, 60), st.floats(-70, 15))
def test_a_product_does_not_pull_the_backdrop(left: int, top: int, width: int, height: int, lighter: float) -> None:
    lab = lit(fall_off=8, noise=0.3)
    box = np.s_[top : top + height, left : left + width]
    lab[box] = (80 + lighter, 30, 30)
    outside = np.ones(lab.shape[:2], bool)
    outside[box] = False
    found = distances(lab)
    assert np.percentile(found[outside], 95) < 2
    assert found[box].min() > 20


def test_a_product_that_touches_the_frame_does_not_pull_the_backdrop() -> None:
    lab = lit(fall_off=5)
    lab[120:, 60:180] = (20, 0, 0)
    found = distances(lab)
    assert found[:100].max() < 2
    assert found[130:, 70:170].min() > 40


def test_a_part_of_the_frame_meets_the_same_surface_as_the_whole() -> None:
    lab = lit(fall_off=10, slant=6)
    surface = see_backdrop(lab).surface
    window = Box(60, 30, 200, 150)
    part = backdrop_at(surface, lab[30:150, 60:200], window=window, frame=SIZE)
    assert part.distance.max() < 0.1


def test_the_spread_follows_the_noise() -> None:
    quiet, loud = (see_backdrop(lit(noise=noise)).surface for noise in (0.8, 4))
    assert isinstance(quiet, Surface)
    assert loud.sigma > 2 * quiet.sigma


@pytest.mark.parametrize("size", [Size(8, 8), Size(9, 200), Size(300, 200)])
def test_the_border_is_closed_and_leaves_an_inside(size: Size) -> None:
    border = border_of(size)
    assert border.shape == (size.height, size.width)
    assert border[0].all()
    assert border[-1].all()
    assert border[:, 0].all()
    assert border[:, -1].all()
    assert not border[size.height // 2, size.width // 2]
