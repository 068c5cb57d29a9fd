"""Find which rules of quality control stop right edits, and what would change if one rule alone could not stop an edit.

    python -m benchmarks.agreement [--scenes escape.json] [--near]

A suspicion is the finding of a rule that a place of the edit may be wrong. The edits are of real photographs, and
people have looked at them (benchmarks/seen). Only the half of the products is used on which limits may be chosen. An
edit is right if everybody who looked at it accepted it. With ``--scenes`` there are also the hard-edged scenes that
`benchmarks.escape --json` judged. The right edit of a scene is known, and the comparison with it says whether the
machine's edit is right.

The first table has a row for each right edit that is not approved: the suspicions that stop it, each with its
measurement divided by its limit, and the other findings that stop it. In the second table a single suspicion stops an
edit only from a limit of its own. That limit is the least measurement at which it alone stops a wrong edit of another
product. If there is none, it never stops an edit alone. So each product is left out of its own limits.

``--near`` also counts edits whose matte is no longer the one that was looked at, by their newest verdict. Another
processor computes the network's matte a little differently.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.escape import Judged
from benchmarks.qc_edits import HARD_KINDS
from benchmarks.seen import editing, verdicts
from benchmarks.seen.photographs import Half
from benchmarks.seen.table import Pair, pairs_of
from packshot.qc.report import COMPONENT_NAMES, COMPONENTS
from packshot.qc.score import badness
from packshot.specs.load import default_folder, load_configs
from packshot.specs.models import QcConfig
from packshot.types import Verdict

SUSPICIONS = (
    "network_overruled",
    "network_overruled_detail",
    "outline_unproven",
    "bite_suspected",
    "missing_part_suspected",
    "sharp_edge_outside",
    "punched_hole_suspected",
    "leftover_suspected",
    "loose_outline",
    "filled_hole_suspected",
    "kept_shadow_suspected",
    "base_unproven",
    "backdrop_patch_suspected",
    "backdrop_strip_suspected",
    "backdrop_left_suspected",
    "pale_on_white",
)
"""Rules that can be wrong about a place. Others state a fact, such as a product that the frame cuts."""


@dataclasses.dataclass(frozen=True)
class Case:
    """An edit, with the findings that stop its approval, and whether it is really right.

    Attributes:
        name: name of the photograph or the scene.
        product: edits of the same product are left out together when limits are chosen.
        right: whether the edit is really right. An edit of a real photograph is right if everybody who looked at it
            accepted it. An edit of a scene is right if the comparison with the known right edit finds no fault.
        approved: whether quality control approves the edit now.
        over: code of each suspicion that stops the approval -> the suspicion's measurement, divided by its limit. A
            suspicion is the finding of a rule that a place of the edit may be wrong.
        facts: codes of all other findings that stop the approval.
        points: the edit's score, 0..100, as if no suspicion had taken points from it.
    """

    name: str
    product: str
    right: bool
    approved: bool
    over: Mapping[str, float]
    facts: tuple[str, ...]
    points: float

    def approved_with(self, alone: Mapping[str, float], *, at: float) -> bool:
        """Return whether the edit would be approved if a single suspicion stopped it only from a limit of its own.

        Two suspicions together always stop it. So do its other findings (`facts`), and a score below `at`.

        Args:
            alone: code of a suspicion -> its limit: how many times its present limit it must measure to stop an edit by
                itself. A suspicion that is missing here never stops an edit by itself.
            at: the least score with which an edit is approved, in 0..100.
        """
        by_itself = any(times >= alone.get(code, math.inf) for code, times in self.over.items())
        return not self.facts and self.points >= at and len(self.over) < 2 and not by_itself


def case_of(
    name: str, product: str, verdict: str, measured: Mapping[str, float], stops: Iterable[str], config: QcConfig, *,
    right: bool,
) -> Case:  # fmt: skip
    """Return an edit as a `Case`, from what quality control measured.

    Args:
        name: of the photograph or the scene.
        product: the product that it shows.
        verdict: quality control's verdict: ``auto_approve``, ``human_review`` or ``reject_and_redo``.
        measured: code of a rule, such as ``fringe`` -> its measurement. Rules that were skipped are left out.
        stops: codes of the findings that stop an approval.
        config: the limits of the rules.
        right: True if the edit is really right, by people's verdict or by the comparison with the known right edit.
    """
    stops = tuple(stops)
    over = {code: measured[code] / config.rules[code].bad for code in stops if code in SUSPICIONS}
    points = 0.0
    for component, rules in zip(COMPONENT_NAMES, COMPONENTS, strict=True):
        judged = [code for code in rules if code in measured and code in config.rules and code not in SUSPICIONS]
        taken = sum(config.rules[code].weight * badness(measured[code], config.rules[code]) for code in judged)
        points += float(getattr(config, f"{component}_points")) * max(0.0, 1.0 - taken)
    facts = tuple(code for code in stops if code not in SUSPICIONS)
    return Case(name, product, right, verdict == Verdict.AUTO_APPROVE.value, over, facts, points)


def of_pair(pair: Pair, config: QcConfig) -> Case:
    """Return an edit that people looked at as a `Case`.

    The case is right if everybody who looked at the edit accepted it.

    Args:
        pair: the edit, with the machine's verdict and people's.
        config: the limits of the rules.
    """
    result = pair.result
    measured = {
        one["code"]: one["measured"]
        for one in result.findings
        if one["measured"] is not None and one["status"] != "skipped"
    }
    return case_of(
        result.file, result.product, result.verdict, measured, result.stops, config, right=pair.signed
    )  # fmt: skip


def of_scene(judged: Judged, config: QcConfig) -> Case:
    """Return the machine's edit of a scene as a `Case`. The case is right if the edit has no fault.

    A scene is a test photograph whose right edit is known. The faults come from the comparison with that.

    Args:
        judged: the machine's edit, with quality control's verdict and the faults.
        config: the limits of the rules.
    """
    measured = {code: value for code, value in judged.measured.items() if value is not None}
    gates = {code for code, limits in config.rules.items() if limits.gate}
    stops = [code for code in judged.wrong if code in gates and badness(measured[code], config.rules[code]) >= 1]
    return case_of(judged.scene, judged.product, judged.verdict, measured, stops, config, right=not judged.faults)


def limits_alone(cases: Iterable[Case], *, at: float) -> dict[str, float]:
    """Return a limit for each suspicion from which it should stop an edit by itself: code -> multiple of today's limit.

    A suspicion is the finding of a rule that a place of the edit may be wrong; its code names the rule. Its new limit
    is the smallest measurement of a wrong edit that only this suspicion stops. A suspicion that is never the only thing
    to stop a wrong edit is left out.

    Args:
        cases: the edits, right and wrong ones.
        at: the least score with which an edit is approved, in 0..100. Edits with fewer points are not counted.
    """
    found: dict[str, float] = {}
    for case in cases:
        if not case.right and not case.facts and case.points >= at and len(case.over) == 1:
            ((code, times),) = case.over.items()
            found[code] = min(times, found.get(code, math.inf))
    return found


def in_pairs(cases: Sequence[Case], *, at: float) -> list[Case]:
    """Return the edits that would newly be approved if two suspicions had to agree to stop an edit, sorted by name.

    A suspicion is the finding of a rule that a place of the edit may be wrong. Two suspicions together would always
    stop an edit. A single one would stop it only if its measurement reaches a second, stricter limit. For the edits of
    each product, these second limits are computed from the edits of all other products (`limits_alone`).

    Args:
        cases: the edits, right and wrong ones.
        at: the least score with which an edit is approved, in 0..100.
    """
    freed = []
    for product in {case.product for case in cases}:
        alone = limits_alone((case for case in cases if case.product != product), at=at)
        own = (case for case in cases if case.product == product)
        freed += [case for case in own if not case.approved and case.approved_with(alone, at=at)]
    return sorted(freed, key=lambda case: case.name)


def held_table(cases: Iterable[Case]) -> str:
    """Return a Markdown table of the right edits that quality control does not approve: one row for each, sorted by
    name.

    The columns are the edit's name; its suspicions (rules that find that a place may be wrong), each with its
    measurement divided by its limit, such as ``bite_suspected 1.4``; and the codes of the other findings that stop the
    edit. A cell without entries has a dash. Without such edits the table has only its head.

    Args:
        cases: the judged edits, in any order. Wrong and approved ones are left out.
    """
    lines = [
        "| right edit that is held back | suspicions, and how many times their limit | what else |",
        "|---|---|---|",
    ]
    for case in sorted(cases, key=lambda one: one.name):
        if case.right and not case.approved:
            over = ", ".join(f"{code} {times:.1f}" for code, times in case.over.items())
            lines.append(f"| {case.name} | {over or '-'} | {', '.join(case.facts) or '-'} |")
    return "\n".join(lines)


def pairs_table(cases: Sequence[Case], *, at: float) -> str:
    """Return what would change if two suspicions had to agree to stop an edit, as a Markdown table.

    A suspicion is the finding of a rule that a place of the edit may be wrong. There is a row for right edits and one
    for wrong edits, with the number approved now, the number that would be approved, and the names of those newly
    approved.

    Args:
        cases: the edits, right and wrong ones.
        at: the least score with which an edit is approved, in 0..100.
    """
    freed = in_pairs(cases, at=at)
    lines = ["| edits | number | approved | would be | newly |", "|---|---:|---:|---:|---|"]
    for right, word in ((True, "right"), (False, "wrong")):
        group = [case for case in cases if case.right is right]
        newly = [case for case in freed if case.right is right]
        now = sum(case.approved for case in group)
        names = ", ".join(f"{case.name} ({', '.join(case.over) or 'points'})" for case in newly)
        lines.append(f"| {word} | {len(group)} | {now} | {now + len(newly)} | {names or '-'} |")
    return "\n".join(lines)


def newest(made: Iterable[editing.Result], seen: Iterable[verdicts.Seen]) -> list[Pair]:
    """Return the edits that people have looked at, each with people's verdict on it, in the order of `made`.

    A verdict belongs to an edit if both have the same photograph (by the hash of its file) and the same way of editing.
    Only verdicts on the newest pipeline version that somebody looked at count. The matte that people saw may differ
    from the matte that is made now. Edits without a verdict are left out.

    Args:
        made: the edits as the machine makes them now.
        seen: people's verdicts.
    """
    said: dict[tuple[str, str], list[verdicts.Seen]] = {}
    for one in seen:
        said.setdefault((one.sha256, one.way), []).append(one)
    pairs = []
    for result in made:
        ones = said.get((result.sha256, result.way), [])
        last = max((int(one.pipeline_version) for one in ones), default=0)
        ones = [one for one in ones if int(one.pipeline_version) == last]
        if ones:
            kinds = frozenset(defect.kind for one in ones for defect in one.defects)
            pairs.append(Pair(result, all(one.signed for one in ones), kinds))
    return pairs


def main() -> None:
    """Print two tables: what stops right edits, and what would change if two suspicions (findings that a place may be
    wrong) had to agree.

    The edits are those of real photographs that people have looked at. With ``--scenes FILE`` there are also those in a
    file that ``benchmarks.escape --json`` wrote.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=Path, default=None, help="what `benchmarks.escape --json` wrote")
    parser.add_argument("--near", action="store_true", help="also edits whose matte differs from the one looked at")
    args = parser.parse_args()
    config = load_configs(default_folder()).qc
    made = [one for one in editing.results(editing.WORK, ways=["line"]) if one.half == Half.CHOSEN_ON]
    pairs = pairs_of(made, verdicts.load())
    if args.near:
        exact = {pair.result.sha256 for pair in pairs}
        pairs += newest((one for one in made if one.matte_sha256 and one.sha256 not in exact), verdicts.load())
    cases = [of_pair(pair, config) for pair in pairs]
    if args.scenes:
        judged = [Judged(**one) for one in json.loads(args.scenes.read_text(encoding="utf-8"))]
        cases += [of_scene(one, config) for one in judged if one.whole and one.kind in HARD_KINDS]
    print(held_table(cases), "", pairs_table(cases, at=config.approve_at), sep="\n")


if __name__ == "__main__":
    main()
