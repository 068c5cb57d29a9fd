"""Check by a rule whether a viewer can see the edge of a pale product on a white page."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from packshot.colour.difference import delta_e_2000, lab_of
from packshot.colour.spaces import working_profile
from packshot.qc.edge_rules import place_on_outline
from packshot.qc.measured import measured, skipped
from packshot.qc.outline import Column, Outline, at, longest_run, smooth_along
from packshot.qc.scene import Scene
from packshot.specs.models import RuleLimits
from packshot.types import Finding

SEEN_DELTA_E = 1.0
"""Smallest CIEDE2000 difference between two adjacent areas that a normal observer sees. The formula is scaled so that
this is one unit."""
_INSIDE = at(-6.0, -1.0)
"""The measured part of a normal, in outline units: the product's rim. A thin shade along the edge makes the edge
visible, so all of the rim counts."""
_WHITE_16 = np.full((1, 1, 3), 65535, np.uint16)
_NOISE_POINTS = 2.0


def pale_on_white(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on a product whose edge cannot be seen on white.

    Its value is the length of the longest stretch of the outline where the product differs from the white around it by
    less than 1 delta E 2000, as a share of the product's longest side. The finding has the status `skipped` and no
    value if the matte has no outline.

    Example: a page shows the product 700 px long, so a value of 0.05 is 35 px. From the usual distance to a screen this
    is about one degree of the field of view. The eye does not complete so long a gap by itself.

    Args:
        scene: the edit on one platform's canvas, with its measurements. If the finding has a box, it is in pixels of
            the photograph.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    outline = scene.outline
    if not outline.points:
        return skipped("pale_on_white", "The cut-out has no outline.")
    unseen = white_on_white(outline) < SEEN_DELTA_E
    first, length = longest_run(unseen, outline)
    longest = float(scene.subject.size.longest) if scene.subject else 1.0
    x, y = (way[first : first + length] for way in (outline.x, outline.y))
    share = float(np.hypot(np.diff(x), np.diff(y)).sum()) / longest
    message = (
        f"Along a stretch of {share:.0%} of its longest side, the product differs from the white around it by less "
        "than "
        f"{SEEN_DELTA_E:.0f} delta E 2000: nobody sees where it ends."
    )
    place = partial(place_on_outline, scene, first + length // 2) if length else None
    return measured("pale_on_white", share, limits, message, unit="share", box=place)


def white_on_white(outline: Outline) -> Column:
    """Return how much the product's rim differs from white, (points,) float32, delta E 2000.

    There is one value for each point of the outline: the greatest difference along the normal, from 6 to 1 outline
    units inside (one is a pixel, or 1/1700 of the product's longest side if that is more). The composite's colours are
    averaged along the outline first, so that noise is not taken for an edge.

    Args:
        outline: samples across the matte's outline.
    """
    rim = outline.composite[:, _INSIDE]
    calm = np.stack([smooth_along(rim[:, n], outline, points=_NOISE_POINTS) for n in range(rim.shape[1])], axis=1)
    levels: NDArray[np.uint16] = np.clip(np.rint(calm * 257), 0, 65535).astype(np.uint16)
    icc = working_profile()
    return np.asarray(delta_e_2000(lab_of(levels, icc=icc), lab_of(_WHITE_16, icc=icc)).max(axis=1), np.float32)
