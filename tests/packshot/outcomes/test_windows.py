"""Sums over windows of days are those that adding line by line gives."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot.outcomes.windows import FIGURES, Windows

row = st.tuples(st.sampled_from("ABC"), st.integers(20_000, 20_030), st.integers(1, 5), st.integers(0, 5))
rows = st.lists(row, min_size=1, max_size=40)
day = st.integers(19_990, 20_040)


def table(found: list[tuple[str, int, int, int]]) -> pd.DataFrame:
    lines = pd.DataFrame(found, columns=["sku", "day", "quantity", "returned"])
    lines["returned"] = lines[["returned", "quantity"]].min(axis=1)
    return lines.assign(pictured=lines["returned"] // 2)


@given(rows, day, day, st.sampled_from(FIGURES))
def test_a_window_s_sum_is_that_of_its_lines(
    found: list[tuple[str, int, int, int]], one: int, other: int, figure: str
) -> None:
    lines, (start, end) = table(found), sorted((one, other))
    windows = Windows(lines)
    share = np.ones(len(lines)) if figure == "lines" else lines[figure] / lines["quantity"]
    for place, sku in enumerate(windows.skus):
        inside = (lines["sku"] == sku) & (lines["day"] >= start) & (lines["day"] < end)
        summed = windows.sum(figure, np.array([place]), start, end)
        assert summed == pytest.approx([share[inside].sum()], abs=1e-9)


@given(rows)
def test_the_whole_time_holds_every_line_once(found: list[tuple[str, int, int, int]]) -> None:
    windows = Windows(table(found))
    every = np.arange(len(windows.skus))
    assert windows.sum("lines", every, windows.first_day, windows.last_day + 1).sum() == len(found)
    assert windows.sum("lines", every, 0, 10**6).sum() == len(found)


def test_a_line_counts_by_the_share_of_its_units_that_came_back() -> None:
    windows = Windows(table([("A", 20_000, 1000, 5), ("A", 20_001, 1, 0)]))
    assert windows.sum("returned", np.array([0]), 20_000, 20_002) == pytest.approx([0.005])


def test_windows_of_many_products_may_begin_on_days_of_their_own() -> None:
    windows = Windows(table([("A", 20_000, 1, 0), ("A", 20_005, 1, 0), ("B", 20_005, 1, 0)]))
    counted = windows.sum("lines", np.array([0, 1]), np.array([20_001, 20_000]), np.array([20_006, 20_005]))
    assert counted.tolist() == [1, 0]
