"""The command on the return rate, on a drawn shop."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from packshot.cli.ending import Exit
from tests.packshot.cli.test_cli import packshot
from tests.packshot.outcomes import shops


@pytest.fixture
def shop(tmp_path: Path) -> list[object]:
    chosen = [f"P{number:03}" for number in range(60)]
    shops.with_effect(shops.orders(), chosen, 150, fewer=1 / 3).to_csv(tmp_path / "orders.csv", index=False)
    rows = "".join(f"{sku},2026-05-31\n" for sku in [*chosen, "NOBODY"])
    (tmp_path / "golive.csv").write_text(f"sku,date\n{rows}")
    return ["--orders", tmp_path / "orders.csv", "--golive", tmp_path / "golive.csv", "--out", tmp_path / "report"]


def test_the_report_is_a_page_and_a_file_and_a_sentence(shop: list[object], tmp_path: Path) -> None:
    said = packshot("returns", "report", *shop)
    assert said.status == Exit.OK
    assert "The return rate fell" in said.out
    page = (tmp_path / "report" / "report.html").read_text()
    for part in ("The return rate fell", "<svg", "By category", "shoes", "NOBODY"):
        assert part in page
    assert "http" not in page.replace("http-equiv", "")
    told = json.loads((tmp_path / "report" / "report.json").read_text())
    assert told["overall"]["change"]["high"] < 0
    assert told["pictured"]["change"]
    assert {group["kind"] for group in told["groups"]} == {"category", "product"}
    assert any(group["effect"]["change"] for group in told["groups"] if group["kind"] == "product")
    assert "orders.csv: 60,000 rows read as UTF-8, comma" in said.out


def test_json_is_the_report(shop: list[object]) -> None:
    said = packshot("returns", "report", *shop, "--json")
    assert said.json["schema_name"] == "packshot-returns/1"
    assert said.json["unknown"] == ["NOBODY"]


def test_a_date_that_cannot_be_read_is_named(shop: list[object], tmp_path: Path) -> None:
    (tmp_path / "golive.csv").write_text("sku,date\nP001,next week\n")
    said = packshot("returns", "report", *shop)
    assert said.status != Exit.OK
    assert "golive.csv, row 2" in said.err
    assert "next week" in said.err
