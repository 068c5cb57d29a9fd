"""Read the rows of orders and returns from exports, and keep notes for the report."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from packshot.errors import UnreadableError
from packshot.outcomes.exports import Budget, Export, Table, exports_of, read_export
from packshot.outcomes.heads import COLUMNS, known_heads
from packshot.sheets.columns import Distinct, identifiers, texts, typed_days, without_times
from packshot.sheets.dates import DateColumn, orders_of
from packshot.sheets.numbers import numbers_of
from packshot.specs.returns import Writing
from packshot.types import Value

MOST_EXAMPLES = 3
RAGGED = "rows with more cells than column names: nobody can tell which cell belongs where"
BEYOND = "rows with content right of the last column name: that content was not read"
EMPTY = "rows below the column names: the file is empty"
OTHER_SHEETS = "rows of other sheets with the same columns, which are not read"
_DATES = ("order_date", "return_date")
_QUANTITIES = ("quantity", "returned")
_YES = frozenset(
    ("yes", "y", "true", "x", "ja", "j", "wahr", "oui", "vrai", "si", "sí", "sì", "vero", "tak", "sim", "returned", "✓")
)
_NO = frozenset(
    ("no", "n", "false", "-", "–", "nein", "falsch", "non", "faux", "falso", "nee", "nie", "não", "nao", "none")
)
"""What shops write in a column that says whether a line came back, in the languages of `packshot.outcomes.heads`."""
_NO_DATE = _NO | frozenset(("n/a", "na", "null", "nan", "nat", "nil", "\\n", "?", "#n/a", "not returned", "0"))
_NO_DATE |= frozenset(("0000-00-00", "0000-00-00 00:00:00", "00.00.0000", "00/00/0000"))
"""What programs write in a column of return dates where nothing came back."""
_IDENTIFIERS = ("sku", "order", "customer")


class Problem(Value):
    """Rows of a file that could not be used, for the report.

    Attributes:
        file: name of the file.
        what: the problem in words. A number of rows can stand before them: ``rows without a SKU``.
        rows: number of such rows.
        examples: the first such rows, one text each: row number in the file (the first row is 1) and content.
    """

    file: str
    what: str
    rows: int
    examples: tuple[str, ...] = ()

    @property
    def in_words(self) -> str:
        """The number of rows and the problem, in words: ``1 row without a SKU``, ``2 rows without a SKU``."""
        what = re.sub(r"^(row|return|order line)s", r"\1", self.what) if self.rows == 1 else self.what
        return f"{self.rows:,} {what}"


class Reading(Value):
    """How a file was read, for the report.

    Attributes:
        file: name of the file.
        how: encoding, separator, and the decisions about its columns, in words.
        rows: number of rows that were read.
    """

    file: str
    how: str
    rows: int


@dataclasses.dataclass(frozen=True)
class Counted:
    """How many rows of all files could be used, and how many returns have an order.

    Attributes:
        rows: number of rows in all files.
        unusable: number of rows that could not be used.
        returns: number of returns in rows of their own, such as those of a returns report.
        unmatched: how many of these have no order, although it should be in the files.
        early: how many of these are from the first days and have no order; it may be older than the files.
        dated: number of returns, also those in an order's own row, whose date and order are known.
        impossible: how many of these are dated before their order.
    """

    rows: int = 0
    unusable: int = 0
    returns: int = 0
    unmatched: int = 0
    early: int = 0
    dated: int = 0
    impossible: int = 0


class OrderReader:
    """A reader of exports of orders and returns, one file after the other, which keeps notes for the report.

    Args:
        budget: limits for all files together.
        writing: notation of dates and numbers, for columns whose values do not show it.
    Attributes:
        problems: rows that could not be used so far.
        readings: how each file was read so far.
        counted: how many rows could be used so far.
    """

    def __init__(self, budget: Budget, writing: Writing) -> None:
        self.problems: list[Problem] = []
        self.readings: list[Reading] = []
        self.counted = Counted()
        self._budget, self._writing = budget, writing
        self._seen: dict[bytes, str] = {}

    def note(self, file: str, rows: int, what: str, examples: tuple[str, ...] = ()) -> None:
        """Note a problem of a file's rows for the report. Nothing is noted if there are no such rows.

        Args:
            file: the file's name.
            rows: number of rows that could not be used.
            what: the problem in words, such as ``rows without a SKU``.
            examples: the first such rows, one text each.
        """
        if rows:
            self.problems.append(Problem(file=file, what=what, rows=rows, examples=examples))

    def files(self, files: Iterable[Path | Export], date: str) -> Iterator[pd.DataFrame]:
        """Yield the usable rows of each file as a table, one row per order line or return.

        A file with the same bytes as an earlier one gives no table. The columns are those of
        `packshot.outcomes.heads.COLUMNS`, such as ``sku`` and ``quantity``, and: ``day``, the date of the row, and
        ``back_day``, the date of the return (both in days since 1970); ``number``, the order's number; ``file``, the
        file's position among the files, from 0. Rows without date, SKU or quantity are left out, and noted as a
        problem.

        Args:
            files: the files.
            date: the column with the date of the row: ``order_date``, or ``return_date`` for files with returns only.
                If a file has no ``return_date``, its ``order_date`` is used.
        Raises:
            UnreadableError: a file is no table, lacks a column, or does not show the notation of its dates or numbers.
            TooLargeError: the files hold more than the limits allow.
        """
        for number, one in enumerate(exports_of(files)):
            digest = hashlib.sha256(one.data).digest()
            table = read_export(one, known_heads, self._budget)
            if first := self._seen.get(digest):
                self.note(one.name, len(table.frame), f"rows of a file that is the same as {first}; they count once")
                continue
            self._seen[digest] = one.name
            self.note(one.name, table.ragged, RAGGED, table.examples)
            self.note(one.name, table.beyond, BEYOND, table.beyond_examples)
            self._note_sheets(one.name, table)
            yield self._usable(table, one.name, date).assign(file=number)

    def _note_sheets(self, name: str, table: Table) -> None:
        """Note the sheets of a workbook that are not read. Their rows count as unusable."""
        lost = sum(table.others.values())
        examples = tuple(f"sheet {one!r}" for one in list(table.others)[:MOST_EXAMPLES])
        self.note(name, lost, OTHER_SHEETS, examples)
        self.counted = dataclasses.replace(
            self.counted, rows=self.counted.rows + lost, unusable=self.counted.unusable + lost
        )

    def _usable(self, table: Table, name: str, date: str) -> pd.DataFrame:
        """Return the rows with a date, a SKU and a quantity, with dates as days."""
        frame = table.frame
        date = date if date in frame else ("order_date" if date == "return_date" else date)
        missing = [one for one in (date, "sku", "quantity") if one not in frame]
        if missing == ["quantity"] and "returned" in frame:
            frame, missing = frame.assign(quantity=frame["returned"]), []
        if missing:
            raise _lacks(name, table.heads, missing)
        rows, how = columns_of(frame, name, self._writing)
        blank = rows["blank"]
        self.readings.append(
            Reading(file=name, how="; ".join([table.how, *how]), rows=int((~blank).sum()) + table.ragged)
        )
        day, quantity, sku = rows[date], rows["quantity"], rows["sku"]
        unread = ~blank & rows["unread"] & day.notna() & sku.notna()
        undated = ~blank & ~unread & rows["undated"] & day.notna() & sku.notna() & quantity.notna()
        wrong = ~blank & ~unread & ~undated & (day.isna() | quantity.isna() | sku.isna())
        nothing = ~blank & ~wrong & ~unread & ~undated & (quantity == 0)
        first = np.flatnonzero(wrong)[:MOST_EXAMPLES].tolist()
        examples = tuple(
            f"{name_of_row}: {', '.join(_written(frame, one, at) for one in (date, 'sku', 'quantity'))}"
            for at, name_of_row in zip(first, table.row_names(first) if first else (), strict=True)
        )
        self.note(name, int(wrong.sum()), "rows without a date, SKU or quantity that can be read", examples)
        for odd, column, what in (
            (unread, "returned", "rows whose returned units are no number, yes or no"),
            (undated, "return_date", "rows whose return date cannot be read"),
        ):
            shown = np.flatnonzero(odd)[:MOST_EXAMPLES].tolist()
            written = tuple(
                f"{name_of_row}: {_written(frame, column, at)}"
                for at, name_of_row in zip(shown, table.row_names(shown) if shown else (), strict=True)
            )
            self.note(name, int(odd.sum()), what, written)
        self.note(name, int(nothing.sum()), "rows with a quantity of 0, so cancelled orders")
        unusable = int(wrong.sum()) + int(unread.sum()) + int(undated.sum()) + table.ragged
        total = int((~blank).sum()) + table.ragged
        if not total:
            self.problems.append(Problem(file=name, what=EMPTY, rows=0))
        self.counted = dataclasses.replace(
            self.counted, rows=self.counted.rows + total, unusable=self.counted.unusable + unusable
        )
        rows = rows.assign(day=day, number=rows["order"])[~(blank | wrong | unread | undated | nothing)].reset_index(
            drop=True
        )
        rows["back_day"] = rows["return_date"] if date == "order_date" else rows["day"]
        return rows.astype({"day": np.int32, "quantity": np.float32})

    def once(self, tables: Sequence[pd.DataFrame], keys: list[str], what: str) -> pd.DataFrame:
        """Return the rows of several files as one table. A line that occurs in several files is kept once.

        Example: one file has a line twice and another has it three times. Then it is kept three times. Of equal lines,
        those with a return are kept first. Rows without an order number cannot be recognised as equal. All of them are
        kept, and this is noted.

        Args:
            tables: rows of each file, as `files` yields them; at least one.
            keys: columns by which lines are equal; the first is the order number.
            what: what a row is, in words, for the note, such as "order lines".
        """
        rows = pd.concat(tables, ignore_index=True)
        if len(tables) < 2 or rows.empty:
            return rows
        rows["again"] = rows.groupby(["file", *keys], dropna=False).cumcount()
        rows = rows.sort_values("back_day", kind="stable", na_position="last", ignore_index=True)
        repeated = rows.duplicated([*keys, "again"])
        known = rows[keys[0]].notna()
        self.note("all files", int((repeated & known).sum()), f"{what} that another file holds too; each counts once")
        alike = f"{what} without an order number that are alike in several files; all of them count"
        self.note("all files", int((repeated & ~known).sum()), alike)
        return rows[~(repeated & known)].drop(columns="again").reset_index(drop=True)


def columns_of(frame: pd.DataFrame, name: str, writing: Writing) -> tuple[pd.DataFrame, list[str]]:
    """Return (the columns of a file with their values read, decisions about their notation in words).

    Each column of `packshot.outcomes.heads.COLUMNS` is there; one that the file lacks is empty. Dates become days since
    1970 (NaN if there is none), quantities become numbers, everything else stays text. If a cell for the number of
    returned units says yes, all units of the row are meant. Three columns of bool are added: ``blank`` is True for
    empty rows; ``unread`` is True if the number of returned units is neither a number nor a yes or no; ``undated`` is
    True if the return date is neither a date nor a word for none. A decision is for example "quantity with a decimal
    comma".

    Args:
        frame: the columns under Packshot's names, as text or with the types of a Parquet file.
        name: the file's name, for messages.
        writing: notation of dates and numbers, for columns whose values do not show it.
    Raises:
        UnreadableError: the values of a column do not show the order of day and month, or the decimal sign.
    """
    rows = {"blank": pd.Series(True, range(len(frame))), "unread": pd.Series(False, range(len(frame)))}
    rows["undated"] = pd.Series(False, range(len(frame)))
    dates: dict[str, Distinct] = {}
    said = []
    for one in COLUMNS:
        if one not in frame:
            rows[one] = _nothing(one, len(frame))
        elif one in _DATES:
            typed = typed_days(frame[one])
            if typed is None:
                dates[one] = Distinct(without_times(frame[one]))
            else:
                rows[one] = typed
        elif one in _QUANTITIES:
            column = Distinct(frame[one])
            read, sign = numbers_of(name, one, column.present, chosen=writing.decimal_sign)
            rows[one] = column.as_numbers(read)
            if one == "returned":
                words = column.as_numbers({text: found for text in column.present if (found := _yes_or_no(text)) >= 0})
                rows[one] = rows[one].fillna(words * rows["quantity"].abs())
                rows["unread"] = pd.Series(column.codes >= 0) & rows[one].isna() & rows["quantity"].notna()
            said += [f"{one} with a decimal {sign.value}"] if sign else []
        else:
            rows[one] = identifiers(frame[one]) if one in _IDENTIFIERS else texts(frame[one])
    readings = {one: DateColumn.of(one, column.present) for one, column in dates.items()}
    orders = orders_of(name, readings.values(), chosen=writing.date_order)
    for one, column in dates.items():
        rows[one] = column.as_numbers(readings[one].read(orders[one]))
        said += [f"{one} {orders[one].in_words}"] if readings[one].open else []
        if one == "return_date":
            none = np.array([*(text.strip().casefold() in _NO_DATE for text in column.texts), True])
            rows["undated"] = rows[one].isna() & ~pd.Series(none[column.codes])
    for one in frame.columns:
        rows["blank"] &= _is_blank(frame[one])
    return pd.DataFrame(rows), said


def _yes_or_no(text: str) -> int:
    """Return 1 for a yes, 0 for a no, -1 for anything else."""
    word = text.strip().casefold()
    return 1 if word in _YES else (0 if word in _NO else -1)


def _nothing(column: str, rows: int) -> pd.Series:
    if column in (*_DATES, *_QUANTITIES):
        return pd.Series(np.nan, range(rows))
    return pd.Series(pd.NA, range(rows), dtype="string")


def _is_blank(values: pd.Series) -> pd.Series:
    if isinstance(values.dtype, pd.CategoricalDtype):
        return pd.Series(Distinct(values).codes < 0)
    return values.isna().reset_index(drop=True)


def _written(frame: pd.DataFrame, column: str, at: int) -> str:
    value = frame[column].iloc[at]
    return "" if pd.isna(value) else str(value)


def _lacks(name: str, heads: Sequence[str], missing: Sequence[str]) -> UnreadableError:
    return UnreadableError(
        "the file lacks a column",
        name,
        found=", ".join(filter(None, heads))[:200] or "no heads",
        allowed=" and ".join(f"{one} ({', '.join(COLUMNS[one][:7])})" for one in missing),
        next_step="Export the file with this column, or give the column one of these heads.",
    )
