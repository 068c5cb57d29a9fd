"""The report on the return rate: whose effect it tells, in which weeks, and what it could not use."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pandas as pd
import pytest

from packshot.outcomes.golive import GoLive, read_golive
from packshot.outcomes.matching import UNMATCHED
from packshot.outcomes.order_rows import RAGGED, Counted, Problem
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
    assert "no product with a go-live date (1) was ordered" in made.overall.insufficient
    assert "like '0001', those of the orders like 'P000'" in made.overall.insufficient


def test_orders_without_any_return_ask_for_the_returns(tmp_path: Path) -> None:
    sold = read(tmp_path)
    lines, counted = sold.lines.assign(returned=0.0, pictured=0.0), dataclasses.replace(sold.counted, dated=0)
    nothing = dataclasses.replace(sold, lines=lines, counted=counted)
    made = report_returns(nothing, GoLive(dict.fromkeys(CHOSEN, GOLIVE)), CONFIG)
    assert headline(made.overall).startswith("Insufficient data: the files hold no returns; if they are in files of")


@pytest.mark.parametrize(
    ("what", "rows", "said"),
    [
        (RAGGED, 1, "1 row with more cells than column names: "),
        (RAGGED, 1200, "1,200 rows with more cells than column names: "),
        (UNMATCHED, 1, "1 return of orders that the files do not hold"),
        (UNMATCHED, 2, "2 returns of orders that the files do not hold"),
        ("order lines that another file holds too", 1, "1 order line that another file holds too"),
    ],
)
def test_what_could_not_be_used_is_a_sentence_in_the_page_and_in_the_terminal(
    report: ReturnReport, what: str, rows: int, said: str
) -> None:
    made = report.model_copy(update={"problems": (Problem(file="orders.csv", what=what, rows=rows),)})
    assert f"orders.csv: {said}" in told(made)[-1]
    assert said in return_page(made).decode()


def test_every_kind_of_row_that_is_left_out_is_named_as_rows(tmp_path: Path) -> None:
    rows = "1,2026-03-01,A,1\n2,,A,1\n3,2026-03-02,A,0\n4,2026-03-03,A,1,x,y\n"
    (tmp_path / "a.csv").write_text("order_id,order_date,sku,quantity\n" + rows)
    (tmp_path / "b.csv").write_text("order_id,order_date,sku,quantity\n1,2026-03-01,A,1\n,2026-03-01,A,1\n")
    (tmp_path / "golive.csv").write_text("sku,date\nA,2026-03-01\n,2026-03-01\nB,2026-03-01,x,y,z\n")
    sold = read_orders([tmp_path / "a.csv", tmp_path / "b.csv"], return_days=30, image_reasons=())
    found = [*sold.problems, *read_golive(tmp_path / "golive.csv").problems]
    assert len(found) == 6
    assert all(one.what.startswith(("rows ", "returns ", "order lines ")) for one in found), found


def test_the_report_says_how_each_file_was_read(report: ReturnReport) -> None:
    assert [one.rows for one in report.readings] == [60_000]
    assert "read as Parquet" in told(report)[0]
    assert b"How the files were read" in return_page(report)
