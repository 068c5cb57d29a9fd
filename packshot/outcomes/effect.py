"""Estimate the effect of new pictures on the return rate, by difference in differences.

For each product, a window of time before its new pictures is compared with a window after them. Control products with
unchanged pictures are compared in the same windows. There are two groups: the products with new pictures, and their
controls. The change of each group is a Mantel-Haenszel rate ratio over products (Greenland and Robins 1985):

    ratio = sum(R_after N_before / N) / sum(R_before N_after / N),   N = N_before + N_after

N counts order lines (one product in one order) and R counts returned ones. Single products may have too few orders for
a rate of their own; this ratio does not need one. The effect is the ratio of the two groups' ratios. Its variance is
calculated on the logarithm, between products: the orders of one product may depend on each other, so each product is
one cluster. The interval uses Student's t, with effective degrees of freedom (Satterthwaite), at half of the allowed
error probability (`BETWEEN_PRODUCTS`).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from packshot.outcomes.windows import Windows
from packshot.specs.returns import ReturnsConfig
from packshot.types import Value

LIKE_VOLUME = 4.0
"""A control product sells at most this many times more or less."""
BETWEEN_PRODUCTS = 0.5
"""Share of the allowed error probability for variance between products.

The rest is for variance that products do not show, such as customers who return a whole parcel.
"""
_ONE_PRODUCT = "insufficient data: all returns of the {whose} before the new pictures, or all after them, are of one"
_NOTHING = 1e-9
"""A sum of returned lines below this is rounding error."""
CHOSEN_FOR_RETURNS = 1.15
"""Rise before the new pictures, as a factor relative to the controls, from which regression to the mean is reported."""


class Interval(Value):
    """A value with its confidence interval.

    Attributes:
        value: the estimate.
        low, high: lower and upper end of the interval.
    """

    value: float
    low: float
    high: float


class Effect(Value):
    """How the return rate of some products changed after new pictures, compared with control products.

    Control products are similar ones whose pictures did not change. `effect_of` calculates the effect.

    Attributes:
        insufficient: why no change can be calculated; empty if it can.
        change: relative change compared with the controls, with its confidence interval. -0.2 means a fifth less. None
            if it can't be calculated.
        points: the change as a difference of return rates: 0.01 is one percentage point. None if there is no `change`.
        before, after: return rate of the products with new pictures, 0..1, before and after these; None if there are
            too few products or returns.
        controls_change: relative change of the control products alone; None if there is no `change`.
        significant: True if the interval of the change does not contain 0.
        products, controls: number of products in each group.
        lines, returns: number of order lines of the products with new pictures, and how many of these were returned.
        warnings: reasons to doubt the result, in words.
    """

    insufficient: str = ""
    change: Interval | None = None
    points: Interval | None = None
    before: Interval | None = None
    after: Interval | None = None
    controls_change: Interval | None = None
    significant: bool = False
    products: int = 0
    controls: int = 0
    lines: int = 0
    returns: float = 0.0
    warnings: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Pairs:
    """Products with new pictures and their control products, each with the day on which the new pictures went live.

    `matched` makes it. All arrays are int64, one entry per pair of a product with the product whose pictures are new.

    Attributes:
        product: (pairs,) the product: its position in `Windows.skus`.
        day: (pairs,) the go-live day, in days since 1970.
        treated: (pairs,) the product with new pictures: its position in `Windows.skus`. It equals `product`, or
            `product` is its control.
    """

    product: NDArray[np.int64]
    day: NDArray[np.int64]
    treated: NDArray[np.int64]

    def of(self, products: NDArray[np.int64]) -> Pairs:
        """Return only the pairs that belong to some products with new pictures: these products and their controls.

        Args:
            products: the products with new pictures, as positions of their SKUs in `Windows.skus`.
        """
        kept = np.isin(self.treated, products)
        return Pairs(self.product[kept], self.day[kept], self.treated[kept])

    @property
    def is_control(self) -> NDArray[np.bool_]:
        """(pairs,) bool: True if the pair's product is a control, False if it is the product with new pictures."""
        return np.asarray(self.product != self.treated)


