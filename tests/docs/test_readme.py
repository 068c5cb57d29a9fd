"""The README's commands exist and are understood."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from deployments.command_line import command_line

ROOT = Path(__file__).resolve().parents[2]
LINES = [
    line.split("  #")[0].strip()
    for block in re.findall(r"```sh\n(.+?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    for line in block.splitlines()
]


def test_the_first_commands_are_the_demo_and_the_tests() -> None:
    assert LINES[:2] == ["make demo", "make test"]


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("make ")])
def test_every_make_target_exists(line: str) -> None:
    assert f"\n{line.split()[1]}:" in (ROOT / "Makefile").read_text()


def test_every_make_target_that_a_document_names_exists() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "infra").glob("*.md")]
    named = {target for path in documents for target in re.findall(r"`make ([a-z]+)`", path.read_text())}
    assert {target for target in named if f"\n{target}:" not in (ROOT / "Makefile").read_text()} == set()


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("packshot ")])
def test_every_command_is_understood(line: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    words = shlex.split(line)[1:]
    for word in words:  # what an earlier line makes
        if word.startswith("out/") and "." in word:
            (tmp_path / word).parent.mkdir(exist_ok=True)
            (tmp_path / word).touch()
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    monkeypatch.chdir(tmp_path)
    command: Any = typer.main.get_command(command_line())
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    command.make_context(command.name, words)


def test_every_other_line_is_one_of_the_shell_s() -> None:
    others = [line for line in LINES if not line.startswith(("make ", "packshot "))]
    assert others == ["pip install '.[local]'", ". .packshot/environment"]
