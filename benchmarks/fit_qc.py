"""Fit the limits of quality control's rules on labelled edits. Report what each rule catches, and its false alarms.

    python -m benchmarks.defect_injection --json defects.json
    python -m benchmarks.escape --json escape.json
    python -m benchmarks.fit_qc defects.json escape.json [--yaml]

Labels: an edit made from truth without a defect is good, and so is a real cut-out that is acceptable by truth. An edit
with an injected defect is bad for the rules that should name this defect. A real cut-out that is not acceptable is bad
for the rules for which no defect is injected.

For a limit `bad`, two shares are computed: the share of bad edits beyond it, and the share of good products beyond it
times `ALARM_COST`. The limit with the greatest difference is taken; among limits that are about as good, the most
lenient. The limit `good` is half way to `bad` if no good edit is against this. Otherwise it is set so that 90 % of the
good products are on its right side.

Each product counts once, however many photographs of it there are. Only opaque products with hard edges count as good:
others go to people anyway. For the table, each product is judged by limits that were fitted without it.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.defects import DEFECTS
from benchmarks.qc_edits import HARD_KINDS
from packshot.qc.report import ALL_CODES
from packshot.qc.score import badness
from packshot.specs.load import default_folder, load_configs
from packshot.specs.models import RuleLimits

FITTED = (
    "gradient_alignment",
    "outline_shift",
    "fringe",
    "fringe_width",
    "jagged_edge",
    "edge_contrast",
    "uncertain_band",
    "islands",
    "haze_around",
    "network_disagreement",
    "network_disagreement_patch",
    "bite_suspected",
    "missing_part_suspected",
    "sharp_edge_outside",
    "punched_hole_suspected",
    "leftover_suspected",
    "loose_outline",
    "filled_hole_suspected",
    "blurred",
    "jpeg_blocks",
)
"""Rules whose limits are a matter of experience. The others follow from what was ordered."""
GOOD_QUANTILE = 0.9
ALARM_COST = 4.0
ABOUT_AS_GOOD = 0.02


@dataclasses.dataclass(frozen=True)
class Labelled:
    """One edit that quality control has judged, with the label that says whether it is good.

    Attributes:
        product: name of the product.
        hard: True for an opaque product with hard edges that lies wholly in the photograph.
        defect: the label. Empty for a good edit; the kind of defect that was put into it, such as ``punched hole``; or
            ``unacceptable`` for the machine's own edit if it is too far from the right one.
        measured: code of a rule -> measured value; None if it was not measured.
    """

    product: str
    hard: bool
    defect: str
    measured: dict[str, float | None]


def read_labelled(paths: Iterable[Path]) -> list[Labelled]:
    """Return the edits that `benchmarks.defect_injection` and `benchmarks.escape` wrote to JSON files.

    They are in the order of the files.

    Args:
        paths: the files.
    """
    return [_labelled(row) for path in paths for row in json.loads(path.read_text())]


def _labelled(row: dict[str, Any]) -> Labelled:
    defect = row["defect"] if "defect" in row else "unacceptable" if row["faults"] else ""
    hard = row["kind"] in HARD_KINDS and row["whole"]
    return Labelled(row["product"], hard, defect, row["measured"])


def values(rows: Sequence[Labelled], code: str) -> tuple[np.ndarray, np.ndarray]:
    """Return (a rule's measured values, their weights), each (edits,) float64.

    Edits that the rule did not measure are left out. The weights of each product's edits add up to 1, so that a product
    with many photographs counts once.

    Args:
        rows: the edits.
        code: code of the rule, such as ``fringe``.
    """
    known = [(row.product, float(value)) for row in rows if (value := row.measured.get(code)) is not None]
    products = [product for product, _ in known]
    weights = np.array([1 / products.count(product) for product in products])
    return np.array([value for _, value in known]), weights


def quantile(figures: np.ndarray, weights: np.ndarray, share: float) -> float:
    """Return the weighted quantile of some values.

    Args:
        figures: (values,).
        weights: (values,), how much each counts.
        share: 0..1; 0.5 gives the median.
    """
    order = np.argsort(figures)
    reached = np.cumsum(weights[order]) / weights.sum()
    return float(figures[order][min(int(np.searchsorted(reached, share)), len(order) - 1)])


def fit_rule(rows: Sequence[Labelled], code: str, old: RuleLimits) -> RuleLimits:
    """Return a rule's limits, fitted on labelled edits so that they part good edits from bad ones.

    The old limits come back if there are too few edits (10 good and 5 bad are needed), or if no limit catches more
    than it costs in false alarms.

    Args:
        rows: the edits.
        code: code of the rule, such as ``fringe``.
        old: the limits that the rule has now.
    """
    good, good_weights = values([row for row in rows if not row.defect and row.hard], code)
    bad, bad_weights = values([row for row in rows if is_bad_for(row, code)], code)
    if len(good) < 10 or len(bad) < 5:
        return old
    sign = 1.0 if old.bad >= old.good else -1.0
    best = _threshold(sign * good, good_weights, sign * bad, bad_weights)
    if best is None:
        return old
    fine = min(quantile(sign * good, good_weights, GOOD_QUANTILE), best)
    half_way = (sign * old_best_side(old) + best) / 2
    return old.model_copy(update={"good": _two_digits(sign * max(fine, half_way)), "bad": _two_digits(sign * best)})


def old_best_side(limits: RuleLimits) -> float:
    """Return the best value that a rule can measure: 0, or 1 if its limits say that greater values are better.

    Args:
        limits: the rule's limits.
    """
    return 0.0 if limits.bad >= limits.good else 1.0


def _threshold(good: np.ndarray, good_weights: np.ndarray, bad: np.ndarray, bad_weights: np.ndarray) -> float | None:
    """Return the most lenient of the best limits; None where no limit is better than none."""
    steps = np.unique(bad)
    caught = np.array([bad_weights[bad >= step].sum() / bad_weights.sum() for step in steps])
    alarms = np.array([good_weights[good >= step].sum() / good_weights.sum() for step in steps])
    worth = caught - ALARM_COST * alarms
    if worth.max() <= 0:
        return None
    return float(steps[np.flatnonzero(worth >= worth.max() - ABOUT_AS_GOOD)[-1]])


def is_bad_for(row: Labelled, code: str) -> bool:
    """Return whether a rule should object to an edit.

    True if the edit was given a defect that the rule is meant to find (`DEFECTS` says which). Some rules are meant to
    find none of these defects. For such a rule, it is True if the comparison with the right edit says that the edit
    is not acceptable.

    Args:
        row: the edit, with the defect that it was given.
        code: code of the rule, such as ``fringe``.
    """
    named = any(code in codes for _, codes in DEFECTS.values())
    if not named:
        return row.defect == "unacceptable"
    return row.defect in DEFECTS and code in DEFECTS[row.defect][1]


def _two_digits(value: float) -> float:
    return float(f"{value:.2g}")


def held_out(rows: Sequence[Labelled], code: str, old: RuleLimits) -> tuple[list[float], list[float]]:
    """Return (badness of good edits, badness of bad edits) by one rule.

    Both lists are sorted by product. The badness says what share of the rule's points an edit loses: 0 none, 1 all.
    Each product is judged by limits that were fitted without it. Good edits are only those of opaque products with hard
    edges. Edits that are neither good nor bad for this rule, and those without a measurement, are left out.

    Args:
        rows: the edits.
        code: code of the rule, such as ``fringe``.
        old: the limits that the rule has now.
    """
    good: list[float] = []
    bad: list[float] = []
    for product in sorted({row.product for row in rows}):
        limits = fit_rule([row for row in rows if row.product != product], code, old)
        for row in rows:
            value = row.measured.get(code)
            if row.product != product or value is None:
                continue
            if not row.defect and row.hard:
                good.append(badness(value, limits))
            elif is_bad_for(row, code):
                bad.append(badness(value, limits))
    return good, bad


def table(rows: Sequence[Labelled], rules: dict[str, RuleLimits]) -> str:
    """Return a Markdown table with a row for each fitted rule: its new limits, what it catches, and its false alarms.

    "What it catches" has two shares: of the bad edits that lose points by the rule, and of the bad edits that lose all
    points of the rule. "False alarms" has the same two shares of the good edits.

    Args:
        rows: the labelled edits.
        rules: code of a rule -> the limits that it has now.
    """
    lines = [
        "| rule | good | bad | bad edits: any points | bad edits: all | good edits: any points | good edits: all |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for code in (code for code in FITTED if code in rules):
        limits = fit_rule(rows, code, rules[code])
        good, bad = held_out(rows, code, rules[code])
        shares = [_share(bad, 0.0), _share(bad, 1.0), _share(good, 0.0), _share(good, 1.0)]
        lines.append(f"| {code} | {limits.good:g} | {limits.bad:g} | {' | '.join(shares)} |")
    return "\n".join(lines)


def _share(found: list[float], beyond: float) -> str:
    if not found:
        return "-"
    hits = sum(value >= 1 if beyond else value > 0 for value in found)
    return f"{hits / len(found):.1%} of {len(found)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("json", type=Path, nargs="+")
    parser.add_argument("--yaml", action="store_true", help="print the fitted limits for configs/qc.yaml")
    args = parser.parse_args()
    rows = read_labelled(args.json)
    rules = {code: limits for code, limits in load_configs(default_folder()).qc.rules.items() if code in ALL_CODES}
    print(table(rows, rules))
    if args.yaml:
        for code in (code for code in FITTED if code in rules):
            fitted = fit_rule(rows, code, rules[code])
            gate = str(fitted.gate).lower()
            facts = f"weight: {fitted.weight:g}, good: {fitted.good:g}, bad: {fitted.bad:g}, gate: {gate}"
            print(f"  {code}: {{{facts}}}")


if __name__ == "__main__":
    main()
