"""Commands as somebody types them at a terminal, run in this process: one of their own takes a second to start."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import NamedTuple

import pytest

from deployments.command_line import command_line
from packshot.cli.ending import run


class Said(NamedTuple):
    """What a command said and how it ended."""

    status: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """What it said on standard error, its line breaks taken out."""
        return " ".join(self.err.split())


class Terminal(io.StringIO):
    """Standard input of a person at a terminal."""

    def isatty(self) -> bool:
        return True


def packshot(*words: object, said: str = "", typed: bool = False) -> Said:
    """Run one command.

    Args:
        said: what comes in by standard input.
        typed: whether a person at a terminal types it.
    """
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patched, redirect_stdout(out), redirect_stderr(err):
        patched.setattr(sys, "argv", ["packshot", *map(str, words)])
        patched.setattr(sys, "stdin", Terminal(said) if typed else io.StringIO(said))
        patched.setenv("COLUMNS", "220")
        status = run(command_line())
    return Said(int(status), out.getvalue(), err.getvalue())
