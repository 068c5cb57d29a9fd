"""The rule on products that dissolve in the white that they are delivered on."""

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
"""Smallest CIEDE2000 difference of two fields side by side that a normal observer sees: one unit, by its making."""
_INSIDE = at(-6.0, -1.0)
"""Where the product's own rim is looked at, in outline units: also a thin shade along the edge is an edge."""
_WHITE_16 = np.full((1, 1, 3), 65535, np.uint16)
_NOISE_POINTS = 2.0


def pale_on_white(scene: Scene, limits: RuleLimits) -> Finding:
    """Longest stretch of the outline along which the product is as white as what it is delivered on.

    Along it nobody sees where the product ends. It is stated as a share of the product's longest side: on a page where
    the product is 700 px long, 0.05 of it is 35 px, about a degree of sight at a desk, more than the eye fills in.
    """
    outline = scene.outline
    if not outline.points:
        return skipped("pale_on_white", "The matte has no outline.")
    unseen = white_on_white(outline) < SEEN_DELTA_E
    first, length = longest_run(unseen, outline)
    longest = float(scene.subject.size.longest) if scene.subject else 1.0
    x, y = (way[first : first + length] for way in (outline.x, outline.y))
    share = float(np.hypot(np.diff(x), np.diff(y)).sum()) / longest
    message = (
        f"For {share:.0%} of its longest side the product differs from the white around it by less than a delta E 2000 "
        f"of {SEEN_DELTA_E:.0f}: nobody sees where it ends."
    )
    place = partial(place_on_outline, scene, first + length // 2) if length else None
    return measured("pale_on_white", share, limits, message, unit="share", box=place)


def white_on_white(outline: Outline) -> Column:
    """Return by how much the product's rim differs from white at each point of the outline, at the most; delta E 2000.

    The composite's colours are averaged along the outline first, so that noise makes no edge.
    """
    rim = outline.composite[:, _INSIDE]
    calm = np.stack([smooth_along(rim[:, n], outline, points=_NOISE_POINTS) for n in range(rim.shape[1])], axis=1)
    levels: NDArray[np.uint16] = np.clip(np.rint(calm * 257), 0, 65535).astype(np.uint16)
    icc = working_profile()
    return np.asarray(delta_e_2000(lab_of(levels, icc=icc), lab_of(_WHITE_16, icc=icc)).max(axis=1), np.float32)
