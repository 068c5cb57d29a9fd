"""Tables with errors of a spreadsheet in them, with two answers to one question, and files that are no tables."""

from __future__ import annotations

import gzip

import pytest

from packshot.errors import UnreadableError
from packshot.ingest.manifest import read_manifest
from packshot.outcomes.exports import Export
from packshot.outcomes.golive import GoLive, read_golive
from packshot.outcomes.matching import IMPOSSIBLE
from packshot.outcomes.order_rows import BEYOND, EMPTY, OTHER_SHEETS
from packshot.outcomes.orders import OrderLines, read_orders
from packshot.outcomes.return_report import report_returns, why_withheld
from packshot.sheets.identifiers import is_no_value
from packshot.specs.returns import ReturnsConfig
from tests.packshot.sheets.books import Cell, Formula, workbook

ERRORS = ("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NV", "#BEZUG!", "#WERT!", "#N/D", "#VALEUR!", "#NOM?")
NAMES = ("A1", "#12", "#1001", "N/A", "#REF", "#blue", "NV", "REF!")


def read(data: bytes) -> OrderLines:
    return read_orders([Export("orders.csv", data)], return_days=30, image_reasons=())


def orders(*rows: str) -> OrderLines:
    return read("\n".join(("order_date,sku,quantity", *rows)).encode())


@pytest.mark.parametrize("error", ERRORS)
def test_a_spreadsheet_s_error_is_no_product(error: str) -> None:
    """It was a product of its own, and served as a control of others."""
    assert is_no_value(error)
    found = orders("2026-01-01,A1,1", f"2026-01-02,{error},1", f"2026-01-03, {error.lower()} ,1")
    assert list(found.lines["sku"]) == ["A1"]
    assert sum(one.rows for one in found.problems) == 2


@pytest.mark.parametrize("name", NAMES)
def test_a_name_with_such_a_sign_is_a_product(name: str) -> None:
    assert not is_no_value(name)
    assert list(orders(f"2026-01-01,{name},1").lines["sku"]) == [name]


def test_a_spreadsheet_s_error_in_a_manifest_is_no_sku() -> None:
    manifest = read_manifest(b"file,sku\na.jpg,#N/A\nb.jpg,B1\n", name="manifest.csv")
    assert [row.get("sku", "") for row in manifest.rows.values()] == ["", "B1"]
    (said,) = [one.message for one in manifest.findings if one.code == "sku_damaged"]
    assert "a.jpg" in said
    assert "#N/A" in said


def test_a_sku_with_two_go_live_dates_is_named() -> None:
    table = b"sku,date\nA1,2026-03-01\nB1,2026-03-01\nA1,2026-04-01\nB1,2026-03-01\n"
    found = read_golive(Export("golive.csv", table))
    (problem,) = found.problems
    assert (problem.rows, problem.examples) == (1, ("A1",))
    assert "several go-live dates" in problem.what
    assert found.days["A1"] == found.days["B1"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (gzip.compress(b"order_date,sku,quantity\n"), "a compressed archive"),
        (b"%PDF-1.7\nx", "a PDF document"),
        (b"SQLite format 3\0" + bytes(100), "an SQLite database"),
        (b"<html><table><tr><td>order_date</td></tr></table></html>", "a web page"),
        (b"\r\n  <HTML><table><tr><td>order_date</td></tr></table>", "a web page"),
        (b"\xef\xbb\xbf\n<!DOCTYPE HTML><table>", "a web page"),
        (b"<TABLE border=1><tr><td>order_date</td></tr></TABLE>", "a web page"),
        (b'\n<?xml version="1.0"?><Workbook/>', "an XML document"),
        (b'\xef\xbb\xbf{"orders": []}', "a JSON document"),
        (b'[{"order_date": "2026-01-01", "sku": "A"}]', "a JSON document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "older binary kind"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le") + bytes(60),
            "a password",
        ),
    ],
)
def test_what_is_no_table_is_named(data: bytes, said: str) -> None:
    with pytest.raises(UnreadableError, match=said) as caught:
        read(data)
    assert "orders.csv" in str(caught.value)
    assert "not a table" in str(caught.value)


HEADS = ["order_id", "order_date", "sku", "quantity", "return_date"]
LINES = [[f"O{number}", f"2026-01-{number:02}", "A1", 1, None] for number in range(1, 21)]


def book(*sheets: list[list[Cell]]) -> OrderLines:
    data = workbook(*sheets)
    return read_orders([Export("orders.xlsx", data)], return_days=30, image_reasons=())


@pytest.mark.parametrize("column", range(1, 5))
def test_a_cell_of_an_order_that_is_a_formula_without_its_result_is_refused_by_name(column: int) -> None:
    """A return date of this kind was no return."""
    computed, open_cell = (
        [[*row[:column], cell, *row[column + 1 :]] for row in LINES[:1]] + LINES[1:]
        for cell in (Formula("A1", LINES[0][column] or "2026-01-09"), Formula("A1"))
    )
    assert len(book([HEADS, *computed]).lines) == 20
    with pytest.raises(UnreadableError, match=f"{'ABCDE'[column]}2") as caught:
        book([HEADS, *open_cell])
    assert "orders.xlsx" in str(caught.value)
    assert "save it" in str(caught.value)


