"""Recognise the kinds of shots for which drawn and rendered scenes prove nothing; only judged real photographs count.

The kinds are shots with real contact shadows, shots with pale parts in real light, shots on dark backdrops, and
products of unknown category. On real photographs of these kinds, people refused edits that seemed right by every scene
with known truth.

A kind is recognised twice: from the photograph before the cut-out, and from the finished matte. All limits were chosen
on that half of the real photographs which is reserved for choosing limits.
"""

from __future__ import annotations

from collections.abc import Mapping

from packshot.routing.pale_rim import FIGURE as PALE_RIM
from packshot.specs.stages import Unproven

LEAST_SHADOW = 0.13
"""Minimum `shadow` figure for a visible floor, before the cut-out."""
MOST_BASE_UNPROVEN = 0.05
"""After the cut-out, a product in whose base more than this share is unproven stands on a visible floor. With less, the
base itself is evidence: the photograph shows its edge against the shadow."""
LEAST_LIKE_BACKDROP, LEAST_PALE_INSIDE, DARKEST_BACKDROP = 0.5, 0.2, 0.25
"""Limits of `low_contrast`, `pale_inside` and `backdrop_darkness` for pale on pale, before the cut-out."""
LEAST_PALE_RIM = 0.06
"""Minimum `pale_rim` for pale on pale, after the cut-out."""
LEAST_DARKNESS = 0.5
"""Minimum `backdrop_darkness` of a dark backdrop."""
BASE_FIGURE = "qc_base_unproven"


def kinds_of(figures: Mapping[str, float], category: str) -> tuple[Unproven, ...]:
    """Return the kinds to which a shot belongs, of those for which only real photographs count; empty if it is of none.

    The kinds are: category unknown, standing on a visible floor, pale on pale, and dark backdrop.

    Args:
        figures: measurements by name: of the master, by the names of `Features`; of the finished edit, if there is one,
            `pale_rim` and ``qc_base_unproven``. A missing measurement of the master counts as 0. If there is no
            measurement of the edit, only the measurements of the master decide.
        category: name of the category; empty if it is unknown.
    """
    darkness = figures.get("backdrop_darkness", 0.0)
    found = {
        Unproven.UNNAMED: not category,
        Unproven.ON_FLOOR: _on_floor(figures),
        Unproven.PALE_ON_PALE: _pale_on_pale(figures, darkness) or figures.get(PALE_RIM, 0.0) >= LEAST_PALE_RIM,
        Unproven.DARK_BACKDROP: darkness >= LEAST_DARKNESS,
    }
    return tuple(kind for kind, is_so in found.items() if is_so)


def _on_floor(figures: Mapping[str, float]) -> bool:
    """Return whether a product stands on a visible floor, and its base is no evidence of itself."""
    unproven = figures.get(BASE_FIGURE)
    return figures.get("shadow", 0.0) >= LEAST_SHADOW if unproven is None else unproven > MOST_BASE_UNPROVEN


def _pale_on_pale(figures: Mapping[str, float], darkness: float) -> bool:
    return (
        darkness <= DARKEST_BACKDROP
        and figures.get("low_contrast", 0.0) >= LEAST_LIKE_BACKDROP
        and figures.get("pale_inside", 0.0) >= LEAST_PALE_INSIDE
    )
