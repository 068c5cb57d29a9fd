"""What somebody probably meant: the nearest of the names there are."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_NEAR_RATIO = 0.6
"""Least share of letters in common, as `difflib.SequenceMatcher.ratio` counts them."""


def nearest(found: str, names: Iterable[str]) -> str:
    """Return the name that a text is nearest to, ignoring case; empty where none is near."""
    plain = {name.casefold(): name for name in names}
    near = difflib.get_close_matches(found.casefold(), plain, n=1, cutoff=_NEAR_RATIO)
    return plain[near[0]] if near else ""


def listed(found: str, names: Iterable[str]) -> str:
    """Return all the names there are, and the one that was probably meant."""
    known = sorted(names)
    return f"{', '.join(known) or 'nothing'}{did_you_mean(found, known)}"


def did_you_mean(found: str, names: Iterable[str]) -> str:
    """Return `` (did you mean kettle?)``, to stand behind a text; empty where no name is near."""
    near = nearest(found, names)
    return f" (did you mean {near}?)" if near else ""
