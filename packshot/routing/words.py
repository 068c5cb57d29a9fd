"""Find the category of a product in the words of its file's name and metadata."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from packshot.specs.models import Category
from packshot.specs.nearest import did_you_mean
from packshot.specs.resolve import find_category
from packshot.types import Complexity, Finding, Sourced, Status

WORD_SOURCES = ("file_name", "metadata")
"""The sources of `category_in_words`. A word says what a product is for, seldom what it is made of."""


def category_in_words(path: str, texts: Iterable[str], categories: Mapping[str, Category]) -> Sourced | None:
    """Return the category that a word in the file name names, else one in the metadata; None if neither names one.

    The value is the category's name, and the source is ``file_name`` or ``metadata``. Categories whose rule is "simple"
    are ignored: a word alone cannot make a shot simple, because it may mean something else, such as a camera. Folder
    names are not read, because they name shoots and studios.

    Whole words are compared with the names and synonyms of the categories, without regard to case and accents. If
    several fit, the category with the stricter rule is taken.

    Args:
        path: path of the file in its batch.
        texts: title and keywords of its metadata.
        categories: all categories, by name.
    """
    heeded = {name: one for name, one in categories.items() if one.complexity is not Complexity.SIMPLE}
    claims = [("file_name", PurePosixPath(path).stem), *(("metadata", text) for text in texts)]
    for source, text in claims:
        if found := find_category(heeded, text):
            return Sourced(value=found.name, source=source)
    return None


def doubtful_category(said: Sourced | None, categories: Mapping[str, Category]) -> tuple[Finding, ...]:
    """Return the warning `category_unknown` in a tuple; empty if the stated category is known, or none is stated.

    A category is known if a word in the text is its name or synonym. With the warning, the shot is treated as one of
    unknown category. Its message may name a category that was meant.

    Args:
        said: the stated category, from the manifest, file name, metadata or config; None if nothing states one.
        categories: all categories, by name.
    """
    if said is None or find_category(categories, said.value):
        return ()
    names = [word for one in categories.values() for word in (one.name, *one.synonyms)]
    meant = next(filter(None, (did_you_mean(text, names) for text in (*reversed(said.value.split()), said.value))), "")
    message = f"{said.value!r} ({said.source}) is no category{meant}; the shot was treated as one of unknown category."
    return (Finding(code="category_unknown", status=Status.WARNING, message=message),)
