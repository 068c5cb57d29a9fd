"""Days on which new pictures went live, from tables as people write them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from packshot.errors import UnreadableError
from packshot.escaping import table_cell
from packshot.outcomes.exports import Export
from packshot.outcomes.golive import GoLive, read_golive
from packshot.sheets.dates import DateOrder
from packshot.specs.returns import Writing
from tests.packshot.sheets.books import workbook

DAY = (dt.date(2026, 3, 25) - dt.date(1970, 1, 1)).days


def read(data: bytes | str, *, order: DateOrder | None = None) -> GoLive:
    export = Export("golive.csv", data.encode() if isinstance(data, str) else data)
    return read_golive(export, writing=Writing(date_order=order))


@settings(max_examples=40, deadline=None)
@given(
    heads=st.sampled_from([("sku", "date"), ("SKU", " Date"), ("Artikelnummer", "Datum"), ("sku", "Go-live date")]),
    separator=st.sampled_from(",;\t"),
    date=st.sampled_from(["2026-03-25", "25.03.2026", "25/03/2026", "03/25/2026", "2026-03-25T10:00"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"]),
    sku=st.sampled_from(["0123", "-A", "=B", "+C", "@D", "Größe 5", "123"]),
)
def test_every_dialect_gives_the_same_days(
    heads: tuple[str, str], separator: str, date: str, encoding: str, sku: str
) -> None:
    text = f"{separator.join(heads)}\r\n{table_cell(sku)}{separator}{date}\r\n"
    assert read(text.encode(encoding)).days == {sku: DAY}


def test_excel_is_read_and_the_earliest_day_of_a_sku_counts() -> None:
    book = workbook([["SKU", "Date"], ["00123", dt.date(2026, 4, 1)], ["00123", dt.date(2026, 3, 25)]])
    assert read(book).days == {"00123": DAY}


def test_a_blank_cell_is_noted_and_stops_nothing() -> None:
    found = read("sku,date\nA,2026-03-25\nB,\n,2026-03-25\n")
    assert found.days == {"A": DAY}
    assert [(one.rows, one.examples) for one in found.problems] == [(2, ("row 3", "row 4"))]


_BETWEEN = {"blank": [], "long": ["B", "2026-03-25", "x", "y"], "short": ["C"], "row": ["A", "2026-03-25", "a\nb"]}


@settings(max_examples=40, deadline=None)
@given(above=st.integers(0, 2), before=st.lists(st.sampled_from(sorted(_BETWEEN)), max_size=5))
@pytest.mark.parametrize("excel", [False, True])
@pytest.mark.parametrize("odd", ["", "soon"])
def test_an_example_names_the_row_by_its_number_in_the_file(
    odd: str, excel: bool, above: int, before: list[str]
) -> None:
    assume(before.count("short") < 3)  # three examples are named
    rows = [*(["Go-live days"], [])[:above], ["sku", "date", "notes"], *(_BETWEEN[one] for one in before)]
    rows += [["D", odd, ""], ["E", "2026-03-25", "end"]]
    text = "\r\n".join(",".join(f'"{one}"' if "\n" in one else one for one in row) for row in rows)
    data = workbook(rows) if excel else text
    number = len(rows) - 1
    if odd:
        with pytest.raises(UnreadableError, match=rf"golive\.csv, row {number}: "):
            read(data)
        return
    named = [example for one in read(data).problems for example in one.examples if one.what.startswith("rows without")]
    assert f"row {number}" in named
    short = [rows.index(_BETWEEN["short"]) + 1] if "short" in before else []
    assert set(named) >= {f"row {one}" for one in short}


def test_a_row_with_an_endless_surplus_cell_is_counted_and_named_in_short() -> None:
    found = read(f"sku,date\nA,2026-03-25\nB,2026-03-25,{'x' * 200_000}\n")
    assert found.days == {"A": DAY}
    assert [(one.rows, len(one.examples[0])) for one in found.problems] == [(1, 120)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sku,date\nA,2026-03-25\nB,soon\n", r"golive\.csv, row 3: a go-live date cannot be read; found soon"),
        ("sku,date\n", "there is no go-live date in this table"),
        ("", "not a table that can be read"),
        ("sku,when\nA,1\n", "lacks the column date; found sku, when"),
        ("sku,date\nA,03/04/2026\n", r"3 April 2026 \(day first\) or 4 March 2026.*--date-order"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, said: str) -> None:
    with pytest.raises(UnreadableError, match=said):
        read(text)


def test_an_open_order_is_read_as_said_and_a_missing_file_is_an_error(tmp_path: Path) -> None:
    assert read("sku,date\nA,03/04/2026\n", order=DateOrder.MONTH_FIRST).days["A"] < DAY
    with pytest.raises(UnreadableError, match="this file cannot be read"):
        read_golive(tmp_path / "none.csv")
