"""Suggest, for a misspelt name, the most similar known name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_NEAR_RATIO = 0.6
"""Smallest similarity for a suggestion, as `difflib.SequenceMatcher.ratio` computes it."""


def nearest(found: str, names: Iterable[str]) -> str:
    """Return the known name that is most similar to a misspelt text; empty if none is similar.

    Case does not matter. Similar means at least 0.6 by `difflib.SequenceMatcher.ratio`.

    Args:
        found: the misspelt text.
        names: the known names.
    """
    plain = {name.casefold(): name for name in names}
    near = difflib.get_close_matches(found.casefold(), plain, n=1, cutoff=_NEAR_RATIO)
    return plain[near[0]] if near else ""


def listed(found: str, names: Iterable[str]) -> str:
    """Return all known names, sorted, as one text for an error message.

    If one of them is similar to the misspelt text, a suggestion follows: ``kettle, mug (did you mean kettle?)``.
    Without known names the text is ``nothing``.

    Args:
        found: the misspelt text.
        names: the known names.
    """
    known = sorted(names)
    return f"{', '.join(known) or 'nothing'}{did_you_mean(found, known)}"


def did_you_mean(found: str, names: Iterable[str]) -> str:
    """Return a suggestion to append to a message, such as `` (did you mean kettle?)``; empty if no name is similar.

    Args:
        found: the misspelt text.
        names: the known names.
    """
    near = nearest(found, names)
    return f" (did you mean {near}?)" if near else ""
