"""Kinds of shots for which drawn and rendered scenes prove nothing. Only photographs judged by people count.

They are shots with real contact shadows, shots with pale parts in real light, and products of unknown category. Of
these kinds, people refused approved edits while every scene with truth called them right.
"""

from __future__ import annotations

from collections.abc import Mapping

from packshot.specs.stages import Unproven

LEAST_SHADOW = 0.13
"""Minimum `shadow` figure for a visible floor.

Chosen on the half of the real photographs reserved for choosing limits.
"""
LEAST_LIKE_BACKDROP, LEAST_PALE_INSIDE, DARKEST_BACKDROP = 0.5, 0.2, 0.25
"""Limits of `low_contrast`, `pale_inside` and `backdrop_darkness`. Chosen on the same half."""


def kinds_of(figures: Mapping[str, float], category: str) -> tuple[Unproven, ...]:
    """Return the kinds to which a shot belongs.

    Args:
        figures: figures of the master, by the names of `Features`. A missing figure counts as 0.
        category: name of the category; empty if it is unknown.
    """
    floor = figures.get("shadow", 0.0) >= LEAST_SHADOW
    pale = (
        figures.get("backdrop_darkness", 0.0) <= DARKEST_BACKDROP
        and figures.get("low_contrast", 0.0) >= LEAST_LIKE_BACKDROP
        and figures.get("pale_inside", 0.0) >= LEAST_PALE_INSIDE
    )
    found = {Unproven.UNNAMED: not category, Unproven.ON_FLOOR: floor, Unproven.PALE_ON_PALE: pale}
    return tuple(kind for kind, is_so in found.items() if is_so)
