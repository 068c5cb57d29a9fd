"""The change in the return rate: found where it was planted, and not where it was not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from packshot.outcomes.effect import Effect, effect_of, matched
from packshot.outcomes.orders import read_orders
from packshot.outcomes.windows import FIGURES, Windows
from packshot.specs.returns import ReturnsConfig
from tests.packshot.outcomes import shops
from tests.shared_data import shared_data

CONFIG = ReturnsConfig(image_reasons=("not as described",))
FIRST_DAY = (shops.FIRST - pd.Timestamp(0)).days


def effect(table: pd.DataFrame, skus: list[str], day: int, folder: Path, *, figure: str = "returned") -> Effect:
    path = folder / "orders.parquet"
    table.to_parquet(path)
    found = read_orders([path], return_days=CONFIG.return_days, image_reasons=CONFIG.image_reasons)
    windows = Windows(found.lines)
    golive = dict.fromkeys(skus, FIRST_DAY + day)
    return effect_of(windows, matched(windows, golive, found.products["category"], CONFIG), CONFIG, figure=figure)


CHOSEN = [f"P{number:03}" for number in range(60)]


def test_what_was_not_planted_is_not_found_although_the_year_s_rate_rises(tmp_path: Path) -> None:
    found = effect(shops.orders(), CHOSEN, 150, tmp_path)
    assert found.change is not None
    assert found.change.low < 0 < found.change.high
    assert not found.significant
    assert found.after is not None
    assert found.before is not None
    assert found.after.value > found.before.value  # as everywhere


@pytest.mark.parametrize("figure", ["returned", "pictured"])
def test_a_planted_third_is_found(tmp_path: Path, figure: str) -> None:
    table = shops.with_effect(shops.orders(), CHOSEN, 150, fewer=1 / 3)
    found = effect(table, CHOSEN, 150, tmp_path, figure=figure)
    assert found.change is not None
    assert found.change.low < -1 / 3 < found.change.high
    assert found.significant
    assert found.points is not None
    assert found.points.value < 0


def test_too_little_is_said_to_be_too_little(tmp_path: Path) -> None:
    few = effect(shops.orders(lines=3000), CHOSEN[:6], 150, tmp_path)
    assert few.change is None
    assert "insufficient data" in few.insufficient
    nobody = effect(shops.orders(lines=3000), [], 150, tmp_path)
    assert "0 products with new pictures" in nobody.insufficient


def test_returns_of_one_product_are_no_figure(tmp_path: Path) -> None:
    table = shops.orders(lines=120_000)
    other = table["sku"].isin(CHOSEN[1:])
    table["return_date"] = table["return_date"].where(~other)
    found = effect(table, CHOSEN, 150, tmp_path)
    assert found.change is None
    assert "are of one" in found.insufficient


def test_products_that_sell_alike_share_their_controls_out(tmp_path: Path) -> None:
    """The first of many that are equally alike would otherwise control them all."""
    days = np.repeat(np.arange(300), 100)
    table = pd.DataFrame(
        {
            "sku": [f"P{number:03}" for number in range(100)] * 300,
            "order_date": shops.FIRST + pd.to_timedelta(days, unit="D"),
            "quantity": 1,
            "return_date": pd.Series(pd.NaT, index=range(30_000), dtype="datetime64[ns]"),
        }
    )
    path = tmp_path / "alike.parquet"
    table.to_parquet(path)
    found = read_orders([path], return_days=30, image_reasons=())
    windows = Windows(found.lines)
    golive = dict.fromkeys(CHOSEN[:20], FIRST_DAY + 150)
    pairs = matched(windows, golive, pd.Series(dtype=object), CONFIG)
    used = np.unique(pairs.product[pairs.is_control])
    assert len(used) > 40  # 20 products take 5 of 80 each; always the first would be 5
    again = matched(windows, golive, pd.Series(dtype=object), CONFIG)
    assert (again.product == pairs.product).all()


def test_products_chosen_for_their_returns_raise_a_warning(tmp_path: Path) -> None:
    table = shops.orders(lines=120_000)
    just_before = table["order_date"].between(
        shops.FIRST + pd.Timedelta(110, "D"), shops.FIRST + pd.Timedelta(199, "D")
    )
    more = table["sku"].isin(CHOSEN) & just_before & (np.random.default_rng(3).random(len(table)) < 0.15)
    table["return_date"] = table["return_date"].where(~more, table["order_date"] + pd.Timedelta(3, "D"))
    assert any("Regression to the mean" in one for one in effect(table, CHOSEN, 200, tmp_path).warnings)
    assert not any("Regression" in one for one in effect(shops.orders(lines=120_000), CHOSEN, 200, tmp_path).warnings)


def test_controls_are_of_the_same_category_and_never_have_new_pictures(tmp_path: Path) -> None:
    path = tmp_path / "o.parquet"
    shops.orders().to_parquet(path)
    found = read_orders([path], return_days=30, image_reasons=())
    windows = Windows(found.lines)
    pairs = matched(windows, dict.fromkeys(CHOSEN, FIRST_DAY + 150), found.products["category"], CONFIG)
    names = windows.skus.to_numpy()
    controls = names[pairs.product[pairs.is_control]]
    assert not set(controls) & set(CHOSEN)
    kinds = found.products["category"]
    assert (kinds[controls].to_numpy() == kinds[names[pairs.treated[pairs.is_control]]].to_numpy()).all()


def test_windows_sum_what_a_table_sums() -> None:
    table = shops.orders(lines=500, products=7)
    day = (table["order_date"] - pd.Timestamp(0)).dt.days
    back = table["return_date"].notna().astype(float)
    lines = pd.DataFrame({"sku": table["sku"], "day": day, "quantity": 1.0, "returned": back, "pictured": back * 0})
    windows = Windows(lines)
    for position, sku in enumerate(windows.skus):
        for start, end in ((day.min(), day.max() + 1), (day.min() + 40, day.min() + 90), (0, 10)):
            rows = lines[(lines["sku"] == sku) & (day >= start) & (day < end)]
            for name, expected in zip(FIGURES, (len(rows), rows["returned"].sum(), 0), strict=True):
                assert windows.sum(name, np.array([position]), start, end)[0] == pytest.approx(expected)


@pytest.mark.slow  # sixty effects are planted into a year of real orders and looked for
def test_on_real_orders_nothing_is_found_where_nothing_was_planted_and_a_fifth_is_covered() -> None:
    found = read_orders(
        [shared_data("returns", "uci_online_retail_2010-12_2011-12.parquet")], return_days=30, image_reasons=()
    )
    outcome = planted(found.lines, turns=30, fewer=0.0), planted(found.lines, turns=30, fewer=0.2)
    assert outcome[0] >= 26  # of 30; at a true 95 % fewer happens once in 70 times
    assert outcome[1] >= 26


def planted(lines: pd.DataFrame, *, turns: int, fewer: float) -> int:
    """How often the interval holds the planted change."""
    from benchmarks.return_rate import plantings

    return sum(one.covered for one in plantings(lines, CONFIG, turns=turns, fewer=fewer, seed=5))
