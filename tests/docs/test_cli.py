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
LOCAL = ("inspect", "explain", "route", "config show", "config check", "config schema", "models list")
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


def row(parameter: Any) -> str:
    """A parameter's row as the parser itself describes it."""
    if parameter.param_type_name == "argument":
        name = parameter.name.upper() + ("..." if parameter.nargs == -1 else "")
    else:
        name = parameter.opts[0]
    words = [parameter.help]
    if parameter.param_type_name == "option" and parameter.required:
        words.append("Required.")
    if parameter.default not in (None, "", False) and not parameter.required:
        words.append(f"Default: `{parameter.default}`.")
    if parameter.envvar:
        words.append(f"Also from `{parameter.envvar}`.")
    return f"| `{name}` | {' '.join(words)} |"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_argument_and_option_is_described_as_the_parser_has_it(name: str) -> None:
    told = [line for line in SECTIONS[name].splitlines() if line.startswith("| `")]
    assert told == [row(parameter) for parameter in COMMANDS[name].params if parameter.name != "help"]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_introduced_by_its_own_help(name: str) -> None:
    assert " ".join(COMMANDS[name].help.split()) == SECTIONS[name].strip().splitlines()[0].replace("\\<", "<")


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
