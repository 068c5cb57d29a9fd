"""The report on the return rate: whose effect it tells, in which weeks, and what it could not use."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from packshot.errors import UnreadableError
from packshot.outcomes.orders import OrderLines, read_orders
from packshot.outcomes.return_report import ReturnReport, read_golive, report_returns
from packshot.specs.returns import ReturnsConfig
from tests.packshot.outcomes import shops

CONFIG = ReturnsConfig(image_reasons=("not as described",))
GOLIVE = (shops.FIRST - pd.Timestamp(0)).days + 150
CHOSEN = [f"P{number:03}" for number in range(60)]


def read(folder: Path, *, without: tuple[str, ...] = ()) -> OrderLines:
    path = folder / "orders.parquet"
    table = shops.with_effect(shops.orders(), CHOSEN, 150, fewer=1 / 3)
    table.drop(columns=list(without)).assign(client="acme").to_parquet(path)
    return read_orders([path], return_days=CONFIG.return_days, image_reasons=CONFIG.image_reasons)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> ReturnReport:
    golive = {**dict.fromkeys(CHOSEN, GOLIVE), "NEVER-SOLD": GOLIVE}
    return report_returns(read(tmp_path_factory.mktemp("shop")), golive, CONFIG)


def test_the_effect_is_told_overall_by_client_category_and_product(report: ReturnReport) -> None:
    kinds = {kind: [one.name for one in report.groups if one.kind == kind] for kind in ("client", "category")}
    assert kinds == {"client": ["acme"], "category": ["shirts", "shoes"]}
    parts = [one.effect.products for one in report.groups if one.kind == "category"]
    assert sum(parts) == report.overall.products == 60
    assert report.overall.significant


def test_a_client_that_is_the_only_one_has_the_overall_effect(report: ReturnReport) -> None:
    (client,) = (one for one in report.groups if one.kind == "client")
    assert client.effect.change == report.overall.change


def test_a_single_product_tells_its_rates_and_no_change(report: ReturnReport) -> None:
    products = [one for one in report.groups if one.kind == "product"]
    assert {one.name for one in products} <= set(CHOSEN)
    assert len(products) == 50
    assert all(one.effect.change is None and one.effect.insufficient for one in products)
    assert all(one.effect.lines > 0 for one in products)
    enough = [one.effect for one in products if one.effect.returns >= CONFIG.least_returns]
    assert enough
    assert all(effect.before and effect.after and "one product" in effect.insufficient for effect in enough)


def test_products_that_sell_most_come_first(report: ReturnReport) -> None:
    lines = [one.effect.lines for one in report.groups if one.kind == "product"]
    assert lines == sorted(lines, reverse=True)


def test_products_that_nobody_ordered_are_named(report: ReturnReport) -> None:
    assert report.unknown == ("NEVER-SOLD",)
    assert report.golive_products == 61


def test_the_weeks_lie_around_the_new_pictures_and_show_the_planted_change(report: ReturnReport) -> None:
    assert [one.week for one in report.weeks] == list(range(-12, 12))
    before = [one.products for one in report.weeks if one.week < 0 and one.products is not None]
    after = [one.products for one in report.weeks if one.week >= 0 and one.products is not None]
    assert len(before) == len(after) == 12
    assert sum(after) / 12 < 0.85 * sum(before) / 12


def test_a_week_that_is_not_closed_has_no_figure(tmp_path: Path) -> None:
    late = dict.fromkeys(CHOSEN, (shops.FIRST - pd.Timestamp(0)).days + shops.DAYS - CONFIG.return_days - 10)
    weeks = report_returns(read(tmp_path), late, CONFIG).weeks
    assert [one.week for one in weeks if one.week >= 0 and one.products is not None] == [0]


def test_without_reasons_none_is_the_picture_s(tmp_path: Path) -> None:
    found = report_returns(read(tmp_path, without=("reason",)), dict.fromkeys(CHOSEN, GOLIVE), CONFIG)
    assert found.pictured is None


def test_go_live_dates_are_read_whatever_the_case_of_their_columns(tmp_path: Path) -> None:
    path = tmp_path / "golive.csv"
    path.write_text("﻿SKU, Date\nA1, 1970-01-02T10:00\n")
    assert read_golive(path) == {"A1": 1}


@pytest.mark.parametrize("row", ["A1,soon", "A1", "A1,02.01.1970"])
def test_a_go_live_date_that_cannot_be_read_is_named_with_its_row(tmp_path: Path, row: str) -> None:
    path = tmp_path / "golive.csv"
    path.write_text(f"sku,date\nA0,2026-01-01\n{row}\n")
    with pytest.raises(UnreadableError, match=r"golive\.csv, row 3"):
        read_golive(path)
