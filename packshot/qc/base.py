"""Find the base of a product that stands on a floor: the lowest stretch of its outline. Test whether it is proven.

A contact shadow lies along the base. Where the outline follows the product, the photograph has an edge at the outline,
even against a deep shadow. Two mistakes break this rule. The matte may contain shadow, or a bit of the base may be cut
off. In both cases the photograph has no edge at the outline, or its edge lies farther out.

There is a third mistake. Right beside the product the floor gets hardly any light: a line there, a few pixels wide, is
darker than product and floor. Its outer side is an edge, too. A matte that ends there keeps the dark line.

If the edge lies farther in for another reason, other rules find the mistake: `kept_shadow_suspected` and `fringe`. The
segmentation network's opinion is not used here, because it often takes a contact shadow for product.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from packshot.qc.edge_figures import EdgeFigures
from packshot.qc.outline import Outline
from packshot.types import Box

BASE_OF_HEIGHT = 0.12
"""The base lies within this share of the product's height from its lowest point."""
_FACES_DOWN = 0.5
"""Least downward part of the outward normal: the outline is at most 60 degrees from level."""
_SHADED = 12.0
"""Backdrop in shadow is at least this many levels darker than the lit backdrop."""
_LEAST_SHADED, _LEAST_POINTS = 0.1, 20
"""A product stands on a floor if shadow lies along at least this share of its base."""
_ON_THE_EDGE = 1.0
"""The photograph's outermost edge proves an outline if it lies at most this many outline units farther out."""
_LINE_LEVEL = 0.7
"""A contact shadow's dark line was kept if it has at most this share of the product's level and of the floor's."""


class Base(NamedTuple):
    """The base of a standing product: the lowest stretch of its outline. `base_of` makes it.

    Attributes:
        points: (points,) one flag per point of the outline: True if the point belongs to the base.
        unproven: (points,) one flag per point of the outline: True if the point belongs to the base, and one of these
            holds: the photograph has no edge there; its edge lies more than one outline unit farther out; the matte
            keeps the dark line of a contact shadow. An outline unit is one pixel, or 1/1700 of the product's longest
            side if that is more.
    """

    points: NDArray[np.bool_]
    unproven: NDArray[np.bool_]

    @property
    def share(self) -> float:
        """The share, 0..1, of the base's points that are unproven. The base is the outline's lowest stretch."""
        return float(self.unproven.sum() / self.points.sum())


def base_of(outline: Outline, edges: EdgeFigures, product: Box) -> Base | None:
    """Return the base of a standing product; None if the product does not stand on a floor.

    The base is the part of the outline that faces down, within 12 % of the product's height from its lowest point. A
    product stands if a shadow lies along at least a tenth of the base. The result is None too if the base has fewer
    than 20 points.

    Args:
        outline: samples across the matte's outline.
        edges: measurements of the edge at the points of `outline`, as `measure_edges` returns them.
        product: the product's box, in pixels of the photograph.
    """
    lowest = product.bottom - BASE_OF_HEIGHT * (product.bottom - product.top)
    points = (outline.normal[:, 1] > _FACES_DOWN) & (outline.y > lowest) & ~outline.hole
    if points.sum() < _LEAST_POINTS:
        return None
    darker = (outline.backdrop - outline.outer)[points].mean(axis=1)
    if float((darker > _SHADED).mean()) < _LEAST_SHADED:
        return None
    proven = edges.offset <= _ON_THE_EDGE  # no edge at all is NaN: not proven
    keeps_line = (edges.line_level <= _LINE_LEVEL) & (edges.offset < -_ON_THE_EDGE)
    return Base(points, points & (~proven | keeps_line))
