"""Find, in a table of delimited text, the row of column names and the separator between cells."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
Known = Callable[[Sequence[str]], int]
"""Function from a row's cells to how many of them are heads that the caller knows."""

_SEP_LINE = re.compile(r'"?sep=(.)"?;*\s*', re.IGNORECASE)
_SAMPLE = 65_536
_MOST_ROWS_ABOVE = 20
_ROWS_BELOW = 50


class Head(NamedTuple):
    """The row of column names in a table of delimited text (CSV), and what it says about the table.

    Attributes:
        cells: the column names; empty for a column without one. If all rows end with surplus separators, empty names
            are added.
        separator: the character between cells.
        row: number of this row in the file, counted from 1.
        end: where the rows below begin, in characters of the text.
        above: number of rows above that are not part of the table, such as a title.
    """

    cells: tuple[str, ...]
    separator: str
    row: int
    end: int
    above: int


def find_head(text: str, known: Known, *, separators: str = ",;\t|") -> Head:
    """Return the row of column names: among the first 20 rows that are not blank, the one with the most known names.

    If several rows have equally many, the first of them counts; so it is the first row if no name is known.

    Excel's line ``sep=;`` names the separator. Otherwise each separator is tried. Rows above the column names, such
    as a title, are not part of the table.

    Args:
        text: the whole table.
        known: called with the cells of a row; returns how many of them are column names that the caller can use.
        separators: the separators to try, one character each.

    Raises:
        ValueError: the text is empty, or its first rows are not a table.
    """
    lines = _lines(text)
    if not any(line.strip() for line in lines):
        raise ValueError("it is empty")
    named = _SEP_LINE.fullmatch(lines[0])
    first = 1 if named else 0
    found: list[tuple[tuple[int, int, int], Head]] = []
    for separator in named[1] if named else separators:
        for cells, row, end in _rows(lines, first, separator):
            if cells and not any(cells):
                continue
            above = row - 1 - first
            score = (known(cells), -above, len(cells))
            found.append((score, Head(cells, separator, row, end, above)))
    if not found:
        raise ValueError("its first rows are no table")
    best = max(found, key=lambda one: one[0])[1]
    return best._replace(cells=_with_surplus(text, best))


def _lines(text: str) -> list[str]:
    return list(io.StringIO(text[:_SAMPLE], newline=""))


def _rows(lines: Sequence[str], first: int, separator: str) -> list[tuple[tuple[str, ...], int, int]]:
    """Return the first rows that are not blank: cells, number of the row's last line, and where the next one begins."""
    reader = csv.reader(iter(lines[first:]), delimiter=separator)
    rows = []
    try:
        for cells in reader:
            last = first + reader.line_num
            if any(one.strip() for one in cells):
                rows.append((tuple(one.strip() for one in cells), last, sum(map(len, lines[:last]))))
            if len(rows) == _MOST_ROWS_ABOVE:
                break
    except csv.Error:
        return rows
    return rows


def _with_surplus(text: str, head: Head) -> tuple[str, ...]:
    """Return the column names, with empty ones added for surplus separators at the end of most rows."""
    lines = _lines(text[head.end : head.end + _SAMPLE])
    try:
        rows = [
            row for row, _ in zip(csv.reader(iter(lines), delimiter=head.separator), range(_ROWS_BELOW), strict=False)
        ]
    except csv.Error:
        return head.cells
    widths = Counter(len(row) for row in rows if row and not any(row[len(head.cells) :]))
    usual = widths.most_common(1)[0][0] if widths else 0
    return (*head.cells, *[""] * (usual - len(head.cells)))
