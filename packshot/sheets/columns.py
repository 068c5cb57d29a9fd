"""Convert whole columns to identifiers, days and numbers, from text or from the types of a Parquet file.

Each distinct text is converted only once, so ten million rows take seconds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from packshot.sheets.dates import DateColumn
from packshot.sheets.identifiers import identifier, is_formula, is_no_value

_TIME = r"[T\s]\s*\d{1,2}[:.]\d\d.*$"
_MANY = 50_000
_NEEDS_CARE = re.compile("^['=+@#\\s\"]|\\s$|[;|]'|[^\x00-\x7f]")


class Distinct:
    """A column of a table as its distinct texts, and for each row the index of its text.

    A column of ten million rows often has few distinct texts, so each needs to be read only once.

    Args:
        values: the column, of any type.

    Attributes:
        texts: the distinct texts, as they stand in the column.
        codes: (rows,) int64, index into `texts`; -1 if the cell is empty or blank.
    """

    def __init__(self, values: pd.Series) -> None:
        if pd.api.types.is_float_dtype(values) and _are_whole(values):
            values = values.astype("Int64")  # a column of numbers with a blank cell
        if isinstance(values.dtype, pd.CategoricalDtype):
            codes, found = values.cat.codes.to_numpy(np.int64), values.cat.categories
        else:
            codes, found = pd.factorize(values.astype("string"))
        self.texts = [str(one) for one in found]
        blank = np.array([not one.strip() for one in self.texts], bool)
        self.codes: NDArray[np.int64] = np.where(codes < 0, -1, codes)
        if blank.any():
            self.codes[(self.codes >= 0) & blank[self.codes]] = -1

    @property
    def present(self) -> list[str]:
        """The distinct texts that are not blank."""
        return [one for one in self.texts if one.strip()]

    def as_numbers(self, read: Mapping[str, float]) -> pd.Series:
        """Return the column as numbers, one for each row: float64; NaN if the cell is blank or not in `read`.

        Args:
            read: distinct text -> the number that it stands for.
        """
        numbers = np.array([*(read.get(one, np.nan) for one in self.texts), np.nan])
        return pd.Series(numbers[self.codes])

    def as_texts(self, read: Mapping[str, str] | None = None) -> pd.Series:
        """Return the column as texts, one for each row, without surrounding spaces; missing if the cell is blank.

        Args:
            read: distinct text -> the text to put in its place. A text that is not a key of `read` stays as it is.
                None: all stay.
        """
        texts = [one.strip() if read is None else read.get(one, one.strip()) or None for one in self.texts]
        taken = pa.array(texts, pa.string()).take(pa.array(self.codes, mask=self.codes < 0))
        return pd.Series(taken.to_pandas(), dtype="string")

    def __len__(self) -> int:
        return len(self.codes)


def identifiers(values: pd.Series) -> pd.Series:
    """Return a column of identifiers, such as SKUs, in normal form, one text for each row.

    A blank cell is missing, and so is a spreadsheet's error, such as ``#N/A``, or a formula without its result, such as
    ``=VLOOKUP(A2;B:C;2)``. The same identifier in two tables becomes the same text: spaces around it, invisible
    characters, a leading apostrophe and Excel's ``="..."`` are removed; case and leading zeros stay
    (`packshot.sheets.identifiers.identifier`).

    Args:
        values: the column, of any type.
    """
    column = Distinct(values)
    careful = (one for one in column.texts if _NEEDS_CARE.search(one))
    return column.as_texts({one: "" if is_no_value(one) or is_formula(one) else identifier(one) for one in careful})


def texts(values: pd.Series) -> pd.Series:
    """Return a column of words as text without surrounding spaces, one for each row; missing if the cell is blank.

    Args:
        values: the column, of any type.
    """
    return Distinct(values).as_texts()


def typed_days(values: pd.Series) -> pd.Series | None:
    """Return a column of dates as days since 1970, one for each row: float64, NaN for an empty cell.

    A time with a time zone counts in UTC. The result is None if the column is not of a date type, so that its texts
    must be read.

    Args:
        values: the column, of any type.
    """
    if not pd.api.types.is_datetime64_any_dtype(values):
        return None
    if values.dt.tz is not None:
        values = values.dt.tz_convert("UTC").dt.tz_localize(None)
    days = (values - pd.Timestamp(0).as_unit(values.dt.unit)).dt.days  # nanoseconds end in the year 2262
    return days.astype(np.float64).reset_index(drop=True)


def without_times(values: pd.Series) -> pd.Series:
    """Return a column of dates as text, without the times of day if it has 50,000 different texts or more.

    Times make nearly every text different, and each distinct text costs time.

    Args:
        values: the column. One that is not dictionary-encoded comes back unchanged.
    """
    if not isinstance(values.dtype, pd.CategoricalDtype) or len(values.cat.categories) < _MANY:
        return values
    categories = pa.array(values.cat.categories.astype(str), pa.string())
    dates = pc.replace_substring_regex(categories, _TIME, "").dictionary_encode()
    codes = values.cat.codes.to_numpy()
    taken = np.where(codes < 0, -1, np.asarray(dates.indices)[codes])
    return pd.Series(pd.Categorical.from_codes(taken, dates.dictionary.to_pylist()))


def date_column(name: str, column: Distinct) -> DateColumn:
    """Return the distinct texts of a column of dates, with every day that each could mean.

    For example, ``03/04/2026`` could be 3 April or 4 March. By all texts together, `orders_of` finds whether the day or
    the month comes first.

    Args:
        name: name of the column, for messages.
        column: the column.
    """
    return DateColumn.of(name, column.present)


def _are_whole(values: pd.Series) -> bool:
    known = values.dropna()
    return bool((known % 1 == 0).all() and (known.abs() < 2**53).all())
