"""Explain every code of a finding and of an error to people, for `packshot explain` and ``docs/errors.md``."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

from packshot import errors
from packshot.errors import PackshotError
from packshot.explained import delivery, editing, intake, people
from packshot.explained.meaning import Group, Meaning

__all__ = ["ERRORS", "GROUPS", "Group", "Meaning", "error_in_words", "explain"]

GROUPS: Mapping[str, Group] = {
    group.title: group for group in (*intake.GROUPS, *people.GROUPS, *editing.GROUPS, *delivery.GROUPS)
}
"""Findings by the title of their group."""

ERRORS: Mapping[str, type[PackshotError]] = {
    kind.code: kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, PackshotError)
}
"""Errors by code."""


def error_in_words(kind: type[PackshotError]) -> tuple[str, str]:
    """Return (what an error means, what to do about it), each as sentences.

    The second text is empty for a class that only groups other errors.

    Args:
        kind: the error's class. Both texts come from its docstring.
    """
    text = inspect.cleandoc(kind.__doc__ or "").partition("\n\nArgs:")[0]
    says, _, todo = " ".join(text.split()).partition(" What to do: ")
    return says, todo


def explain(code: str) -> list[tuple[str, list[str]]]:
    """Return what the code of a finding or of an error means, such as ``fringe_width`` or ``too_small``.

    Each item is (heading, sentences). The heading is the title of the stage of the work where the code occurs, or
    "Error". The sentences are a list of texts. They say what the code means, what was measured, and what to do. A code
    that occurs in several stages has an item for each. If there is no such code, the list is empty.
    """
    found = [(_where(group), _in_words(group, group.codes[code])) for group in GROUPS.values() if code in group.codes]
    if code in ERRORS:
        says, todo = error_in_words(ERRORS[code])
        found.append(("Error", [says, *([f"What to do: {todo}"] if todo else [])]))
    return found


def _where(group: Group) -> str:
    return f"Quality control, {group.title.lower()}" if group.advice else group.title


def _in_words(group: Group, meaning: Meaning) -> list[str]:
    unit = f" ({meaning.unit})" if meaning.unit else ""
    gate = {True: "A failure forbids approval by the machine.", False: "It forbids nothing.", None: ""}[meaning.gate]
    sentences = (
        meaning.text,
        f"Measured: {meaning.measured}{unit}." if meaning.measured else "",
        f"Limit: {meaning.limit}." if meaning.limit else "",
        f"Status: {meaning.status}." if meaning.status else "",
        gate,
        f"What to do: {group.advice[0].lower()}{group.advice[1:]}" if group.advice else "",
    )
    return [sentence for sentence in sentences if sentence]
