"""The same facts in spellings that shops really send: the same figures as the reference."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from packshot.outcomes.golive import read_golive
from packshot.outcomes.orders import read_orders
from packshot.outcomes.return_report import ReturnReport, report_returns
from packshot.specs.returns import ReturnsConfig
from tests.shared_data import shared_faults

CONFIG = ReturnsConfig()


def report(orders: str, returns: str, golive: str) -> ReturnReport:
    files = [shared_faults("files", f"ret_{one}") for one in (orders, returns, golive)]
    sold = read_orders(files[:1], files[1:2], return_days=30, image_reasons=("color",))
    return report_returns(sold, read_golive(files[2]), CONFIG)


@pytest.mark.parametrize(
    ("orders", "returns", "golive", "lines"),
    [
        ("dates_german_orders.csv", "dates_german_returns.csv", "golive_S.csv", 4200),
        ("numeric_order_id_orders.csv", "blank_order_id_returns.csv", "golive_S.csv", 4200),
        ("blank_sku_orders.csv", "blank_sku_returns.csv", "golive_numeric.csv", 4199),
        ("zeros_orders.csv", "zeros_returns.csv", "golive_zeros.csv", 4200),
        ("cp932_orders.csv", "returns_ok.csv", "golive_S.csv", 4200),
        ("one_ragged_orders.csv", "returns_ok.csv", "golive_S.csv", 4199),
        ("sep_line_orders.csv", "returns_ok.csv", "golive_S.csv", 4200),
        ("quote_orders.txt", "returns_ok.csv", "golive_S.csv", 4200),
    ],
)
def test_another_spelling_gives_the_figures_of_the_reference(
    orders: str, returns: str, golive: str, lines: int
) -> None:
    reference = report("orders_ok.csv", "returns_ok.csv", "golive_S.csv")
    found = report(orders, returns, golive)
    assert found.order_lines == lines
    assert found.overall.change == reference.overall.change
    assert found.overall.returns == reference.overall.returns == 138
    assert sum(one.rows for one in found.problems if "first 30 days" not in one.what) == 4200 - lines


def test_one_year_in_every_dialect_has_one_result(tmp_path: Path) -> None:
    script = shared_faults("orders.py")
    subprocess.run([sys.executable, script, tmp_path, "--lines", "6000"], check=True)
    found = {}
    for folder in sorted(tmp_path.iterdir()):
        orders = sorted(folder.glob("orders*.csv"))
        sold = read_orders(orders, return_days=30, image_reasons=("not as described",))
        made = report_returns(sold, read_golive(folder / "golive.csv"), CONFIG)
        found[folder.name] = made.overall.model_copy(update={"warnings": ()})
        assert made.order_lines == 6000
    assert len(found) == 10
    assert found["iso"].change is not None
    assert [name for name, effect in found.items() if effect != found["iso"]] == []
