"""Suggestions for misspelt names: the most similar known name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_NEAR_RATIO = 0.6
"""Smallest similarity for a suggestion, as `difflib.SequenceMatcher.ratio` computes it."""


def nearest(found: str, names: Iterable[str]) -> str:
    """Return the known name that is most similar to a text, ignoring case; empty if none is similar.

    Args:
        found: the text.
        names: the known names.
    """
    plain = {name.casefold(): name for name in names}
    near = difflib.get_close_matches(found.casefold(), plain, n=1, cutoff=_NEAR_RATIO)
    return plain[near[0]] if near else ""


def listed(found: str, names: Iterable[str]) -> str:
    """Return all known names in words, with a suggestion at the end if one is similar to a misspelt text.

    Args:
        found: the misspelt text.
        names: the known names.
    """
    known = sorted(names)
    return f"{', '.join(known) or 'nothing'}{did_you_mean(found, known)}"


def did_you_mean(found: str, names: Iterable[str]) -> str:
    """Return `` (did you mean kettle?)`` to append to a text; empty if no name is similar."""
    near = nearest(found, names)
    return f" (did you mean {near}?)" if near else ""
