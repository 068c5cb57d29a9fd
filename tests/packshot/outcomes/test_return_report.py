"""The report on the return rate: whose effect it tells, in which weeks, and what it could not use."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pandas as pd
import pytest

from packshot.outcomes.golive import GoLive
from packshot.outcomes.order_rows import Counted
from packshot.outcomes.orders import OrderLines, read_orders
from packshot.outcomes.return_page import headline, return_page, told
from packshot.outcomes.return_report import ReturnReport, report_returns
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
    golive = GoLive({**dict.fromkeys(CHOSEN, GOLIVE), "NEVER-SOLD": GOLIVE})
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


def test_a_single_product_tells_its_change_or_why_it_has_none(report: ReturnReport) -> None:
    products = [one for one in report.groups if one.kind == "product"]
    assert {one.name for one in products} <= set(CHOSEN)
    assert len(products) == 50
    assert all(one.effect.lines > 0 for one in products)
    enough = [one.effect for one in products if one.effect.returns >= CONFIG.least_returns]
    assert enough
    assert all(effect.change and effect.before and effect.after for effect in enough)
    others = [one.effect for one in products if one.effect.returns < CONFIG.least_returns]
    assert {effect.change for effect in others} == {None}
    assert all("returns; at least 30" in one.insufficient or "none of the" in one.insufficient for one in others)


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
    weeks = report_returns(read(tmp_path), GoLive(late), CONFIG).weeks
    assert [one.week for one in weeks if one.week >= 0 and one.products is not None] == [0]


def test_without_reasons_none_is_the_picture_s(tmp_path: Path) -> None:
    found = report_returns(read(tmp_path, without=("reason",)), GoLive(dict.fromkeys(CHOSEN, GOLIVE)), CONFIG)
    assert found.pictured is None


@pytest.mark.parametrize(
    ("counted", "said"),
    [
        (Counted(rows=1000, unusable=51), "51 of 1,000 rows cannot be used (5%)"),
        (Counted(rows=1000, returns=200, unmatched=11), "11 of 200 returns match no order (6%)"),
        (Counted(rows=1000, unusable=50, returns=200, unmatched=10), ""),
    ],
)
def test_a_figure_is_withheld_where_too_much_is_lost(tmp_path: Path, counted: Counted, said: str) -> None:
    orders = dataclasses.replace(read(tmp_path), counted=counted)
    made = report_returns(orders, GoLive(dict.fromkeys(CHOSEN, GOLIVE)), CONFIG)
    assert (made.overall.change is None) == bool(said)
    assert said in made.overall.insufficient
    if said:
        assert (made.groups, made.pictured, made.weeks) == ((), None, ())
        assert headline(made.overall).startswith("Withheld: ")
        assert said.encode() in return_page(made)


def test_skus_that_meet_nowhere_are_shown_side_by_side(tmp_path: Path) -> None:
    made = report_returns(read(tmp_path), GoLive({"0001": GOLIVE}), CONFIG)
    assert "none of the 1 products" in made.overall.insufficient
    assert "like '0001', those of the orders like 'P000'" in made.overall.insufficient


def test_the_report_says_how_each_file_was_read(report: ReturnReport) -> None:
    assert [one.rows for one in report.readings] == [60_000]
    assert "read as Parquet" in told(report)[0]
    assert b"How the files were read" in return_page(report)
