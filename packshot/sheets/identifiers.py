"""Read identifiers from tables (SKUs, GTINs, order numbers) as text, even if they look like numbers."""

from __future__ import annotations

import re
import unicodedata

from packshot.escaping import UNSEEN, table_text

_FORMULA = re.compile(r'="([^"]*)"')
_UNSEEN = rf"[\s\ufeff\u200b-\u200f\u2060\u00ad{UNSEEN}]+"
_AROUND = re.compile(f"^{_UNSEEN}|{_UNSEEN}$")
_NO_VALUE = re.compile(
    r"#(?:N/A|N/D|NV|(?:REF|VALUE|DIV/0|NULL|NUM|SPILL|CALC|BEZUG|WERT|ZAHL|VALEUR|NOMBRE|VALOR|RIF|VALORE)!|NOME?\?|NAME\?)",
    re.IGNORECASE,
)
"""What a spreadsheet writes, in five languages, for a value that it could not find or compute."""
_COMPUTED = re.compile(r"[=+@]\s*[A-Z_][A-Z0-9._]*\s*\(.*", re.IGNORECASE | re.DOTALL)
_ROUNDED = re.compile(r"\d(?:[.,]\d+)?E\+\d{2}")


def identifier(text: str) -> str:
    """Return an identifier, such as a SKU, in its normal form, so that the same one from two tables is the same text.

    It is in Unicode form NFC. These are removed: spaces around it, invisible characters around it such as a
    byte-order mark, the apostrophe that marks a cell as text, and Excel's ``="..."``. Leading zeros and case are
    kept. Example: ``'-AB 1``, ``="-AB 1"`` and `` -AB 1`` are all ``-AB 1``.

    Args:
        text: the cell, as the table has it.
    """
    cell = _bare(unicodedata.normalize("NFC", text))
    if formula := _FORMULA.fullmatch(cell):
        return _bare(formula[1])
    while (plain := _bare(table_text(cell).lstrip("'"))) != cell:
        cell = plain
    return cell


def _bare(text: str) -> str:
    """Return a text without the spaces around it, seen and unseen."""
    return _AROUND.sub("", text)


def is_formula(text: str) -> bool:
    """Return whether a cell holds a spreadsheet's formula and not its result, as ``=VLOOKUP(A2;B:C;2)``.

    Only formulas that begin with a function are recognised: ``=A1`` and ``=1+1`` may be product names.

    Args:
        text: the cell, as the table has it.
    """
    return _COMPUTED.fullmatch(text.strip()) is not None


def is_rounded(text: str) -> bool:
    """Return whether a spreadsheet has rounded an identifier, so that its digits are lost, as in ``1.23457E+11``.

    Args:
        text: the cell, as the table has it.
    """
    return _ROUNDED.fullmatch(text.strip()) is not None


def is_no_value(text: str) -> bool:
    """Return whether a cell says that a spreadsheet could not find or compute its value, as ``#N/A`` or ``#REF!``.

    Args:
        text: the cell, as the table has it.
    """
    return _NO_VALUE.fullmatch(text.strip()) is not None
