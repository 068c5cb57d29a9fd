"""What commands print: JSON for machines, a progress bar, findings as a table."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from packshot.types import Finding, Status, Value


def print_json(value: object) -> None:
    """Print a value as JSON on standard output."""
    sys.stdout.write(json.dumps(value, indent=1, ensure_ascii=False, default=_plain) + "\n")


def _plain(value: object) -> object:
    return value.model_dump(mode="json") if isinstance(value, Value) else str(value)


@contextmanager
def bar(title: str, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on standard error, if it is a terminal; gives the function that moves it."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
        row = progress.add_task(title, total=None)
        yield lambda done, total: progress.update(row, completed=done, total=total)


def findings_table(title: str, findings: Sequence[Finding]) -> Table:
    """Return findings with what was measured and the limit, the worst first."""
    table = Table("", "finding", "measured", "limit", "", "where", title=escape(title), title_justify="left")
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
        table.add_row(marks[one.status], one.code, measured, limit, escape(one.message), box)
    return table


def show_refused(row: dict[str, Any]) -> None:
    """Print that a file was refused, and why."""
    Console().print(f"{bold_name(row)}  [red]refused[/]: {escape(row['refused'])}", highlight=False)


def bold_name(row: dict[str, Any]) -> str:
    """The file's name as markup; a name may hold brackets, which are not ours."""
    return f"[bold]{escape(Path(row['file']).name)}[/]"
