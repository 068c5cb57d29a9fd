"""Find the order line (one product in one order) to which each return belongs."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import pandas as pd

UNMATCHED = "returns of orders that the files do not hold"
IMPOSSIBLE = "returns dated before their order; they do not count"


class Unmatched(NamedTuple):
    """How many returns could not be added to an order line.

    Attributes:
        lost: returns of no order, although the files should contain it.
        early: returns of no order, at most `return_days` after the first order in the files; their orders may be older
            than the files.
        impossible: returns dated before the order whose number and SKU they have.
    """

    lost: int = 0
    early: int = 0
    impossible: int = 0


def count_own_returns(lines: pd.DataFrame, return_days: int, reasons: re.Pattern[str]) -> tuple[int, int]:
    """Add to each order line how many of its units came back, by what the order's own row says.

    The row may state the returned units, or only a date of return; then all units of the line count. Two columns are
    added, float32, from 0 to the ordered units: ``units_back`` has all returned units, ``pictured`` only those whose
    reason concerns the picture.

    Args:
        lines: the order lines; changed in place.
        return_days: returns more than so many days after the order do not count.
        reasons: a return reason concerns the picture if this pattern is found anywhere in it. ``_`` and ``-`` in the
            reason count as spaces.
    Returns:
        (number of rows with a return and its date, how many of these dates are before the order's; those returns do not
        count).
    """
    told = lines["returned"].fillna(0)
    told = told.where(told > 0, lines["quantity"].where(lines["back_day"].notna(), 0))
    after = lines["back_day"] - lines["day"]
    in_time = lines["back_day"].isna() | after.between(0, return_days)
    lines["units_back"] = np.minimum(told.where(in_time, 0), lines["quantity"]).astype(np.float32)
    lines["pictured"] = lines["units_back"].where(_is_the_picture_s(lines["reason"], reasons), 0).astype(np.float32)
    dated = (told > 0) & lines["back_day"].notna()
    return int(dated.sum()), int((dated & (after < 0)).sum())


def _is_the_picture_s(reason: pd.Series, reasons: re.Pattern[str]) -> pd.Series:
    words = reason.dropna().astype("string").unique()
    yes = {word for word in words if reasons.search(re.sub(r"[_\-]+", " ", str(word)))}
    return reason.isin(yes)


def match(lines: pd.DataFrame, back: pd.DataFrame, return_days: int, reasons: re.Pattern[str]) -> Unmatched:
    """Add returns from other reports to their order lines. Return how many have none, by the reason.

    A return belongs to the last earlier order line with the same order number and SKU; without an order number, with
    the same customer and SKU. A lost return has no order line although the files should contain one. An early return
    has none either, but is at most `return_days` after the first order in the files, so its order may be older than the
    files.

    Args:
        lines: the order lines, as `count_own_returns` leaves them. The columns ``units_back`` and ``pictured`` are
            raised in place, at most to the ordered units. A column ``line``, the number of the row, is added.
        back: the returns, one per row.
        return_days: returns more than so many days after the order do not count.
        reasons: a return reason concerns the picture if this pattern is found anywhere in it. ``_`` and ``-`` in the
            reason count as spaces.
    """
    back = back.assign(pictured=_is_the_picture_s(back["reason"], reasons)).sort_values("back_day")
    lines["line"] = np.arange(len(lines))
    first_full_day = int(lines["day"].min()) + return_days
    unmatched = early = impossible = 0
    for by in ("order", "customer"):
        mine = back[back["order"].notna()] if by == "order" else back[back["order"].isna()]
        if mine.empty:
            continue
        found = _found(lines, mine, by)
        rest = mine[~mine.index.isin(found.index[found["line"].notna()])]
        before = _of_known_orders(lines, rest) if by == "order" else np.zeros(len(rest), bool)
        impossible += int(before.sum())
        lost = rest.loc[~before, "back_day"]
        unmatched += int((lost > first_full_day).sum())
        early += int((lost <= first_full_day).sum())
        in_time = found[found["line"].notna() & (found["back_day"] - found["day"] <= return_days)]
        for column, units in (
            ("units_back", in_time["returned"]),
            ("pictured", in_time["returned"].where(in_time["pictured"], 0)),
        ):
            total = np.bincount(in_time["line"].astype(np.int64), units.astype(float), minlength=len(lines))
            lines[column] = np.minimum(lines[column] + total, lines["quantity"]).astype(np.float32)
    return Unmatched(unmatched, early, impossible)


def _of_known_orders(lines: pd.DataFrame, back: pd.DataFrame) -> np.ndarray:
    """Return for each return whether the files hold its order number with its SKU, on whatever day."""
    if back.empty:
        return np.zeros(0, bool)
    mine = lines.loc[lines["order"].isin(back["order"]), ["order", "sku"]]
    known = pd.MultiIndex.from_frame(mine.astype(str))
    return np.asarray(pd.MultiIndex.from_frame(back[["order", "sku"]].astype(str)).isin(known), bool)


def _found(lines: pd.DataFrame, mine: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return the returns that have a number or customer, with ``line`` and ``day`` of their orders, by their index."""
    known = lines.loc[lines[by].notna(), ["line", "sku", by, "day"]].sort_values("day")
    keys = [by, "sku"]
    left = mine[mine[by].notna()].astype({by: str, "sku": str, "back_day": np.int64})
    right = known.astype({by: str, "sku": str, "day": np.int64})
    found = pd.merge_asof(
        left.drop(columns=["day"]), right, left_on="back_day", right_on="day", by=keys, direction="backward"
    )
    return found.set_index(left.index)
