"""docs/tour.md names functions where they are."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from packshot.record import DONE, WAITING, State
from packshot.types import Verdict

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
TOUR = (DOCS / "tour.md").read_text()
PLACES = re.findall(r"((?:`\w+`(?:, | and )?)+)(?: \([^)]*\))? in (?:the )?\[`?[^\]]+\]\((\.\./[\w/]+\.py)\)", TOUR)


def defined(file: Path) -> set[str]:
    body = ast.parse(file.read_text()).body
    names = {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    return names | {
        target.id
        for node in body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


@pytest.mark.parametrize(("names", "place"), PLACES)
def test_what_is_said_to_be_in_a_file_is_there(names: str, place: str) -> None:
    assert set(re.findall(r"`(\w+)`", names)) <= defined((DOCS / place).resolve())


def test_the_tour_has_places_to_check() -> None:
    assert len(PLACES) > 20


def test_every_function_that_is_named_exists() -> None:
    known = {
        name
        for floor in ("packshot", "tasks", "flows", "desk", "deployments", "infra")
        for file in (ROOT / floor).rglob("*.py")
        for name in defined(file)
    }
    known |= {str(word) for word in (*State, *Verdict)}
    named = set(re.findall(r"`([A-Za-z]+(?:_[a-z]+)*)`", TOUR))
    assert named - known <= {"READY", "nightly", "route", "edit", "cutout"}


def states() -> dict[str, str]:
    """State -> what it counts as, from the runbook, in all its lines."""
    table = (DOCS / "runbook.md").read_text().split("## What each state means")[1].split("\n## ")[0]
    rows = [line.split("|") for line in table.splitlines() if line.startswith("| `")]
    told: dict[str, str] = {}
    for row in rows:
        for state in re.findall(r"`(\w+)`", row[1]):
            told[state] = f"{told.get(state, '')} {row[2].strip()}"
    return told


def test_every_state_has_its_line_in_the_runbook() -> None:
    assert sorted(states()) == sorted(State)


def test_the_runbook_counts_states_as_the_line_does() -> None:
    ends = {State.REFUSED: "refused"} | dict.fromkeys(WAITING, "waiting") | dict.fromkeys(DONE, "delivered")
    assert [state for state, told in states().items() if ends.get(State(state), "failed") not in told] == []
