"""Excel workbooks: every cell as text, within limits."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import zipfile

import pytest

from packshot.sheets.workbook import Sheet, read_workbook
from tests.packshot.sheets.books import workbook


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
