"""Check the check digit of a product's GTIN (EAN, UPC) or ISBN, and convert an ISBN of ten digits to a GTIN of 13.

A number may come from any text that a client sends, such as a file name or a cell of a table. Sources: GS1 General
Specifications, 7.9; ISBN Users' Manual; ISO 2108.
"""

from __future__ import annotations

import re

_LENGTHS = (8, 12, 13, 14)
_ISBN_10 = re.compile(r"[0-9]{9}[0-9X]")


def checked_gtin(text: str) -> str:
    """Return the digits of a GTIN whose check digit is right, else an empty string. An ISBN-10 becomes its GTIN-13.

    Example: ``checked_gtin("4006381-333931")`` is ``"4006381333931"``.

    Args:
        text: the number as written, with or without spaces and dashes.
    """
    digits = re.sub(r"[\s-]", "", text).upper()
    if not has_right_check_digit(digits):
        return ""
    if len(digits) == 10:
        body = "978" + digits[:9]
        return next(body + last for last in "0123456789" if has_right_check_digit(body + last))
    return digits if len(digits) in _LENGTHS and int(digits) else ""


def has_right_check_digit(digits: str) -> bool:
    """Return whether the last digit of a GTIN or ISBN-10 is its right check digit, which reveals typing mistakes.

    A number of ten characters is checked as an ISBN, any other as a GTIN of any length. Example: ``4006381333931`` is
    right, ``4006381333932`` is not.

    Args:
        digits: the number without spaces and dashes. The last character of an ISBN may be an X. An empty text, or one
            with any other character, gives False.
    """
    if len(digits) == 10:
        if not _ISBN_10.fullmatch(digits):
            return False
        total = sum((10 - place) * (10 if digit == "X" else int(digit)) for place, digit in enumerate(digits))
        return total % 11 == 0
    if not re.fullmatch(r"[0-9]+", digits):
        return False
    return sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(digits))) % 10 == 0
