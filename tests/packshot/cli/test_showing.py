"""What is printed: nothing is cut that somebody needs whole, and each thing is said once."""

from __future__ import annotations

import datetime
import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import pytest
from rich.console import Console

import packshot as package
from packshot.cli import build
from packshot.cli.ending import Exit, run
from packshot.cli.showing import findings_table, new_table, said_of_several, terminal_console
from packshot.qc.report import ALL_CODES
from packshot.types import Box, Finding, Status


def said(*words: str, **environment: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["packshot", *words])
        patch.delenv("COLUMNS", raising=False)
        for name, value in environment.items():
            patch.setenv(name, value)
        status = run(build(lambda engine: pytest.fail("no network is needed"), today=lambda: datetime.date.max))
    return status, out.getvalue(), err.getvalue()


def printed(table: Any, *, width: int) -> str:
    screen = Console(file=io.StringIO(), width=width, force_terminal=True, no_color=True)
    screen.print(table)
    return str(screen.file.getvalue())  # type: ignore[attr-defined]


def finding(code: str, message: str = "Something is as it should not be, and this is said at length.") -> Finding:
    return Finding(code=code, status=Status.FAILED, message=message, measured=1.25, limit=1, box=Box(0, 0, 9, 9))


def test_no_code_is_cut_or_broken_on_a_terminal_of_80_columns() -> None:
    text = printed(findings_table("A.jpg", [finding(code) for code in ALL_CODES]), width=80)
    assert "…" not in text
    for code in ALL_CODES:
        assert f" {code} " in text


def test_no_id_is_cut_or_broken_beside_long_texts() -> None:
    shot = "acme/spring-collection-26/KTL301_MAIN"
    rows = new_table("shot", "why", ids=("shot",))
    rows.add_row(shot, "a long reason " * 20)
    text = printed(rows, width=80)
    assert shot in text
    assert "…" not in text


def test_where_nobody_looks_at_a_terminal_no_line_is_broken() -> None:
    long = "word " * 60
    out = io.StringIO()
    with redirect_stdout(out):
        terminal_console().print(findings_table("A.jpg", [finding("fringe", long)]))
    assert long.strip() in out.getvalue()


def test_colours_stay_away_where_they_are_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    screen = Console(file=io.StringIO(), force_terminal=True, color_system="truecolor")
    screen.print("[red]refused[/]")
    assert "\x1b[31m" not in screen.file.getvalue()  # type: ignore[attr-defined]
    assert "\x1b" not in said("config", "check")[1]


def test_the_version_is_said_alone() -> None:
    status, out, err = said("--version")
    assert (status, err) == (Exit.OK, "")
    assert out == f"packshot {package.__version__}, pipeline {package.PIPELINE_VERSION}\n"


@pytest.mark.parametrize("words", [("-h",), ("config", "-h"), ("config", "check", "-h"), ("edit", "-h")])
def test_a_short_h_asks_for_help(words: tuple[str, ...]) -> None:
    status, out, _ = said(*words)
    assert status == Exit.OK
    assert "Usage" in out
    assert "--help" in out


def test_quiet_says_nothing_but_errors_and_json() -> None:
    assert said("-q", "config", "check") == (Exit.OK, "", "")
    assert said("config", "check")[1]
    status, out, err = said("-q", "config", "show", "--client", "nobody")
    assert (status, out) == (Exit.CONFIG, "")
    assert "no such client" in err


def test_what_holds_for_several_photographs_is_counted_and_what_holds_for_one_is_not() -> None:
    model = Finding(code="fallback_model", status=Status.WARNING, message="Another network.")
    passed = Finding(code="fringe", status=Status.PASSED, message="Fine.")
    own = finding("islands", "Only here.")
    rows = [{"findings": (model, passed)}, {"findings": (model, own, model)}, {"refused": "too small"}]
    assert said_of_several(rows) == {model: 2}
