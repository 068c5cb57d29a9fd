"""Every command that any document names exists, with the options it is given."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from deployments.command_line import command_line

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "infra").glob("*.md")]


def commands(text: str) -> Iterator[list[str]]:
    """The words after ``packshot`` of every command in a code block or between backticks."""
    spans = [line for block in re.findall(r"```sh\n(.+?)```", text, re.DOTALL) for line in block.splitlines()]
    spans += re.findall(r"`([^`\n]+)`", re.sub(r"```.+?```", "", text, flags=re.DOTALL))
    for span in spans:
        found = re.search(r"(?:^|\s)packshot ([a-z].*)", span.split("  #")[0])
        if found and "..." not in found[1]:
            yield shlex.split(found[1])


NAMED = [(path, words) for path in DOCUMENTS for words in commands(path.read_text())]


@pytest.mark.parametrize(
    ("document", "words"), NAMED, ids=[f"{path.relative_to(ROOT)}: {' '.join(words)}" for path, words in NAMED]
)
def test_a_command_and_its_options_exist(document: Path, words: list[str]) -> None:
    command: Any = typer.main.get_command(command_line())
    rest = list(words)
    while hasattr(command, "commands") and rest:
        assert rest[0] in command.commands, f"{document.name} names a command that is not there"
        command = command.commands[rest.pop(0)]
    options = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    assert {word for word in rest if word.startswith("--")} <= options
