"""Count which checks hold back shots whose edit is right by truth: quality control's gates and score, then two limits.

    python -m benchmarks.routing_held_back

It reads the results of `benchmarks.routing_labels`. Only photographs of categories without a rule count. A gate's cost
is the number of easy shots that it alone stops. Its worth is the number of refused shots that it alone stops.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from benchmarks.qc_edits import configs_and_rendition
from benchmarks.routing_labels import Labelled
from benchmarks.routing_table import CATEGORIES, read_table
from packshot.qc.score import badness
from packshot.specs.models import QcConfig

POINTS = "points alone (score below approve_at)"
_RULED = frozenset(CATEGORIES.values())


def stopping_codes(labelled: Labelled, config: QcConfig) -> tuple[str, ...]:
    """Return the codes of the gates that stop the approval of an edit; empty if nothing stops it.

    A gate is a finding that forbids an approval, whatever the score. If no gate stops the edit, but its score is too
    low, the result is only the text ``points alone (score below approve_at)``.

    Args:
        labelled: the photograph with quality control's result.
        config: the limits of the rules.
    """
    gates = tuple(
        code
        for code, measured in labelled.measured.items()
        if measured is not None and (rule := config.rules.get(code)) and rule.gate and badness(measured, rule) >= 1
    )
    return gates or ((POINTS,) if labelled.verdict != "auto_approve" else ())


def held_back_table(shots: Sequence[Labelled], config: QcConfig) -> str:
    """Return a Markdown table with a row for each gate: how many shots it stops, and how many it alone stops.

    A gate is a finding that forbids an approval. Easy shots, whose edit is right, and refused shots, whose edit is
    wrong, are counted separately.

    Args:
        shots: the photographs with their results.
        config: the limits of the rules.
    """
    stops: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    alone: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    for shot in shots:
        codes = stopping_codes(shot, config)
        stops[shot.is_refused].update(codes)
        if len(codes) == 1:
            alone[shot.is_refused].update(codes)
    lines = [
        "| stopped by | easy shots | of them by it alone | refused shots | of them by it alone |",
        "|---|---:|---:|---:|---:|",
    ]
    for code, _ in (stops[False] + stops[True]).most_common():
        figures = (counts[refused][code] for refused in (False, True) for counts in (stops, alone))
        lines.append(f"| {code} | " + " | ".join(str(figure) for figure in figures) + " |")
    return "\n".join(lines)


def main() -> None:
    config = configs_and_rendition()[0].qc
    shots = [labelled for labelled, example in read_table() if example.category not in _RULED]
    easy = [shot for shot in shots if not shot.is_refused]
    approved = sum(shot.verdict == "auto_approve" for shot in easy)
    print(f"{len(easy)} easy shots of {len(shots)}; quality control approves {approved} of them\n")
    print(held_back_table(shots, config))


if __name__ == "__main__":
    main()
