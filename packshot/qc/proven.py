"""Find where the photograph or the segmentation network proves that an edit's outline is right.

A point is proven if the photograph has an edge there, or if the segmentation network is sure that the pixels just
inside are product.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from packshot.qc.edge_figures import EdgeFigures
from packshot.qc.outline import Outline, at_reduced, worst_stretch
from packshot.qc.reduced import Reduced

STRETCH_OF_PICTURE = 0.02
"""Length of the stretch that is judged, as a share of the picture's longest side: 40 px of 2000 px."""
_ON_THE_EDGE = 1.0
"""The photograph's edge confirms an outline that is at most this many outline units away."""
_SURE, _INSIDE_PX = 0.8, 2.0
"""The network confirms an outline if it gives at least this value, this many reduced pixels inside it."""


def unproven(outline: Outline, edges: EdgeFigures, reduced: Reduced) -> NDArray[np.bool_]:
    """Return which points of an outline neither the photograph nor the segmentation network confirms, (points,) bool.

    A point is confirmed if the photograph has an edge at most one outline unit away (one pixel, or 1/1700 of the
    product's longest side if that is more). The photograph has no edge at a wrong outline: where backdrop or shadow was
    kept, or a pale part was cut off. But it has no edge either at the true outline of a product in the backdrop's
    colour. So a point without an edge is confirmed if the network's probability of product is at least 0.8 just inside
    the outline.

    Args:
        outline: samples across the matte's outline.
        edges: measurements of the edge at the points of `outline`, as `measure_edges` returns them.
        reduced: the whole edit, reduced to at most 1024 px, for the network's mask.
    """
    inside_px = _INSIDE_PX / reduced.scale
    x, y = outline.x - outline.normal[:, 0] * inside_px, outline.y - outline.normal[:, 1] * inside_px
    sure = at_reduced(reduced.network, reduced, x, y) >= _SURE
    return np.asarray(~(np.abs(edges.offset) <= _ON_THE_EDGE) & ~sure)  # no edge at all is NaN: not on it


def least_proven(outline: Outline, edges: EdgeFigures, reduced: Reduced) -> tuple[int, float]:
    """Return the worst stretch of an outline, as (index of its middle point, its unproven share in 0..1).

    The stretch is 2 % of the picture's longest side long: 40 px of 2000 px. A point is unproven if neither an edge in
    the photograph nor the segmentation network confirms it. The result is (0, 0.0) if all points are proven or all
    contours are too short.

    Args:
        outline: samples across the matte's outline.
        edges: measurements of the edge at the points of `outline`, as `measure_edges` returns them.
        reduced: the whole edit, reduced to at most 1024 px, for the network's mask.
    """
    length_px = STRETCH_OF_PICTURE * reduced.longest / reduced.scale
    return worst_stretch(unproven(outline, edges, reduced), outline, length_px=length_px)
