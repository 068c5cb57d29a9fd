"""How good the routing model is on products it never saw, and whether its promise holds.

    python -m benchmarks.routing [--json FILE] [--ship]

Reads what `benchmarks.routing_labels` kept. Every figure is on products left out of the training. The promise: of the
products a part is drawn for calibration, the rest is fresh; the limit follows from the first, and what the fresh ones
show is held against the promise, a hundred times. An escape is a shot that quality control and the model both let
through and that truth refuses. `--ship` trains the model that comes with Packshot, on products whose licence allows it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

import packshot.learning
import packshot.routing
from benchmarks.qc_edits import HARD_KINDS
from benchmarks.routing_labels import Labelled
from benchmarks.routing_table import CATEGORIES, read_table
from packshot.learning.measures import Quality, quality_of
from packshot.learning.training import held_out_probabilities, train
from packshot.routing.model import Example, Stage
from packshot.routing.promise import limit_for, promise_curve
from packshot.specs.models import Promise

LEAST_IN_LEAF = 3
CALIBRATION_RATIO = 0.7
RESAMPLINGS = 100
TRAINED_AT = datetime(2026, 11, 23, tzinfo=UTC)
_RULED = frozenset(CATEGORIES.values())

Row = tuple[Labelled, Example, float]
"""A photograph, what it teaches, and its probability by a model that did not see its product."""


def quality_table(rows: Sequence[Row], *, stage: Stage) -> str:
    """Return the figures by part of the data as a Markdown table."""
    parts = {
        "all": rows,
        "real and rendered products": [row for row in rows if not row[0].name.startswith("drawn/")],
        "drawn products": [row for row in rows if row[0].name.startswith("drawn/")],
        "no category with a rule": [row for row in rows if row[1].category not in _RULED],
    } | {kind: [row for row in rows if row[0].kind == kind] for kind in sorted({row[0].kind for row in rows})}
    lines = [
        f"\n{stage}:\n",
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


def resample(rows: Sequence[Row], promise: Promise) -> dict[str, float]:
    """Return how often fresh products keep a promise, and how much of what is easy goes unseen."""
    groups = np.array(sorted({one.group for _, one, _ in rows}))
    kept, promised, escapes = 0, 0, []
    shares: dict[str, list[float]] = {"easy": [], "easy and hard-edged": [], "easy and approved by quality control": []}
    for turn in range(RESAMPLINGS):
        drawn = np.random.default_rng(turn).permutation(groups)
        calibration = set(drawn[: round(CALIBRATION_RATIO * len(drawn))])
        pairs = [(p, one.refused) for _, one, p in rows if one.group in calibration and one.approved]
        limit = limit_for(pairs, promise)
        fresh = [row for row in rows if row[1].group not in calibration]
        most = -1.0 if limit.probability is None else limit.probability
        passed = [one.refused for _, one, p in fresh if one.approved and p <= most]
        promised += limit.probability is not None
        escapes.append(sum(passed) / len(passed) if passed else 0.0)
        kept += escapes[-1] <= promise.ratio
        for name, found in _automated_shares(fresh, most).items():
            shares[name].append(found)
    return {
        "promise": promise.ratio,
        "within": kept,
        "a limit was found": promised,
        "mean escape": float(np.mean(escapes)),
        **{f"automated of {name}": float(np.mean(found)) for name, found in shares.items()},
    }


def _automated_shares(fresh: Sequence[Row], most: float) -> dict[str, float]:
    """Of what truth accepts, the share that nobody needs to look at."""
    good = [row for row in fresh if not row[1].refused]
    parts = {
        "easy": good,
        "easy and hard-edged": [row for row in good if row[0].kind in HARD_KINDS],
        "easy and approved by quality control": [row for row in good if row[1].approved],
    }
    return {
        name: sum(one.approved and p <= most for _, one, p in part) / max(1, len(part)) for name, part in parts.items()
    }


def promise_table(rows: Sequence[Row]) -> str:
    """Return the resamplings and the curve of automation against the bound."""
    lines = []
    for title, part in (
        ("Category known, and none with a rule", [row for row in rows if row[1].category not in _RULED]),
        ("Category not known", list(rows)),
    ):
        found = [resample(part, Promise(ratio=ratio)) for ratio in (0.02, 0.03, 0.05)]
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
    """Write the examples that may be passed on, and the model trained on them."""
    examples = [one for labelled, one, _ in rows if labelled.free]
    said = f"{len(examples)} photographs composited from products with exact coverage, by benchmarks.routing_scenes"
    model = train(examples, at=TRAINED_AT, data=said)
    written = TypeAdapter(list[Example]).dump_json(examples)
    Path(packshot.learning.__path__[0], "truth.json").write_bytes(written)
    Path(packshot.routing.__path__[0], "shipped_model.json").write_text(model.model_dump_json())
    outside = [one for labelled, one, _ in rows if not labelled.free]
    for stage in Stage:
        said_of = [model.stage(stage).forest.probability(one.figures) for one in outside]
        print(f"shipped {model.version}, {stage}, on what may not be passed on: {_auc(said_of, outside)}")


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
    for stage in Stage:
        probabilities = held_out_probabilities(examples, stage, least_in_leaf=LEAST_IN_LEAF)
        rows = [(labelled, one, p) for (labelled, one), p in zip(table, probabilities, strict=True)]
        print(quality_table(rows, stage=stage))
        print(
            "\nsaid and happened, in tenths:", [(round(b.said, 3), round(b.refused, 3)) for b in _quality(rows).curve]
        )
    print(promise_table(rows))
    if args.json:
        args.json.write_text(json.dumps([(labelled.name, p, one.refused) for labelled, one, p in rows]))
    if args.ship:
        ship(rows)


if __name__ == "__main__":
    main()
