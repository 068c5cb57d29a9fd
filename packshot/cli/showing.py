"""What commands print: JSON for machines, a progress bar, findings as a table."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderHook, RenderResult
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from packshot.escaping import json_text, terminal
from packshot.types import Finding, Status, Value


def terminal_console(*, stderr: bool = False) -> Console:
    """Return the console that every command prints on: whatever a name or a note holds, it steers no terminal.

    Each text is one line as it is printed, however many it has.
    """
    console = Console(stderr=stderr)
    console.push_render_hook(_NothingSteers())
    return console


class _NothingSteers(RenderHook):
    """Cleans all that is printed just before it is."""

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [_Clean(one) for one in renderables]


class _Clean:
    """Something to print, without control characters but the console's own, and without links."""

    def __init__(self, shown: ConsoleRenderable) -> None:
        self._shown = shown

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        shown = self._shown
        if isinstance(shown, Text):
            shown = shown.copy()
            shown.plain = terminal(shown.plain)
        for one in console.render(shown, options):
            if one.control:
                yield one
                continue
            text = "\n".join(terminal(line) for line in one.text.split("\n"))
            yield Segment(text, one.style.update_link(None) if one.style and one.style.link else one.style)


def in_markup(text: str) -> str:
    """Return a text so that it stands in the console's markup as it is, on one line: brackets in it are not ours."""
    return escape(terminal(text))


def print_json(value: object) -> None:
    """Print a value as JSON on standard output."""
    sys.stdout.write(json_text(json.dumps(value, indent=1, ensure_ascii=False, default=_plain)) + "\n")


def _plain(value: object) -> object:
    return value.model_dump(mode="json") if isinstance(value, Value) else str(value)


@contextmanager
def bar(title: str, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on standard error, if it is a terminal; gives the function that moves it."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    console = terminal_console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
        row = progress.add_task(in_markup(title), total=None)
        yield lambda done, total: progress.update(row, completed=done, total=total)


def findings_table(title: str, findings: Sequence[Finding]) -> Table:
    """Return findings with what was measured and the limit, the worst first."""
    table = Table("", "finding", "measured", "limit", "", "where", title=in_markup(title), title_justify="left")
    order = [Status.FAILED, Status.WARNING, Status.SKIPPED, Status.PASSED]
    marks = {
        Status.FAILED: "[red]failed[/]",
        Status.WARNING: "[yellow]warning[/]",
        Status.SKIPPED: "[cyan]not checked[/]",
        Status.PASSED: "[green]passed[/]",
    }
    for one in sorted(findings, key=lambda finding: order.index(finding.status)):
        box = f"{one.box.left},{one.box.top} {one.box.size}" if one.box else ""
        measured = "" if one.measured is None else f"{one.measured:.4g} {one.unit}"
        limit = "" if one.limit is None else f"{one.limit:.4g}"
        table.add_row(marks[one.status], one.code, measured, limit, in_markup(one.message), box)
    return table


def show_refused(row: dict[str, Any]) -> None:
    """Print that a file was refused, and why."""
    terminal_console().print(f"{bold_name(row)}  [red]refused[/]: {in_markup(row['refused'])}", highlight=False)


def bold_name(row: dict[str, Any]) -> str:
    """The file's name as markup."""
    return f"[bold]{in_markup(Path(row['file']).name)}[/]"
