"""Pale on white: along which stretch nobody sees where the product ends."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from packshot.colour.difference import delta_e_2000
from packshot.colour.target_values import linear_of_lab
from packshot.qc.pale_rules import pale_on_white
from packshot.qc.report import judge
from packshot.qc.scene import Scene
from packshot.specs.models import Configs
from packshot.types import Finding, Status, Verdict
from tests.packshot.qc.conftest import Drawn, draw_backdrop, draw_product, on_white, photograph

RADIUS = 300
WHITE_HERE = 0.995
"""Linear light of a burnt-out face: a delta E 2000 of 0.1 from white."""


def angles(side: int = 900) -> NDArray[np.float64]:
    rows, columns = np.mgrid[:side, :side] - side / 2
    return np.asarray(np.degrees(np.arctan2(rows, columns)))


def pale(good: Drawn, *, degrees: float, light: float = WHITE_HERE, shade_px: float = 0.0, noise: float = 0.0) -> Drawn:
    """The drawn disc, pale within a sector to its left; there with a dark line along the edge where it is asked for."""
    rng = np.random.default_rng(3)
    product = draw_product(rng)
    sector = np.abs(angles()) > 180 - degrees / 2
    rows, columns = np.mgrid[:900, :900] - 450.0
    line = np.hypot(rows, columns) > RADIUS - shade_px if shade_px else np.zeros_like(sector)
    product[sector & ~line] = light
    product[sector & ~line] += rng.normal(0, noise, (int((sector & ~line).sum()), 3)) if noise else 0
    product = np.clip(product, 0.005, 1).astype(np.float32)
    master = photograph(product, draw_backdrop(), good.matte, rng)
    return good.change(master=master, composite=on_white(product, good.matte))


def found(drawn: Drawn) -> Finding:
    return pale_on_white(Scene(drawn.edit()), drawn.configs.qc.rules["pale_on_white"])


def degrees_of(share: float) -> float:
    """The sector whose arc is that share of the disc's diameter."""
    return math.degrees(2 * share)


def test_a_dark_product_stands_out_all_along(good: Drawn) -> None:
    finding = found(good)
    assert finding.measured == 0
    assert finding.status is Status.PASSED
    assert finding.box is None


@pytest.mark.parametrize(("share", "stops"), [(0.02, False), (0.10, True), (0.6, True)])
def test_a_stretch_is_measured_shown_and_stops_approval_from_the_limit_on(
    good: Drawn, share: float, stops: bool
) -> None:
    finding = found(pale(good, degrees=degrees_of(share)))
    assert finding.measured == pytest.approx(share, abs=0.025)
    assert finding.stops_approval is stops
    if stops:
        assert finding.box is not None
        assert finding.box.left < 450 - RADIUS < finding.box.right
        assert "nobody sees where it ends" in finding.message


def test_a_thin_shade_along_the_edge_is_an_edge(good: Drawn) -> None:
    assert found(pale(good, degrees=90, shade_px=3)).measured == pytest.approx(0, abs=0.02)


def test_noise_makes_no_edge(good: Drawn) -> None:
    assert found(pale(good, degrees=90, light=0.985, noise=0.004)).stops_approval


@pytest.mark.parametrize(("delta_e", "stops"), [(0.6, True), (1.6, False)])
def test_the_limit_is_the_difference_that_is_seen(good: Drawn, delta_e: float, stops: bool) -> None:
    lightness = float(np.interp(-delta_e, *_ramp()))
    light = float(linear_of_lab(np.array([[lightness, 0.0, 0.0]]))[0, 1])
    assert found(pale(good, degrees=90, light=light)).stops_approval is stops


def _ramp() -> tuple[NDArray[Any], NDArray[Any]]:
    lightness = np.linspace(90, 100, 200)
    lab = np.stack([lightness, 0 * lightness, 0 * lightness], axis=1)
    return -delta_e_2000(lab, np.array([100.0, 0, 0])), lightness


def test_such_a_picture_is_reviewed_with_its_place_among_the_evidence(good: Drawn, configs: Configs) -> None:
    report = judge(pale(good, degrees=90).edit(), configs.qc)
    assert report.verdict is not Verdict.AUTO_APPROVE
    assert "pale_on_white" in {one.code for one in report.evidence}
