"""Measure how good the routing model is on products that it never saw, and whether its promise is kept.

The routing model says how probable it is that a person would refuse the machine's edit of a shot. The promise is the
greatest share of wrong edits among those that are approved without a person.

    python -m benchmarks.routing [--json FILE] [--ship]

It reads the results of `benchmarks.routing_labels`. Every number is on products left out of the training.

The promise is tested a hundred times. Each time, some products are drawn at random for calibration, and the limit is
computed from them: the highest probability of a refusal with which a shot may pass. The share of escapes among the
other products is then compared with the promise. An escape is a shot that quality control and the model both let pass,
and whose edit is not acceptable by comparison with the right one.

`--ship` trains the model that comes with Packshot, on products whose licence allows it.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

import packshot.learning
import packshot.routing
from benchmarks.drawn_products import drawn_bodies
from benchmarks.qc_edits import HARD_KINDS, configs_and_rendition
from benchmarks.routing_labels import Labelled
from benchmarks.routing_table import CATEGORIES, read_table
from packshot.learning.measures import Quality, quality_of
from packshot.learning.training import held_out_probabilities, train
from packshot.routing.model import Example, ModelUse
from packshot.routing.promise import Limit, limit_for, promise_curve
from packshot.specs.models import Promise, RoutingConfig

LEAST_IN_LEAF = 3
CALIBRATION_RATIO = 0.7
RESAMPLINGS = 100
TRAINED_AT = datetime(2026, 11, 24, tzinfo=UTC)
_RULED = frozenset(CATEGORIES.values())

Row = tuple[Labelled, Example, float]
"""A photograph, what it teaches, and its probability by a model that did not see its product."""


def quality_table(rows: Sequence[Row], *, use: ModelUse) -> str:
    """Return how good the model's probabilities are, as a Markdown table with a row for each group of photographs.

    The groups are all photographs, real or rendered products, drawn products, categories without a rule, and each kind
    of product. Columns include the share that is really refused, the mean probability of a refusal, and the AUC.

    Args:
        rows: photographs, each with its label, its training example, and its probability of a refusal.
        use: which of the two models gave the probabilities: the one before or the one after the cut-out.
    """
    parts = {
        "all": rows,
        "real and rendered products": [row for row in rows if not row[0].name.startswith("drawn/")],
        "drawn products": [row for row in rows if row[0].name.startswith("drawn/")],
        "no category with a rule": [row for row in rows if row[1].category not in _RULED],
    } | {kind: [row for row in rows if row[0].kind == kind] for kind in sorted({row[0].kind for row in rows})}
    lines = [
        f"\n{use}:\n",
        "| | shots | products | refused | said | AUC | calibration error | wrong at 0.5 |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    return "\n".join([*lines, *(_quality_row(name, part) for name, part in parts.items() if part)])


def _quality_row(name: str, rows: Sequence[Row]) -> str:
    found = _quality(rows)
    said, wrong = np.mean([p for _, _, p in rows]), np.mean([(p >= 0.5) != one.refused for _, one, p in rows])
    auc = "-" if found.auc is None else f"{found.auc:.3f}"
    products = len({one.group for _, one, _ in rows})
    return (
        f"| {name} | {found.shots} | {products} | {found.refused / found.shots:.0%} | {said:.0%} | {auc} | "
        f"{found.calibration_error:.3f} | {wrong:.0%} |"
    )


def _quality(rows: Sequence[Row]) -> Quality:
    return quality_of([p for _, _, p in rows], [one.refused for _, one, _ in rows])


def resample(rows: Sequence[Row], before: Mapping[str, float], promise: Promise) -> dict[str, float]:
    """Return how well a promise is kept for products that no limit was computed from: column of the table -> number.

    A limit is the highest probability of a refusal with which a shot may pass. The products are split at random 100
    times. Limits come from one part, and the numbers of the table from the other. The columns:

    - "promise" is the promised ratio of wrong approvals, in 0..1.
    - "within" is the number of splits that kept it, "a limit was found" the number in which a limit could be found.
    - "mean escape" is the mean share of wrong edits among those that nobody would look at.
    - "easy: sent to the machine" and four columns that end in ": automated" are mean shares of the easy shots, whose
      edit is right. Automated means approved without a person. The four are for all easy shots and for three kinds.

    Args:
        rows: all labelled shots, with probabilities after the cut-out.
        before: each photograph's probability before the cut-out, by name. Both limits are computed from the same
            products.
        promise: the promise to test.
    """
    routing = configs_and_rendition()[0].routing
    groups = np.array(sorted({one.group for _, one, _ in rows}))
    promised, escapes, shares = 0, [], defaultdict(list)
    for turn in range(RESAMPLINGS):
        drawn = np.random.default_rng(turn).permutation(groups)
        calibration = set(drawn[: round(CALIBRATION_RATIO * len(drawn))])
        known = [row for row in rows if row[1].group in calibration]
        route = limit_for([(before[labelled.name], one.refused) for labelled, one, _ in known], routing.route)
        approve = limit_for([(p, one.refused) for _, one, p in known if one.approved], promise)
        fresh = [row for row in rows if row[1].group not in calibration]
        routed = {row[0].name for row in fresh if _is_routed(row[1], before[row[0].name], route, routing)}
        unseen = {row[0].name for row in fresh if row[1].approved and _is_within(row[2], approve)} & routed
        escaped = [one.refused for labelled, one, _ in fresh if labelled.name in unseen]
        promised += approve.probability is not None
        escapes.append(sum(escaped) / len(escaped) if escaped else 0.0)
        for name, part in _easy_parts(fresh).items():
            shares[f"{name}: automated"].append(_share(part, unseen))
        shares["easy: sent to the machine"].append(_share(_easy_parts(fresh)["easy"], routed))
    return {
        "promise": promise.ratio,
        "within": sum(escape <= promise.ratio for escape in escapes),
        "a limit was found": promised,
        "mean escape": float(np.mean(escapes)),
        **{name: float(np.mean(found)) for name, found in shares.items()},
    }


def _is_routed(one: Example, probability: float, limit: Limit, routing: RoutingConfig) -> bool:
    reached = any(one.figures[name.value] >= most for name, most in routing.complex.items())
    return not reached and _is_within(probability, limit)


def _is_within(probability: float, limit: Limit) -> bool:
    return limit.probability is not None and probability <= limit.probability


def _share(part: Sequence[Row], names: Collection[str]) -> float:
    return sum(row[0].name in names for row in part) / max(1, len(part))


def _easy_parts(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """What truth accepts of the machine's edit, and parts of it."""
    good = [row for row in rows if not row[1].refused]
    return {
        "easy": good,
        "easy, one product": [row for row in good if shows_one_product(row[0].name)],
        "easy, hard-edged": [row for row in good if row[0].kind in HARD_KINDS],
        "easy, approved by quality control": [row for row in good if row[1].approved],
    }


