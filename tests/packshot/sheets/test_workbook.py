"""Excel workbooks: every cell as text, within limits."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


def _changed(data: bytes, change: Callable[[str, str], tuple[str, str]]) -> bytes:
    """The workbook with other names or contents of its parts."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as book, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        for name in book.namelist():
            made.writestr(*change(name, book.read(name).decode()))
    return stream.getvalue()


_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def _elsewhere(name: str, part: str) -> tuple[str, str]:
    """All parts in another folder under other names; only links say where they are."""
    if name == "xl/_rels/workbook.xml.rels":
        part = part.replace("worksheets/sheet", "/Data/Sheets/S").replace(
            "</Relationships>",
            f'<Relationship Id="a" Type="{_OFFICE}/sharedStrings" Target="../data/words.xml"/>'
            f'<Relationship Id="b" Type="{_OFFICE}/styles" Target="looks.xml"/></Relationships>',
        )
    moved = {
        "xl/workbook.xml": "data/book22.xml",
        "xl/_rels/workbook.xml.rels": "data/_rels/book22.xml.rels",
        "xl/sharedStrings.xml": "data/words.xml",
        "xl/styles.xml": "data/looks.xml",
    }
    return moved.get(name, name.replace("xl/worksheets/sheet", "data/sheets/s")), part


def _with_package_link(data: bytes) -> bytes:
    stream = io.BytesIO(data)
    with zipfile.ZipFile(stream, "a") as book:
        link = f'<Relationship Id="a" Type="{_OFFICE}/officeDocument" Target="/data/book22.xml"/>'
        book.writestr("_rels/.rels", f"<Relationships>{link}</Relationships>")
    return stream.getvalue()


WRITERS: dict[str, Callable[[bytes], bytes]] = {
    "backslashes": lambda data: _changed(data, lambda name, part: (name.replace("/", "\\"), part)),
    "capitals": lambda data: _changed(data, lambda name, part: (name.upper(), part)),
    "other names": lambda data: _with_package_link(_changed(data, _elsewhere)),
    "backslashes in links": lambda data: _changed(
        data, lambda name, part: (name, part.replace("worksheets/sheet", "worksheets\\sheet"))
    ),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_parts_are_found_by_their_links_however_a_program_names_them(writer: str) -> None:
    """Such workbooks were called no workbooks, or their texts and dates were lost."""
    rows = [["sku", "date", "gtin"], ["00123", dt.date(2026, 3, 1), "A"], ["B", dt.date(2026, 3, 2), "C"]]
    whole = workbook(rows)
    changed = WRITERS[writer](whole)
    assert changed != whole
    assert read(changed).below == read(whole).below == [["00123", "2026-03-01", "A"], ["B", "2026-03-02", "C"]]


@given(st.text("0123456789", min_size=1, max_size=15), st.booleans())
def test_a_result_of_digits_without_a_type_keeps_its_leading_noughts(digits: str, formula: bool) -> None:
    """Excel gives no type to a cell that refers to a text: the SKU 00123 was read as 123."""
    cell = f"<c>{'<f>S1!A1</f>' if formula else ''}<v>{digits}</v></c>"
    row = "<row><c t='str'><v>sku</v></c></row><row>" + cell + "</row>"
    data = _changed(
        workbook([["sku"]]),
        lambda name, part: (name, f"<worksheet><sheetData>{row}</sheetData></worksheet>" if "sheet1" in name else part),
    )
    assert read(data).below == [[digits]]


@given(st.integers(0, 10**14 - 1), st.integers(2, 14), st.sampled_from(["", ";@", ";-0"]))
def test_a_number_is_read_with_the_leading_noughts_that_its_format_shows(number: int, width: int, more: str) -> None:
    """A GTIN shown as 00012345678905 was read as 12345678905."""

    def change(name: str, part: str) -> tuple[str, str]:
        part = part.replace('<xf numFmtId="164"/>', '<xf numFmtId="164"/><xf numFmtId="170"/>')
        style = f'<numFmt numFmtId="170" formatCode="{"0" * width}{more}"/>'
        return name, part.replace("<numFmts>", f"<numFmts>{style}").replace('<c r="A2">', '<c r="A2" s="2">')

    data = _changed(workbook([["sku", "gtin"], [number, number]]), change)
    assert read(data).below == [[f"{number:0{width}d}", str(number)]]


@pytest.mark.parametrize("code", ["General", "Standard", "0.00", "#,##0", '0" Stück am Tag"', "[Red]0", "0\\d"])
def test_a_format_without_a_date_s_signs_shows_no_date(code: str) -> None:
    def change(name: str, part: str) -> tuple[str, str]:
        return name, part.replace("dd\\.mm\\.yyyy", code.replace('"', "&quot;"))

    data = _changed(workbook([["sku", "date"], ["A", dt.date(2026, 3, 1)]]), change)
    assert read(data).below == [["A", "46082"]]


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8))
def test_characters_that_xml_cannot_hold_are_read_as_excel_shows_them(text: str) -> None:
    """SAP and others end cells with _x000D_: such a SKU met no order."""
    escaped = "".join(f"_x{ord(one):04X}_" if ord(one) < 0x10000 else one for one in text)
    sheet = read(workbook([["sku", "date"], [f"{escaped}_x000D_", "x"], ["A_x0000_B", "_xZZZZ_"]]))
    assert sheet.below == [[f"{text}\r", "x"], ["A_x0000_B", "_xZZZZ_"]]
