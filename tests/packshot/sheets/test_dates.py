"""The order of day and month: decided from a whole column, or asked for."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from packshot.errors import UnreadableError
from packshot.sheets.dates import DateColumn, DateOrder, orders_of

EPOCH = dt.date(1970, 1, 1)
DAYS = st.dates(dt.date(2001, 1, 1), dt.date(2049, 12, 31))
WAYS = {
    DateOrder.DAY_FIRST: ("%d{}%m{}%Y", "%d{}%m{}%y"),
    DateOrder.MONTH_FIRST: ("%m{}%d{}%Y", "%m{}%d{}%y"),
    DateOrder.YEAR_FIRST: ("%Y{}%m{}%d", "%Y{}%m{}%dT10:15:00+02:00", "%Y{}%m{}%d 23:59:59"),
}


def read(texts: list[str], *, chosen: DateOrder | None = None) -> dict[str, int]:
    column = DateColumn.of("order_date", texts)
    return column.read(orders_of("a.csv", [column], chosen=chosen)["order_date"])


@given(st.lists(DAYS, min_size=1), st.sampled_from(list(DateOrder)), st.data())
def test_a_column_is_read_as_it_was_written_or_asked_back(
    days: list[dt.date], order: DateOrder, data: st.DataObject
) -> None:
    way = data.draw(st.sampled_from(WAYS[order])).format(*data.draw(st.sampled_from("-/.")) * 2)
    texts = {f"{day:{way}}": (day - EPOCH).days for day in days}
    try:
        found = read(list(texts))
    except UnreadableError as error:
        said = str(error)
        found = read(list(texts), chosen=order)
        event("asked back" if "--date-order" in said else said)
    dotted = "." in way and order is not DateOrder.DAY_FIRST and "%Y" not in way[:2]
    assert found == texts or dotted


@pytest.mark.parametrize("order", [DateOrder.DAY_FIRST, DateOrder.MONTH_FIRST])
def test_one_day_above_twelve_decides_the_whole_column(order: DateOrder) -> None:
    days = [dt.date(2026, 3, 4), dt.date(2026, 5, 6), dt.date(2026, 7, 25)]
    texts = {f"{day:{WAYS[order][0].format('/', '/')}}": (day - EPOCH).days for day in days}
    assert read(list(texts)) == texts


def test_an_open_column_names_both_readings_and_the_option() -> None:
    with pytest.raises(UnreadableError) as caught:
        read(["03/04/2026", "05/06/2026"])
    said = str(caught.value)
    assert "'03/04/2026' is 3 April 2026 (day first) or 4 March 2026 (month first)" in said
    assert "--date-order (dmy or mdy)" in said


def test_a_column_of_two_orders_is_asked_back_and_then_read_as_said() -> None:
    texts = ["25/12/2026", "12/25/2026"]
    with pytest.raises(UnreadableError, match=r"'25/12/2026' is only a date with the day first.*'12/25/2026'"):
        read(texts)
    assert list(read(texts, chosen=DateOrder.DAY_FIRST)) == ["25/12/2026"]


def test_full_stops_are_day_first_unless_a_value_says_otherwise() -> None:
    assert read(["03.04.2026"]) == {"03.04.2026": (dt.date(2026, 4, 3) - EPOCH).days}
    assert read(["03.04.2026", "12.31.2026"])["03.04.2026"] == (dt.date(2026, 3, 4) - EPOCH).days


def test_a_column_follows_the_others_of_its_file() -> None:
    ordered, returned = DateColumn.of("order_date", ["03/25/2026"]), DateColumn.of("return_date", ["04/05/2026"])
    assert orders_of("a.csv", [ordered, returned], chosen=DateOrder.DAY_FIRST)["return_date"] is DateOrder.MONTH_FIRST


@pytest.mark.parametrize(
    "text",
    [
        "5 Mar 2026",
        "05-März-26",
        "March 5, 2026",
        "5 mars 2026",
        "Thu, 05 Mar 2026 10:00:00",
        "20260305",
        "2026年3月5日",
    ],
)
def test_a_month_with_a_name_needs_no_order(text: str) -> None:
    assert read([text]) == {text: (dt.date(2026, 3, 5) - EPOCH).days}


@given(st.text(max_size=80))
def test_what_is_no_date_is_none(text: str) -> None:
    column = DateColumn.of("a", [text])
    assert all(isinstance(day, int) for days in column.days.values() for day in days.values())
    assert not DateColumn.of("a", ["soon", "99/99/2026", "1,5", "2026-13-01", "45991"]).open
