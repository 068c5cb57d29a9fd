"""Estimate how likely it is that a region of the matte is left-over backdrop (backdrop that the matte wrongly keeps as
product), with a small random forest.

`benchmarks.left_backdrop` trained the forest on regions whose truth is known. The forest is stored as plain numbers in
`left_backdrop.json`, so loading it runs no code.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from packshot.qc.around import Around
from packshot.qc.continued import goes_on
from packshot.qc.near_backdrop import Regions, near_backdrop
from packshot.routing.forest import Forest, Tree
from packshot.types import Box

MARGIN_PX = 48
"""Room around the product, in which the backdrop's colours are looked up."""
LEAST_PX = 20
"""Smaller regions are not judged: nobody sees them, and their figures are noise."""


class Left(NamedTuple):
    """The region of a matte that is most likely left-over backdrop, for example a gap in a handle that stayed filled.

    Attributes:
        probability: 0..1, that the region is backdrop.
        area: in pixels of the photograph reduced so that the product's longest side is at most 1200 px.
        box: in pixels of the photograph.
    """

    probability: float
    area: float
    box: Box


def most_likely_left(around: Around, noise: float) -> Left | None:
    """Return the region of the matte that is most likely left-over backdrop, with its probability.

    A region comes back however low its probability is. Two kinds of regions are not considered: those smaller than 20
    px, and those whose colour goes on inside the product (`goes_on`), because they are part of it. The result is None
    if no other region has nearly the backdrop's colour.

    Args:
        around: the photograph around the product, reduced, with its matte and its predicted backdrop.
        noise: the backdrop's noise, in levels (0..255).
    """
    regions = near_backdrop(around, noise)
    if regions is None or not (regions.area >= LEAST_PX).any():
        return None
    likely = np.where(regions.area >= LEAST_PX, probabilities(regions), -1.0)
    for worst in np.argsort(-likely, kind="stable")[: np.count_nonzero(likely >= 0)]:
        if not goes_on(around, *np.divmod(regions.places[regions.region == worst], around.kept.shape[1])):
            return Left(float(likely[worst]), float(regions.area[worst]), regions.boxes[worst])
    return None


def probabilities(regions: Regions) -> NDArray[np.float64]:
    """Return the probability that each region is left-over backdrop, (regions,) float64 in 0..1, in their order.

    Each probability is the mean over the trees of the random forest that comes with Packshot.

    Args:
        regions: regions of the matte with nearly the backdrop's colour, with their measurements.
    """
    forest = shipped_forest()
    table = np.stack([regions.figures[name] for name in forest.names], axis=1).astype(np.float32)
    return np.asarray(np.mean([_shares(tree, table) for tree in _arrays()], axis=0), np.float64)


@cache
def shipped_forest() -> Forest:
    """Return the random forest that comes with Packshot and tells left-over backdrop from product.

    It is loaded once per process.
    """
    text = resources.files("packshot.qc").joinpath("left_backdrop.json").read_text(encoding="utf-8")
    return Forest.model_validate_json(text)


class _Arrays(NamedTuple):
    """A tree as arrays by node; a leaf leads to itself."""

    figures: NDArray[np.intp]
    limits: NDArray[np.float32]
    nexts: NDArray[np.intp]
    shares: NDArray[np.float64]
    depth: int


@cache
def _arrays() -> tuple[_Arrays, ...]:
    return tuple(_as_arrays(tree) for tree in shipped_forest().trees)


def _as_arrays(tree: Tree) -> _Arrays:
    nodes = np.arange(len(tree.figures))
    figures = np.array(tree.figures, np.intp)
    leaf = figures < 0
    nexts = np.stack([np.where(leaf, nodes, tree.lefts), np.where(leaf, nodes, tree.rights)], axis=1)
    depths = np.zeros(len(nodes), int)
    for node in nodes[~leaf]:  # nodes lead to greater numbers only
        depths[nexts[node]] = depths[node] + 1
    limits = np.array(tree.limits, np.float32)
    return _Arrays(np.maximum(figures, 0), limits, nexts, np.array(tree.shares), int(depths.max()))


def _shares(tree: _Arrays, table: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the share of backdrop at the leaf that each row of measurements reaches."""
    rows = np.arange(len(table))
    node = np.zeros(len(table), np.intp)
    for _ in range(tree.depth):
        right = table[rows, tree.figures[node]] > tree.limits[node]
        node = tree.nexts[node, right.astype(np.intp)]
    return tree.shares[node]
