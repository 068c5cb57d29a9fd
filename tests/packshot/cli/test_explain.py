"""`packshot explain`: every code is answered in sentences, an unknown one with the nearest."""

from __future__ import annotations

import datetime
import io
import json
from contextlib import redirect_stderr, redirect_stdout

import pytest

from packshot.cli import build
from packshot.cli.ending import Exit, run
from packshot.explained import ERRORS, GROUPS

CODES = sorted({*ERRORS, *(code for group in GROUPS.values() for code in group.codes)})


def said(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str]:
    monkeypatch.setattr("sys.argv", ["packshot", "explain", *arguments])
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        status = run(build(lambda engine: pytest.fail("no network is needed"), today=lambda: datetime.date.max))
    return status, " ".join(out.getvalue().split())


def test_every_code_is_answered_wherever_it_occurs(monkeypatch: pytest.MonkeyPatch) -> None:
    for code in CODES:
        status, text = said(monkeypatch, code, "--json")
        told = json.loads(text)
        occurs = sum(code in group.codes for group in GROUPS.values()) + (code in ERRORS)
        assert (status, len(told)) == (Exit.OK, occurs), code
        assert all(sentence.endswith((".", "...")) for one in told for sentence in one["says"]), told


def test_a_finding_is_told_with_its_figure_and_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    status, text = said(monkeypatch, "leftover_suspected")
    assert status == Exit.OK
    assert text.startswith("leftover_suspected: Quality control, edge")
    assert "looks like backdrop, as a share of the product (per mille)." in text
    assert "What to do: compare before and after" in text


def test_an_unknown_code_is_asked_back_with_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    status, text = said(monkeypatch, "leftovr_suspected")
    assert status == Exit.USAGE
    assert "did you mean leftover_suspected?" in text
