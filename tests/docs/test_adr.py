"""Decisions: each is in the index under its title, and each dependency has its reason."""

from __future__ import annotations

import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ADR = ROOT / "docs" / "adr"
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = SETTINGS["project"]


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=]", requirement)[0].lower() for requirement in requirements}


def listed(column: int, heading: str) -> set[str]:
    """The names in a column of the first table below a heading's row."""
    table = (ADR / "0001-dependencies.md").read_text().split(f"| {heading} |")[1].split("\n\n")[0]
    cells = [line.split("|")[column] for line in table.splitlines()[2:]]
    return {name.strip() for cell in cells for name in cell.split(",")}


def test_every_decision_is_in_the_index_under_its_title() -> None:
    titles = {path.name: path.read_text().splitlines()[0] for path in ADR.glob("0*.md")}
    rows = re.findall(r"^\| \[(\d+)\]\(([\w-]+\.md)\) \| (.+) \|$", (ADR / "README.md").read_text(), re.MULTILINE)
    assert {name: f"# {number}. {title}" for number, name, title in rows} == titles


def test_every_dependency_has_its_reason_and_no_other() -> None:
    assert listed(1, "library") == names(PROJECT["dependencies"])


def test_every_extra_has_its_reason_and_no_other() -> None:
    assert listed(2, "extra") == names(list(chain(*PROJECT["optional-dependencies"].values())))


def test_every_tool_has_its_reason_and_no_other() -> None:
    assert listed(1, "tool") == names(SETTINGS["dependency-groups"]["tools"])


@pytest.mark.parametrize("group", SETTINGS["dependency-groups"])
def test_every_tool_is_locked(group: str) -> None:
    locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / f"requirements-{group}.lock").read_text(), re.MULTILINE))
    assert names(SETTINGS["dependency-groups"][group]) <= locked
