"""Write a table as an Excel workbook, so that a number of 14 digits stays the text that it is.

From a CSV, Excel reads a GTIN as a number: it drops leading zeros and shows ``4.00638E+12``. A workbook states for each
cell whether it is text (ECMA-376, part 1, 18.3 and 18.8). `packshot.sheets.workbook` reads it back.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape, quoteattr

from packshot.escaping import one_line
from packshot.tables import Cell

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a ZIP archive can store
_MOST_CHARACTERS = 32_767  # of a cell, in Excel
_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
"""What Excel takes for the start of an escaped character. It shows ``A_x0041_`` as ``AA`` (ECMA-376, 22.9.2.19)."""
_HEADER = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_AS_TEXT = 1
"""Number of the cell style with the format "text" (49), so that a cell stays text when somebody edits it."""
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_KIND}.styles+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_KIND}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="r1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="r1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="r2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
    "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><fonts count="1"><font/></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '</fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="2"><xf numFmtId="0" xfId="0"/><xf numFmtId="49" xfId="0" applyNumberFormat="1"/></cellXfs>'
    "</styleSheet>",
}


def workbook(head: Sequence[str], rows: Iterable[Sequence[Cell]], *, title: str) -> bytes:
    """Return a table as the bytes of an Excel file (.xlsx) with one sheet; equal tables give equal bytes.

    Every text is stored as text: no spreadsheet runs it, and a number of 14 digits keeps all its digits. Each text is
    on one line, and cut off after 32,767 characters. Numbers are numbers; None is an empty cell.

    Args:
        head: the column names.
        rows: the cells of each row, in the order of the columns.
        title: the sheet's name, at most 31 characters.

    Raises:
        ValueError: a row is longer or shorter than the head.
    """
    lines = [_row(1, head)]
    for number, row in enumerate(rows, start=2):
        if len(row) != len(head):
            raise ValueError(f"a row of {len(row)} cells in a table of {len(head)} columns")
        lines.append(_row(number, row))
    book = f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
    book += f'<sheet name={quoteattr(title)} sheetId="1" r:id="r1"/></sheets></workbook>'
    sheet = f'<worksheet xmlns="{_MAIN}"><sheetData>{"".join(lines)}</sheetData></worksheet>'
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in {**_PARTS, "xl/workbook.xml": book, "xl/worksheets/sheet1.xml": sheet}.items():
            entry = zipfile.ZipInfo(name, date_time=_EPOCH)
            entry.create_system, entry.compress_type = 3, zipfile.ZIP_DEFLATED
            archive.writestr(entry, _HEADER + part)
    return stream.getvalue()


def _row(number: int, cells: Sequence[Cell]) -> str:
    filled = (_cell(f"{_letters(at)}{number}", one) for at, one in enumerate(cells) if one is not None and one != "")
    return f'<row r="{number}">{"".join(filled)}</row>'


def _cell(place: str, value: str | Cell) -> str:
    if not isinstance(value, str):
        return f'<c r="{place}"><v>{value}</v></c>'
    text = escape(_ESCAPE.sub("_x005F_", one_line(value)[:_MOST_CHARACTERS]))
    return f'<c r="{place}" s="{_AS_TEXT}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _letters(at: int) -> str:
    """Return the name of a column, counted from 0: ``A``, ..., ``Z``, ``AA``."""
    name = ""
    at += 1
    while at:
        at, rest = divmod(at - 1, 26)
        name = chr(ord("A") + rest) + name
    return name
