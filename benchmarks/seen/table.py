"""Compare the machine's verdicts with people's in a table, for each half of the photographs.

Limits may be chosen on one half; the other half only reports results (`Half`).
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence

from benchmarks.seen.editing import Result
from benchmarks.seen.photographs import Half
from benchmarks.seen.verdicts import Kind, Seen


@dataclasses.dataclass(frozen=True)
class Pair:
    """A machine's edit of a real photograph, with the machine's verdict and people's verdict on it.

    Attributes:
        result: the edit, with the machine's verdict.
        signed: True only if everybody who looked at this same matte accepts the edit: they would put their name under
            it.
        kinds: kinds of defects that somebody saw.
        on_white: True only if all who were asked would send it to a page that shows it on white only; None if nobody
            was asked.
    """

    result: Result
    signed: bool
    kinds: frozenset[Kind]
    on_white: bool | None = None


@dataclasses.dataclass(frozen=True)
class Counts:
    """Numbers of edits, of one half of the photographs (`Half`): how often the machine and people agree about them.

    The machine's quality control approves an edit or holds it back. People accept an edit or refuse it.

    Attributes:
        looked_at: all edits of the half that people looked at.
        approved, approved_refused: edits that quality control approves, and how many of them people refuse.
        held, held_fine: edits that quality control does not approve, and how many of them people accept.
        night, night_refused: approved edits that also pass all further checks of the nightly run, such as the routing
            model (which predicts whether people would refuse an edit), and how many of them people refuse.
    """

    looked_at: int
    approved: int
    approved_refused: int
    held: int
    held_fine: int
    night: int = 0
    night_refused: int = 0

    @classmethod
    def of(cls, pairs: Sequence[Pair]) -> Counts:
        """Return the numbers for some edits, all of one half.

        Args:
            pairs: the edits.
        """
        approved = [one for one in pairs if one.result.approved]
        held = [one for one in pairs if not one.result.approved]
        return cls(
            len(pairs),
            len(approved),
            sum(not one.signed for one in approved),
            len(held),
            sum(one.signed for one in held),
            len(nightly := [one for one in approved if one.result.night.get("approves")]),
            sum(not one.signed for one in nightly),
        )


def pairs_of(made: Iterable[Result], seen: Iterable[Seen]) -> list[Pair]:
    """Return the edits that somebody has looked at as they are now, each with people's verdict.

    They are in the order of `made`. A verdict belongs to an edit if the hashes of photograph and matte are the same. So
    an edit whose matte has changed since is left out.

    Args:
        made: the edits as they are now.
        seen: the stored verdicts.
    """
    said: dict[tuple[str, str], list[Seen]] = {}
    for one in seen:
        said.setdefault((one.sha256, one.matte_sha256), []).append(one)
    pairs = []
    for result in made:
        verdicts = said.get((result.sha256, result.matte_sha256))
        if verdicts:
            kinds = frozenset(defect.kind for one in verdicts for defect in one.defects)
            asked = [one.on_white for one in verdicts if one.on_white is not None]
            pairs.append(Pair(result, all(one.signed for one in verdicts), kinds, all(asked) if asked else None))
    return pairs


def table(pairs: Sequence[Pair]) -> str:
    """Return how the machine's verdicts compare with people's, as Markdown tables.

    There are tables by half of the photographs (`Half`), by kind of defect and by finding.

    Args:
        pairs: the edits, each with the machine's verdict and people's.
    """
    halves = {half.value: [one for one in pairs if one.result.half == half.value] for half in Half}
    lines = [
        "| half | looked at | approved by quality control | of these refused by eye | held back | of these fine by eye "
        "| approved by the night | of these refused by eye |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, group in halves.items():
        counts = Counts.of(group)
        lines.append(
            f"| {name} | {counts.looked_at} | {counts.approved} | {_of(counts.approved_refused, counts.approved)} | "
            f"{counts.held} | {_of(counts.held_fine, counts.held)} | "
            f"{counts.night} | {_of(counts.night_refused, counts.night)} |"
        )
    lines += ["", *_on_white(halves), "", *_by_kind(halves), "", *_by_finding(halves)]
    return "\n".join(lines)


def _of(part: int, whole: int) -> str:
    return f"{part} ({part / whole:.0%})" if whole else "-"


def _on_white(halves: dict[str, list[Pair]]) -> list[str]:
    """How many approvals of the night are wrong even if they are only ever shown on white."""
    lines = [
        "| half | approved by the night, and judged on white alone | of these refused on white |",
        "|---|---:|---:|",
    ]
    for name, group in halves.items():
        judged = [one for one in group if one.on_white is not None and one.result.night.get("approves")]
        lines.append(f"| {name} | {len(judged)} | {_of(sum(not one.on_white for one in judged), len(judged))} |")
    return lines


def _by_kind(halves: dict[str, list[Pair]]) -> list[str]:
    """How many edits have each kind of defect, and how many of them were approved."""
    lines = [
        "| kind of defect | " + " | ".join(f"{name}: edits | approved" for name in halves) + " |",
        "|---|" + "---:|" * (2 * len(halves)),
    ]
    for kind in Kind:
        having = [[one for one in group if kind in one.kinds] for group in halves.values()]
        if any(having):
            cells = [f"{len(group)} | {sum(one.result.approved for one in group)}" for group in having]
            lines.append(f"| {kind.value} | " + " | ".join(cells) + " |")
    return lines


def _by_finding(halves: dict[str, list[Pair]]) -> list[str]:
    """How often each finding stopped an edit that the eye refuses, and one that it signs; alone: nothing else did."""
    lines = [
        "| finding that stops an approval | "
        + " | ".join(f"{name}: refused by eye | fine by eye | fine, and it alone" for name in halves)
        + " |",
        "|---|" + "---:|" * (3 * len(halves)),
    ]
    rows: dict[str, list[str]] = {}
    codes = {code for group in halves.values() for one in group for code in one.result.stops}
    for code in codes:
        rows[code] = []
        for group in halves.values():
            stopped = [one for one in group if code in one.result.stops]
            fine = [one for one in stopped if one.signed]
            alone = sum(one.result.stops == (code,) for one in fine)
            rows[code].append(f"{len(stopped) - len(fine)} | {len(fine)} | {alone}")
    often = Counter(code for group in halves.values() for one in group for code in one.result.stops)
    return lines + [f"| {code} | " + " | ".join(rows[code]) + " |" for code, _ in often.most_common()]


def named(pairs: Sequence[Pair]) -> str:
    """Return the edits about which machine and people disagree, as a Markdown list; empty if there are none.

    A line has the half, the file and the reason: the defects that people saw, or the findings that stopped the machine.

    Args:
        pairs: the edits, each with the machine's verdict and people's.
    """
    lines = []
    for one in sorted(pairs, key=lambda pair: (pair.result.half, pair.result.approved, pair.result.file)):
        result = one.result
        if result.approved == one.signed:
            continue
        why = ", ".join(sorted(one.kinds)) if result.approved else ", ".join(result.stops) or f"score {result.score:g}"
        word = "approved, refused by eye" if result.approved else "held back, fine by eye"
        lines.append(f"- {result.half}: {result.file} ({result.way}): {word}: {why}")
    return "\n".join(lines)
