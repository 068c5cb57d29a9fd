"""Read tables that shops export, within limits that are checked before and during decoding."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from packshot.errors import TooLargeError, UnreadableError
from packshot.figures import counted
from packshot.sheets.delimited import in_words, read_below, row_names
from packshot.sheets.dialect import find_head
from packshot.sheets.encoding import decoded
from packshot.sheets.workbook import column_of, is_workbook, read_workbook
from packshot.specs.returns import TableLimits

ROWS_A_BYTE = 4
"""Maximum number of rows per byte of a file, beyond `FREE_ROWS`. Real rows differ, and differences need bytes."""
FREE_ROWS = 100_000
MOST_COLUMNS = 1000
LONGEST_TEXT = 10_000
_BATCH_ROWS = 65_536
_MOST_EXAMPLES = 3
_MOST_FOOTER_TEXT, _MOST_FOOTER_ITEMS = 10_000_000, 1_000_000

READABLE = "CSV (comma, semicolon, tab or vertical bar; best in UTF-8), an Excel workbook (.xlsx) or Parquet"

Choose = Callable[[Sequence[str]], Mapping[str, str]]
"""Function from a file's column headers to the wanted ones: header in the file -> our name for it."""


class Export(NamedTuple):
    """A file as a shop exported it.

    Attributes:
        name: the file's name, for messages. The ending ``.parquet`` means Parquet. An Excel workbook is recognised by
            its content. Everything else is CSV.
        data: the file's bytes.
    """

    name: str
    data: bytes

    @staticmethod
    def of(file: Path | Export) -> Export:
        """Return a file as an export, with its name and bytes. An `Export` is returned unchanged.

        Args:
            file: a local path, or an export.
        Raises:
            UnreadableError: the file cannot be read.
        """
        if isinstance(file, Export):
            return file
        try:
            return Export(file.name, file.read_bytes())
        except OSError as error:
            raise UnreadableError(
                "this file cannot be read", str(file), found=error.strerror or str(error), next_step="Check its path."
            ) from error


def exports_of(files: Iterable[Path | Export]) -> Iterator[Export]:
    """Yield each file with its name and its bytes, as an `Export`, in the given order.

    The name is the file's own. If several local files have the same name, it is the path below the folder that all
    local files share, such as ``2026-01/orders.csv``. An export that is given comes back unchanged.

    Args:
        files: paths of local files, or exports that were read before.
    Raises:
        UnreadableError: a local file cannot be read.
    """
    files = list(files)
    paths = [one for one in files if isinstance(one, Path)]
    names = Counter(one.name for one in paths)
    for one in files:
        if isinstance(one, Path) and names[one.name] > 1:
            yield Export.of(one)._replace(name=one.absolute().as_posix().removeprefix(f"{_common(paths)}/"))
        else:
            yield Export.of(one)


def _common(paths: Sequence[Path]) -> str:
    return PurePosixPath(os.path.commonpath([one.parent.absolute() for one in paths])).as_posix()


class Budget:
    """How many rows, cells and decoded bytes the files of a report may still have, all together.

    A hostile file must not fill the memory.

    Args:
        limits: the most that all files together may have.
    """

    def __init__(self, limits: TableLimits) -> None:
        self._limits = limits
        self._rows = self._cells = self._bytes = 0

    def take(self, name: str, *, rows: int = 0, columns: int = 0, n_bytes: int = 0) -> None:
        """Count a file's rows, cells and decoded bytes against the limits, together with all that was counted before.

        Nothing comes back.

        Args:
            name: the file's name, for the message.
            rows, columns: the file's number of rows and columns. Its number of cells is their product.
            n_bytes: number of decoded bytes.
        Raises:
            TooLargeError: the total is over the limits.
        """
        self._rows, self._cells, self._bytes = self._rows + rows, self._cells + rows * columns, self._bytes + n_bytes
        for what, found, most in (
            ("rows", self._rows, self._limits.max_rows),
            ("cells", self._cells, self._limits.max_cells),
            ("bytes when decoded", self._bytes, self._limits.max_decoded_bytes),
        ):
            if found > most:
                raise _too_large(name, f"{found:,} {what} with the files before it", f"at most {most:,} {what}")


