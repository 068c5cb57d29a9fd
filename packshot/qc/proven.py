"""Where an outline is proven: the photograph has an edge on it, or the network is sure of the product just inside."""

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
    """Return the points of an outline that neither the photograph nor the network confirms, (points,).

    Backdrop or shadow that was kept, and pale parts that were cut off, have an outline where the photograph has no
    edge. The true outline of a product in the backdrop's colour has no edge either. There the network must be sure of
    the product.
    """
    inside_px = _INSIDE_PX / reduced.scale
    x, y = outline.x - outline.normal[:, 0] * inside_px, outline.y - outline.normal[:, 1] * inside_px
    sure = at_reduced(reduced.network, reduced, x, y) >= _SURE
    return np.asarray(~(np.abs(edges.offset) <= _ON_THE_EDGE) & ~sure)  # no edge at all is NaN: not on it


def least_proven(outline: Outline, edges: EdgeFigures, reduced: Reduced) -> tuple[int, float]:
    """Return (middle point, share without proof) of the worst stretch of an outline, the share in 0..1.

    The worst stretch is the one with the largest share of points from `unproven`.
    """
    length_px = STRETCH_OF_PICTURE * reduced.longest / reduced.scale
    return worst_stretch(unproven(outline, edges, reduced), outline, length_px=length_px)
