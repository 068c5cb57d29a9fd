"""Estimate how likely it is that a region of the matte is left-over backdrop (backdrop that the matte wrongly keeps as
product), with two small random forests.

The first forest judges all regions. The second one takes a closer look (`closer_look`) at those that the first one
doubts. The smaller of the two probabilities counts.

`benchmarks.left_backdrop` trained the forests on regions whose truth is known. They are stored as plain numbers in
`left_backdrop.json` and `closer_look.json`, so loading them runs no code.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from packshot.qc.around import Around
from packshot.qc.closer_look import NAMES as CLOSER_NAMES
from packshot.qc.closer_look import closer_look
from packshot.qc.continued import goes_on
from packshot.qc.near_backdrop import Regions, near_backdrop
from packshot.routing.forest import Forest, Tree
from packshot.types import Box

MARGIN_PX = 48
"""Room around the product, in which the backdrop's colours are looked up."""
FIRST, SECOND = "left_backdrop.json", "closer_look.json"
"""Files of the two forests, in this package."""
ASKED_FROM = 0.3
"""From this probability on, by the first forest, a region gets the closer look."""


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

    A region comes back however low its probability is. Regions whose colour goes on inside the product (`goes_on`) are
    not considered, because they are part of it. The result is None if no other region has nearly the backdrop's colour.

    Args:
        around: the photograph around the product, reduced, with its matte and its predicted backdrop.
        noise: the backdrop's noise, in levels (0..255).
    """
    regions = near_backdrop(around, noise)
    if regions is None:
        return None
    likely = probabilities(regions)
    doubted = np.flatnonzero(likely >= ASKED_FROM)
    if len(doubted):
        likely[doubted] = np.minimum(likely[doubted], closer_probabilities(around, noise, regions, doubted))
    for worst in np.argsort(-likely, kind="stable"):
        if not goes_on(around, *np.divmod(regions.pixels[worst], around.kept.shape[1])):
            return Left(float(likely[worst]), float(regions.area[worst]), regions.boxes[worst])
    return None


def probabilities(regions: Regions) -> NDArray[np.float64]:
    """Return the first forest's probability that each region is left-over backdrop: (regions,) float64 in 0..1.

    Each probability is the mean over the forest's trees. The order is that of the regions.

    Args:
        regions: regions of the matte with nearly the backdrop's colour, with their measurements.
    """
    return _judged(FIRST, figures_of(regions, shipped_forest(FIRST).names))


def closer_probabilities(
    around: Around, noise: float, regions: Regions, chosen: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return the second forest's probability that each chosen region is left-over backdrop, (chosen regions,) float64.

    Each probability, 0..1, is the mean over the forest's trees. The order is that of `chosen`.

    Args:
        around: the photograph around the product, reduced, with its matte and its predicted backdrop.
        noise: the backdrop's noise, in levels (0..255).
        regions: regions of the matte with nearly the backdrop's colour, with their measurements.
        chosen: (chosen regions,): indices of the regions to judge.
    """
    names = [name for name in shipped_forest(SECOND).names if name not in CLOSER_NAMES]
    known, seen = figures_of(regions, names)[chosen], closer_look(around, noise, regions, chosen)
    return _judged(SECOND, np.concatenate([known, seen.astype(np.float32)], axis=1))


def figures_of(regions: Regions, names: Sequence[str]) -> NDArray[np.float32]:
    """Return measurements of the regions as a table, (regions, names) float32.

    Args:
        regions: regions of the matte, with their measurements.
        names: names of the measurements, in the order of the columns.
    """
    return np.stack([regions.figures[name] for name in names], axis=1).astype(np.float32)


@cache
def shipped_forest(file: str) -> Forest:
    """Return a random forest that comes with Packshot and tells left-over backdrop from product.

    It is loaded once per process.

    Args:
        file: `FIRST` or `SECOND`.
    """
    return Forest.model_validate_json(resources.files("packshot.qc").joinpath(file).read_text(encoding="utf-8"))


class _Arrays(NamedTuple):
    """A tree as arrays by node; a leaf leads to itself."""

    figures: NDArray[np.intp]
    limits: NDArray[np.float32]
    nexts: NDArray[np.intp]
    shares: NDArray[np.float64]
    depth: int


def _judged(file: str, table: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the mean over a forest's trees for each row of measurements."""
    return np.asarray(np.mean([_shares(tree, table) for tree in _arrays(file)], axis=0), np.float64)


@cache
def _arrays(file: str) -> tuple[_Arrays, ...]:
    return tuple(_as_arrays(tree) for tree in shipped_forest(file).trees)


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
