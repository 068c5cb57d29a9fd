"""The base of what stands on a floor: proven by the photograph's own edge, or kept back."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from packshot.colour.spaces import decode_working
from packshot.cutout.cut import given_cutout
from packshot.qc import judge
from packshot.types import Matte, Status, Verdict

MakeDisc = Callable[..., Matte]


@pytest.fixture(scope="module")
def standing(good: Any, repaint: Callable[..., Any]) -> Any:
    """The disc on a floor: under it light falls to a third, and comes back within some 150 px."""
    rows, columns = np.mgrid[: good.matte.shape[0], : good.matte.shape[1]].astype(np.float32)
    beyond = np.maximum(np.hypot(columns - 450, rows - 450) - 300, 0)
    fall = (np.clip((rows - 600) / 60, 0, 1) * np.exp(-beyond / 60) * 0.65)[..., None]
    light = decode_working(good.master) * (1 - fall)
    return repaint(good, (1 - good.matte).astype(np.float32), light.astype(np.float32))


@pytest.fixture(scope="module")
def ragged(good: Any, make_disc: MakeDisc) -> Matte:
    """The disc with a frayed base: every few pixels a bit of shadow more, or a bit of product less, 4 px deep."""
    wider, tighter = make_disc(450, 450, 304), make_disc(450, 450, 296)
    columns = np.arange(good.matte.shape[1]) // 7 % 2 == 0
    base = np.zeros(good.matte.shape, bool)
    base[690:, 380:520] = True
    return np.where(base, np.where(columns, wider, tighter), good.matte).astype(np.float32)


def of_base(drawn: Any) -> Any:
    report = drawn.judge()
    return report, next(one for one in report.findings if one.code == "base_unproven")


def test_a_ragged_base_is_kept_back_and_shown(standing: Any, ragged: Matte, with_matte: Callable[..., Any]) -> None:
    report, found = of_base(with_matte(standing, ragged))
    assert found.status is Status.FAILED
    assert found.measured > 0.2
    assert found.box.bottom > 720  # it says where: at the bottom
    assert report.verdict is not Verdict.AUTO_APPROVE


def test_a_base_with_its_own_edge_against_the_shadow_is_proven(standing: Any) -> None:
    _, found = of_base(standing)
    assert (found.status, found.measured) == (Status.PASSED, 0.0)


def test_a_wedge_of_shadow_under_part_of_the_base_is_kept_back(
    standing: Any, with_matte: Callable[..., Any], make_disc: MakeDisc
) -> None:
    wedge = make_disc(450, 457, 300)
    wedge[:, :450] = 0
    report, found = of_base(with_matte(standing, np.maximum(standing.matte, wedge)))
    assert found.status is Status.FAILED
    assert report.verdict is not Verdict.AUTO_APPROVE


def test_without_shadow_under_it_nothing_stands(good: Any) -> None:
    _, found = of_base(good)
    assert found.status is Status.SKIPPED


def test_a_person_s_matte_is_not_asked_for_proof(standing: Any, ragged: Matte, with_matte: Callable[..., Any]) -> None:
    drawn = with_matte(standing, ragged)
    edit = dataclasses.replace(drawn.edit(), cutout=given_cutout(drawn.master, drawn.matte))
    found = next(one for one in judge(edit, drawn.configs.qc).findings if one.code == "base_unproven")
    assert found.status is Status.SKIPPED


def with_ring(standing: Any, repaint: Callable[..., Any], inner: float, outer: float) -> Any:
    """The standing disc with a dark ring, as deep as an unlit gap between product and floor."""
    rows, columns = np.mgrid[: standing.matte.shape[0], : standing.matte.shape[1]].astype(np.float32)
    away = np.hypot(columns - 450, rows - 450)
    ring = np.clip(np.minimum(away - inner, outer - away) + 0.5, 0, 1) * (rows > 560)
    return repaint(standing, ring.astype(np.float32), np.full((*ring.shape, 3), 0.004, np.float32))


def test_a_dark_line_of_contact_shadow_that_is_kept_all_along_the_base_is_kept_back(
    standing: Any, repaint: Callable[..., Any], with_matte: Callable[..., Any], make_disc: MakeDisc
) -> None:
    """Its outer side is an edge as strong as the product's own: an edge at the outline alone proves nothing."""
    dark = with_ring(standing, repaint, 300, 303)
    report, found = of_base(with_matte(dark, make_disc(450, 450, 303)))
    assert found.status is Status.FAILED
    assert found.measured > 0.8
    assert report.verdict is not Verdict.AUTO_APPROVE
    _, right = of_base(dark)
    assert right.measured < 0.05


@pytest.mark.parametrize("thick", [7, 12, 30])
def test_a_dark_sole_is_no_line_of_shadow(standing: Any, repaint: Callable[..., Any], thick: float) -> None:
    _, found = of_base(with_ring(standing, repaint, 300 - thick, 300))
    assert found.measured < 0.05
