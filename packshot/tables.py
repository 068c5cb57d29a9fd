"""CSV as the line writes it: one writer for all tables, so that no spreadsheet runs what is in a cell."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal

from packshot.escaping import table_cell

Cell = str | int | float | Decimal | None
"""What a cell may hold. Figures are figures: a text that looks like one is guarded as any other text."""


def csv_table(head: Sequence[str], rows: Iterable[Sequence[Cell]], *, line_end: str = "\r\n") -> str:
    """Return a table as CSV (RFC 4180): comma, quotes where they are needed.

    Texts are on one line each, and guarded by `packshot.escaping.table_cell`; None is an empty cell.

    Raises:
        ValueError: a row is not as long as the head.
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
    """Return a figure for a cell with as many decimals as are meant; None stays None."""
    return None if value is None else Decimal(f"{value:.{decimals}f}")
