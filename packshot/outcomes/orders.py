"""Read exports of orders and returns into one table of order lines.

Formats are recognised by their columns: a plain table, an order ledger with credit notes, Amazon's order and FBA
returns reports, Shopify's order and returns exports. Rows that cannot be used are counted and reported. They do not
stop the rest.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from packshot.errors import UnreadableError
from packshot.outcomes.exports import Budget, Export, read_export
from packshot.specs.returns import TableLimits
from packshot.types import Value

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "order_date": ("order date", "purchase date", "invoicedate", "created at", "date", "ordered at"),
    "return_date": ("return date", "returned at", "day"),
    "sku": ("sku", "stockcode", "lineitem sku", "variant sku", "seller sku", "product variant sku", "merchant sku"),
    "quantity": ("quantity", "lineitem quantity", "quantity purchased", "qty"),
    "returned": ("returned quantity", "quantity returned", "returned", "returns"),
    "reason": ("reason", "return reason"),
    "order": ("order id", "amazon order id", "order name", "name", "invoiceno", "order"),
    "customer": ("customerid", "customer id", "customer", "email"),
    "client": ("client", "brand", "vendor"),
    "category": ("category", "product type", "department"),
}
"""Our column name -> known headers, in lower case and without punctuation. The first one in the file counts."""
MOST_EXAMPLES = 3


class Problem(Value):
    """Rows that could not be used.

    Attributes:
        file: name of the file.
        what: the problem, in words.
        examples: the first such rows: row number in the file (the header is row 1) and content.
    """

    file: str
    what: str
    rows: int
    examples: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, eq=False)
class OrderLines:
    """Order lines, one per row.

    Attributes:
        lines: columns ``sku`` (category), ``day`` (int32, days since 1970), ``quantity``, ``returned`` and ``pictured``
            (float32). ``returned`` counts units returned within the allowed time, ``pictured`` those of them whose
                reason
            concerns the picture.
        products: ``category`` and ``client`` by SKU, as far as the files state them.
        last_day: the last day in the files.
        has_reasons: True if any return has a reason.
        problems: rows that could not be used.
    """

    lines: pd.DataFrame
    products: pd.DataFrame
    last_day: int
    has_reasons: bool
    problems: tuple[Problem, ...]


def read_orders(
    orders: Iterable[Path | Export],
    returns: Iterable[Path | Export] = (),
    *,
    return_days: int,
    image_reasons: Iterable[str],
    limits: TableLimits | None = None,
) -> OrderLines:
    """Return the order lines of exports, with the returned units of each.

    Args:
        orders: CSV or Parquet files with orders. They may also hold returns, in own columns or as credit notes.
        returns: reports with returns only. They are matched to orders by order number and SKU, or without an order
            number
            by customer and SKU.
        return_days: later returns do not count.
        image_reasons: words in a return reason that concern the picture.
        limits: limits for all files together.
    Raises:
        UnreadableError: a file is not a table, or lacks a date, SKU or quantity column; or no order can be used.
        TooLargeError: the files hold more than the limits allow.
    """
    problems: list[Problem] = []
    sold, back = [], []
    budget = Budget(limits or TableLimits())
    for one in map(Export.of, orders):
        table = _usable(read_export(one, _chosen, budget), one.name, "order_date", problems)
        notes = table["quantity"] < 0
        back.append(_credit_notes(table[notes]))
        sold.append(table[~notes])
    for one in map(Export.of, returns):
        table = _usable(read_export(one, _chosen, budget), one.name, "return_date", problems)
        back.append(table.assign(returned=table["returned"].fillna(table["quantity"]).abs()))
    lines = pd.concat(sold, ignore_index=True) if sold else pd.DataFrame()
    if lines.empty:
        raise _nothing_usable(problems)
    came_back = [one for one in back if len(one)]
    last_day = max([lines["day"].max(), *(one["day"].max() for one in came_back)])
    reasons = re.compile("|".join(re.escape(word) for word in image_reasons) or r"(?!)", re.IGNORECASE)
    _count_own_returns(lines, return_days, reasons)
    has_reasons = bool(lines["reason"].notna().any() or any(one["reason"].notna().any() for one in came_back))
    if came_back:
        _match(lines, pd.concat(came_back, ignore_index=True), return_days, reasons, problems)
    products = lines.groupby("sku", observed=True)[["category", "client"]].first()
    kept = lines[["sku", "day", "quantity", "units_back", "pictured"]].rename(columns={"units_back": "returned"})
    return OrderLines(kept, products, int(last_day), has_reasons, tuple(problems))


def _nothing_usable(problems: Sequence[Problem]) -> UnreadableError:
    return UnreadableError(
        "there is no order line that can be used",
        ", ".join(dict.fromkeys(one.file for one in problems)) or "the files",
        found="; ".join(f"{one.rows:,} rows with {one.what}: {', '.join(one.examples)}" for one in problems)[:500],
        allowed="rows with a date such as 2026-03-01, a SKU and a quantity",
        next_step="Export the orders again.",
    )


def _chosen(heads: Sequence[str]) -> dict[str, str]:
    """Return the known columns of a file: its header -> our name."""
    known = {_plain(head): head for head in heads}
    taken = {ours: known[word] for ours, words in COLUMNS.items() for word in reversed(words) if word in known}
    if "return_date" in taken and taken.get("order_date") == taken["return_date"]:
        del taken["order_date"]
    return {theirs: ours for ours, theirs in taken.items()}


def _plain(head: str) -> str:
    return re.sub(r"[\W_]+", " ", head).strip().lower()


def _usable(table: pd.DataFrame, name: str, date: str, problems: list[Problem]) -> pd.DataFrame:
    """Return the rows with a date, a SKU and a quantity, with dates as days. The other rows are added to `problems`."""
    date = date if date in table else ("order_date" if date == "return_date" else date)
    missing = [one for one in (date, "sku", "quantity") if one not in table]
    if missing == ["quantity"] and "returned" in table:
        table, missing = table.assign(quantity=table["returned"]), []
    if missing:
        raise UnreadableError(
            "the file lacks a column",
            name,
            found=", ".join(table.columns) or "no known column",
            allowed=" and ".join(f"{one} ({', '.join(COLUMNS[one])})" for one in missing),
        )
    for one in COLUMNS:
        if one not in table:
            table[one] = np.nan if one in ("quantity", "returned") else pd.Series(pd.NA, table.index, dtype="string")
    day, quantity = _days(table[date]), pd.to_numeric(table["quantity"], errors="coerce")
    sku = table["sku"].astype("string").str.strip()
    wrong = day.isna() | quantity.isna() | (quantity == 0) | sku.isna() | (sku == "")
    if wrong.any():
        shown = table.loc[wrong, [date, "sku", "quantity"]].head(MOST_EXAMPLES)
        examples = tuple(f"row {row[0] + 2}: {row[1]}, {row[2]}, {row[3]}" for row in shown.itertuples())
        what = "no date, SKU or quantity that can be read"
        problems.append(Problem(file=name, what=what, rows=int(wrong.sum()), examples=examples))
    kept = table.assign(day=day, quantity=quantity, sku=sku)[~wrong].reset_index(drop=True)
    kept["back_day"] = _days(kept["return_date"]) if date == "order_date" else kept["day"]
    kept["returned"] = pd.to_numeric(kept["returned"], errors="coerce")
    return kept.astype({"day": np.int32, "quantity": np.float32})


def _days(values: pd.Series) -> pd.Series:
    """Return days since 1970; NaN where a date cannot be read."""
    if not pd.api.types.is_datetime64_any_dtype(values):
        text = values.astype("string").str.slice(0, 10) if _looks_iso(values) else values.astype("string")
        values = pd.to_datetime(text, errors="coerce", format="%Y-%m-%d" if _looks_iso(text) else "mixed", utc=True)
    elif values.dt.tz is not None:
        values = values.dt.tz_convert("UTC")
    values = values.dt.tz_localize(None) if values.dt.tz is not None else values
    return (values - pd.Timestamp(0).as_unit(values.dt.unit)).dt.days  # nanoseconds end in the year 2262


def _looks_iso(values: pd.Series) -> bool:
    known = values.dropna()
    return bool(len(known)) and bool(re.match(r"\d{4}-\d\d-\d\d", str(known.iloc[0])))


def _credit_notes(table: pd.DataFrame) -> pd.DataFrame:
    nobody = pd.Series(pd.NA, table.index, dtype="string")  # the number of a credit note is not that of its order
    return table.assign(returned=-table["quantity"], order=nobody, back_day=table["day"])


def _count_own_returns(lines: pd.DataFrame, return_days: int, reasons: re.Pattern[str]) -> None:
    """Count returns that are in the order's own row, as a quantity or only as a date."""
    told = lines["returned"].fillna(0)
    told = told.where(told > 0, lines["quantity"].where(lines["back_day"].notna(), 0))
    in_time = lines["back_day"].isna() | (lines["back_day"] - lines["day"] <= return_days)
    lines["units_back"] = np.minimum(told.where(in_time, 0), lines["quantity"]).astype(np.float32)
    lines["pictured"] = lines["units_back"].where(_is_the_picture_s(lines["reason"], reasons), 0).astype(np.float32)


