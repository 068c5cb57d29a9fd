"""Read a sheet of an Excel workbook (.xlsx), every cell as text.

Our own code reads it, because the file may be hostile. Sizes are checked before anything is unpacked. defusedxml parses
the XML piece by piece. No formula, link or macro is followed. Little is needed, so a library would be larger than this
code: shared strings, cell types, and which number formats are dates (ECMA-376, part 1, 18.3 and 18.8).
"""

from __future__ import annotations

import datetime as dt
import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import IO, NamedTuple
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

_MOST_BYTES = 500_000_000
_MOST_RATIO = 200
_MOST_ROWS_ABOVE = 20
_DATE_FORMATS = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
"""Numbers of the built-in formats that show a date or a time (ECMA-376, 18.8.30)."""
_DATE_SIGNS = re.compile(r"[ymdhs]", re.IGNORECASE)
_NO_SIGNS = re.compile(r'"[^"]*"|\\.|\[[^\[\]]*\]|general|standard', re.IGNORECASE)
_NOUGHTS = re.compile(r"(0{2,})(?:;.*)?")
"""A number format that shows a whole number with leading noughts, such as ``00000000000000`` for a GTIN."""
_LEADING_NOUGHT = re.compile(r"0\d+")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_CELL = re.compile(r"([A-Z]{1,3})\d*")
_EPOCH, _EPOCH_1904 = dt.datetime(1899, 12, 30), dt.datetime(1904, 1, 1)
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
"""Name of the part that holds a workbook with a password (ECMA-376, [MS-OFFCRYPTO] 2.3.4.4)."""


class Sheet(NamedTuple):
    """The sheet of an Excel workbook that has the wanted column names, as text.

    Attributes:
        head: the sheet's column names.
        row: number of the row of column names, counted from 1.
        below: the rows below that are not blank, each a list of cells; a row may be shorter than the row of names.
        numbers: the number of each of these rows in the sheet, counted from 1, blank rows included.
        n_bytes: unpacked size of the sheet.
        how: where the names were found, in words: ``Excel workbook, sheet 'Orders'``. If they are not in the first row,
            ``, heads in row 3`` follows.
        formulas: cells below that hold a formula but not its result, such as ``B7``. They are empty in `below`. A
            program that has not computed the workbook writes such cells.
        others: names of other visible sheets that have as many of the wanted column names, each with its number of
            rows below them. They are not read.
    """

    head: tuple[str, ...]
    row: int
    below: list[list[str]]
    numbers: list[int]
    n_bytes: int
    how: str
    formulas: tuple[str, ...] = ()
    others: Mapping[str, int] = MappingProxyType({})


