"""The threat model: every row names tests that there are, and everybody who can attack has a row."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "security.md"
WHO = {"client", "guest", "editor", "reviewer, senior", "operator", "neighbour", "web page", "bucket writer"}


def rows(heading: str) -> list[list[str]]:
    """The cells of the table whose head begins with these columns."""
    table = DOCUMENT.read_text().split(f"| {heading} |\n")[1].split("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[1:]]


def names_in(path: Path) -> set[str]:
    return {one.name for one in ast.walk(ast.parse(path.read_text())) if isinstance(one, ast.FunctionDef)}


def test_everybody_who_writes_something_stands_in_the_first_table() -> None:
    assert {who for who, *_ in rows("who | writes | trusted with")} == WHO


def test_every_row_says_who_what_and_what_holds() -> None:
    attacks = rows("who | tries | what holds | test")
    assert attacks
    for row in attacks:
        assert len(row) == 4, row
        assert all(row), row
        assert row[0] in WHO, row


def test_every_row_names_a_test_that_there_is() -> None:
    for *_, tries, _, test in rows("who | tries | what holds | test"):
        named = re.findall(r"`([^`]+)`", test)
        assert named, f"no test stands for: {tries}"
        for one in named:
            file, _, name = one.partition("::")
            path = ROOT / "tests" / file
            assert path.is_file(), f"{one}: no such file"
            assert name.startswith("test_"), f"{one}: no test"
            assert name in names_in(path), f"{one}: no such test"