def _is_the_picture_s(reason: pd.Series, reasons: re.Pattern[str]) -> pd.Series:
    words = reason.dropna().astype("string").unique()
    yes = {word for word in words if reasons.search(re.sub(r"[_\-]+", " ", str(word)))}
    return reason.isin(yes)


def _match(
    lines: pd.DataFrame, back: pd.DataFrame, return_days: int, reasons: re.Pattern[str], problems: list[Problem]
) -> None:
    """Add each return to the last earlier order line with the same order number and SKU.

    A return without an order number is matched by customer and SKU.
    """
    back = back.assign(pictured=_is_the_picture_s(back["reason"], reasons)).sort_values("back_day")
    lines["line"] = np.arange(len(lines))
    unmatched = 0
    for by in ("order", "customer"):
        mine = back[back["order"].notna()] if by == "order" else back[back["order"].isna()]
        if mine.empty:
            continue
        known = lines.loc[lines[by].notna(), ["line", "sku", by, "day"]].sort_values("day")
        keys = [by, "sku"]
        left = mine[mine[by].notna()].astype({by: str, "sku": str, "back_day": np.int64})
        right = known.astype({by: str, "sku": str, "day": np.int64})
        found = pd.merge_asof(
            left.drop(columns=["day"]), right, left_on="back_day", right_on="day", by=keys, direction="backward"
        )
        unmatched += len(mine) - int(found["line"].notna().sum())
        in_time = found[found["line"].notna() & (found["back_day"] - found["day"] <= return_days)]
        for column, units in (
            ("units_back", in_time["returned"]),
            ("pictured", in_time["returned"].where(in_time["pictured"], 0)),
        ):
            total = np.bincount(in_time["line"].astype(np.int64), units.astype(float), minlength=len(lines))
            lines[column] = np.minimum(lines[column] + total, lines["quantity"]).astype(np.float32)
    if unmatched:
        what = "returns of orders that the files do not hold"
        problems.append(Problem(file="returns", what=what, rows=unmatched))
