"""docs/cli.md describes the commands that there are, with their options; its examples run."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE, STDOUT, run
from typing import Any

import pytest
import typer

from deployments.command_line import command_line

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "cli.md").read_text()
SECTIONS = dict(re.findall(r"^## packshot (.+?)\n(.+?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL))
LOCAL = ("inspect", "route", "config show", "config check", "config schema", "models list")
"""Commands whose examples need neither a server nor a network."""


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    if hasattr(command, "commands"):
        for name, sub in command.commands.items():
            yield from commands(sub, (*path, name))
    else:
        yield " ".join(path), command


COMMANDS = dict(commands(typer.main.get_command(command_line())))


def test_every_command_is_described_and_no_other() -> None:
    assert set(SECTIONS) == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_described_and_no_other(name: str) -> None:
    real = {parameter.opts[0] for parameter in COMMANDS[name].params if parameter.param_type_name == "option"}
    told = set(re.findall(r"^\| `(--[a-z-]+)` \|", SECTIONS[name], re.MULTILINE))
    assert told == real - {"--help"}


@pytest.mark.parametrize("name", COMMANDS)
def test_an_example_is_understood_by_the_command(name: str) -> None:
    (line,) = re.findall(r"```sh\n(packshot .+)\n```", SECTIONS[name])
    words = shlex.split(line)[1 + len(name.split()) :]
    existing = [str(ROOT / word) if (ROOT / word).exists() else word for word in words]
    if "*" not in line and not any(word.startswith("out/") for word in words[:1]):
        COMMANDS[name].make_context(name, existing)
    assert line.startswith(f"packshot {name}")


@pytest.mark.parametrize("name", LOCAL)
def test_an_example_runs(name: str, tmp_path: Path) -> None:
    (line,) = re.findall(r"```sh\npackshot (.+)\n```", SECTIONS[name])
    paths = [str(path) for word in shlex.split(line) for path in (sorted(ROOT.glob(word)) if "*" in word else [word])]
    done = run([Path(sys.executable).parent / "packshot", *paths], cwd=ROOT, stdout=PIPE, stderr=STDOUT, check=False)
    assert done.returncode in (0, 1), done.stdout.decode()
    assert done.stdout
