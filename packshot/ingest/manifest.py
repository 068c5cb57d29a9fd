"""Read the client's manifest.csv: one row for each file, every value as text."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import Field

from packshot.errors import ManifestError
from packshot.types import Finding, Status, Value

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "file",
    "sku",
    "asin",
    "gtin",
    "category",
    "view",
    "shoot_group",
    "platforms",
    "reference",
    "services",
    "notes",
)
"""Columns that Packshot uses. Other columns are kept and reported."""

_SYNONYMS = {
    "filename": "file",
    "file_name": "file",
    "image": "file",
    "image_file": "file",
    "photo": "file",
    "path": "file",
    "item_sku": "sku",
    "seller_sku": "sku",
    "article_number": "sku",
    "ean": "gtin",
    "ean13": "gtin",
    "upc": "gtin",
    "isbn": "gtin",
    "barcode": "gtin",
    "product_type": "category",
    "variant": "view",
    "group": "shoot_group",
    "set": "shoot_group",
    "platform": "platforms",
    "channels": "platforms",
    "service": "services",
    "note": "notes",
    "comment": "notes",
}
_MOST_BYTES = 50_000_000
_MOST_ROWS = 1_000_000
_MOST_COLUMNS = 1_000
_MOST_CELLS = 20_000_000
_FORMULA = re.compile(r'^="?(.*?)"?$')
_DAMAGED_NUMBER = re.compile(r"\d+([.,]\d+)?E\+?\d+", re.IGNORECASE)


class Manifest(Value):
    """What the client states about each file.

    Attributes:
        rows: path of the file, as `plain_path` returns it -> column -> value; empty values are left out.
        unknown_columns: columns that Packshot does not use; their values are in the rows.
        findings: problems in the file, by row.
    """

    rows: Mapping[str, Mapping[str, str]] = Field(default_factory=dict)
    unknown_columns: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def read_manifest(data: bytes, *, name: str) -> Manifest:
    """Return the manifest in a CSV file.

    The encoding is detected: UTF-8, UTF-16 or Windows-1252. So is the separator: comma, semicolon, tab or vertical bar.
    Values stay text, so a GTIN keeps its leading zeros.

    Raises:
        ManifestError: it is not a CSV file, is too large, or has no column for the file.
    """
    text = _decoded(data, name)
    frame, dropped = _frame(text, name)
    rows: dict[str, dict[str, str]] = {}
    findings = [_broken_lines(dropped)] if dropped else []
    for number, values in enumerate(frame.to_dict("records"), start=2):
        row = {str(column): _cell(value) for column, value in values.items()}
        findings += _add_row(rows, {key: value for key, value in row.items() if value}, number)
    unknown = tuple(column for column in frame.columns if column and column not in COLUMNS)
    if unknown:
        findings.append(_odd("manifest_columns_unknown", f"Columns that mean nothing here: {', '.join(unknown)}."))
    return Manifest(rows=rows, unknown_columns=unknown, findings=tuple(findings))


def plain_path(path: str) -> str:
    r"""Return a path with forward slashes, without a leading ``./`` or ``/``, in Unicode form NFC.

    Example: ``.\set\A.jpg`` becomes ``set/A.jpg``.
    """
    return unicodedata.normalize("NFC", path.strip().replace("\\", "/")).removeprefix("./").lstrip("/")


def _decoded(data: bytes, name: str) -> str:
    if len(data) > _MOST_BYTES:
        raise _unreadable(name, f"{len(data):,} bytes", f"at most {_MOST_BYTES:,} bytes")
    if data[:4] == b"PK\x03\x04" or data[:4] == b"\xd0\xcf\x11\xe0":
        raise _unreadable(name, "an Excel workbook", "a CSV file")
    with_mark = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    for encoding in ("utf-16",) if with_mark else ("utf-8-sig", "cp1252", "latin-1"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        return text
    raise _unreadable(name, "bytes that are no text", "a CSV file in UTF-8")


def _frame(text: str, name: str) -> tuple[pd.DataFrame, int]:
    """Return the table as text, and the number of lines that were dropped.

    The `csv` module splits the lines. The reader of pandas would drop surplus values or use the first column as an
    index.
    """
    import pandas as pd  # slow to import, and most processes read no manifest

    header = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(",;\t|", key=header.count)
    try:
        lines = [line for line in csv.reader(io.StringIO(text, newline=""), delimiter=separator) if any(line)]
    except csv.Error as error:
        raise _unreadable(name, str(error), "a CSV file with a line of column names") from error
    titles = _columns(lines[0]) if lines else []
    if "file" not in titles:
        raise _unreadable(name, f"the columns {', '.join(titles)[:200] or 'none'}", "a column 'file'")
    if len(titles) > _MOST_COLUMNS or len(titles) * len(lines) > _MOST_CELLS:
        found = f"{len(titles):,} columns and {len(lines):,} lines"
        raise _unreadable(name, found, f"at most {_MOST_COLUMNS:,} columns and {_MOST_CELLS:,} cells")
    fitting = [line for line in lines[1:] if not any(line[len(titles) :])]
    table = [line[: len(titles)] + [""] * (len(titles) - len(line)) for line in fitting[:_MOST_ROWS]]
    return pd.DataFrame(table, columns=pd.Index(titles), dtype=str), len(lines) - 1 - len(table)


def _columns(titles: list[str]) -> list[str]:
    """Return Packshot's name for each column title, each name once. An exact name wins over a synonym."""
    plain = [
        re.sub(r"[^a-z0-9]+", "_", title.strip().lower()).strip("_") or f"column_{n}" for n, title in enumerate(titles)
    ]
    names: list[str] = []
    given, titled = set[str](), set(plain)
    for title in plain:
        name = _SYNONYMS.get(title, title)
        taken = name in given or (name != title and name in titled)
        names.append(title if taken else name)
        given.add(names[-1])
    often = Counter(names)
    return [name if often[name] == 1 else f"{name}_{n}" for n, name in enumerate(names)]


def _cell(value: object) -> str:
    text = unicodedata.normalize("NFC", str(value) if isinstance(value, str) else "").strip().lstrip("'")
    match = _FORMULA.match(text) if text.startswith("=") else None
    return match.group(1).strip() if match else text


def _add_row(rows: dict[str, dict[str, str]], row: dict[str, str], number: int) -> list[Finding]:
    path = plain_path(row.get("file", ""))
    if not path:
        return [_odd("manifest_row_without_file", f"Row {number} names no file.")] if row else []
    findings = []
    if _DAMAGED_NUMBER.fullmatch(row.get("gtin", "")):
        message = f"Row {number} ({path}): the GTIN {row['gtin']!r} lost digits in a spreadsheet and was not used."
        findings.append(_odd("gtin_damaged", message))
        del row["gtin"]
    if path in rows and rows[path] != row:
        message = f"Row {number}: {path} was named before with other values; the first row counts."
        findings.append(_odd("manifest_row_repeated", message))
    rows.setdefault(path, row)
    return findings


def _broken_lines(count: int) -> Finding:
    return _odd("manifest_lines_broken", f"{count} line(s) have more values than there are columns; they were skipped.")


def _odd(code: str, message: str) -> Finding:
    return Finding(code=code, status=Status.WARNING, message=message)


def _unreadable(name: str, found: str, allowed: str) -> ManifestError:
    return ManifestError(
        "the manifest cannot be read",
        name,
        found=found,
        allowed=allowed,
        next_step=f"Save it as CSV with the columns {', '.join(COLUMNS)}; only 'file' is required.",
    )
