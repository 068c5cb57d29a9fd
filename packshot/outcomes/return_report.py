"""The report on the return rate: overall, by client, category and product, and by week around the new pictures."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from packshot.errors import UnreadableError
from packshot.outcomes.effect import Effect, Pairs, effect_of, matched
from packshot.outcomes.exports import Export
from packshot.outcomes.orders import OrderLines, Problem, read_orders
from packshot.outcomes.windows import Windows
from packshot.specs.returns import ReturnsConfig
from packshot.types import Value

SCHEMA = "packshot-returns/1"
MOST_PRODUCTS = 50
_EPOCH = dt.date(1970, 1, 1)


class Group(Value):
    """The effect on a group of products."""

    kind: str
    name: str
    effect: Effect


class Week(Value):
    """Return rates of one week, counted from the new pictures; None if nothing was sold.

    Attributes:
        week: 0 is the first week with the new pictures.
    """

    week: int
    products: float | None
    controls: float | None


class ReturnReport(Value):
    """The change of the return rate.

    Attributes:
        first_day, last_day: of the orders.
        overall: from all returns.
        pictured: from returns whose reason concerns the picture; None if no reasons are known.
        unknown: products with new pictures that have no orders.
    """

    schema_name: str = SCHEMA
    first_day: dt.date
    last_day: dt.date
    order_lines: int
    golive_products: int
    unknown: tuple[str, ...]
    config: ReturnsConfig
    overall: Effect
    pictured: Effect | None
    groups: tuple[Group, ...]
    weeks: tuple[Week, ...]
    problems: tuple[Problem, ...]


def send_report(
    orders: Sequence[Export],
    returns: Sequence[Export],
    golive: Mapping[str, int],
    *,
    by_hand: Export | None,
    config: ReturnsConfig,
) -> tuple[Any, Mapping[str, Any]]:
    """Return the report as plain JSON, and an empty mapping of parts, as a separate process must return them.

    Args:
        golive: as for `report_returns`.
        by_hand: CSV with go-live days written by people. They win over `golive`.
    """
    sold = read_orders(
        orders, returns, return_days=config.return_days, image_reasons=config.image_reasons, limits=config.tables
    )
    days = {**golive, **(read_golive(by_hand) if by_hand else {})}
    return report_returns(sold, days, config).model_dump(mode="json"), {}


SEND_REPORT = f"{__name__}:{send_report.__name__}"


def read_golive(file: Path | Export) -> dict[str, int]:
    """Return SKU -> day on which its new pictures went live, in days since 1970.

    The CSV has the columns sku and date. Example: ``A1,2026-03-01``.

    Raises:
        UnreadableError: a column is missing, or a date cannot be read.
    """
    path = Export.of(file)
    found: dict[str, int] = {}
    for number, row in enumerate(csv.DictReader(io.StringIO(_text_of(path), newline="")), start=2):
        cells = {str(name).strip().lower(): (value or "").strip() for name, value in row.items()}
        try:
            found[cells["sku"]] = (dt.date.fromisoformat(cells["date"][:10]) - _EPOCH).days
        except (KeyError, ValueError) as error:
            raise UnreadableError(
                "a go-live date cannot be read",
                f"{path.name}, row {number}",
                found=", ".join(f"{name}={value}" for name, value in cells.items())[:200],
                allowed="columns sku and date, dates as 2026-03-01",
            ) from error
    return found


def _text_of(file: Export) -> str:
    try:
        return file.data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError("this is no text", file.name, allowed="CSV in UTF-8") from error


def report_returns(orders: OrderLines, golive: Mapping[str, int], config: ReturnsConfig) -> ReturnReport:
    """Return the report on the return rate of products with new pictures.

    Args:
        golive: SKU -> day of the new pictures, in days since 1970.
    """
    windows = Windows(orders.lines)
    pairs = matched(windows, golive, orders.products["category"], config)
    has_reasons = orders.has_reasons
    return ReturnReport(
        first_day=_EPOCH + dt.timedelta(days=windows.first_day),
        last_day=_EPOCH + dt.timedelta(days=orders.last_day),
        order_lines=len(orders.lines),
        golive_products=len(golive),
        unknown=tuple(sorted(sku for sku in golive if sku not in windows.skus)),
        config=config,
        overall=effect_of(windows, pairs, config),
        pictured=effect_of(windows, pairs, config, figure="pictured") if has_reasons else None,
        groups=tuple(_groups(windows, pairs, orders.products, config)),
        weeks=tuple(_weeks(windows, pairs, config)),
        problems=orders.problems,
    )


def _groups(windows: Windows, pairs: Pairs, products: pd.DataFrame, config: ReturnsConfig) -> list[Group]:
    """Return the effects by client and by category, where the files state them, and for the best-selling products."""
    treated = np.unique(pairs.treated)
    found = []
    for kind in ("client", "category"):
        names = products[kind].reindex(windows.skus[treated]).astype("string").fillna("").to_numpy()
        found += [
            Group(kind=kind, name=name, effect=effect_of(windows, pairs.of(treated[names == name]), config))
            for name in sorted(set(names) - {""})
        ]
    ours = pairs.of(treated)
    own = ~ours.is_control
    sold = windows.sum(
        "lines", ours.product[own], ours.day[own] - config.window_days, ours.day[own] + config.window_days
    )
    alone = config.model_copy(update={"least_products": 1})
    for product in ours.product[own][np.argsort(-sold, kind="stable")][:MOST_PRODUCTS]:
        effect = effect_of(windows, pairs.of(np.array([product])), alone)  # gives its rates, but no change
        found.append(Group(kind="product", name=str(windows.skus[product]), effect=effect))
    return found


def _weeks(windows: Windows, pairs: Pairs, config: ReturnsConfig) -> list[Week]:
    """Return the weeks before and after the new pictures. A product counts only in weeks whose returns are complete."""
    closed = windows.last_day + 1 - config.return_days
    reach = config.window_days // 7
    weeks = []
    for week in range(-reach, reach):
        start, end = pairs.day + 7 * week, np.minimum(pairs.day + 7 * week + 7, closed)
        whole = (end - start == 7) & (start >= windows.first_day)
        lines, back = (windows.sum(name, pairs.product, start, end) * whole for name in ("lines", "returned"))
        rates = [_share(back[side], lines[side]) for side in (~pairs.is_control, pairs.is_control)]
        weeks.append(Week(week=week, products=rates[0], controls=rates[1]))
    return weeks


def _share(back: np.ndarray, lines: np.ndarray) -> float | None:
    return float(back.sum() / lines.sum()) if lines.sum() else None