def shows_one_product(name: str) -> bool:
    """Return whether a photograph shows a single object. If it shows several, only people may separate them.

    Args:
        name: ``<product>#<turn>``, such as ``drawn/12#0``.
    """
    folder, stem = name.split("#")[0].split("/")
    return folder != "drawn" or drawn_bodies(int(stem)) == 1


def promise_table(rows: Sequence[Row], before: Mapping[str, float]) -> str:
    """Return Markdown tables about promises of at most 2, 3 and 5 % wrong approvals, with and without known categories.

    For each of the two cases, the first table says how well each promise is kept (`resample`). The second has a row
    for each share of the approved shots that could go out without a person: how many of them are refused, the upper
    bound of that, and the probability of a refusal up to which they would go out.

    Args:
        rows: all labelled shots, with probabilities after the cut-out.
        before: each photograph's probability before the cut-out, by name.
    """
    lines = []
    for title, part in (
        ("Category known, and none with a rule", [row for row in rows if row[1].category not in _RULED]),
        ("Category not known", list(rows)),
    ):
        found = [resample(part, before, Promise(ratio=ratio)) for ratio in (0.02, 0.03, 0.05)]
        lines += [f"\n{title}:\n", "| " + " | ".join(found[0]) + " |", "|---:" * len(found[0]) + "|"]
        lines += ["| " + " | ".join(f"{value:.3g}" for value in one.values()) + " |" for one in found]
        pairs = [(p, one.refused) for _, one, p in part if one.approved]
        lines += ["\n| approved shots automated | refused | 95 % bound | probability |", "|---:|---:|---:|---:|"]
        lines += [
            f"| {one.automated_ratio:.0%} | {one.refused_ratio:.1%} | {one.bound:.1%} | {one.probability:.3f} |"
            for one in promise_curve(pairs, confidence=0.95, points=10)
        ]
    return "\n".join(lines)


def ship(rows: Sequence[Row]) -> None:
    """Train the routing model that comes with Packshot (it predicts whether a person would refuse the machine's edit),
    and write the model and its examples into the package.

    Only examples whose licence allows it are used. Then print how good the model is on the other examples.

    Args:
        rows: all labelled shots.
    """
    examples = [one for labelled, one, _ in rows if labelled.free]
    said = f"{len(examples)} photographs composited from products with exact coverage, by benchmarks.routing_scenes"
    model = train(examples, at=TRAINED_AT, data=said)
    written = TypeAdapter(list[Example]).dump_json(examples)
    Path(packshot.learning.__path__[0], "truth.json").write_bytes(written)
    Path(packshot.routing.__path__[0], "shipped_model.json").write_text(model.model_dump_json())
    outside = [one for labelled, one, _ in rows if not labelled.free]
    for use in ModelUse:
        said_of = [model.use(use).forest.probability(one.figures) for one in outside]
        print(f"shipped {model.version}, {use}, on what may not be passed on: {_auc(said_of, outside)}")


def _auc(probabilities: Sequence[float], examples: Sequence[Example]) -> str:
    found = quality_of(probabilities, [one.refused for one in examples])
    return f"{found.shots} shots, AUC {found.auc:.3f}, calibration error {found.calibration_error:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, default=None, help="where to keep probabilities and truth")
    parser.add_argument("--ship", action="store_true", help="train and write the model that comes with Packshot")
    args = parser.parse_args()
    table = read_table()
    examples = [one for _, one in table]
    rows: list[Row] = []
    said: dict[ModelUse, dict[str, float]] = {}
    for use in ModelUse:
        probabilities = held_out_probabilities(examples, use, least_in_leaf=LEAST_IN_LEAF)
        rows = [(labelled, one, p) for (labelled, one), p in zip(table, probabilities, strict=True)]
        said[use] = {labelled.name: p for labelled, _, p in rows}
        print(quality_table(rows, use=use))
        print(
            "\nsaid and happened, in tenths:", [(round(b.said, 3), round(b.refused, 3)) for b in _quality(rows).curve]
        )
    print(promise_table(rows, said[ModelUse.ROUTE]))
    if args.json:
        args.json.write_text(json.dumps([(labelled.name, p, one.refused) for labelled, one, p in rows]))
    if args.ship:
        ship(rows)


if __name__ == "__main__":
    main()
