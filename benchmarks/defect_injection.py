"""Count how many defects quality control holds back, and how many it names correctly.

    python -m benchmarks.defect_injection [--repeats N] [--json FILE]

The right edits of test photographs are known exactly. Each of these good edits gets one defect at a time, at a random
place and of a random strength (benchmarks/defects.py). A seed fixes what is random, so each call gives the same. The
table counts three things:

- Held back: the verdict is not auto_approve.
- Named correctly: one of the findings for this kind of defect did not pass.
- False alarm: a good edit without a defect is not approved. If the photograph itself cuts the product, the edit has to
  go to a person. Such edits are counted separately.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import multiprocessing
import zlib
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from benchmarks.defects import DEFECTS, Edit
from benchmarks.qc_edits import HARD_KINDS, Case, configs_and_rendition, to_input, true_edit
from benchmarks.scenes import SETS, names_of
from packshot.errors import EmptySubjectError
from packshot.qc import judge
from packshot.types import Status, Verdict

TRIES = 6


@dataclasses.dataclass(frozen=True)
class Outcome:
    """Quality control's verdict on one good edit, or on one into which a defect was put.

    Attributes:
        case: name of the scene (the test photograph, whose right edit is known).
        product: name of the object that it shows.
        kind: kind of the product, such as ``hard``, ``soft`` or ``glass``.
        whole: False if the photograph itself cuts the product.
        defect: the defect that was put into it, such as ``punched hole``; empty if none.
        verdict: ``auto_approve``, ``human_review`` or ``reject_and_redo``; "empty" if no product was found any more.
        score: in 0..100.
        named: True if a finding that belongs to this defect did not pass, or if no product was found any more. For an
            edit without a defect it is True only if no product was found.
        wrong: codes of all findings with a warning or a failure.
        measured: code of a rule -> measured value; None if it was not measured.
    """

    case: str
    product: str
    kind: str
    whole: bool
    defect: str
    verdict: str
    score: float
    named: bool
    wrong: tuple[str, ...]
    measured: dict[str, float | None]


def examine(name: str, repeats: int, kinds: tuple[str, ...]) -> list[Outcome]:
    """Return what quality control says of one good edit: first as it is, then with each kind of defect put into it.

    The first outcome is that of the edit without a defect. Place and strength of each defect are drawn with a seed from
    the scene's name, the kind and the number of the defect, so a second call gives the same. A defect is left out if
    six tries at random places find no room for it on the product.

    Args:
        name: name of a scene, as `benchmarks.scenes.names_of` lists them. Its true edit is the good one.
        repeats: how many defects of each kind are made.
        kinds: kinds of defects: keys of `DEFECTS`, such as ``punched hole`` or ``blur``.
    """
    cv2.setNumThreads(1)
    case = true_edit(name)
    outcomes = [_outcome(case, "", case.edit, frozenset())]
    for label in kinds:
        make, codes = DEFECTS[label]
        for repeat in range(repeats):
            rng = np.random.default_rng(zlib.crc32(f"{name} {label} {repeat}".encode()))
            found = (make(case.edit, rng) for _ in range(TRIES))
            edit = next((changed for changed in found if changed is not None), None)
            if edit is not None:
                outcomes.append(_outcome(case, label, edit, codes))
    return outcomes


def _outcome(case: Case, defect: str, edit: Edit, codes: frozenset[str]) -> Outcome:
    facts = (case.name, case.product, case.kind, case.whole, defect)
    configs, rendition = configs_and_rendition()
    try:
        report = judge(to_input(edit, rendition), configs.qc)
    except EmptySubjectError:
        return Outcome(*facts, "empty", 0, True, ("empty_product",), {})
    wrong = tuple(f.code for f in report.findings if f.status in (Status.WARNING, Status.FAILED))
    measured = {f.code: f.measured for f in report.findings}
    return Outcome(*facts, report.verdict, report.score, bool(codes & set(wrong)), wrong, measured)


def table(outcomes: list[Outcome]) -> str:
    """Return how many defects are held back and named, by kind of defect, as a Markdown table.

    Lines below it have the false alarms by kind of product. The table's last column leaves out products whose edit is
    not approved even without a defect.

    Args:
        outcomes: all judged edits, those without a defect too.
    """
    approved = {o.case for o in outcomes if not o.defect and o.verdict == Verdict.AUTO_APPROVE}
    lines = [
        "| defect | edits | kept back | rightly named | kept back, of those otherwise approved |",
        "|---|---:|---:|---:|---:|",
    ]
    groups = {label: [o for o in outcomes if o.defect == label] for label in DEFECTS}
    groups["all"] = [o for o in outcomes if o.defect]
    for label, group in groups.items():
        if group:
            fair = [o for o in group if o.case in approved]
            named = float(np.mean([o.named for o in group]))
            lines.append(
                f"| {label} | {len(group)} | {_kept(group):.1%} | {named:.1%} | {_kept(fair):.1%} of {len(fair)} |"
            )
    lines += _alarms([o for o in outcomes if not o.defect])
    return "\n".join(lines)


def _kept(group: list[Outcome]) -> float:
    return float(np.mean([o.verdict != Verdict.AUTO_APPROVE for o in group])) if group else 1.0


def _alarms(good: list[Outcome]) -> list[str]:
    kinds = sorted({o.kind for o in good} - set(HARD_KINDS))
    whole = [o for o in good if o.whole]
    groups = {"hard-edged opaque": [o for o in whole if o.kind in HARD_KINDS]}
    groups |= {kind: [o for o in whole if o.kind == kind] for kind in kinds}
    groups["cut by the frame (rightly held back)"] = [o for o in good if not o.whole]
    lines = []
    for kind, group in groups.items():
        names = [o.case for o in group if o.verdict != Verdict.AUTO_APPROVE]
        if group:
            lines.append(f"\nFalse alarms, {kind}: {len(names)} of {len(group)}. {', '.join(names)}")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--set", choices=SETS, default="all")
    parser.add_argument("--only", nargs="*", default=None, help="parts of case names")
    parser.add_argument("--defects", nargs="*", default=None, help="parts of defect names")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", type=Path, default=None)
    args = parser.parse_args()
    everything = names_of(args.set)
    names = [n for n in everything if args.only is None or any(part in n for part in args.only)]
    kinds = tuple(k for k in DEFECTS if args.defects is None or any(part in k for part in args.defects))
    outcomes: list[Outcome] = []
    with multiprocessing.get_context("spawn").Pool(args.workers) as pool:
        for found in pool.imap_unordered(partial(examine, repeats=args.repeats, kinds=kinds), names):
            outcomes += found
            if args.json:  # after each: a long measurement that is stopped has not been for nothing
                args.json.write_text(json.dumps([dataclasses.asdict(o) for o in outcomes]))
    print(table(outcomes))


if __name__ == "__main__":
    main()
