"""Filling paths."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packshot.errors import TooLargeError
from packshot.paths.curves import curves_of, flatten
from packshot.paths.model import FillRule, Knot, Operation, Point, SubPath
from packshot.paths.rasterise import rasterise
from packshot.paths.read import choose_path, read_paths
from packshot.types import Mask
from tests.packshot.paths.drawn_paths import circle, polygon, rectangle, saved, subpaths
from tests.shared_data import shared_data

WHOLE, NOTHING = 1.0, 0.0
STAR = [
    (0.5 + 0.45 * math.sin(turn * 4 * math.pi / 5), 0.5 - 0.45 * math.cos(turn * 4 * math.pi / 5)) for turn in range(5)
]


def test_every_pixel_of_a_rectangle_is_covered_by_its_share() -> None:
    matte = rasterise(saved(rectangle(0.125, 0.25, 0.8, 0.75)), 10, 10)
    across = np.array([0, 0.75, 1, 1, 1, 1, 1, 1, 0, 0])
    down = np.array([0, 0, 0.5, 1, 1, 1, 1, 0.5, 0, 0])
    np.testing.assert_allclose(matte, np.outer(down, across), atol=1e-4)


@pytest.mark.parametrize("size", [(100, 100), (237, 411), (1200, 900)])
def test_a_path_covers_the_same_share_at_any_size(size: tuple[int, int]) -> None:
    matte = rasterise(saved(circle(0.5, 0.5, 0.4)), *size)
    assert matte.mean() == pytest.approx(math.pi * 0.16, rel=5e-4)


def test_inside_and_outside_are_exact() -> None:
    matte = rasterise(saved(circle(0.5, 0.5, 0.4)), 300, 300)
    rows, columns = np.mgrid[:300, :300] + 0.5
    away = np.hypot(rows - 150, columns - 150)
    assert (matte[away > 122] == 0).all()
    assert (matte[away < 118] == 1).all()


def test_two_shapes_that_share_an_edge_leave_no_seam() -> None:
    left = rectangle(0.1, 0.1, 0.437, 0.9, Operation.COMBINE)
    right = rectangle(0.437, 0.1, 0.9, 0.9, Operation.COMBINE)
    together = rasterise(saved(left, right), 64, 64)
    np.testing.assert_array_equal(together, rasterise(saved(rectangle(0.1, 0.1, 0.9, 0.9)), 64, 64))


@pytest.mark.parametrize(
    ("operation", "only_first", "both", "only_second", "neither"),
    [
        (Operation.EXCLUDE, WHOLE, NOTHING, WHOLE, NOTHING),
        (Operation.WITH_PREVIOUS, WHOLE, NOTHING, WHOLE, NOTHING),
        (Operation.COMBINE, WHOLE, WHOLE, WHOLE, NOTHING),
        (Operation.SUBTRACT, WHOLE, NOTHING, NOTHING, NOTHING),
        (Operation.INTERSECT, NOTHING, WHOLE, NOTHING, NOTHING),
    ],
)
def test_sub_paths_are_joined_by_their_operation(
    operation: Operation, only_first: float, both: float, only_second: float, neither: float
) -> None:
    path = saved(rectangle(0.1, 0.1, 0.6, 0.9, Operation.COMBINE), rectangle(0.4, 0.1, 0.9, 0.9, operation))
    row = rasterise(path, 100, 10)[5]
    assert [row[25], row[50], row[75], row[95]] == [only_first, both, only_second, neither]


@pytest.mark.parametrize(("operation", "inside"), [(Operation.SUBTRACT, NOTHING), (Operation.INTERSECT, WHOLE)])
def test_a_first_sub_path_that_takes_away_begins_with_the_whole_picture(operation: Operation, inside: float) -> None:
    matte = rasterise(saved(rectangle(0.25, 0.25, 0.75, 0.75, operation)), 40, 40)
    assert matte[20, 20] == inside
    assert matte[2, 2] == 1 - inside


def test_operations_follow_their_order() -> None:
    path = saved(
        rectangle(0, 0, 1, 1, Operation.COMBINE),
        rectangle(0.2, 0.2, 0.8, 0.8, Operation.SUBTRACT),
        rectangle(0.4, 0.4, 0.6, 0.6, Operation.COMBINE),
        rectangle(0, 0, 1, 0.5, Operation.INTERSECT),
    )
    column = rasterise(path, 100, 100)[:, 50]
    assert [column[10], column[30], column[45], column[55], column[90]] == [1, 0, 1, 0, 0]


def test_the_rule_decides_what_is_inside_a_star() -> None:
    even_odd = rasterise(saved(polygon(*STAR)), 200, 200)
    winding = rasterise(saved(polygon(*STAR, rule=FillRule.WINDING)), 200, 200)
    assert (even_odd[100, 100], winding[100, 100]) == (0, 1)
    np.testing.assert_array_equal(winding >= even_odd, True)


def test_a_clipping_path_with_the_winding_rule_is_one_shape() -> None:
    same_way, other_way = rectangle(0.3, 0.3, 0.7, 0.7), rectangle(0.7, 0.3, 0.3, 0.7)
    outer = rectangle(0.1, 0.1, 0.9, 0.9)
    for inner, middle in ((same_way, WHOLE), (other_way, NOTHING)):
        path = saved(outer, inner, is_clipping=True, clip_rule=FillRule.WINDING)
        assert rasterise(path, 50, 50)[25, 25] == middle


def test_an_open_path_is_closed_by_a_straight_line() -> None:
    corners = [Knot(Point(*at), Point(*at), Point(*at), False) for at in ((0.1, 0.1), (0.9, 0.1), (0.9, 0.9))]
    matte = rasterise(saved(SubPath(tuple(corners), closed=False)), 100, 100)
    assert (matte[20, 80], matte[80, 20]) == (1, 0)


def test_a_product_cut_off_by_the_frame_reaches_it() -> None:
    matte = rasterise(saved(circle(0.0, 0.5, 0.4)), 100, 100)
    assert matte[50, 0] == 1
    assert rasterise(saved(rectangle(-50, -50, 50, 50)), 30, 20).min() == 1


def test_nothing_is_covered_by_a_path_without_an_area() -> None:
    lone = SubPath((Knot(Point(0.5, 0.5), Point(0.5, 0.5), Point(0.5, 0.5)),))
    for path in (saved(), saved(lone), saved(polygon((0.1, 0.1), (0.9, 0.9)))):
        assert rasterise(path, 20, 20).max() == 0


def test_a_path_without_sub_paths_may_be_the_whole_picture() -> None:
    assert rasterise(saved(starts_filled=True), 20, 20).min() == 1


@given(st.lists(subpaths, max_size=4), st.integers(1, 40), st.integers(1, 40), st.sampled_from(FillRule))
@settings(deadline=None)
def test_any_path_can_be_filled(parts: list[SubPath], width: int, height: int, rule: FillRule) -> None:
    matte = rasterise(saved(*parts, clip_rule=rule), width, height)
    assert matte.shape == (height, width)
    assert matte.dtype == np.float32
    assert matte.min() >= 0
    assert matte.max() <= 1


def test_a_path_that_nobody_drew_is_refused() -> None:
    up_and_down = polygon(*[(index / 4000, index % 2) for index in range(4000)])
    with pytest.raises(TooLargeError, match="too intricate"):
        rasterise(saved(up_and_down), 100, 2000)


SHAPES = st.lists(st.tuples(*[st.integers(-20, 120).map(lambda value: value / 100)] * 2), min_size=3, max_size=7)


@given(
    st.lists(SHAPES, min_size=1, max_size=3),
    st.sampled_from([Operation.EXCLUDE, Operation.COMBINE, Operation.SUBTRACT]),
)
@settings(deadline=None, max_examples=40)
def test_coverage_agrees_with_points_in_polygons(shapes: list[list[tuple[float, float]]], operation: Operation) -> None:
    """Independent: OpenCV says of 16 x 16 points in each pixel whether they are inside each polygon."""
    path = saved(*(polygon(*shape, operation=operation) for shape in shapes))
    matte = rasterise(path, 12, 9)
    inside = np.full((9 * 16, 12 * 16), operation is Operation.SUBTRACT)
    for shape in shapes:
        one = _points_inside(shape, 12, 9)
        inside = {0: inside ^ one, 1: inside | one, 2: inside & ~one}[int(operation)]
    counted = inside.reshape(9, 16, 12, 16).mean(axis=(1, 3))
    assert np.abs(matte - counted).mean() < 0.01
    assert np.abs(matte - counted).max() < 0.25


def _points_inside(shape: list[tuple[float, float]], width: int, height: int) -> Mask:
    """Even-odd, by crossings to the right of each point."""
    y, x = np.mgrid[: height * 16, : width * 16] / 16 + 1 / 32
    inside = np.zeros(x.shape, bool)
    for (x0, y0), (x1, y1) in zip(shape, shape[1:] + shape[:1], strict=True):
        ax, ay, bx, by = x0 * width, y0 * height, x1 * width, y1 * height
        if ay != by:
            inside ^= ((ay > y) != (by > y)) & (x < (bx - ax) * (y - ay) / (by - ay) + ax)
    return inside


def test_lines_stay_within_their_flatness_of_the_curve() -> None:
    (curves,) = [curves_of(circle(0.5, 0.5, 0.5), 4000, 4000)]
    line = flatten(curves)
    middles = (line + np.roll(line, -1, axis=0)) / 2
    assert np.abs(np.linalg.norm(middles - 2000, axis=1) - 2000).max() < 0.02 + 2000 * 3e-4


def test_real_clipping_paths_give_the_mattes_that_were_made_of_them() -> None:
    """Those mattes were drawn at four times the size by a program that also draws the outline: they are wider."""
    folder = shared_data("ground_truth", "editor-path")
    for picture in sorted((folder / "image").iterdir()):
        paths = read_paths(picture.read_bytes(), name=picture.name)
        path = choose_path(paths).path
        assert path is not None
        ours = rasterise(path, *paths.size)
        theirs = cv2.imread(str(folder / "alpha" / f"{picture.stem}.png"), cv2.IMREAD_GRAYSCALE) / 255
        iou = ((ours > 0.5) & (theirs > 0.5)).sum() / ((ours > 0.5) | (theirs > 0.5)).sum()
        assert iou >= 0.995, picture.name
        assert np.minimum(ours, theirs).sum() / np.maximum(ours, theirs).sum() >= 0.995, picture.name
