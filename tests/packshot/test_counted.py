"""Numbers with their nouns: "1 shot", never "1 shots" or "1 shot(s)"."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from packshot.figures import counted

ROOT = Path(__file__).resolve().parents[2]
NOUNS = "|".join(
    ("shots", "photographs", "files", "batches", "products", "checks", "verdicts", "audits", "runs", "lines", "places")
)
COUNTS = re.compile(rf" ([a-z]+ )?({NOUNS})\b")
NEVER_ONE = frozenset(
    (
        *("MOST_SCANS", "LEAST_GROUPS", "_MOST_CELLS", "len(files)", "len(found)", "len(lines)"),
        *("at_once", "queues[QUEUE].concurrency_limit", "worst.word"),
    )
)
"""Numbers that are never one where they stand: limits, and what is told apart from one before."""


@pytest.mark.parametrize(
    ("count", "words", "said"),
    [
        (0, ("shot",), "0 shots"),
        (1, ("shot",), "1 shot"),
        (1200, ("shot",), "1,200 shots"),
        (1, ("batch", "batches"), "1 batch"),
        (2, ("line has", "lines have"), "2 lines have"),
    ],
)
def test_a_number_has_the_noun_that_fits_it(count: int, words: tuple[str, ...], said: str) -> None:
    assert counted(count, *words) == said


def texts() -> Iterator[tuple[str, ast.JoinedStr | ast.Constant]]:
    for floor in ("packshot", "tasks", "flows", "deployments"):
        for file in sorted((ROOT / floor).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
                    yield f"{file.relative_to(ROOT)}:{node.lineno}", node


def test_no_text_leaves_the_plural_open() -> None:
    open_ = [place for place, one in texts() if isinstance(one, ast.Constant) and re.search(r"[a-z]\(s\)", one.value)]
    assert not open_


def test_every_text_that_counts_the_line_s_things_does_so_by_one_function() -> None:
    found = []
    for place, one in texts():
        parts = one.values if isinstance(one, ast.JoinedStr) else []
        for number, noun in itertools.pairwise(parts):
            if isinstance(number, ast.FormattedValue) and isinstance(noun, ast.Constant):
                said = ast.unparse(number.value)
                if COUNTS.match(str(noun.value)) and said not in NEVER_ONE and not said.isupper():
                    found.append(f"{place}: {said}{noun.value!r}")
    assert not found