class Table(NamedTuple):
    """The columns of a shop's table that Packshot uses. `read_export` makes it.

    Attributes:
        frame: one row for each row of the file below the column heads. Columns have Packshot's names, such as ``sku``
            and ``order_date``. Columns from a Parquet file keep their types; all others hold texts.
        how: encoding and separator of the file, in words, as one text.
        ragged: number of rows that have more cells than there are column heads; they are left out.
        examples: the first of these rows as text.
        row: number of the row of column heads, counted from 1.
        heads: all column heads of the file.
        names: called with positions of rows in `frame`; returns where these rows stand in the file, in words. None: the
            rows follow the column heads without a gap. Use `row_names`, which knows both cases.
        beyond: number of rows of a workbook with content right of the last column head. That content is not read; the
            rows are.
        beyond_examples: where the first of these rows stand, such as ``row 7``.
        others: sheets of a workbook with the same columns, which are not read: name -> number of rows.
    """

    frame: pd.DataFrame
    how: str
    ragged: int = 0
    examples: tuple[str, ...] = ()
    row: int = 1
    heads: Sequence[str] = ()
    names: Callable[[Sequence[int]], list[str]] | None = None
    beyond: int = 0
    beyond_examples: tuple[str, ...] = ()
    others: Mapping[str, int] = MappingProxyType({})

    def row_names(self, positions: Sequence[int]) -> list[str]:
        """Return where rows stand in the file, in words, such as ``row 7``; the first row of the file is 1.

        Args:
            positions: positions of rows in `frame`, from 0.
        """
        return self.names(positions) if self.names else [f"row {at + self.row + 1}" for at in positions]


def read_export(export: Export, choose: Choose, budget: Budget) -> Table:
    """Return the columns of a shop's table that Packshot uses, under Packshot's names.

    Args:
        export: the file: CSV, Excel workbook or Parquet.
        choose: called with all column heads; returns the wanted ones: head in the file -> Packshot's name for it, such
            as ``Bestelldatum`` -> ``order_date``.
        budget: limits for all files together.
    Raises:
        UnreadableError: the file is not a table.
        TooLargeError: the file needs more than is left of the budget.
    """
    read = _parquet if export.name.lower().endswith(".parquet") else _workbook if is_workbook(export.data) else _text
    try:
        return read(export, choose, budget)
    except (ValueError, OSError, MemoryError, pa.ArrowException) as error:
        raise UnreadableError(
            "the file is not a table that can be read",
            export.name,
            found=str(error)[:200],
            allowed=READABLE,
            next_step="Export it again in one of these forms.",
        ) from error


def _parquet(export: Export, choose: Choose, budget: Budget) -> Table:
    """Return the wanted columns of a Parquet file.

    The footer gives rows and sizes before anything is decoded. Dictionary-encoded texts are counted before they are
    expanded.
    """
    limits = {"thrift_string_size_limit": _MOST_FOOTER_TEXT, "thrift_container_size_limit": _MOST_FOOTER_ITEMS}
    footer = pq.ParquetFile(pa.BufferReader(export.data), **limits).metadata
    heads = footer.schema.to_arrow_schema().names
    wanted = _wanted(export.name, heads, choose)
    rows = footer.num_rows
    if rows < 0 or rows > FREE_ROWS + ROWS_A_BYTE * len(export.data):
        raise _too_large(
            export.name, f"{counted(rows, 'row')} in {len(export.data):,} bytes", f"at most {ROWS_A_BYTE} rows a byte"
        )
    # Not the sizes of the columns: pyarrow aborts the process where the statistics of one are damaged.
    claimed = sum(max(0, footer.row_group(number).total_byte_size) for number in range(footer.num_row_groups))
    budget.take(export.name, rows=rows, columns=len(wanted), n_bytes=claimed)
    file = pq.ParquetFile(pa.BufferReader(export.data), read_dictionary=list(wanted), **limits)
    batches = []
    for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=list(wanted)):
        batch.validate(full=True)  # finds invalid UTF-8 and indices beyond the dictionary
        budget.take(export.name, n_bytes=sum(map(_written_out, batch.columns)))
        batches.append(pa.RecordBatch.from_arrays([_plain(one) for one in batch.columns], names=batch.schema.names))
    if not batches:
        return Table(pd.DataFrame(columns=[wanted[head] for head in heads if head in wanted]), "Parquet", heads=heads)
    found: pd.DataFrame = pa.Table.from_batches(batches).to_pandas()
    return Table(found.rename(columns=dict(wanted)), "Parquet", heads=heads)