def matched(windows: Windows, golive: Mapping[str, int], category: pd.Series, config: ReturnsConfig) -> Pairs:
    """Return the products with new pictures and, for each, the most similar control products.

    A control is a product without new pictures, of the same category, that sold similarly in the window before the
    go-live day: between a quarter and 4 times as many order lines. Among equally similar products, the choice is random
    with a fixed seed. Without the random choice, one product would be the control of all products that sell little. A
    product with new pictures that was never ordered is left out.

    Args:
        windows: the order lines by product and day.
        golive: SKU -> day of the new pictures, in days since 1970.
        category: the categories, with the SKUs as the series' index. Products without a category form one of their own.
        config: number of controls for each product, and length of the window.
    """
    positions = windows.skus.get_indexer(pd.Index(list(golive)))
    known = positions >= 0
    treated, day = positions[known].astype(np.int64), np.array(list(golive.values()), np.int64)[known]
    kinds = category.reindex(windows.skus).astype("string").fillna("").to_numpy()
    others = np.setdiff1d(np.arange(len(windows.skus)), treated)
    parts = [(treated, day, treated)]
    rng = np.random.default_rng(0)
    for when in np.unique(day):
        mine = treated[day == when]
        start = when - config.window_days
        sold = windows.sum("lines", others, start, when)
        selling = others[sold > 0]
        volume = np.log(sold[sold > 0])
        wanted = np.log(np.maximum(windows.sum("lines", mine, start, when), 1))
        for product, like in zip(mine, wanted, strict=True):
            apart = np.where(kinds[selling] == kinds[product], np.abs(volume - like), np.inf)
            shuffled = rng.permutation(len(apart))
            nearest = shuffled[np.argsort(apart[shuffled], kind="stable")[: config.controls]]
            chosen = selling[nearest[apart[nearest] <= np.log(LIKE_VOLUME)]]
            parts.append((chosen, np.full(len(chosen), when), np.full(len(chosen), product)))
    return Pairs(*(np.concatenate(column).astype(np.int64) for column in zip(*parts, strict=True)))


def effect_of(windows: Windows, pairs: Pairs, config: ReturnsConfig, *, figure: str = "returned") -> Effect:
    """Return how the return rate changed after new pictures, compared with control products.

    Control products are similar ones whose pictures did not change. If there is too little data, the result says why
    and has no change.

    Args:
        windows: the order lines by product and day.
        pairs: the products with their controls.
        config: length of the windows, confidence, and the least numbers of products and returns.
        figure: ``returned``, or ``pictured`` for returns whose reason concerns the picture.
    """
    closed = windows.last_day + 1 - config.return_days
    span = _Span(windows, pairs, figure, config.window_days, closed)
    ours, theirs = span.part(~pairs.is_control), span.part(pairs.is_control)
    facts = {
        "products": ours.products,
        "controls": theirs.products,
        "lines": int(ours.lines_before.sum() + ours.lines_after.sum()),
        "returns": float(ours.before.sum() + ours.after.sum()),
    }
    why = _too_little(ours, theirs, config)
    if why:
        return Effect(insufficient=why, **facts)
    before, after = (ours.rate(after=side, confidence=config.confidence) for side in (False, True))
    alone = ours.products == 1
    if theirs.rests_on_one or (ours.rests_on_one and not alone):
        whose = "control products" if theirs.rests_on_one else "products with new pictures"
        return Effect(insufficient=_ONE_PRODUCT.format(whose=whose), before=before, after=after, **facts)
    change, controls_change = ours.log_ratio_alone() if alone else ours.log_ratio(), theirs.log_ratio()
    effect = change.minus(controls_change)
    interval = effect.relative(config.confidence)
    return Effect(
        change=interval,
        points=_points(after.value, interval),
        before=before,
        after=after,
        controls_change=controls_change.relative(config.confidence),
        significant=not interval.low <= 0 <= interval.high,
        warnings=tuple(_warnings(windows, pairs, figure, config)),
        **facts,
    )


