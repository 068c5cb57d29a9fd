"""Read a table of delimited text of any length, every value as text."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Literal, NamedTuple

import pyarrow as pa
from pyarrow import csv as arrow_csv

from packshot.sheets.dialect import SEPARATORS, Head

_MOST_EXAMPLES = 3
_LONGEST_EXAMPLE = 120


class Delimited(NamedTuple):
    """The rows of a table below its column names, as they were read from delimited text (CSV).

    Attributes:
        columns: one for each wanted position, in the order in which they were asked for: the cells of all rows as
            text, dictionary-encoded. A missing cell is an empty text. Rows with too few cells, or with surplus empty
            ones, come after all others.
        ragged: number of rows with more cells than there are column names. They are left out of `columns`.
        examples: the first three of the ragged rows at most, as text that may be cut off.
        quoted: True if quotation marks around cells only enclose the values and are not part of them.
    """

    columns: tuple[pa.ChunkedArray, ...]
    ragged: int
    examples: tuple[str, ...]
    quoted: bool


def read_below(text: str, head: Head, wanted: Sequence[int]) -> Delimited:
    """Return the wanted columns of all rows below the row of column names, every value as text.

    The table is read with and without quoting. The reading in which more rows have the right number of cells is used.
    So a single quotation mark in a table without quoting does not join rows. And a line break in a quoted comment
    does not split a row.

    Args:
        text: the whole table.
        head: its row of column names.
        wanted: positions of the wanted columns, from 0.

    Raises:
        pyarrow.ArrowException, ValueError: the table cannot be read in either way.
    """
    body = text[head.end :].encode()
    if not body.strip():
        empty = pa.chunked_array([pa.array([], pa.string()).dictionary_encode()])
        return Delimited(tuple(empty for _ in wanted), 0, (), quoted=False)
    quoted = b'"' in body and _quotes_cells(body, head)
    rows = _Rows(len(head.cells), head.separator, quoted=quoted)
    table = _parsed(body, head, wanted, rows, quoted=quoted)
    repaired = pa.table([pa.array([row[at] for row in rows.repaired], pa.string()) for at in wanted], _names(wanted))
    whole = pa.concat_tables([table, repaired.cast(table.schema)]).unify_dictionaries()
    return Delimited(tuple(whole.columns), rows.ragged, tuple(rows.examples), quoted)


def row_names(text: str, head: Head, positions: Sequence[int], *, quoted: bool) -> list[str]:
    """Return where some rows of the table stand in the file: one text for each, such as ``row 7``.

    The rows are those that `read_below` returned. The first row of the file is 1.

    Blank rows count. A row with line breaks in quotes is one row, as in a spreadsheet. If the text cannot be followed
    to the row, its place is stated roughly: ``about row 7``.

    Args:
        text: the whole table.
        head: its row of column names.
        positions: which rows, counted from 0 in the order that each column of `Delimited.columns` has.
        quoted: `Delimited.quoted` of what `read_below` returned.
    """
    width, whole, repaired = len(head.cells), [], []
    reader = csv.reader(io.StringIO(text[head.end :], newline=""), delimiter=head.separator, quoting=0 if quoted else 3)
    try:
        for number, cells in enumerate(reader, start=head.row + 1):
            if len(cells) == width:
                whole.append(number)
            elif cells and not any(one.strip() for one in cells[width:]):
                repaired.append(number)  # `read_below` puts these behind all others
    except csv.Error:
        return [f"about row {at + head.row + 1}" for at in positions]
    numbers = [*whole, *repaired]
    return [f"row {numbers[at]}" if at < len(numbers) else f"about row {at + head.row + 1}" for at in positions]


def in_words(encoding: str, head: Head, *, quoted: bool) -> str:
    """Return how a table is written, in words for a report: ``UTF-8, semicolon, quoted``.

    If the column names are not in the first row, their row follows: ``, heads in row 3``.

    Args:
        encoding: the encoding's name.
        head: the table's row of column names.
        quoted: whether quotation marks enclose values.
    """
    parts = [encoding, SEPARATORS.get(head.separator, repr(head.separator)), *(["quoted"] if quoted else [])]
    return ", ".join(parts) + (f", heads in row {head.row}" if head.row > 1 else "")


class _Rows:
    """Handles rows with another number of cells than there are column names.

    Missing cells are added, because Excel leaves out separators at the end of a row. Empty surplus cells are dropped.
    A row with surplus content is not used, because nobody knows which cell was split. Nor is one with an endless cell.
    """

    def __init__(self, width: int, separator: str, *, quoted: bool) -> None:
        self._width, self._separator = width, separator
        self._quoting: Literal[0, 3] = 0 if quoted else 3  # csv.QUOTE_MINIMAL, csv.QUOTE_NONE
        self.ragged = 0
        self.examples: list[str] = []
        self.repaired: list[list[str]] = []

    def take(self, row: arrow_csv.InvalidRow) -> str:
        # Python would print what is raised here, and go on.
        lines = row.text.splitlines(keepends=True)
        try:
            cells = next(csv.reader(lines, delimiter=self._separator, quoting=self._quoting), [])
        except csv.Error:
            cells = None
        if cells is None or any(one.strip() for one in cells[self._width :]):
            self.ragged += 1
            if len(self.examples) < _MOST_EXAMPLES:
                self.examples.append(row.text[:_LONGEST_EXAMPLE])
        else:
            self.repaired.append([*cells, *[""] * (self._width - len(cells))][: self._width])
        return "skip"


def _names(wanted: Sequence[int]) -> list[str]:
    return [f"c{at}" for at in wanted]


def _parsed(body: bytes, head: Head, wanted: Sequence[int], rows: _Rows, *, quoted: bool) -> pa.Table:
    text = pa.dictionary(pa.int32(), pa.string())
    return arrow_csv.read_csv(
        pa.BufferReader(body),
        read_options=arrow_csv.ReadOptions(column_names=_names(range(len(head.cells))), block_size=_block(body)),
        parse_options=arrow_csv.ParseOptions(
            delimiter=head.separator,
            quote_char='"' if quoted else False,
            double_quote=quoted,
            newlines_in_values=quoted,
            invalid_row_handler=rows.take,
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(_names(wanted), text),
            include_columns=_names(wanted),
            strings_can_be_null=False,
            quoted_strings_can_be_null=False,
        ),
    )


def _block(body: bytes) -> int:
    """Return the number of bytes that are parsed at a time. A row must fit into it."""
    return min(max(len(body), 1 << 20), 1 << 24)


def _quotes_cells(body: bytes, head: Head) -> bool:
    with_quotes, without = (_fitting(body, head, quoted=quoted) for quoted in (True, False))
    return with_quotes >= without


def _fitting(body: bytes, head: Head, *, quoted: bool) -> int:
    """Return the number of rows with as many cells as there are column names; -1 if the text cannot be parsed."""
    try:
        return int(_parsed(body, head, [0], _Skipped(), quoted=quoted).num_rows)
    except (pa.ArrowException, ValueError):
        return -1


class _Skipped(_Rows):
    def __init__(self) -> None:
        super().__init__(0, ",", quoted=False)

    def take(self, row: arrow_csv.InvalidRow) -> str:
        return "skip"