def test_a_formula_outside_the_wanted_columns_stops_nothing() -> None:
    found = book([[*HEADS, "price"], *[[*row, Formula("A1")] for row in LINES]])
    assert len(found.lines) == 20
    assert found.problems == ()


def test_cells_right_of_the_heads_of_a_workbook_are_told_and_the_row_counts() -> None:
    found = book([HEADS, *LINES[:5], [*LINES[5], None, "late"], *LINES[6:]])
    assert len(found.lines) == 20
    (problem,) = found.problems
    assert (problem.what, problem.rows, problem.examples) == (BEYOND, 1, ("row 7",))
    assert found.counted.unusable == 0
    named = book([[*HEADS, None, "remark"], [*LINES[0], None, "late"], *LINES[1:]])
    assert named.problems == ()


def test_other_sheets_of_orders_are_told_and_their_rows_are_not_used() -> None:
    """A sheet a month is common; only one was read, without a word."""
    found = book([HEADS, *LINES[:10]], [HEADS, *LINES[10:]], [["sku", "price"], ["A1", 3]])
    assert len(found.lines) == 10
    (problem,) = found.problems
    assert (problem.what, problem.rows, problem.examples) == (OTHER_SHEETS, 10, ("sheet 'S2'",))
    assert "10 of 20 rows cannot be used" in why_withheld(found.counted, ReturnsConfig())


def test_a_formula_in_a_csv_is_no_product() -> None:
    found = orders("2026-01-01,A1,1", '2026-01-02,"=VLOOKUP(A2,B:C,2)",1')
    assert list(found.lines["sku"]) == ["A1"]
    assert sum(one.rows for one in found.problems) == 1


DATED = "order_id,order_date,sku,quantity,return_date"


@pytest.mark.parametrize("before", [0, 1, 2, 40])
def test_a_return_before_its_order_does_not_count_and_is_told(before: int) -> None:
    rows = [f"O{n},2026-03-{n % 28 + 1:02},A1,1,{'2026-02-01' if n < before else '2026-04-01'}" for n in range(40)]
    apart = "order-id,sku,return-date,quantity\n" + "\n".join(
        f"{row.split(',')[0]},A1,{row.split(',')[4]},1" for row in rows
    )
    sold = "\n".join((DATED.removesuffix(",return_date"), *(row.rpartition(",")[0] for row in rows)))
    other = read_orders(
        [Export("orders.csv", sold.encode())],
        [Export("returns.csv", apart.encode())],
        return_days=60,
        image_reasons=(),
    )
    table = Export("orders.csv", "\n".join((DATED, *rows)).encode())
    for found in (read_orders([table], return_days=60, image_reasons=()), other):
        assert found.lines["returned"].sum() == 40 - before
        assert [problem.rows for problem in found.problems if problem.what == IMPOSSIBLE] == [before] * bool(before)
        assert (found.counted.dated, found.counted.impossible) == (40, before)
        withheld = why_withheld(found.counted, ReturnsConfig())
        assert bool(withheld) is (before > 2)
        assert not withheld or "40 of 40 returns are dated before their order" in withheld


def test_returns_that_are_all_older_than_the_orders_are_called_so() -> None:
    """By customer they may be of older orders; it was said that the files hold no returns."""
    sold = "customer,order_date,sku,quantity\n" + "\n".join(f"C{n},2026-06-01,A1,1" for n in range(20))
    back = "customer,sku,return_date,quantity\n" + "\n".join(f"C{n},A1,2026-01-01,1" for n in range(20))
    files = [Export("orders.csv", sold.encode())], [Export("returns.csv", back.encode())]
    found = read_orders(*files, return_days=30, image_reasons=())
    report = report_returns(found, GoLive({"A1": 20_000}), ReturnsConfig())
    assert "all 20 returns are older than the orders" in report.overall.insufficient
    assert "hold no returns" not in report.overall.insufficient


@pytest.mark.parametrize(
    ("text", "read_as"), [("", 1), ("-", 1), ("no", 1), ("0000-00-00", 1), ("2026-01-05", 1), ("soon", 0), ("=B2+3", 0)]
)
def test_a_return_date_that_is_no_date_is_told(text: str, read_as: int) -> None:
    found = orders_with_returns(f"O1,2026-01-01,A1,1,{text}", "O2,2026-01-02,A1,1,2026-01-09")
    assert len(found.lines) == 1 + read_as
    said = [one for one in found.problems if "return date cannot be read" in one.what]
    assert [one.examples for one in said] == ([] if read_as else [(f"row 2: {text}",)])


def orders_with_returns(*rows: str) -> OrderLines:
    return read("\n".join((DATED, *rows)).encode())


@pytest.mark.parametrize("excel", [False, True])
def test_a_file_of_nothing_but_heads_is_named(excel: bool) -> None:
    """The error named no file, and an empty returns report was asked for as if it had not been given."""
    empty = workbook([HEADS]) if excel else (",".join(HEADS) + "\n").encode()
    with pytest.raises(UnreadableError, match="empty") as caught:
        read_orders([Export("june.csv", empty)], return_days=30, image_reasons=())
    assert "june.csv" in str(caught.value)
    whole = Export("orders.xlsx", workbook([HEADS, *LINES]))
    found = read_orders([whole], [Export("back.csv", empty)], return_days=30, image_reasons=())
    assert [(one.file, one.in_words) for one in found.problems] == [("back.csv", f"0 {EMPTY}")]
