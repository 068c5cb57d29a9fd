"""Count how often the rule `pale_on_white` holds back a right edit.

    python -m benchmarks.pale_on_white [--set studio drawn left-out] [--most N] [--seed N] [--json FILE]

The rule looks for edges of a product that cannot be seen on white. A scene is a test photograph whose right edit is
known. Here every edit is that right edit. It is held back if this rule alone prevents its automatic approval. The
rule's limits were tuned on none of these scenes. With `--most`, at most so many scenes of each set are
used, drawn at random with the seed.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
from pathlib import Path
from typing import NamedTuple

import cv2

from benchmarks.qc_edits import configs_and_rendition, to_input, true_edit
from benchmarks.scenes import SETS, names_of
from packshot.qc.pale_rules import pale_on_white
from packshot.qc.scene import Scene

CODE = "pale_on_white"


class Outcome(NamedTuple):
    """What the rule `pale_on_white` says of one right edit. The rule looks for edges that cannot be seen on white.

    Attributes:
        case: name of the scene.
        kind: kind of the product, such as ``hard``, ``soft`` or ``glass``.
        whole: True if the whole product is in the photograph.
        share: length of the longest invisible stretch of the outline, as a share of the product's longest side; None if
            the matte has no outline.
        held_back: whether the rule stops the approval.
    """

    case: str
    kind: str
    whole: bool
    share: float | None
    held_back: bool


def examine(name: str) -> Outcome:
    """Return what the rule `pale_on_white` says of the right edit of a scene, which is made from the scene's truth.

    Args:
        name: the scene's name.
    """
    cv2.setNumThreads(1)
    case = true_edit(name)
    configs, rendition = configs_and_rendition()
    found = pale_on_white(Scene(to_input(case.edit, rendition)), configs.qc.rules[CODE])
    return Outcome(case.name, case.kind, case.whole, found.measured, found.stops_approval)


def chosen(which: str, *, most: int | None, seed: int) -> list[str]:
    """Return the names of the scenes to measure, from one set.

    If there are more than `most`, that many are drawn at random with the seed, and sorted.

    Args:
        which: the set: ``studio``, ``drawn``, ``all`` or ``left-out``, as in `benchmarks.scenes.names_of`.
        most: greatest number of scenes; None means all.
        seed: of the random choice.
    """
    names = names_of(which)
    return names if most is None or len(names) <= most else sorted(random.Random(seed).sample(names, most))


def table(found: dict[str, list[Outcome]], *, of: dict[str, int]) -> str:
    """Return how often the rule holds back right edits, by set of scenes and kind of product, as a Markdown table.

    Args:
        found: name of the set -> the results of the scenes that were measured.
        of: name of the set -> number of all its scenes.
    """
    lines = ["| scenes | kind | right edits | held back by the rule alone | which |", "|---|---|---:|---:|---|"]
    for which, outcomes in found.items():
        named = which if len(outcomes) == of[which] else f"{which}, {len(outcomes)} of {of[which]}"
        kinds = sorted({one.kind for one in outcomes})
        for kind, group in [(kind, [o for o in outcomes if o.kind == kind]) for kind in kinds] + [("all", outcomes)]:
            held = [one.case for one in group if one.held_back]
            share = f"{len(held)} ({len(held) / len(group):.1%})"
            lines.append(f"| {named} | {kind} | {len(group)} | {share} | {', '.join(held)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", nargs="+", choices=SETS, default=["studio", "drawn", "left-out"])
    parser.add_argument("--most", type=int, default=None)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--json", type=Path, default=None)
    args = parser.parse_args()
    found: dict[str, list[Outcome]] = {}
    with multiprocessing.get_context("spawn").Pool(args.workers) as pool:
        for which in args.set:
            found[which] = []
            for outcome in pool.imap(examine, chosen(which, most=args.most, seed=args.seed)):
                found[which].append(outcome)
                if args.json:
                    args.json.write_text(
                        json.dumps({name: [o._asdict() for o in ones] for name, ones in found.items()})
                    )
    print(table(found, of={which: len(names_of(which)) for which in found}))


if __name__ == "__main__":
    main()
