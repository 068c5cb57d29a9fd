"""Show in the terminal what became of each shot of a batch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from packshot.blind import UNTOLD
from packshot.escaping import terminal

_COLOURS = {"delivered": "green", "waiting": "yellow", "refused": "magenta", "failed": "red", "at work": "cyan"}

WHY_UNTOLD = (
    "Until a reviewer has answered, no list shows the score of that shot or what the machine found: "
    "it shall not lead the reviewer. The review desk shows the shots."
)
"""Said below a table with shots that wait for a reviewer."""


def show_summary(console: Console, summary: Any) -> None:
    """Print what became of each shot of a batch, and why; then incomplete products, findings, warnings and the numbers.

    Args:
        console: where it is printed.
        summary: what `tasks.batches.fates.survey` returns for a batch: the result of each of its shots.
    """
    heads = ("shot", "became", "score", "files", "waits for", "due")
    rows = [tuple(map(terminal, _cells(fate))) for fate in summary.fates]
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    console.print(f"{summary.batch}", style="bold", highlight=False)
    console.print(_in_columns(heads, widths), style="dim", highlight=False, soft_wrap=True)
    for fate, row in zip(summary.fates, rows, strict=True):
        line = Text(_in_columns(row, widths))
        line.highlight_words([row[1]], _COLOURS[fate.kind])
        console.print(line, soft_wrap=True)
        console.print(Padding(Text(terminal(fate.why), style="dim"), (0, 0, 0, 4), expand=False))
        for name, why in fate.left_out.items():
            said = terminal(f"{name} gets nothing: {why}")
            console.print(Padding(Text(said, style="red"), (0, 0, 0, 4), expand=False))
    for product in summary.products:
        if not product.complete:
            said = terminal(f"{product.product} lacks {product.lacking}")
            console.print(Text(said, style="yellow"), soft_wrap=True)
    for finding in summary.findings:
        console.print(f"{finding.status}: {finding.message}", markup=False, highlight=False)
    for warned in summary.warnings:
        console.print(f"warning: {warned.sentence}", markup=False, highlight=False, soft_wrap=True)
    if any(fate.why == UNTOLD for fate in summary.fates):
        console.print(WHY_UNTOLD, style="dim", soft_wrap=True)
    console.print(summary.sentence)


def _cells(fate: Any) -> tuple[str, ...]:
    score = "" if fate.score is None else f"{fate.score:.1f}"
    became = "on hold" if fate.on_hold else fate.kind
    due = f"{fate.due:%m-%d %H:%M}" if fate.due else ""
    return fate.shot, became, score, str(fate.files or ""), fate.with_whom, due


def _in_columns(cells: Iterable[str], widths: Iterable[int]) -> str:
    return "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()
