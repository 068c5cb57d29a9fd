"""A drawn shop: products with rates of their own, orders, and returns."""

from __future__ import annotations

import numpy as np
import pandas as pd

FIRST = pd.Timestamp("2026-01-01")
DAYS = 300


def orders(*, products: int = 200, lines: int = 60_000, seed: int = 1) -> pd.DataFrame:
    """Orders with returned ones; rates differ between products and rise over the year."""
    rng = np.random.default_rng(seed)
    rate = rng.gamma(4, 0.03, products)
    sku, day = rng.integers(0, products, lines), rng.integers(0, DAYS, lines)
    back = rng.random(lines) < np.clip(rate[sku] * (1 + 0.4 * day / DAYS), 0, 0.9)
    wait = rng.integers(1, 25, lines)
    return pd.DataFrame(
        {
            "order_date": FIRST + pd.to_timedelta(day, "D"),
            "sku": [f"P{number:03}" for number in sku],
            "quantity": 1,
            "return_date": (FIRST + pd.to_timedelta(day + wait, "D")).where(back),
            "reason": np.where(back, np.where(rng.random(lines) < 0.4, "NOT_AS_DESCRIBED", "TOO_SMALL"), None),
            "category": [("shoes", "shirts")[number % 2] for number in sku],
        }
    )


def with_effect(table: pd.DataFrame, skus: list[str], day: int, *, fewer: float, seed: int = 2) -> pd.DataFrame:
    """The same shop, where a share of the returns of some products never happened from a day on."""
    rng = np.random.default_rng(seed)
    gone = table["sku"].isin(skus) & (table["order_date"] >= FIRST + pd.Timedelta(day, "D"))
    gone &= rng.random(len(table)) < fewer
    return table.assign(return_date=table["return_date"].where(~gone), reason=table["reason"].where(~gone, None))
