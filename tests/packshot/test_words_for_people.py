"""What people read of findings, routes and jobs has no private words of the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from packshot.routing.decide import _WORDS
from packshot.specs.stages import Feature

ROOT = Path(__file__).parents[2]
PRIVATE = re.compile(r"\bmattes?\b|segmentation network|\bIoU\b|hole density|\bthe route says\b", re.IGNORECASE)
ROOMS = ("packshot/qc", "packshot/returned", "packshot/explained", "packshot/handoff", "packshot/routing", "desk")
FILES = ("packshot/cutout/cut.py", "packshot/framing/subject.py", "tasks/people/tickets.py")


FOR_PROGRAMMERS = {"a matte that was made elsewhere is no method of the network: call given_cutout with it"}


def sentences(file: Path) -> Iterator[str]:
    """Texts of more than one word in a module, without its docstrings."""
    tree = ast.parse(file.read_text())
    notes = {id(one.value) for one in ast.walk(tree) if isinstance(one, ast.Expr)}
    for said in [one.value for one in ast.walk(tree) if isinstance(one, ast.Constant) and id(one) not in notes]:
        if isinstance(said, str) and " " in said.strip():
            yield said


def modules() -> list[Path]:
    return [*(file for room in ROOMS for file in sorted((ROOT / room).rglob("*.py"))), *(ROOT / one for one in FILES)]


def test_no_sentence_for_people_has_a_private_word() -> None:
    """Kind of test that was missing: one that reads every sentence, not one sentence of each page."""
    found = [(file.name, said) for file in modules() for said in sentences(file) if PRIVATE.search(said)]
    assert [one for one in found if one[1] not in FOR_PROGRAMMERS] == []
    assert sum(1 for file in modules() for _ in sentences(file)) > 500


def test_the_check_sees_a_private_word(tmp_path: Path) -> None:
    file = tmp_path / "rules.py"
    file.write_text('"""The matte."""\nMESSAGE = f"The matte has {1} hole."\nCODE = "returned_matte"\n')
    assert [said for said in sentences(file) if PRIVATE.search(said)] == ["The matte has "]


@pytest.mark.parametrize("name", Feature)
def test_every_measured_figure_has_words_of_its_own(name: Feature) -> None:
    assert "_" not in _WORDS[name]
    assert list(_WORDS.values()).count(_WORDS[name]) == 1
