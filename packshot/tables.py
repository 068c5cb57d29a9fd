"""Write every table as CSV, and guard its cells so that no spreadsheet runs their content."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal

from packshot.escaping import table_cell

Cell = str | int | float | Decimal | None
"""Types of a cell's value. Numbers are written as numbers; a text that looks like a number is guarded like any text."""


def csv_table(head: Sequence[str], rows: Iterable[Sequence[Cell]], *, line_end: str = "\r\n") -> str:
    """Return a table as the text of a CSV file (RFC 4180), with commas, and with quotes where they are needed.

    No spreadsheet runs the content of a cell: each text is on one line and guarded by `packshot.escaping.table_cell`.
    Numbers are written as numbers; None becomes an empty cell.

    Args:
        head: the column names.
        rows: the cells of each row, in the order of the columns.
        line_end: what ends each line.

    Raises:
        ValueError: a row is longer or shorter than the head.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=line_end)
    writer.writerow(map(table_cell, head))
    for row in rows:
        if len(row) != len(head):
            raise ValueError(f"a row of {len(row)} cells in a table of {len(head)} columns")
        writer.writerow(table_cell(one) if isinstance(one, str) else one for one in row)
    return text.getvalue()


def figure(value: float | None, decimals: int) -> Decimal | None:
    """Return a number rounded to a fixed count of decimals, for a table cell; None stays None.

    Example: ``figure(1.5, 2)`` is ``Decimal("1.50")``.
    """
    return None if value is None else Decimal(f"{value:.{decimals}f}")
