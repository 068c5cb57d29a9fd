"""Gaps are opened against the network only where the photograph leaves no doubt."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from packshot.cutout.backdrop import Backdrop
from packshot.cutout.values import BackdropReport
from packshot.cutout.zones import Zones, find_zones
from packshot.types import Mask, Matte

SIZE, NOISE, PRODUCT, BACKDROP = 300, 1.0, 60.0, 170.0
MIDDLE = np.s_[140:160, 140:160]


def _disc(radius: float) -> Mask:
    rows, columns = np.mgrid[:SIZE, :SIZE] - SIZE / 2
    return np.asarray(np.hypot(rows, columns) < radius)


def _zones(gap: Matte, *, sure: float) -> Zones:
    """A dark disc that shows the backdrop, 0..1, at some places, of which the network is so sure."""
    share = np.where(_disc(110), 1 - gap, 0)[..., None]
    noise = np.random.default_rng(1).normal(0, NOISE, (SIZE, SIZE, 3))
    levels = (share * PRODUCT + (1 - share) * BACKDROP + noise).astype(np.float32)
    probability = cv2.GaussianBlur(_disc(110).astype(np.float32), (0, 0), 1.5)
    probability = np.where(_disc(60), np.float32(sure), probability)
    surface = np.full((SIZE, SIZE, 3), BACKDROP, np.float32)
    return find_zones(levels, probability, Backdrop(surface, BackdropReport(True, NOISE)), cell_px=1.0)


def _half_open(radius: float) -> Matte:
    """A place that ends in an edge on one side only, and runs out slowly on the other."""
    right = np.arange(SIZE) - SIZE / 2
    runs_out = np.where(right > 0, np.clip(1 - right / 150, 0, 1), 0)[None]
    return np.asarray(np.where(_disc(3 * radius), runs_out, 0) + np.where(_disc(radius) & (right <= 0), 1, 0))


@pytest.mark.parametrize("sure", [0.8, 1.0])
def test_a_gap_with_an_edge_all_around_is_opened_however_sure_the_network_is(sure: float) -> None:
    zones = _zones(_disc(6).astype(np.float32), sure=sure)

    assert zones.unknown[148:152, 148:152].all()
    assert not zones.suspected_gaps.any()


def test_a_face_that_runs_out_of_the_backdrops_colour_on_one_side_stays_where_the_network_is_sure() -> None:
    zones = _zones(_half_open(8), sure=1.0)

    assert not zones.unknown[MIDDLE].any()
    assert zones.suspected_gaps[MIDDLE].any()
    assert _zones(_half_open(8), sure=0.8).unknown[MIDDLE].any()


def test_a_large_gap_that_shows_the_backdrops_own_light_is_taken_for_backdrop_whatever_the_network_says() -> None:
    zones = _zones(_disc(40).astype(np.float32), sure=1.0)

    assert (zones.probability[MIDDLE] == 0).all()
    assert (zones.probability[_disc(100) & ~_disc(60)] > 0.9).all()
