"""Kinds of shots of which drawn and rendered scenes prove nothing: only photographs that people looked at do.

Real contact shadows, pale parts in real light, and things that no drawing was made of: approved edits of these were
refused by eye where every scene with truth called them right.
"""

from __future__ import annotations

from collections.abc import Mapping

from packshot.specs.stages import Unproven

LEAST_SHADOW = 0.13
"""Shadow over shadow and product. Chosen on the half of the real photographs that limits may be chosen on."""
LEAST_LIKE_BACKDROP, LEAST_PALE_INSIDE, DARKEST_BACKDROP = 0.5, 0.2, 0.25
"""Of `low_contrast`, `pale_inside` and `backdrop_darkness`; chosen on the same half."""


def kinds_of(figures: Mapping[str, float], category: str) -> tuple[Unproven, ...]:
    """Return the kinds that a shot is of.

    Args:
        figures: of the master, by the names of `Features`; one that was not measured counts as 0.
        category: its name; empty where nobody named it.
    """
    floor = figures.get("shadow", 0.0) >= LEAST_SHADOW
    pale = (
        figures.get("backdrop_darkness", 0.0) <= DARKEST_BACKDROP
        and figures.get("low_contrast", 0.0) >= LEAST_LIKE_BACKDROP
        and figures.get("pale_inside", 0.0) >= LEAST_PALE_INSIDE
    )
    found = {Unproven.UNNAMED: not category, Unproven.ON_FLOOR: floor, Unproven.PALE_ON_PALE: pale}
    return tuple(kind for kind, is_so in found.items() if is_so)
