"""Tables of the documents that are made from the code: `python -m tests.docs.tables` writes them anew.

A table stands between ``<!-- table: name -->`` and ``<!-- end -->``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from packshot.cli.ending import EXIT_STATUSES
from packshot.decision import REASONS
from packshot.specs.services import BY_MACHINE, WORDS, Service
from tasks.settings import settings_table

BY_USER = (130, "ended by Ctrl-C")
DOCS = Path(__file__).resolve().parents[2] / "docs"


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    heads = list(head)
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    return "\n".join([*lines, *(f"| {' | '.join(str(cell) for cell in row)} |" for row in rows)])


def _code(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def services() -> str:
    return table(
        ("service", "by", "words for it"),
        (
            (one.value, "machine" if one in BY_MACHINE else "people", _code(w for w, s in WORDS.items() if s is one))
            for one in Service
        ),
    )


def exit_statuses() -> str:
    return table(("status", "meaning"), [*((code.value, text) for code, text in EXIT_STATUSES.items()), BY_USER])


def reasons() -> str:
    choices: dict[str, list[str]] = {}
    for choice, ones in REASONS.items():
        choices.setdefault(_code(ones), []).append(choice.value)
    return table(("decision", "reason codes"), ((", ".join(words), codes) for codes, words in choices.items()))


TABLES: Mapping[str, tuple[str, Callable[[], str]]] = {
    "services": ("people.md", services),
    "settings": ("settings.md", settings_table),
    "exit statuses": ("errors.md", exit_statuses),
    "reasons": ("people.md", reasons),
}
"""Name of the table -> its document and what makes it."""


def block(name: str) -> re.Pattern[str]:
    """Return the pattern of a table in its document; its one group is the table."""
    return re.compile(rf"<!-- table: {re.escape(name)} -->\n(.*?)\n?<!-- end -->", re.DOTALL)


def write() -> None:
    for name, (document, made) in TABLES.items():
        path = DOCS / document
        text = block(name).sub(lambda _, n=name, m=made: f"<!-- table: {n} -->\n{m()}\n<!-- end -->", path.read_text())  # type: ignore[misc]
        path.write_text(text)


if __name__ == "__main__":
    write()
