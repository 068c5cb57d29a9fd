"""Read tables that shops export, within limits that are checked before and during decoding."""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from packshot.errors import TooLargeError, UnreadableError
from packshot.specs.returns import TableLimits

ROWS_A_BYTE = 4
"""Maximum number of rows per byte of a file, beyond `FREE_ROWS`. Real rows differ, and differences need bytes."""
FREE_ROWS = 100_000
MOST_COLUMNS = 1000
LONGEST_TEXT = 10_000
_BATCH_ROWS = 65_536
_MOST_FOOTER_TEXT, _MOST_FOOTER_ITEMS = 10_000_000, 1_000_000

Choose = Callable[[Sequence[str]], Mapping[str, str]]
"""Function from a file's column headers to the wanted ones: header in the file -> our name for it."""


class Export(NamedTuple):
    """A file as a shop exported it.

    Attributes:
        name: for messages. The ending ``.parquet`` means Parquet; everything else is CSV.
    """

    name: str
    data: bytes

    @staticmethod
    def of(file: Path | Export) -> Export:
        """Return an export with the bytes of a local file. An export is returned unchanged."""
        return file if isinstance(file, Export) else Export(file.name, file.read_bytes())


class Budget:
    """Counter of rows, cells and decoded bytes over all files of a report."""

    def __init__(self, limits: TableLimits) -> None:
        self._limits = limits
        self._rows = self._cells = self._bytes = 0

    def take(self, name: str, *, rows: int = 0, columns: int = 0, n_bytes: int = 0) -> None:
        """Add what a file needs.

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


def read_export(export: Export, choose: Choose, budget: Budget) -> pd.DataFrame:
    """Return the wanted columns of an export, under our names.

    Raises:
        UnreadableError: it is not a table.
        TooLargeError: it needs more than the rest of the budget.
    """
    read = _parquet if export.name.lower().endswith(".parquet") else _csv
    try:
        return read(export, choose, budget)
    except (ValueError, OSError, MemoryError, pa.ArrowException) as error:
        raise UnreadableError(
            "this is no table that can be read",
            export.name,
            found=str(error)[:200],
            allowed="CSV (comma, semicolon or tab; UTF-8 or Windows-1252) or Parquet",
        ) from error


def _parquet(export: Export, choose: Choose, budget: Budget) -> pd.DataFrame:
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
            export.name, f"{rows:,} rows in {len(export.data):,} bytes", f"at most {ROWS_A_BYTE} rows a byte"
        )
    groups = (footer.row_group(number) for number in range(footer.num_row_groups))
    claimed = sum(group.column(at).total_uncompressed_size for group in groups for at in range(group.num_columns))
    budget.take(export.name, rows=rows, columns=len(wanted), n_bytes=max(0, claimed))
    file = pq.ParquetFile(pa.BufferReader(export.data), read_dictionary=list(wanted), **limits)
    batches = []
    for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=list(wanted)):
        batch.validate(full=True)  # finds invalid UTF-8 and indices beyond the dictionary
        budget.take(export.name, n_bytes=sum(map(_written_out, batch.columns)))
        batches.append(pa.RecordBatch.from_arrays([_plain(one) for one in batch.columns], names=batch.schema.names))
    if not batches:
        return pd.DataFrame(columns=[wanted[head] for head in heads if head in wanted])
    found: pd.DataFrame = pa.Table.from_batches(batches).to_pandas()
    return found.rename(columns=dict(wanted))


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


def _csv(export: Export, choose: Choose, budget: Budget) -> pd.DataFrame:
    head = export.data[:65536]
    try:
        head.decode("utf-8-sig")
        encoding = "utf-8-sig"
    except UnicodeDecodeError as error:
        encoding = "utf-8-sig" if error.start > len(head) - 4 else "cp1252"
    first = head.decode(encoding, "replace").splitlines()[0] if head.strip() else ""
    separator = max(",;\t", key=first.count)
    heads = next(csv.reader([first], delimiter=separator), [])
    if not heads:
        raise ValueError("it is empty")
    wanted = _wanted(export.name, heads, choose)
    rows = export.data.count(b"\n") + export.data.count(b"\r")
    budget.take(export.name, rows=rows // (2 if b"\r\n" in head else 1), columns=len(wanted), n_bytes=len(export.data))
    if not wanted:
        return pd.DataFrame()
    if encoding == "cp1252":
        # index_col=False: where rows end with one separator more than the heads, no column moves to the left.
        source, chosen = io.BytesIO(export.data), list(wanted)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", pd.errors.ParserWarning)
            found = pd.read_csv(source, sep=separator, encoding=encoding, dtype=str, usecols=chosen, index_col=False)
    else:
        found = pd.read_csv(io.BytesIO(export.data), sep=separator, engine="pyarrow", usecols=list(wanted))
    return found.rename(columns=dict(wanted))


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
