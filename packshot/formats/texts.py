"""Bring texts from a file's metadata into the form that Packshot keeps: one line each."""

from __future__ import annotations

import re

MOST_KEYWORDS = 100
_MOST_CHARACTERS = 500
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffd-\uffff]+")

Facts = dict[str, object]
"""What a block of metadata says, by the names of `packshot.ingest.metadata.Metadata` and of its tags."""


def clean(text: str) -> str:
    """Return a text as one line of at most 500 characters, without outer spaces, to be kept as metadata.

    Control characters, and others that XML does not allow, become spaces.

    Args:
        text: a text from a file's metadata.
    """
    return _UNPRINTABLE.sub(" ", text).strip()[:_MOST_CHARACTERS]
