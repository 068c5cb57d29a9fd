"""Read dates written as text. The order of day, month and year is decided once for a column, from all its values."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from packshot.errors import UnreadableError

_EPOCH = dt.date(1970, 1, 1).toordinal()
_NUMERIC = re.compile(r"(\d{1,4})\s?([-/.\s])\s?(\d{1,2})\s?\2\s?(\d{1,4})\.?(?:[T,\s].*)?", re.DOTALL)
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:[T\s].*)?", re.DOTALL)
_EAST_ASIAN = re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})日.*", re.DOTALL)
_DAY_NAMED = re.compile(
    r"(?:[^\W\d]+\.?,?\s+)?(\d{1,2})(?:st|nd|rd|th)?[.\s/-]*([^\W\d]{3,})[.,\s/-]*(\d{4}|\d\d)\b.*", re.DOTALL
)
_MONTH_NAMED = re.compile(
    r"(?:[^\W\d]+\.?,\s+)?([^\W\d]{3,})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})\b.*", re.DOTALL
)
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january januar jänner janvier enero ene gennaio gen januari janeiro styczeń stycznia sty",
            "feb february februar février fév fevrier febrero febbraio februari fevereiro luty lutego lut",
            "mar march märz mär mrz mars marzo maart mrt março marzec marca",
            "apr april avril avr abril abr aprile kwiecień kwietnia kwi",
            "may mai mayo maggio mag mei maio maj maja",
            "jun june juni juin junio giugno giu junho czerwiec czerwca cze",
            "jul july juli juillet juil julio luglio lug julho lipiec lipca lip",
            "aug august août aout agosto ago augustus sierpień sierpnia sie",
            "sep sept september septembre septiembre settembre set setembro wrzesień września wrz",
            "oct october okt oktober octobre octubre ottobre ott outubro out październik października paź",
            "nov november novembre noviembre novembro listopad listopada lis",
            "dec december dez dezember décembre déc diciembre dic dicembre dezembro grudzień grudnia gru",
        ),
        start=1,
    )
    for name in (unicodedata.normalize("NFC", one) for one in names.split())
}
_CENTURY = 2000
_LONGEST = 60


class DateOrder(StrEnum):
    """The order of day, month and year in a date that is written with numbers.

    Attributes:
        DAY_FIRST: 03/04/2026 is 3 April 2026.
        MONTH_FIRST: 03/04/2026 is 4 March 2026.
        YEAR_FIRST: 26-04-03 is 3 April 2026.
    """

    DAY_FIRST = "dmy"
    MONTH_FIRST = "mdy"
    YEAR_FIRST = "ymd"

    @property
    def in_words(self) -> str:
        """The order in words, for messages: ``day first``, ``month first`` or ``year first``."""
        return {"dmy": "day first", "mdy": "month first", "ymd": "year first"}[self.value]


class DateColumn(NamedTuple):
    """The distinct texts of a column of dates, with every day that each could mean.

    Numbers such as 03/04/2026 mean different days in different orders. All dates of the column together decide the
    order.

    Attributes:
        name: name of the column, for messages.
        days: text -> order -> the day, in days since 1970. A text that is not a date has no order.
    """

    name: str
    days: Mapping[str, Mapping[DateOrder, int]]

    @staticmethod
    def of(name: str, texts: Iterable[str]) -> DateColumn:
        """Return a column of dates, with every day that each of its texts could mean.

        Args:
            name: name of the column, for messages.
            texts: the distinct texts of the column.
        """
        return DateColumn(name, {text: _readings(text) for text in texts})

    @property
    def open(self) -> tuple[str, ...]:
        """The texts for which the order matters: dates that mean another day, or are no date, in one of the orders.

        Examples: ``03/04/2026`` and ``31/12/2026``. ``2026-03-01`` is not one of them.
        """
        return tuple(
            text for text, days in self.days.items() if days and (len(days) < 3 or len(set(days.values())) > 1)
        )

    def fitting(self) -> frozenset[DateOrder]:
        """Return the orders in which every date of the column is valid; empty if there is none.

        Texts that are a date in no order do not count. A column without dates fits all three orders.
        """
        ways = [frozenset(days) for days in self.days.values() if days]
        return frozenset(DateOrder).intersection(*ways)

    def read(self, order: DateOrder) -> dict[str, int]:
        """Return the dates of the column, read in one order: text -> day, in days since 1970.

        Texts that are no valid dates in this order are left out.

        Args:
            order: the order of day, month and year.
        """
        return {text: days[order] for text, days in self.days.items() if order in days}


def orders_of(file: str, columns: Iterable[DateColumn], *, chosen: DateOrder | None) -> dict[str, DateOrder]:
    """Return the order of day, month and year in each column of dates of a file: name of the column -> order.

    A column in which no date depends on the order, such as 2026-03-01, gets year first. If only one order fits all
    dates of a column, it is that order. If several fit, there are two cases. Numbers with dots between them are day
    first, as in every country that writes dates with dots. Other columns take the order of the other columns of their
    file. If this decides nothing, or if no order fits all dates, the order that the user has chosen is taken.

    Args:
        file: the file's name, for the message.
        columns: the columns of dates.
        chosen: the order that the user has chosen; None if there is none.

    Raises:
        UnreadableError: the order cannot be decided, and the user has chosen none. The message gives two readings of
            one value, or two values that need different orders, and the option with which the user can choose.
    """
    columns = list(columns)
    found = {one.name: _alone(one) for one in columns}
    known = {order for one in columns if one.open and (order := found[one.name])}
    for one in columns:
        if found[one.name] is None:
            fits = one.fitting()
            others = known & fits if fits else set()
            found[one.name] = next(iter(others)) if len(others) == 1 else chosen
    for one in columns:
        if found[one.name] is None:
            raise _undecided(file, one)
    return {name: order for name, order in found.items() if order is not None}


def _alone(column: DateColumn) -> DateOrder | None:
    """Return the order that follows from the column's own values."""
    if not column.open:
        return DateOrder.YEAR_FIRST
    fits = column.fitting()
    differ = any(len({column.days[text][order] for order in fits}) > 1 for text in column.open)
    if fits and not differ:
        return min(fits)
    dotted = all("." in text for text in column.open)
    return DateOrder.DAY_FIRST if dotted and DateOrder.DAY_FIRST in fits else None


