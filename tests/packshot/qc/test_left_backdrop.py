"""Backdrop left in gaps, shaded and tinted: a learnt judge finds it, and passes the same product without."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import NamedTuple

import cv2
import numpy as np
import pytest

from packshot.colour.spaces import decode_working, encode_working
from packshot.colour.transform import srgb8_to_working, working_to_srgb8
from packshot.cutout.cut import given_cutout
from packshot.qc import judge
from packshot.qc.around import Around, around_product
from packshot.qc.closer_look import NAMES, closer_look
from packshot.qc.left_backdrop import FIRST, SECOND, closer_probabilities, probabilities, shipped_forest
from packshot.qc.near_backdrop import Regions, near_backdrop
from packshot.qc.reduced import reduce_edit
from packshot.routing.forest import Forest
from packshot.types import Box, Finding, Mask, Matte, Status, Verdict
from tests.drawn_targets import CAMERA
from tests.packshot.qc.conftest import SIDE, Drawn, draw_product, on_white, photograph

CODE = "backdrop_left_suspected"


def finding(drawn: Drawn) -> Finding:
    return next(one for one in drawn.judge().findings if one.code == CODE)


def pair_of_legs() -> Matte:
    """Two legs joined at the top: between them a gap, open at the bottom."""
    legs = np.zeros((SIDE, SIDE), np.float32)
    cv2.fillPoly(
        legs,
        [np.array([[260, 180], [640, 180], [670, 720], [520, 720], [460, 330], [440, 330], [380, 720], [230, 720]])],
        1,
    )
    return np.asarray(cv2.GaussianBlur(legs, (0, 0), 0.6), np.float32)


def between(matte: Matte, reach: int) -> Mask:
    """The part of the gap that is at most so wide."""
    kernel = np.ones((1, reach), np.uint8)
    closed = cv2.morphologyEx((matte >= 0.5).astype(np.uint8), cv2.MORPH_CLOSE, kernel)
    return np.asarray((closed > 0) & (matte < 0.5))


@pytest.fixture(scope="module")
def legs(good: Drawn) -> Drawn:
    """Red-brown legs on pale grey. In the gap the backdrop is darker, and tinted by the legs on both sides."""
    matte = pair_of_legs()
    rng = np.random.default_rng(3)
    product = draw_product(rng)
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(np.float32) / SIDE - 0.5
    behind = np.repeat((0.62 * (1 - 0.3 * (rows**2 + columns**2)))[..., None], 3, axis=2).astype(np.float32)
    near = cv2.GaussianBlur(matte, (0, 0), 18)[..., None]
    bounced = np.asarray(cv2.GaussianBlur(product * matte[..., None], (0, 0), 18))
    behind = behind * (1 - 0.35 * near + 0.35 * bounced)
    master = photograph(product, behind.astype(np.float32), matte, rng)
    composite = np.where((matte == 1)[..., None], master, on_white(product, matte)).astype(np.uint16)
    return good.change(master=master, matte=matte, composite=composite, network=None)


def kept(drawn: Drawn, gap: Mask) -> Drawn:
    matte = np.maximum(drawn.matte, gap).astype(np.float32)
    return drawn.change(matte=matte, composite=on_white(decode_working(drawn.master), matte))


def test_a_shaded_and_tinted_gap_that_stays_in_the_matte_is_kept_back_and_shown(legs: Drawn) -> None:
    gap = between(legs.matte, 40)
    found = finding(kept(legs, gap))
    assert found.status is Status.FAILED
    assert found.box is not None
    assert found.box.left < 450 < found.box.right
    assert found.box.top < 500
    assert kept(legs, gap).judge().verdict is not Verdict.AUTO_APPROVE


def test_the_same_legs_without_it_pass(legs: Drawn) -> None:
    assert finding(legs).status is Status.PASSED


@pytest.fixture(scope="module")
def corrected(legs: Drawn) -> Drawn:
    """The same legs as a camera sends them from warm, dim light: an 8-bit JPEG, corrected as by a colour target."""
    camera = 0.85 * CAMERA
    seen = working_to_srgb8(encode_working((decode_working(legs.master) @ camera.T).astype(np.float32)))
    sent = cv2.imencode(".jpg", np.ascontiguousarray(seen[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, 92])[1]
    read = np.ascontiguousarray(np.asarray(cv2.imdecode(sent, cv2.IMREAD_COLOR), np.uint8)[..., ::-1])
    light = decode_working(srgb8_to_working(read)) @ np.linalg.inv(camera).T
    master = encode_working(np.clip(light, 0, 1).astype(np.float32))
    composite = np.where((legs.matte == 1)[..., None], master, legs.composite).astype(np.uint16)
    return legs.change(master=master, composite=composite, network=None)


def test_a_corrected_jpeg_from_dim_light_passes_with_its_true_matte_and_not_with_the_gap(corrected: Drawn) -> None:
    assert finding(corrected).status is Status.PASSED
    assert finding(kept(corrected, between(corrected.matte, 40))).status is Status.FAILED


def test_a_scrap_of_backdrop_a_few_pixels_wide_at_a_straight_edge_is_kept_back(corrected: Drawn) -> None:
    """So thin a scrap is easily taken for a wave of the edge; in such light the cut-out leaves some."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    edge = (corrected.matte[420] >= 0.5).argmax()
    scrap = (abs(rows - 420) < 17) & (columns >= edge - 4) & (columns < edge + 4) & (corrected.matte < 0.5)
    assert finding(kept(corrected, scrap)).status is not Status.PASSED


