"""Read exports of orders and returns into one table of order lines.

Formats are recognised by their columns: a plain table, an order ledger with credit notes, Amazon's order and FBA
returns reports, Shopify's order and returns exports. Rows that cannot be used are counted and reported. They do not
stop the rest.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from packshot.errors import UnreadableError
from packshot.outcomes.exports import Budget, Export
from packshot.outcomes.matching import IMPOSSIBLE, UNMATCHED, count_own_returns, match
from packshot.outcomes.order_rows import Counted, OrderReader, Problem, Reading
from packshot.specs.returns import TableLimits, Writing

_DAY_NUMBER = re.compile(r"row \d+: [2-6]\d{4}(?:[.,]\d+)?,")
_DAY_NUMBERS_STEP = (
    "Its dates are a spreadsheet's day numbers, such as 45991. Format the column as a date there, and export it again."
)


@dataclasses.dataclass(frozen=True, eq=False)
class OrderLines:
    """Order lines from a shop's exports, one per row, with what came back of each. `read_orders` makes it.

    Attributes:
        lines: columns ``sku`` (text), ``day`` (int32, days since 1970), ``quantity``, ``returned`` and ``pictured``
            (float32). ``returned`` counts units that came back within the allowed time. ``pictured`` counts only those
            whose reason concerns the picture.
        products: one row per SKU, which is the table's row label (pandas index), with the columns ``category`` and
            ``client``; missing where the files do not state them.
        last_day: the last day in the files, in days since 1970.
        has_reasons: True if any return has a reason.
        problems: rows that could not be used, or that occur several times and count once.
        readings: how each file was read.
        counted: how many rows of the files could be used.
    """

    lines: pd.DataFrame
    products: pd.DataFrame
    last_day: int
    has_reasons: bool
    problems: tuple[Problem, ...]
    readings: tuple[Reading, ...] = ()
    counted: Counted = dataclasses.field(default_factory=Counted)


def read_orders(
    orders: Iterable[Path | Export],
    returns: Iterable[Path | Export] = (),
    *,
    return_days: int,
    image_reasons: Iterable[str],
    limits: TableLimits | None = None,
    writing: Writing | None = None,
) -> OrderLines:
    """Return the order lines of a shop's exports, with the returned units of each.

    Every value is read as text. The notation of dates and numbers is decided once for each column. A line that occurs
    in two files counts once, if it has an order number.

    Args:
        orders: files with orders. They may also hold returns, in own columns or as credit notes.
        returns: reports with returns only. They are matched to orders by order number and SKU, or without an order
            number by customer and SKU.
        return_days: returns more than so many days after the order do not count.
        image_reasons: a return reason that contains one of these texts, in upper or lower case, concerns the picture.
        limits: limits for all files together; None: the defaults.
        writing: notation of dates and numbers, for columns whose values do not show it.
    Raises:
        UnreadableError: a file is not a table, or lacks a date, SKU or quantity column; or the values of a column do
            not show the order of day and month or the decimal sign; or no order can be used.
        TooLargeError: the files hold more than the limits allow.
    """
    reader = OrderReader(Budget(limits or TableLimits()), writing or Writing())
    sold, back = [], []
    for table in reader.files(orders, "order_date"):
        notes = table["quantity"] < 0
        back.append(_credit_notes(table[notes]))
        sold.append(table[~notes])
    back += [
        table.assign(returned=table["returned"].fillna(table["quantity"]).abs())
        for table in reader.files(returns, "return_date")
    ]
    lines = reader.once(sold, ["order", "sku", "day", "quantity"], "order lines") if sold else pd.DataFrame()
    if lines.empty:
        raise _nothing_usable(reader.problems)
    came_back = reader.once(back, ["number", "sku", "back_day", "returned"], "returns") if back else pd.DataFrame()
    last_day = max([lines["day"].max(), *([came_back["day"].max()] if len(came_back) else [])])
    reasons = re.compile("|".join(re.escape(word) for word in image_reasons) or r"(?!)", re.IGNORECASE)
    dated, impossible = count_own_returns(lines, return_days, reasons)
    has_reasons = bool(lines["reason"].notna().any() or (len(came_back) and came_back["reason"].notna().any()))
    counted = dataclasses.replace(reader.counted, dated=dated, impossible=impossible)
    if len(came_back):
        no_order = match(lines, came_back, return_days, reasons)
        counted = dataclasses.replace(
            counted,
            returns=len(came_back),
            unmatched=no_order.lost,
            early=no_order.early,
            dated=dated + len(came_back) - no_order.lost - no_order.early,
            impossible=impossible + no_order.impossible,
        )
        early = f"{UNMATCHED}, from the first {return_days} days, where older orders come back"
        reader.note("returns", no_order.lost, UNMATCHED)
        reader.note("returns", no_order.early, early)
    reader.note("returns", counted.impossible, IMPOSSIBLE)
    products = lines.groupby("sku", observed=True)[["category", "client"]].first()
    kept = lines[["sku", "day", "quantity", "units_back", "pictured"]].rename(columns={"units_back": "returned"})
    return OrderLines(
        kept, products, int(last_day), has_reasons, tuple(reader.problems), tuple(reader.readings), counted
    )


def _nothing_usable(problems: Sequence[Problem]) -> UnreadableError:
    numbered = any(_DAY_NUMBER.match(example) for one in problems for example in one.examples)
    return UnreadableError(
        "there is no order line that can be used",
        ", ".join(dict.fromkeys(one.file for one in problems)) or "the files",
        found="; ".join(": ".join(filter(None, (one.in_words, ", ".join(one.examples)))) for one in problems)[:500],
        allowed="rows with a date such as 2026-03-01, a SKU and a quantity",
        next_step=_DAY_NUMBERS_STEP if numbered else "Export the orders again.",
    )


def _credit_notes(table: pd.DataFrame) -> pd.DataFrame:
    nobody = pd.Series(pd.NA, table.index, dtype="string")  # the number of a credit note is not that of its order
    return table.assign(returned=-table["quantity"], order=nobody, back_day=table["day"])