def all_fit(count: int) -> str:
    """Return for a message how many values fit: ``all 12 different values fit``, or ``its only value fits``.

    Args:
        count: number of different values.
    """
    return "its only value fits" if count == 1 else f"all {count:,} different values fit"


def _undecided(file: str, column: DateColumn) -> UnreadableError:
    fits = column.fitting()
    if fits:
        text = next(text for text in column.open if len(set(column.days[text].values())) > 1)
        ways = sorted(fits, key=list(DateOrder).index)
        said = " or ".join(f"{_shown(column.days[text][way])} ({way.in_words})" for way in ways)
        found = f"{text!r} is {said}; {all_fit(len(column.open))} both"
    else:
        ways = [way for way in DateOrder if any(way in days for days in column.days.values())]
        only = {way: next((text for text in column.open if set(column.days[text]) == {way}), "") for way in ways}
        said = "; ".join(f"{text!r} is only a date with the {way.in_words}" for way, text in only.items() if text)
        found = said or "values of several orders"
    options = " or ".join(way.value for way in ways)
    return UnreadableError(
        "the order of day and month in this column cannot be told",
        f"{file}, {column.name}",
        found=found,
        allowed="a column that fits one order, or dates such as 2026-03-01",
        next_step=f"Say which with --date-order ({options}), or `tables: date_order` in the client's style guide.",
    )


def _shown(day: int) -> str:
    date = dt.date.fromordinal(day + _EPOCH)
    return f"{date.day} {date:%B} {date.year}"


def _readings(text: str) -> dict[DateOrder, int]:
    text = text.strip()
    if not text or len(text) > _LONGEST:
        return {}
    fixed = _COMPACT.fullmatch(text) or _EAST_ASIAN.fullmatch(text)
    if fixed:
        return _always(int(fixed[1]), int(fixed[2]), int(fixed[3]))
    if numbers := _NUMERIC.fullmatch(text):
        return _numeric(numbers[1], numbers[3], numbers[4])
    if named := _DAY_NAMED.fullmatch(text):
        return _always(_year(named[3]), _month(named[2]), int(named[1]))
    if named := _MONTH_NAMED.fullmatch(text):
        return _always(int(named[3]), _month(named[1]), int(named[2]))
    return {}


def _numeric(first: str, second: str, third: str) -> dict[DateOrder, int]:
    a, b, c = int(first), int(second), int(third)
    if len(first) == 4 and len(third) <= 2:
        return _always(a, b, c)
    if len(first) > 2 or len(third) not in (2, 4):
        return {}
    ways = {DateOrder.DAY_FIRST: (_year(third), b, a), DateOrder.MONTH_FIRST: (_year(third), a, b)}
    if len(third) == 2 and len(first) == 2:
        ways[DateOrder.YEAR_FIRST] = (_year(first), b, c)
    return {order: day for order, date in ways.items() if (day := _day(*date)) is not None}


def _always(year: int, month: int, day: int) -> dict[DateOrder, int]:
    found = _day(year, month, day)
    return {} if found is None else dict.fromkeys(DateOrder, found)


def _day(year: int, month: int, day: int) -> int | None:
    try:
        return dt.date(year, month, day).toordinal() - _EPOCH
    except ValueError:
        return None


def _year(text: str) -> int:
    return int(text) + (_CENTURY if len(text) == 2 else 0)


def _month(name: str) -> int:
    return _MONTHS.get(unicodedata.normalize("NFC", name).casefold(), 0)
