"""Read a table of the days on which products' new pictures went live in a shop."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from packshot.errors import UnreadableError
from packshot.figures import counted
from packshot.outcomes.exports import Budget, Export, Table, read_export
from packshot.outcomes.heads import golive_heads
from packshot.outcomes.order_rows import BEYOND, MOST_EXAMPLES, OTHER_SHEETS, RAGGED, Problem, Reading
from packshot.sheets.columns import Distinct, identifiers, typed_days
from packshot.sheets.dates import DateColumn, orders_of
from packshot.specs.returns import TableLimits, Writing

_ALLOWED = "columns sku and date, dates as 2026-03-01"


class GoLive(NamedTuple):
    """Days on which products' new pictures went live in the shop. `read_golive` reads them from a table.

    Attributes:
        days: SKU -> day, in days since 1970; the earliest if a SKU has several.
        problems: rows without a SKU or date, or with too many cells; SKUs with several dates.
        reading: how the file was read; None if the days are not from a file.
    """

    days: Mapping[str, int]
    problems: tuple[Problem, ...] = ()
    reading: Reading | None = None


def read_golive(file: Path | Export, *, writing: Writing | None = None, limits: TableLimits | None = None) -> GoLive:
    """Return the go-live days of a table with the columns sku and date. Example of a row: ``A1,2026-03-01``.

    Rows with a blank cell are noted and left out.

    Args:
        file: the table: CSV, Excel workbook or Parquet.
        writing: order of day and month in its dates, for dates that do not show it.
        limits: greatest number of rows, cells and bytes; None: the defaults.
    Raises:
        UnreadableError: the file is no table, a column is missing, a date cannot be read, the order of day and month is
            not clear, or no row can be used.
        TooLargeError: the file holds more than the limits allow.
    """
    export = Export.of(file)
    table = read_export(export, golive_heads, Budget(limits or TableLimits()))
    missing = [one for one in ("sku", "date") if one not in table.frame]
    if missing:
        found = ", ".join(filter(None, table.heads))[:200] or "no heads"
        raise UnreadableError(
            f"the table of go-live dates lacks the column {' and '.join(missing)}",
            export.name,
            found,
            _ALLOWED,
            next_step="Name the columns so in their first row.",
        )
    skus, days, how = identifiers(table.frame["sku"]), typed_days(table.frame["date"]), table.how
    if days is None:
        column = Distinct(table.frame["date"])
        readings = DateColumn.of("date", column.present)
        order = orders_of(export.name, [readings], chosen=(writing or Writing()).date_order)["date"]
        days = column.as_numbers(readings.read(order))
        how += f"; date {order.in_words}" if readings.open else ""
        wrong = np.flatnonzero(days.isna() & (column.codes >= 0))
        if len(wrong):
            raise UnreadableError(
                "a go-live date cannot be read",
                f"{export.name}, {table.row_names([int(wrong[0])])[0]}",
                found=str(table.frame["date"].iloc[wrong[0]])[:200],
                allowed=_ALLOWED,
                next_step="Correct this date, and look at the others.",
            )
    usable = skus.notna() & days.notna()
    if not usable.any():
        raise UnreadableError(
            "there is no go-live date in this table",
            export.name,
            counted(len(skus), "row"),
            _ALLOWED,
            next_step="Give each SKU the day on which its new pictures went live.",
        )
    of_sku = days[usable].groupby(skus[usable])
    known, last = of_sku.min().astype(int), of_sku.max().astype(int)
    reading = Reading(file=export.name, how=how, rows=len(skus))
    return GoLive(
        {str(sku): int(day) for sku, day in known.items()},
        (*_problems(export.name, table, (~usable).to_numpy()), *_several(export.name, known.index[known != last])),
        reading,
    )


def _problems(name: str, table: Table, blank: np.ndarray) -> tuple[Problem, ...]:
    rows = int(blank.sum())
    found = []
    if table.ragged:
        found.append(Problem(file=name, what=RAGGED, rows=table.ragged, examples=table.examples))
    if table.beyond:
        found.append(Problem(file=name, what=BEYOND, rows=table.beyond, examples=table.beyond_examples))
    if table.others:
        sheets = tuple(f"sheet {one!r}" for one in list(table.others)[:MOST_EXAMPLES])
        found.append(Problem(file=name, what=OTHER_SHEETS, rows=sum(table.others.values()), examples=sheets))
    if rows:
        examples = tuple(table.row_names(np.flatnonzero(blank)[:MOST_EXAMPLES].tolist()))
        found.append(Problem(file=name, what="rows without a SKU or a go-live date", rows=rows, examples=examples))
    return tuple(found)


def _several(name: str, skus: pd.Index) -> tuple[Problem, ...]:
    if skus.empty:
        return ()
    what = "SKUs with several go-live dates, of which the earliest counts"
    return (Problem(file=name, what=what, rows=len(skus), examples=tuple(map(str, skus[:MOST_EXAMPLES]))),)
