"""Tables with errors of a spreadsheet in them, with two answers to one question, and files that are no tables."""

from __future__ import annotations

import gzip

import pytest

from packshot.errors import UnreadableError
from packshot.ingest.manifest import read_manifest
from packshot.outcomes.exports import Export
from packshot.outcomes.golive import read_golive
from packshot.outcomes.orders import OrderLines, read_orders
from packshot.sheets.identifiers import is_no_value

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
