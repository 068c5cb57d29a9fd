"""Print the output of the commands: JSON for machines; progress bars and tables of findings for people."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
from packshot.figures import counted, measured_in
from packshot.types import Finding, Status, Value

WIDE = 10_000
"""Console width if there is no terminal: in a pipe or file no text is cut or wrapped."""


class _Manner:
    """Output settings of the present command."""

    quiet = False


def be_quiet(quiet: bool) -> None:
    """Turn the progress bar off or on for the present command.

    Args:
        quiet: True turns it off.
    """
    _Manner.quiet = quiet


def new_table(*heads: str, ids: Sequence[str] = (), title: str | None = None) -> Table:
    """Return an empty table for the console. In a narrow terminal it wraps long texts, but never ids and codes.

    Args:
        heads: names of the columns.
        ids: those of `heads` whose columns hold an id or a code.
        title: the table's title, in the markup of rich; None for none.
    """
    made = Table(title=title, title_justify="left")
    for head in heads:
        made.add_column(head, overflow="fold", no_wrap=head in ids)
    return made


def terminal_console(*, stderr: bool = False) -> Console:
    """Return the console on which commands print, without control characters, so that no text can steer the terminal.

    Each text is printed on one line. The console is as wide as the terminal. In a pipe or file it is so wide that no
    text is cut or wrapped.

    Args:
        stderr: print to standard error instead of standard output.
    """
    console = Console(stderr=stderr)
    if not console.is_terminal:
        console = Console(stderr=stderr, width=WIDE)
    console.push_render_hook(_NothingSteers())
    return console


class _NothingSteers(RenderHook):
    """Cleans everything just before it is printed."""

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [_Clean(one) for one in renderables]


class _Clean:
    """Prints something without control characters (except the console's own) and without links."""

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
    """Return a text on one line that the console's markup (of rich) shows literally, without control characters."""
    return escape(terminal(text))


def print_json(value: object) -> None:
    """Print a value as JSON on standard output, indented by one space.

    Args:
        value: plain JSON. Values of Packshot in it are printed as their fields, anything else as its text.
    """
    sys.stdout.write(json_text(json.dumps(value, indent=1, ensure_ascii=False, default=_plain)) + "\n")


def _plain(value: object) -> object:
    return value.model_dump(mode="json") if isinstance(value, Value) else str(value)


@contextmanager
def bar(title: str, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on standard error while a `with` block runs, and yield the function that moves it.

    The block calls the function with (number of photographs done, number of all photographs). If standard error is no
    terminal, no bar is shown, and the function does nothing.

    Args:
        title: what goes on, in words; stands beside the bar.
        quiet: True shows no bar.
    """
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    console = terminal_console(stderr=True)
    silent = quiet or _Manner.quiet or not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=silent) as progress:
        row = progress.add_task(in_markup(title), total=None)
        yield lambda done, total: progress.update(row, completed=done, total=total)


def findings_table(title: str, findings: Sequence[Finding]) -> Table:
    """Return a table of findings for the console, with measured values and limits, the failed ones first.

    Args:
        title: the table's title.
        findings: all findings, those that passed too.
    """
    table = new_table("", "finding", "measured", "limit", "what", "where", ids=("finding",), title=in_markup(title))
    order = [Status.FAILED, Status.WARNING, Status.SKIPPED, Status.PASSED]
    marks = {
        Status.FAILED: "[red]failed[/]",
        Status.WARNING: "[yellow]warning[/]",
        Status.SKIPPED: "[cyan]not checked[/]",
        Status.PASSED: "[green]passed[/]",
    }
    for one in sorted(findings, key=lambda finding: order.index(finding.status)):
        box = f"{one.box.left},{one.box.top} {one.box.size}" if one.box else ""
        measured = "" if one.measured is None else measured_in(one.measured, one.unit)
        limit = "" if one.limit is None else measured_in(one.limit, one.unit)
        table.add_row(marks[one.status], one.code, measured, limit, in_markup(one.message), box)
    return table


def said_of_several(rows: Iterable[dict[str, Any]]) -> dict[Finding, int]:
    """Return the findings that at least two photographs share: finding -> number of photographs that have it.

    Two photographs share a finding if all its fields are equal, message and measured value too. Only findings that did
    not pass and name no place in the picture count. Commands print them once instead of once for each photograph.
    They are in the order in which they first occur; empty if none is shared.

    Args:
        rows: results of the photographs, as `packshot.cli.options.alone` returns them.
    """
    counted = Counter(
        finding
        for row in rows
        for finding in dict.fromkeys(row.get("findings", ()))
        if finding.status is not Status.PASSED and finding.box is None
    )
    return {finding: count for finding, count in counted.items() if count > 1}


def show_common(common: Mapping[Finding, int]) -> None:
    """Print findings that several photographs share: each once, with the number of photographs.

    Args:
        common: finding -> number of photographs, from `said_of_several`.
    """
    for finding, count in common.items():
        text = f"of {counted(count, 'photograph')}: {finding.status}: {finding.code}: {finding.message}"
        terminal_console().print(text, markup=False, highlight=False)


def show_refused(row: dict[str, Any]) -> None:
    """Print the name of a file that was refused, and the reason.

    Args:
        row: the result of a photograph that failed, as `packshot.cli.options.alone` returns it.
    """
    terminal_console().print(f"{bold_name(row)}  [red]refused[/]: {in_markup(row['refused'])}", highlight=False)


def bold_name(row: dict[str, Any]) -> str:
    """Return the name of a result's file, without its folder, in markup that the console shows in bold.

    Args:
        row: the result of a photograph, with the path as ``file``.
    """
    return f"[bold]{in_markup(Path(row['file']).name)}[/]"
