"""Test whether the report on the return rate is right, and what it costs for ten million order lines.

    python -m benchmarks.return_rate ../shared/data/returns/uci_online_retail_2010-12_2011-12.parquet [--turns 200]

A random quarter of the products in real orders gets random go-live dates. There are two series of turns. In the first,
nothing else changes. In the second, a fifth of the later returns is removed. So the true change is known. "Covered"
counts intervals that contain the true change. "Found" counts intervals that do not contain 0.
"""

from __future__ import annotations

import argparse
import dataclasses
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.machine import described
from packshot.outcomes.effect import effect_of, matched
from packshot.outcomes.golive import GoLive
from packshot.outcomes.orders import read_orders
from packshot.outcomes.return_page import return_page
from packshot.outcomes.return_report import report_returns
from packshot.outcomes.windows import Windows
from packshot.specs.returns import ReturnsConfig

LEAST_LINES = 1
SHARE_CHOSEN = 0.25


@dataclasses.dataclass(frozen=True)
class Planting:
    """One trial of the report on the return rate, with data whose true change of the rate is known.

    Changes are relative: -0.2 means a fifth less.

    Attributes:
        change: the measured change of the return rate.
        low, high: the ends of the confidence interval of the change.
        planted: the true change.
        returns: number of returns that it is computed from.
    """

    change: float
    low: float
    high: float
    planted: float
    returns: float

    @property
    def covered(self) -> bool:
        """Whether the measured interval contains the true change."""
        return self.low <= self.planted <= self.high

    @property
    def found(self) -> bool:
        """Whether the report found a change: the measured interval does not contain 0."""
        return not self.low <= 0 <= self.high


def plantings(
    lines: pd.DataFrame, config: ReturnsConfig, *, turns: int, fewer: float, seed: int, chosen: float = SHARE_CHOSEN
) -> Iterator[Planting]:
    """Yield trials of the report on real orders, in which the true change of the return rate is known.

    In each trial random products get random go-live dates, and a share of their later returns is removed. A trial in
    which no change can be computed is left out.

    Args:
        lines: order lines, as `read_orders` returns them.
        config: how the report is computed.
        turns: number of trials.
        fewer: the share that is removed, 0..1.
        seed: of everything that is random.
        chosen: share of the products that get a date.
    """
    rng, whole = np.random.default_rng(seed), Windows(lines)
    sold = whole.sum("lines", np.arange(len(whole.skus)), whole.first_day, whole.last_day + 1)
    selling = whole.skus[sold >= LEAST_LINES].to_numpy()
    days = np.arange(whole.first_day + config.window_days, whole.last_day - config.return_days - 45, 14)
    nothing = pd.Series(dtype=object)
    for _ in range(turns):
        skus = rng.choice(selling, size=round(len(selling) * chosen), replace=False)
        golive = dict(zip(skus, rng.choice(days, size=len(skus)).tolist(), strict=True))
        windows = Windows(_thinned(lines, golive, fewer, rng)) if fewer else whole
        effect = effect_of(windows, matched(windows, golive, nothing, config), config)
        if effect.change:
            yield Planting(effect.change.value, effect.change.low, effect.change.high, -fewer, effect.returns)


def _thinned(lines: pd.DataFrame, golive: dict[str, int], fewer: float, rng: np.random.Generator) -> pd.DataFrame:
    day = lines["sku"].astype(object).map(golive)
    gone = (lines["day"] >= day).to_numpy() & (rng.random(len(lines)) < fewer)
    return lines.assign(returned=np.where(gone, 0, lines["returned"]))


def large_shop(folder: Path, lines: int) -> tuple[Path, dict[str, int]]:
    """Write a Parquet file of drawn order lines; return (its path, the go-live day of each SKU in days since 1970).

    The orders are for 50,000 products over two years. A thousand of these have a go-live day.

    Args:
        folder: where the file is written.
        lines: number of order lines.
    """
    rng = np.random.default_rng(7)
    sku = rng.zipf(1.3, lines) % 50_000
    day = rng.integers(20_000, 20_730, lines)
    back = rng.random(lines) < 0.08
    table = pd.DataFrame(
        {
            "order_date": pd.to_datetime(day, unit="D"),
            "sku": pd.Categorical.from_codes(sku, pd.Index([f"SKU-{n:05}" for n in range(50_000)])).astype(str),
            "quantity": 1,
            "return_date": pd.to_datetime(np.where(back, day + rng.integers(1, 30, lines), np.nan), unit="D"),
        }
    )
    path = folder / "orders.parquet"
    table.to_parquet(path)
    return path, {f"SKU-{number:05}": 20_300 + number % 60 for number in range(0, 5000, 5)}


def main() -> None:
    """Print what the report takes for many order lines, and a table of how often its intervals are right."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("orders", type=Path)
    parser.add_argument("--turns", type=int, default=200)
    parser.add_argument("--lines", type=int, default=10_000_000)
    given = parser.parse_args()
    config = ReturnsConfig()
    print(described())
    if given.lines:
        with tempfile.TemporaryDirectory() as place:
            path, golive = large_shop(Path(place), given.lines)
            started = time.perf_counter()
            found = read_orders([path], return_days=config.return_days, image_reasons=config.image_reasons)
            return_page(report_returns(found, GoLive(golive), config))
            took, peak = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            print(f"{given.lines:,} order lines: {took:.1f} s, peak {peak / 2**20:.1f} GB with their making")
    lines = read_orders([given.orders], return_days=config.return_days, image_reasons=()).lines
    print("| planted | turns | covered | found | mean | half the interval | returns of the products |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for fewer, chosen in ((0.0, SHARE_CHOSEN), (0.2, SHARE_CHOSEN), (0.2, 0.5)):
        turns = list(plantings(lines, config, turns=given.turns, fewer=fewer, seed=1, chosen=chosen))
        covered, hits = (np.mean([getattr(one, name) for one in turns]) for name in ("covered", "found"))
        width = np.mean([(one.high - one.low) / 2 for one in turns])
        change, returns = np.mean([one.change for one in turns]), np.mean([one.returns for one in turns])
        shares = f"{covered:.1%} | {hits:.1%} | {change:+.1%} | {width:.0%}"
        print(f"| {-fewer:.0%} on {chosen:.0%} | {len(turns)} | {shares} | {returns:.0f} |")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