def is_workbook(data: bytes) -> bool:
    """Return whether a file begins like an Excel workbook: a ZIP archive (.xlsx), or the older binary format (.xls).

    Args:
        data: the whole file, or its first four bytes.
    """
    return data[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


def read_workbook(data: bytes, known: Callable[[Sequence[str]], int], *, most_rows: int, most_columns: int) -> Sheet:
    """Return the sheet of an Excel workbook that has the most known column names, every cell as text.

    The names are looked for in the first 20 filled rows of each sheet. If no sheet has a known name, it is the first
    sheet that is not empty. A date cell becomes ``2026-03-01`` or ``2026-03-01 10:15:00``. A number is written in full,
    so that an identifier of 13 digits keeps all of them. Hidden sheets are not read.

    Args:
        data: the whole file.
        known: called with the cells of a row; returns how many of them are column names that the caller can use.
        most_rows, most_columns: limits; a larger sheet is refused.

    Raises:
        ValueError: the file is not an Excel workbook of the newer kind (.xlsx), has a password, is damaged, is larger
            than allowed, or has no filled sheet.
    """
    if not data.startswith(b"PK"):
        if _ENCRYPTED in data:
            raise ValueError("an Excel workbook with a password")
        raise ValueError("an Excel workbook of the older binary kind (.xls)")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _best_sheet(_Book(archive, most_rows, most_columns), known)
    except (
        zipfile.BadZipFile,
        zlib.error,
        ParseError,
        DefusedXmlException,
        KeyError,
        EOFError,
        NotImplementedError,
    ) as error:
        raise ValueError(f"a damaged Excel workbook ({type(error).__name__})") from error
    except RuntimeError as error:
        raise ValueError("an Excel workbook with a password") from error


def _best_sheet(book: _Book, known: Callable[[Sequence[str]], int]) -> Sheet:
    best: tuple[int, Sheet] | None = None
    alike: dict[str, tuple[int, int]] = {}
    for name, part in book.sheets():
        rows = list(book.rows(part))
        first = rows[:_MOST_ROWS_ABOVE]
        if not first:
            continue
        number = max(range(len(first)), key=lambda at: (known(first[at].cells), -at))
        row, cells = first[number].row, first[number].cells
        head = tuple(one.strip() for one in cells)
        above = f", heads in row {row}" if row > 1 else ""
        numbers, below = [one.row for one in rows[number + 1 :]], [one.cells for one in rows[number + 1 :]]
        formulas = tuple(cell for one in rows[number + 1 :] for cell in one.formulas)
        how = f"Excel workbook, sheet {name!r}{above}"
        sheet = Sheet(head, row, below, numbers, book.size(part), how, formulas)
        alike[name] = known(cells), len(below)
        if best is None or known(cells) > best[0]:
            best, chosen = (known(cells), sheet), name
    if best is None:
        raise ValueError("an Excel workbook without a filled-in sheet")
    most = best[0]
    others = {name: rows for name, (names, rows) in alike.items() if names == most > 0 and rows and name != chosen}
    return best[1]._replace(others=others)


class _Row(NamedTuple):
    """A row of a sheet: its number, its cells as text, and the cells that hold a formula without its result."""

    row: int
    cells: list[str]
    formulas: list[str]


class _Book:
    """The parts of a workbook, each unpacked within limits."""

    def __init__(self, archive: zipfile.ZipFile, most_rows: int, most_columns: int) -> None:
        self._archive, self._most_rows, self._most_columns = archive, most_rows, most_columns
        # Names of parts differ by more than case (ECMA-376, part 2, 6.2.2.3). Some programs write backslashes.
        self._sizes = {_part(one.filename): one for one in archive.infolist()}
        claimed = sum(one.file_size for one in archive.infolist())
        packed = sum(one.compress_size for one in archive.infolist())
        if claimed > _MOST_BYTES or claimed > _MOST_RATIO * packed + 1_000_000:
            raise ValueError(f"an Excel workbook of {claimed:,} bytes when unpacked")
        self._main = next(iter(self._linked("", "officeDocument").values()), "xl/workbook.xml")
        if self._main not in self._sizes:
            raise ValueError("a ZIP archive that is no Excel workbook")
        self._shared = self._texts()
        self._dates, self._noughts = self._styles()
        self._base = (
            _EPOCH_1904 if any(_is_true(one.get("date1904")) for one in self._all(self._main, "workbookPr")) else _EPOCH
        )

    def size(self, part: str) -> int:
        return self._sizes[part].file_size

    def _linked(self, part: str, kind: str = "") -> dict[str, str]:
        """Return the parts that a part links to: id of the link -> name (ECMA-376, part 2, 6.5).

        Args:
            part: the part's name; empty for the whole package.
            kind: last word of the type of link, for example ``styles``; empty: links of all types.
        """
        folder, _, name = part.rpartition("/")
        links = self._all(f"{folder}/_rels/{name}.rels".lstrip("/"), "Relationship")
        return {
            one.get("Id", ""): _part(posixpath.normpath(posixpath.join("/", folder, _slashed(one.get("Target", "")))))
            for one in links
            if not kind or one.get("Type", "").endswith(f"/{kind}")
        }

    def _only(self, kind: str, usual: str) -> str:
        return next(iter(self._linked(self._main, kind).values()), usual)

    def sheets(self) -> Iterator[tuple[str, str]]:
        """Yield (name, path in the workbook's archive) of each visible sheet, in the workbook's order."""
        targets = self._linked(self._main)
        for sheet in self._all(self._main, "sheet"):
            part = targets.get(next((value for name, value in sheet.attrib.items() if name.endswith("}id")), ""), "")
            if sheet.get("state", "visible") == "visible" and part in self._sizes:
                yield sheet.get("name", ""), part

    def rows(self, part: str) -> Iterator[_Row]:
        """Yield the rows of a sheet that are not blank, in order. A row with only a formula is not blank.

        Args:
            part: the sheet's path in the workbook's archive, from `sheets`.
        """
        number = count = 0
        for row in self._all(part, "row"):
            number = int(row.get("r") or number + 1)
            cells, formulas = self._cells(row, number)
            if formulas or any(one.strip() for one in cells):
                count += 1
                if count > self._most_rows:
                    raise ValueError(f"an Excel sheet of more than {self._most_rows:,} rows")
                yield _Row(number, cells, formulas)

    def _cells(self, row: Element, number: int) -> tuple[list[str], list[str]]:
        cells: list[str] = []
        formulas: list[str] = []
        for cell in row:
            if _tag(cell) != "c":
                continue
            found = _CELL.fullmatch(cell.get("r", ""))
            at = _column(found[1]) if found else len(cells)
            if at > self._most_columns:
                raise ValueError(f"an Excel sheet of more than {self._most_columns:,} columns")
            cells += [""] * (at + 1 - len(cells))
            cells[at] = self._text(cell)
            if not cells[at] and cell.get("t") != "e" and _lacks_result(cell):
                formulas.append(f"{_letters(at)}{number}")
        return cells, formulas

    def _text(self, cell: Element) -> str:
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            return _unescaped(_whole_text(cell))
        value = next((one.text or "" for one in cell if _tag(one) == "v"), "")
        if kind == "s":
            return self._shared[int(value)] if value.isdigit() and int(value) < len(self._shared) else ""
        if kind in ("str", "d", "b"):
            return _unescaped(value)
        if kind == "e" or not value:
            return ""
        style = int(cell.get("s", "0")) if cell.get("s", "0").isdigit() else 0
        return self._date(value) if style in self._dates else _number(value, self._noughts.get(style, 0))

    def _date(self, value: str) -> str:
        try:
            day = self._base + dt.timedelta(seconds=round(float(value) * 86_400))
        except (ValueError, OverflowError):
            return value
        return f"{day:%Y-%m-%d}" if day.time() == dt.time() else f"{day:%Y-%m-%d %H:%M:%S}"

    def _texts(self) -> list[str]:
        part = self._only("sharedStrings", "xl/sharedstrings.xml")
        return [_unescaped(_whole_text(one)) for one in self._all(part, "si")]

    def _styles(self) -> tuple[frozenset[int], dict[int, int]]:
        """Return (positions of the cell styles that show a date, position of a style -> its least number of digits).

        The second holds only styles that show leading noughts.
        """
        part = self._only("styles", "xl/styles.xml")
        formats = {one.get("numFmtId"): one.get("formatCode", "") for one in self._all(part, "numFmt")}
        own = {number for number, code in formats.items() if _DATE_SIGNS.search(_NO_SIGNS.sub("", code))}
        built_in = {str(number) for number in _DATE_FORMATS}
        shown = {*(built_in - set(formats)), *own}
        digits = {number: len(found[1]) for number, code in formats.items() if (found := _NOUGHTS.fullmatch(code))}
        used = [one.get("numFmtId") for one in next(self._all(part, "cellXfs"), ())]
        dates = frozenset(at for at, number in enumerate(used) if number in shown)
        return dates, {at: digits[number] for at, number in enumerate(used) if number in digits}

    def _all(self, part: str, tag: str) -> Iterator[Element]:
        """Yield each element with this tag; each is forgotten before the next one."""
        if part not in self._sizes:
            return
        with self._archive.open(self._sizes[part]) as file:
            for element in _elements(file):
                if _tag(element) == tag:
                    yield element
                    element.clear()


def _elements(file: IO[bytes]) -> Iterator[Element]:
    for _, element in iterparse(file, forbid_dtd=True):
        yield element


def _lacks_result(cell: Element) -> bool:
    """Return whether a cell without text has a formula that nobody has computed.

    Excel marks a formula whose result is an empty text as a text, and writes a value.
    """
    names = {_tag(one) for one in cell}
    return "f" in names and not (cell.get("t") == "str" and "v" in names)


def _letters(at: int) -> str:
    """Return a column's letters, such as AB for 27."""
    found = ""
    while at >= 0:
        at, rest = divmod(at, 26)
        found, at = chr(ord("A") + rest) + found, at - 1
    return found


def _tag(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _whole_text(element: Element) -> str:
    """Return the text of all runs, without phonetic guides."""
    if _tag(element) == "rPh":
        return ""
    own = element.text or "" if _tag(element) == "t" else ""
    return own + "".join(_whole_text(one) for one in element)


def column_of(cell: str) -> int:
    """Return the position of a cell's column, from 0: 1 for ``B7``.

    Args:
        cell: its name, as in `Sheet.formulas`.
    """
    return _column(cell.rstrip("0123456789"))


def _column(letters: str) -> int:
    at = 0
    for letter in letters:
        at = at * 26 + ord(letter) - ord("A") + 1
    return at - 1


def _number(value: str, digits: int) -> str:
    """Return a number as text: whole numbers without a point or exponent, and with leading noughts as they are shown.

    Args:
        value: the number as the sheet has it. One with leading noughts is a text: Excel gives no type to the result of
            a formula that refers to a text.
        digits: least number of digits that the cell's format shows.
    """
    try:
        number = float(value)
    except ValueError:
        return value
    if _LEADING_NOUGHT.fullmatch(value):
        return value
    if not number.is_integer() or abs(number) >= 1e15:
        return repr(number)
    return str(int(number)) if number < 0 else str(int(number)).zfill(digits)


def _part(name: str) -> str:
    """Return the name of a part in the form in which parts are compared: small letters, slashes, none in front."""
    return _slashed(name).lstrip("/").lower()


def _slashed(name: str) -> str:
    return name.replace("\\", "/")


def _unescaped(text: str) -> str:
    """Return a text with the characters that XML cannot hold, such as ``_x000D_`` (ECMA-376, 22.9.2.19)."""
    return _ESCAPED.sub(lambda found: _character(int(found[1], 16)) or found[0], text) if "_x" in text else text


def _character(code: int) -> str:
    return "" if code == 0 or 0xD800 <= code <= 0xDFFF else chr(code)


def _is_true(value: str | None) -> bool:
    return value in ("1", "true")
