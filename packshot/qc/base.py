"""The base of a product that stands on a floor: the lowest stretch of its outline, and how much of it is proven.

A contact shadow lies along the base. Where the outline follows the product, the photograph has an edge on it, even
against a deep shadow. Where the matte runs through shadow, or a bit of the base was cut off, there is none, or one lies
farther out. An edge farther in is for `kept_shadow_suspected` and the fringe to find. The network is not asked: it
takes contact shadow for product.
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


class Base(NamedTuple):
    """The base of a standing product.

    Attributes:
        points: (points,) True for the points of the outline that belong to it.
        unproven: (points,) True for points of the base where the photograph has no edge.
    """

    points: NDArray[np.bool_]
    unproven: NDArray[np.bool_]

    @property
    def share(self) -> float:
        """Share of the base without proof, 0..1."""
        return float(self.unproven.sum() / self.points.sum())


def base_of(outline: Outline, edges: EdgeFigures, product: Box) -> Base | None:
    """Return the base; None if no shadow lies along the lowest part of the outline, so that nothing stands there.

    Args:
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
    return Base(points, points & ~proven)
