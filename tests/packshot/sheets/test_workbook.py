"""Excel workbooks: every cell as text, within limits."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import zipfile

import pytest

from packshot.sheets.workbook import Sheet, column_of, read_workbook
from tests.packshot.sheets.books import Formula, workbook


def read(data: bytes, *, rows: int = 1000) -> Sheet:
    return read_workbook(data, lambda cells: len({"sku", "date", "gtin"} & set(cells)), most_rows=rows, most_columns=50)


def test_dates_numbers_and_identifiers_are_text() -> None:
    sheet = read(workbook([["sku", "date", "gtin", "n"], ["00123", dt.date(2026, 3, 1), 4006381333931, 1.5]]))
    assert sheet.head == ("sku", "date", "gtin", "n")
    assert sheet.below == [["00123", "2026-03-01", "4006381333931", "1.5"]]


def test_the_sheet_and_row_with_the_known_heads_are_found() -> None:
    title = [["Spring 2026"], [None], ["sku", "date"], ["A", None], [None], ["B", "2026-03-01"]]
    sheet = read(workbook([["notes"], ["to do"]], title))
    assert sheet.row == 3
    assert [row[0] for row in sheet.below] == ["A", "B"]
    assert "'S2'" in sheet.how


def test_what_is_no_workbook_or_too_large_is_refused() -> None:
    whole = workbook([["sku", "date"], *[["A", "B"]] * 50])
    for at in range(0, len(whole), 97):
        broken = whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]
        with contextlib.suppress(ValueError):  # whatever else is raised fails here
            assert len(read(broken).below) <= 50
    with pytest.raises(ValueError, match="more than 40 rows"):
        read(whole, rows=40)
    with pytest.raises(ValueError, match="older binary kind"):
        read(b"\xd0\xcf\x11\xe0" + bytes(600))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/workbook.xml", bytes(50_000_000))
    with pytest.raises(ValueError, match="bytes when unpacked"):
        read(stream.getvalue())
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as book:
        book.writestr("xl/workbook.xml", '<!DOCTYPE a [<!ENTITY b "c">]><workbook>&b;</workbook>')
    with pytest.raises(ValueError, match="damaged"):
        read(stream.getvalue())


@pytest.mark.parametrize("result", [None, "", "A1", 7, 0])
def test_a_formula_is_its_result_and_one_without_a_result_is_named(result: str | float | None) -> None:
    sheet = read(workbook([["sku", "date"], ["X", None], [Formula("B2&C2", result), "2026-03-01"]]))
    assert sheet.below[1][0] == ("" if result is None else str(result))
    assert sheet.formulas == (("A3",) if result is None else ())


def test_a_row_of_nothing_but_open_formulas_is_no_blank_row() -> None:
    sheet = read(workbook([["sku", "date"], *[[Formula("A9"), Formula("B9")]] * 3]))
    assert len(sheet.below) == 3
    assert sheet.formulas == ("A2", "B2", "A3", "B3", "A4", "B4")
    assert [column_of(one) for one in ("A2", "B2", "Z10", "AA1", "AZ7")] == [0, 1, 25, 26, 51]


def test_other_sheets_with_the_same_names_are_told_and_others_are_not() -> None:
    orders = [["sku", "date"], ["A", "2026-03-01"]]
    sheet = read(workbook(orders, [*orders, ["B", "2026-03-02"]], [["sku", "price"], ["A", 3]], [["sku", "date"]]))
    assert "'S1'" in sheet.how
    assert sheet.others == {"S2": 2}
