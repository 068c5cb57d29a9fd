"""Read numbers written as text. The decimal sign is decided once for each column, from all its values."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum

from packshot.errors import UnreadableError
from packshot.sheets.dates import all_fit


class DecimalSign(StrEnum):
    """The sign before a number's decimals.

    Attributes:
        POINT: 1.5 is one and a half; 1,000 is a thousand.
        COMMA: 1,5 is one and a half; 1.000 is a thousand.
    """

    POINT = "point"
    COMMA = "comma"

    @property
    def written(self) -> str:
        """The sign itself: ``.`` or ``,``."""
        return {"point": ".", "comma": ","}[self.value]


_GROUPS = "['\u2019\u00a0\u202f ]"
_WRITTEN = {
    DecimalSign.POINT: re.compile(
        rf"[+\-\u2212]?(?:\d{{1,3}}(?:(?:,|{_GROUPS})\d{{3}})+|\d+)(?:\.\d*)?|[+\-\u2212]?\.\d+"
    ),
    DecimalSign.COMMA: re.compile(
        rf"[+\-\u2212]?(?:\d{{1,3}}(?:(?:\.|{_GROUPS})\d{{3}})+|\d+)(?:,\d*)?|[+\-\u2212]?,\d+"
    ),
}


def numbers_of(
    file: str, column: str, texts: Iterable[str], *, chosen: DecimalSign | None
) -> tuple[dict[str, float], DecimalSign | None]:
    """Return (text -> number, the column's decimal sign) for the distinct texts of a column of numbers.

    A text that is not a number with this sign is left out. The sign is None if it does not matter: each value is the
    same number with a point and with a comma.

    Args:
        file, column: names of the file and the column, for the message.
        texts: the distinct texts of the column.
        chosen: the sign that the user has chosen, or None. It counts only if the column's values do not decide by
            themselves.

    Raises:
        UnreadableError: a value such as ``1.000`` can mean two numbers, no other value decides which, and the user has
            chosen no sign. Or some values need a point and others a comma. The message gives the option with which the
            user can choose.
    """
    plain, signed = {}, []
    for text in texts:
        if re.fullmatch(r"\s*[+\-\u2212]?\d+\s*", text):
            plain[text] = _number(text, DecimalSign.POINT)
        elif any(way.fullmatch(text.strip()) for way in _WRITTEN.values()):
            signed.append(text)
    if not signed:
        return plain, None
    fits = [sign for sign, way in _WRITTEN.items() if all(way.fullmatch(text.strip()) for text in signed)]
    if len(fits) == 2 and all(_number(text, fits[0]) == _number(text, fits[1]) for text in signed):
        return plain | {text: _number(text, fits[0]) for text in signed}, None
    sign = fits[0] if len(fits) == 1 else chosen
    if sign is None:
        raise _undecided(file, column, signed, fits)
    return plain | {text: _number(text, sign) for text in signed if _WRITTEN[sign].fullmatch(text.strip())}, sign


def _number(text: str, sign: DecimalSign) -> float:
    return float(re.sub(r"[^\d.\-]", "", text.replace("\u2212", "-").translate(_TRANSLATED[sign])) or "nan")


_TRANSLATED = {
    DecimalSign.POINT: str.maketrans({",": ""}),
    DecimalSign.COMMA: str.maketrans({".": "", ",": "."}),
}


def _undecided(file: str, column: str, texts: list[str], fits: list[DecimalSign]) -> UnreadableError:
    if fits:
        text = next(text for text in texts if _number(text, DecimalSign.POINT) != _number(text, DecimalSign.COMMA))
        found = " or ".join(f"{_number(text, sign):,g} (decimal {sign.value})" for sign in DecimalSign)
        found = f"{text!r} is {found}; {all_fit(len(texts))} both"
    else:
        only = {
            sign: next((text for text in texts if not _WRITTEN[other].fullmatch(text.strip())), "")
            for sign, other in ((DecimalSign.POINT, DecimalSign.COMMA), (DecimalSign.COMMA, DecimalSign.POINT))
        }
        found = "; ".join(f"{text!r} is a number only with a decimal {sign.value}" for sign, text in only.items())
    return UnreadableError(
        "the decimal sign of this column cannot be told",
        f"{file}, {column}",
        found=found,
        allowed="numbers without separators, such as 1 or 1000",
        next_step="Say which with --decimal-sign (point or comma), or `tables: decimal_sign` in the client's guide.",
    )
