"""Charts: every figure lies in its place, and gaps are gaps."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot.outcomes.charts import Chart, Line, line_chart, nice_ticks

figures = st.lists(st.none() | st.floats(0, 1e6), min_size=1, max_size=40)


def drawn(*values: float | None, most: float = math.inf) -> Chart | None:
    line = Line(name="a", tone="red", values=values)
    return line_chart([line], [(0, "first")], show="{:g}".format, width=440, height=190, left=50, most=most)


def points(chart: Chart | None) -> list[tuple[float, float]]:
    assert chart
    (line,) = chart.lines
    pairs = [pair.split(",") for run in line.runs for pair in run.split()]
    return sorted([(float(x), float(y)) for x, y in pairs] + list(line.dots))


@given(figures)
def test_every_figure_is_drawn_inside_the_chart_and_no_other(values: list[float | None]) -> None:
    chart = drawn(*values)
    if chart is None:
        assert all(value is None for value in values)
        return
    shown = points(chart)
    assert len(shown) == sum(value is not None for value in values)
    assert all(chart.left <= x <= chart.width and 0 <= y <= chart.bottom for x, y in shown)


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=20))
def test_a_greater_figure_is_never_drawn_lower(values: list[float]) -> None:
    heights = [y for _, y in points(drawn(*values))]
    for one, other in zip(zip(values, heights, strict=True), zip(values[1:], heights[1:], strict=True), strict=False):
        assert (one[0] - other[0]) * (one[1] - other[1]) <= 1e-6


def test_a_gap_parts_a_line_and_a_lonely_figure_is_a_dot() -> None:
    chart = drawn(1, 2, None, 3, None, 4, 5)
    assert chart
    (line,) = chart.lines
    assert [len(run.split()) for run in line.runs] == [2, 2]
    assert len(line.dots) == 1


def test_what_is_above_the_most_runs_along_the_top() -> None:
    chart = drawn(1.0, 50.0, 0.5, most=1.0)
    assert chart
    heights = [y for _, y in points(chart)]
    assert heights[0] == heights[1] < heights[2]
    assert chart.ticks[-1][1] == "1"


@given(st.floats(1e-6, 1e9), st.sampled_from([0.0, 1.0]))
def test_ticks_are_round_begin_at_nothing_and_reach_the_greatest_figure(most: float, least_step: float) -> None:
    ticks = nice_ticks(most, least_step=least_step)
    assert ticks[0] == 0
    assert ticks[-1] >= most * (1 - 1e-6)
    assert 3 <= len(ticks) <= 6
    step = ticks[1]
    assert step >= least_step
    assert round(step / 10 ** math.floor(math.log10(step) + 1e-9), 3) in (1, 2, 2.5, 5, 10)


@pytest.mark.parametrize("least_step", [0.0, 1.0])
def test_a_chart_of_nothing_but_noughts_has_ticks(least_step: float) -> None:
    assert len(nice_ticks(0.0, least_step=least_step)) == 3