def _written_out(column: pa.Array) -> int:
    """Return the number of bytes of a column after its dictionary is expanded."""
    if not isinstance(column, pa.DictionaryArray):
        return int(column.nbytes)
    if not (pa.types.is_string(column.dictionary.type) or pa.types.is_binary(column.dictionary.type)):
        return int(column.nbytes)
    lengths = pc.binary_length(column.dictionary)
    if (pc.max(lengths).as_py() or 0) > LONGEST_TEXT:
        raise ValueError(f"a text of more than {LONGEST_TEXT:,} bytes")
    return int(pc.sum(lengths.take(column.indices)).as_py() or 0)


def _plain(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if isinstance(column, pa.DictionaryArray) else column


def _text(export: Export, choose: Choose, budget: Budget) -> Table:
    """Return the wanted columns of delimited text, each as categories of text."""
    budget.take(export.name, n_bytes=len(export.data))
    text, encoding = decoded(export.data)
    head = find_head(text, lambda cells: len(choose(cells)))
    wanted = _wanted(export.name, head.cells, choose)
    rows = max(0, text.count("\n", head.end), text.count("\r", head.end))
    budget.take(export.name, rows=rows, columns=len(wanted))
    if not wanted:
        return Table(pd.DataFrame(), in_words(encoding, head, quoted=False), heads=head.cells)
    at = [head.cells.index(one) for one in wanted]
    found = read_below(text, head, at)
    columns = {ours: one.to_pandas() for ours, one in zip(wanted.values(), found.columns, strict=True)}
    how = in_words(encoding, head, quoted=found.quoted)
    return Table(
        pd.DataFrame(columns),
        how,
        found.ragged,
        found.examples,
        head.row,
        heads=head.cells,
        names=lambda positions: row_names(text, head, positions, quoted=found.quoted),
    )


def _workbook(export: Export, choose: Choose, budget: Budget) -> Table:
    """Return the wanted columns of the first sheet of an Excel workbook that has them.

    Raises:
        UnreadableError: a cell of a wanted column holds a formula without its result, so its value is not known.
    """
    most = ROWS_A_BYTE * len(export.data) + FREE_ROWS
    rows = read_workbook(export.data, lambda cells: len(choose(cells)), most_rows=most, most_columns=MOST_COLUMNS)
    head = rows.head
    wanted = _wanted(export.name, head, choose)
    budget.take(export.name, rows=len(rows.below), columns=len(wanted), n_bytes=rows.n_bytes)
    at = {ours: head.index(one) for one, ours in wanted.items()}
    open_cells = [one for one in rows.formulas if column_of(one) in at.values()]
    if open_cells:
        raise _not_computed(export.name, open_cells)
    width = max((number for number, one in enumerate(head, start=1) if one), default=0)
    beyond = [number for number, row in zip(rows.numbers, rows.below, strict=True) if any(map(str.strip, row[width:]))]
    columns = {
        ours: pd.Series([row[n] if n < len(row) else "" for row in rows.below], dtype=str) for ours, n in at.items()
    }
    return Table(
        pd.DataFrame(columns).astype("category"),
        rows.how,
        row=rows.row,
        heads=head,
        names=lambda positions: [f"row {rows.numbers[at]}" for at in positions],
        beyond=len(beyond),
        beyond_examples=tuple(f"row {number}" for number in beyond[:_MOST_EXAMPLES]),
        others=rows.others,
    )


def _not_computed(name: str, cells: Sequence[str]) -> UnreadableError:
    shown = ", ".join(cells[:_MOST_EXAMPLES]) + (", ..." if cells[_MOST_EXAMPLES:] else "")
    return UnreadableError(
        "cells of this workbook hold formulas that no program has computed",
        name,
        found=f"{counted(len(cells), 'cell')}: {shown}",
        allowed="values, or formulas with their results",
        next_step="Open the workbook in Excel and save it, or export it as CSV.",
    )


def _wanted(name: str, heads: Sequence[str], choose: Choose) -> Mapping[str, str]:
    if len(heads) > MOST_COLUMNS:
        raise _too_large(name, f"{len(heads):,} columns", f"at most {MOST_COLUMNS:,} columns")
    return choose(heads)


def _too_large(name: str, found: str, allowed: str) -> TooLargeError:
    return TooLargeError(
        "this table is too large",
        name,
        found=found,
        allowed=allowed,
        next_step="Export a shorter time, or raise `tables` in configs/returns.yaml.",
    )
