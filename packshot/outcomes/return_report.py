"""Calculate the report on the return rate: overall, by client, category and product, and by week.

The weeks are counted from the day on which a product's new pictures went live.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from packshot.outcomes.effect import Effect, Pairs, effect_of, matched
from packshot.outcomes.exports import Export
from packshot.outcomes.golive import GoLive, read_golive
from packshot.outcomes.order_rows import Counted, Problem, Reading
from packshot.outcomes.orders import OrderLines, read_orders
from packshot.outcomes.windows import Windows
from packshot.sheets.identifiers import identifier
from packshot.specs.returns import ReturnsConfig, Writing
from packshot.types import Value

SCHEMA = "packshot-returns/1"
MOST_PRODUCTS = 50
_EPOCH = dt.date(1970, 1, 1)


class Group(Value):
    """One group of products with new pictures, and the effect on its return rate.

    Attributes:
        kind: ``client``, ``category`` or ``product``.
        name: the client, the category or the SKU.
        effect: the effect of new pictures on the group's return rate.
    """

    kind: str
    name: str
    effect: Effect


class Week(Value):
    """Return rates of one week before or after the new pictures.

    Attributes:
        week: 0 is the first week with the new pictures, -1 the week before.
        products, controls: share of order lines that were returned, 0..1, of the products with new pictures and of
            their controls; None if nothing was sold.
    """

    week: int
    products: float | None
    controls: float | None


class ReturnReport(Value):
    """The report on how return rates changed after new pictures. `report_returns` makes it.

    If too many rows of the files could not be used, it gives no number of a change, and `overall.insufficient` says
    why.

    Attributes:
        first_day, last_day: first day with an order, and last day in the files.
        order_lines: number of order lines.
        golive_products: number of products with a go-live day, on which new pictures appeared in the shop.
        unknown: SKUs of products with new pictures that have no orders.
        config: the windows and limits that were used.
        overall: the effect on all returns.
        pictured: the effect on returns whose reason concerns the picture; None if no reasons are known, or if no number
            is given.
        groups: the effect by client and category, and for the products that sell most; none if no number is given.
        weeks: return rates by week around the new pictures; none if no number is given.
        problems: rows that could not be used, or that occur several times and count once.
        has_reasons: True if any return has a reason.
        readings: how each file was read.
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
    has_reasons: bool = True
    readings: tuple[Reading, ...] = ()


def send_report(
    orders: Sequence[Export],
    returns: Sequence[Export],
    golive: Mapping[str, int],
    *,
    by_hand: Export | None,
    config: ReturnsConfig,
    writing: Writing,
) -> tuple[Any, Mapping[str, Any]]:
    """Return a pair: (the report on return rates as plain JSON, an empty mapping).

    It is called in a child process, where each function must return such a pair: plain JSON, and files by name. This
    function has no files.

    Args:
        orders, returns: files with orders, and files with returns only.
        golive: SKU -> day of the new pictures, in days since 1970.
        by_hand: table of go-live days written by people; None if there is none. They win over `golive`.
        config: the windows and limits to use.
        writing: notation of dates and numbers, for columns whose values do not show it.
    Raises:
        UnreadableError: a file is no table or lacks a column; its dates or numbers cannot be read; or no row can be
            used.
        TooLargeError: the files hold more than the limits allow.
    """
    sold = read_orders(
        orders,
        returns,
        return_days=config.return_days,
        image_reasons=config.image_reasons,
        limits=config.tables,
        writing=writing,
    )
    known = GoLive({identifier(sku): day for sku, day in golive.items()})
    if by_hand:
        stated = read_golive(by_hand, writing=writing, limits=config.tables)
        known = stated._replace(days={**known.days, **stated.days})
    return report_returns(sold, known, config).model_dump(mode="json"), {}


SEND_REPORT = f"{__name__}:{send_report.__name__}"


def report_returns(orders: OrderLines, golive: GoLive, config: ReturnsConfig) -> ReturnReport:
    """Return the report on how the return rate of products changed after new pictures.

    No number is given if too many rows or returns could not be used, because the rest could give a wrong number. The
    report's `overall.insufficient` then says why.

    Args:
        orders: the order lines with their returns.
        golive: the days of the new pictures.
        config: the windows and limits to use.
    """
    windows = Windows(orders.lines)
    pairs = matched(windows, golive.days, orders.products["category"], config)
    withheld = (
        why_withheld(orders.counted, config)
        or _nobody_bought(windows, golive.days)
        or _nothing_came_back(orders.lines, orders.counted)
    )
    has_reasons = orders.has_reasons
    readings = (*orders.readings, *([golive.reading] if golive.reading else []))
    return ReturnReport(
        first_day=_EPOCH + dt.timedelta(days=windows.first_day),
        last_day=_EPOCH + dt.timedelta(days=orders.last_day),
        order_lines=len(orders.lines),
        golive_products=len(golive.days),
        unknown=tuple(sorted(sku for sku in golive.days if sku not in windows.skus)),
        config=config,
        overall=Effect(insufficient=withheld) if withheld else effect_of(windows, pairs, config),
        pictured=None if withheld or not has_reasons else effect_of(windows, pairs, config, figure="pictured"),
        has_reasons=has_reasons,
        groups=() if withheld else tuple(_groups(windows, pairs, orders.products, config)),
        weeks=() if withheld else tuple(_weeks(windows, pairs, config)),
        problems=(*orders.problems, *golive.problems),
        readings=readings,
    )


def why_withheld(counted: Counted, config: ReturnsConfig) -> str:
    """Return why the report gives no number of a change, in words; empty if it gives one.

    The reason is too many unusable rows, too many returns without an order, or too many returns dated before their
    order: the rest could give a wrong number.

    Args:
        counted: how many rows could be used, and how many returns have an order.
        config: its `most_lost_ratio` is the greatest allowed share of each of the three.
    """
    for what, lost, of in (
        ("rows cannot be used", counted.unusable, counted.rows),
        ("returns match no order", counted.unmatched, counted.returns),
        ("returns are dated before their order", counted.impossible, counted.dated),
    ):
        if lost > config.most_lost_ratio * of:
            return (
                f"withheld: {lost:,} of {of:,} {what} ({lost / of:.0%}); with more than {config.most_lost_ratio:.0%} "
                "the figure could say anything"
            )
    return ""


def _nobody_bought(windows: Windows, golive: Mapping[str, int]) -> str:
    """Return that no product with a go-live date was ordered, and how the SKUs differ; empty otherwise."""
    if not golive:
        return "insufficient data: no product has a go-live date"
    if any(sku in windows.skus for sku in golive):
        return ""
    return (
        f"insufficient data: no product with a go-live date ({len(golive):,}) was ordered; their SKUs are written"
        f" like {next(iter(golive))!r}, those of the orders like {windows.skus[0]!r}"
    )


def _nothing_came_back(lines: pd.DataFrame, counted: Counted) -> str:
    """Return that no return counts, and why: all are early, or there are none at all; empty if one counts."""
    if lines["returned"].any():
        return ""
    if counted.early and counted.early == counted.returns:
        return (
            f"insufficient data: all {counted.returns:,} returns are older than the orders, or from their first days, "
            "and match none; the files of orders and of returns are of different times, or their dates are wrong"
        )
    if counted.returns or counted.dated:
        return "insufficient data: no return in the files counts; the rows that were left out say why"
    return (
        "insufficient data: the files hold no returns; if they are in files of their own, give these too "
        "(--returns, or returns/<client>/returns/ in storage)"
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
        effect = effect_of(windows, pairs.of(np.array([product])), alone)
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