def test_a_grey_print_on_the_product_passes(legs: Drawn, repaint: Callable[..., Drawn]) -> None:
    label = np.zeros((SIDE, SIDE), np.float32)
    label[220:300, 400:520] = 1
    grey = np.full((SIDE, SIDE, 3), 0.3, np.float32)
    assert finding(repaint(legs, label, grey)).status is Status.PASSED


def test_a_product_in_other_colours_than_the_backdrops_has_nothing_to_judge(good: Drawn) -> None:
    found = finding(good)
    assert (found.status, found.measured) == (Status.PASSED, 0.0)


def whole_of(matte: Matte) -> Box:
    left, top, width, height = cv2.boundingRect((matte >= 0.5).astype(np.uint8))
    return Box(left, top, left + width, top + height)


class Seen(NamedTuple):
    """What the judge looks at."""

    around: Around
    noise: float
    regions: Regions


def seen(drawn: Drawn) -> Seen:
    reduced = reduce_edit(drawn.master, drawn.matte, drawn.matte)
    around = around_product(drawn.master, drawn.matte, reduced, whole_of(drawn.matte), margin_px=48)
    assert around is not None
    found = near_backdrop(around, reduced.noise)
    assert found is not None
    return Seen(around, reduced.noise, found)


@pytest.fixture(scope="module")
def filled(legs: Drawn) -> Seen:
    return seen(kept(legs, between(legs.matte, 40)))


def told_by_path(forest: Forest, row: Mapping[str, float]) -> float:
    values = [float(np.float32(row[name])) for name in forest.names]
    return float(np.mean([tree.shares[tree.path(values)[-1]] for tree in forest.trees]))


def rows_of(filled: Seen) -> list[dict[str, float]]:
    regions = filled.regions
    closer = closer_look(filled.around, filled.noise, regions, np.arange(len(regions.boxes)))
    return [
        {name: column[place] for name, column in regions.figures.items()} | dict(zip(NAMES, closer[place], strict=True))
        for place in range(len(regions.boxes))
    ]


def test_the_trees_of_both_forests_are_read_as_their_numbers_say(filled: Seen) -> None:
    rows = rows_of(filled)
    firsts = probabilities(filled.regions)
    seconds = closer_probabilities(*filled, np.arange(len(rows)))
    for place, row in enumerate(rows):
        assert firsts[place] == pytest.approx(told_by_path(shipped_forest(FIRST), row), abs=0.02)
        assert seconds[place] == pytest.approx(told_by_path(shipped_forest(SECOND), row), abs=0.02)


def test_each_region_is_described_by_the_figures_that_the_trees_ask_for(filled: Seen) -> None:
    for row in rows_of(filled):
        assert set(shipped_forest(FIRST).names) | set(shipped_forest(SECOND).names) <= set(row)
        assert all(np.isfinite(value) for value in row.values())


def test_the_second_forest_ends_with_the_figures_of_the_closer_look() -> None:
    names = shipped_forest(SECOND).names
    assert names[-len(NAMES) :] == NAMES
    assert not set(names[: -len(NAMES)]) & set(NAMES)


@pytest.fixture(scope="module")
def labelled(legs: Drawn, repaint: Callable[..., Drawn]) -> Drawn:
    """A wide pale label with a soft edge, nearly in the backdrop's colour."""
    label = np.zeros((SIDE, SIDE), np.float32)
    label[190:320, 290:620] = 1
    label = np.asarray(cv2.GaussianBlur(label, (0, 0), 5), np.float32)
    return repaint(legs, label, np.full((SIDE, SIDE, 3), 0.64, np.float32))


def test_a_soft_edged_label_in_the_backdrop_s_colour_passes_though_the_first_forest_doubts_it(labelled: Drawn) -> None:
    judged = seen(labelled)
    limits = labelled.configs.qc.rules[CODE]
    assert probabilities(judged.regions).max() >= limits.bad
    assert finding(labelled).status is Status.PASSED


def test_a_bit_of_backdrop_of_sixteen_pixels_in_a_corner_is_kept_back_and_shown(legs: Drawn) -> None:
    """So small a bit stayed under the rim of a bottle's cap."""
    corner = np.zeros((SIDE, SIDE), bool)
    corner[345:349, 448:452] = True
    assert (legs.matte[corner] < 0.5).all()
    found = finding(kept(legs, corner))
    assert found.status is Status.FAILED
    assert found.box is not None
    assert found.box.left <= 448
    assert found.box.right >= 452


def test_a_person_s_matte_is_not_judged(legs: Drawn) -> None:
    drawn = kept(legs, between(legs.matte, 40))
    edit = dataclasses.replace(drawn.edit(), cutout=given_cutout(drawn.master, drawn.matte))
    found = next(one for one in judge(edit, drawn.configs.qc).findings if one.code == CODE)
    assert found.status is Status.SKIPPED
