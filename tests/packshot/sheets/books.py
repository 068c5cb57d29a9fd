"""Excel workbooks, written as Excel does, with the least parts that it needs."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape


class Formula(NamedTuple):
    """A cell with a formula. Its result is None where no program has computed it: openpyxl writes such cells."""

    text: str
    result: str | float | None = None


Cell = str | int | float | dt.date | Formula | None
_NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_LINK = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'


def workbook(*sheets: Sequence[Sequence[Cell]]) -> bytes:
    """A workbook with shared strings, date cells and numbers."""
    shared: dict[str, int] = {}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as book:
        for number, rows in enumerate(sheets, start=1):
            body = "".join(
                f'<row r="{at}">{"".join(_cell(one, f"{chr(65 + n)}{at}", shared) for n, one in enumerate(row))}</row>'
                for at, row in enumerate(rows, start=1)
            )
            book.writestr(
                f"xl/worksheets/sheet{number}.xml", f"<worksheet {_NS}><sheetData>{body}</sheetData></worksheet>"
            )
        names = "".join(f'<sheet name="S{n}" sheetId="{n}" r:id="r{n}"/>' for n in range(1, len(sheets) + 1))
        book.writestr("xl/workbook.xml", f"<workbook {_NS} {_LINK}><sheets>{names}</sheets></workbook>")
        links = "".join(
            f'<Relationship Id="r{n}" Target="worksheets/sheet{n}.xml"/>' for n in range(1, len(sheets) + 1)
        )
        book.writestr("xl/_rels/workbook.xml.rels", f"<Relationships>{links}</Relationships>")
        texts = "".join(f"<si><t>{escape(one)}</t></si>" for one in shared)
        book.writestr("xl/sharedStrings.xml", f"<sst {_NS}>{texts}</sst>")
        styles = '<numFmts><numFmt numFmtId="164" formatCode="dd\\.mm\\.yyyy"/></numFmts>'
        book.writestr(
            "xl/styles.xml",
            f'<styleSheet {_NS}>{styles}<cellXfs><xf numFmtId="0"/><xf numFmtId="164"/></cellXfs></styleSheet>',
        )
    return stream.getvalue()


def _cell(value: Cell, at: str, shared: dict[str, int]) -> str:
    if value is None:
        return ""
    if isinstance(value, Formula):
        kind = ' t="str"' if isinstance(value.result, str) else ""
        result = "" if value.result is None else value.result
        return f'<c r="{at}"{kind}><f>{escape(value.text)}</f><v>{escape(str(result))}</v></c>'
    if isinstance(value, str):
        return f'<c r="{at}" t="s"><v>{shared.setdefault(value, len(shared))}</v></c>'
    if isinstance(value, dt.date):
        return f'<c r="{at}" s="1"><v>{(value - dt.date(1899, 12, 30)).days}</v></c>'
    return f'<c r="{at}"><v>{value}</v></c>'