def _points(after: float, change: Interval) -> Interval:
    """Return the change as a difference of rates: the rate after minus the rate expected without the change."""
    value, low, high = (after - after / max(1 + one, 1e-9) for one in (change.value, change.low, change.high))
    return Interval(value=value, low=low, high=high)


@dataclasses.dataclass(frozen=True)
class _Log:
    """The logarithm of a ratio, with the contribution of each product to its error.

    Attributes:
        parts: (products,). The sum of their squares is the variance between products.
        counted: variance of counts, for a single product; it is added.
    """

    value: float
    parts: NDArray[np.float64]
    counted: float = 0.0

    def minus(self, other: _Log) -> _Log:
        parts = np.concatenate([self.parts, other.parts])
        return _Log(self.value - other.value, parts, self.counted + other.counted)

    def relative(self, confidence: float) -> Interval:
        """Return the relative change that the ratio means (the ratio minus 1), with its confidence interval.

        Args:
            confidence: of the interval, 0..1, such as 0.95.
        """
        from scipy import stats  # slow to import, and only this report needs it

        variance = float((self.parts**2).sum()) + self.counted
        freedom = max(1.0, variance**2 / max(float((self.parts**4).sum()), 1e-30) - 1)
        reach = float(stats.t.ppf(1 - (1 - confidence) / 2 * BETWEEN_PRODUCTS, freedom)) * variance**0.5
        low, value, high = (float(np.expm1(self.value + way)) for way in (-reach, 0, reach))
        return Interval(value=value, low=low, high=high)


@dataclasses.dataclass(frozen=True)
class _Side:
    """Order lines and returned ones before and after, (pairs,) each, for one group of products."""

    product: NDArray[np.int64]
    treated: NDArray[np.int64]
    lines_before: NDArray[np.float64]
    lines_after: NDArray[np.float64]
    before: NDArray[np.float64]
    after: NDArray[np.float64]

    @property
    def products(self) -> int:
        return len(np.unique(self.product))

    def _terms(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return each pair's terms in the two sums of the Mantel-Haenszel ratio."""
        total = self.lines_before + self.lines_after
        return self.after * self.lines_before / total, self.before * self.lines_after / total

    def _sums(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return each product's terms in the two sums, (products,) each. A product in several pairs is added up."""
        owner, total = np.unique(self.product, return_inverse=True)[1], self.lines_before + self.lines_after
        up, down = self.after * self.lines_before / total, self.before * self.lines_after / total
        return np.bincount(owner, up).astype(np.float64), np.bincount(owner, down).astype(np.float64)

    def log_ratio(self) -> _Log:
        """Return the logarithm of the ratio of the group's return rates, after the new pictures to before them.

        It is the Mantel-Haenszel rate ratio over products, with each product's part in the error.
        """
        return _log_ratio(*self._sums())

    def log_ratio_alone(self) -> _Log:
        """Return the logarithm of the ratio of return rates, after to before, if the group has only one product.

        With one product there is no spread between products. So the error is that of two counts (Katz 1978).
        """
        lines, back = (np.array([one.sum() for one in pair]) for pair in self._both)
        value = float(np.log(back[1] / lines[1]) - np.log(back[0] / lines[0]))
        return _Log(value, np.zeros(0), float((1 / back - 1 / lines).sum()))

    @property
    def _both(self) -> tuple[tuple[NDArray[np.float64], ...], tuple[NDArray[np.float64], ...]]:
        return (self.lines_before, self.lines_after), (self.before, self.after)

    @property
    def rests_on_one(self) -> bool:
        """True if all returns of the group before, or after, the new pictures are of one product.

        The spread between products then says nothing.
        """
        return any(float(one.sum() - one.max()) <= _NOTHING for one in self._sums())

    def rate(self, *, after: bool, confidence: float) -> Interval:
        """Return the share of the group's order lines that were returned, 0..1, with its confidence interval.

        Args:
            after: True for the window after the new pictures, False for the window before.
            confidence: of the interval, 0..1.
        """
        from scipy import stats

        lines, back = (self.lines_after, self.after) if after else (self.lines_before, self.before)
        value = float(back.sum() / lines.sum())
        rest = np.bincount(np.unique(self.product, return_inverse=True)[1], back - value * lines)
        error = float((rest**2).sum() ** 0.5 / lines.sum())
        reach = float(stats.t.ppf(0.5 + confidence / 2, max(1, self.products - 1))) * error
        return Interval(value=value, low=max(0.0, value - reach), high=min(1.0, value + reach))


def _log_ratio(up: NDArray[np.float64], down: NDArray[np.float64]) -> _Log:
    """Return the logarithm of the ratio of two sums over products, with jackknife variance.

    The usual linear variance is too small if a few products make most of the sales.
    """
    value = float(np.log(up.sum() / down.sum()))
    without = np.log((up.sum() - up) / (down.sum() - down))
    return _Log(value, (without - value) * ((len(up) - 1) / len(up)) ** 0.5)


class _Span:
    """The windows before and after, for all pairs. A window ends early where returns are still possible."""

    def __init__(self, windows: Windows, pairs: Pairs, figure: str, days: int, closed: int) -> None:
        end = np.minimum(pairs.day + days, closed)
        self._pairs = pairs
        before, after = (pairs.day - days, pairs.day), (pairs.day, np.maximum(end, pairs.day))
        self._lines = [windows.sum("lines", pairs.product, *span) for span in (before, after)]
        self._back = [windows.sum(figure, pairs.product, *span) for span in (before, after)]

    def part(self, wanted: NDArray[np.bool_]) -> _Side:
        """Return the sales and returns of some pairs (products), without those that sold nothing before or after.

        Args:
            wanted: (pairs,) True for the pairs to return.
        """
        kept = wanted & (self._lines[0] > 0) & (self._lines[1] > 0)
        lines, back = ([one[kept] for one in pair] for pair in (self._lines, self._back))
        return _Side(self._pairs.product[kept], self._pairs.treated[kept], *lines, *back)


def _too_little(ours: _Side, theirs: _Side, config: ReturnsConfig) -> str:
    sides = {"products with new pictures": ours, "control products": theirs}
    for what, side in sides.items():
        if side.products < config.least_products:
            return (
                f"insufficient data: {side.products} {what} sold before and after; "
                f"at least {config.least_products} are needed"
            )
    for what, side in sides.items():
        for when, back in (("before", side.before), ("after", side.after)):
            if back.sum() <= 0:
                return f"insufficient data: none of the {what} came back {when} the new pictures"
    returns = float(ours.before.sum() + ours.after.sum())
    if returns < config.least_returns:
        return f"insufficient data: {math.floor(returns)} returns; at least {config.least_returns} are needed"
    return ""


def _warnings(windows: Windows, pairs: Pairs, figure: str, config: ReturnsConfig) -> list[str]:
    """Return reasons to doubt the result.

    If products were chosen because their returns were high, the rate falls without any new picture. So the same effect
    is calculated for the window before.
    """
    shifted = Pairs(pairs.product, pairs.day - config.window_days, pairs.treated)
    span = _Span(windows, shifted, figure, config.window_days, int(pairs.day.max()))
    ours, theirs = span.part(~pairs.is_control), span.part(pairs.is_control)
    if _too_little(ours, theirs, config) or ours.rests_on_one or theirs.rests_on_one:
        return ["Whether these products were chosen because their returns were high cannot be told: too little before."]
    rise = ours.log_ratio().minus(theirs.log_ratio()).relative(config.confidence)
    if rise.low > 0 and 1 + rise.value >= CHOSEN_FOR_RETURNS:
        return [
            f"Regression to the mean: before the new pictures these products' rate had just risen by {rise.value:.0%} "
            "against the controls. Products chosen while their returns are high fall back by themselves."
        ]
    return []
