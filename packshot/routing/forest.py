"""Evaluate a forest of decision trees, which gives a probability.

The forest is stored as plain numbers and contains no code that could run.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise

from pydantic import model_validator

from packshot.types import Value

_LEAST_SHARE = 0.005


class Tree(Value):
    """One decision tree. Nodes are numbered from the root, 0, downwards. Each list has one entry per node.

    Attributes:
        figures: index of the measurement to compare; -1 at a leaf.
        limits: the threshold. A measurement at or below it goes left.
        lefts, rights: the next nodes. Their numbers are greater.
        shares: the share of the training examples at this node for which the forest's answer is yes, 0..1.
    """

    figures: tuple[int, ...]
    limits: tuple[float, ...]
    lefts: tuple[int, ...]
    rights: tuple[int, ...]
    shares: tuple[float, ...]

    @model_validator(mode="after")
    def _leads_to_leaves(self) -> Tree:
        """Check that every node leads to nodes with greater numbers, so that evaluation ends."""
        count = len(self.figures)
        if not count or {len(self.limits), len(self.lefts), len(self.rights), len(self.shares)} != {count}:
            raise ValueError("a tree's lists must be of one length")
        for node, figure in enumerate(self.figures):
            if figure >= 0 and not (node < self.lefts[node] < count and node < self.rights[node] < count):
                raise ValueError(f"node {node} does not lead downwards")
        return self

    def path(self, values: list[float]) -> list[int]:
        """Return the numbers of the nodes from the root to a leaf, both included.

        Args:
            values: the measurements by index.
        """
        node, nodes = 0, [0]
        while self.figures[node] >= 0:
            left = values[self.figures[node]] <= self.limits[node]
            node = self.lefts[node] if left else self.rights[node]
            nodes.append(node)
        return nodes


class Forest(Value):
    """A forest of decision trees that gives a probability from measurements, as plain numbers.

    They are extremely randomised trees (Geurts et al., 2006). A logistic curve turns their mean share into a
    probability.

    Attributes:
        names: names of the measurements, by index.
        usual: by index, the value for a measurement that is missing: its mean in training.
        trees: the trees, which count equally.
        slope, intercept: parameters of the curve, whose argument is the logit of the mean share (Platt, 1999).
    """

    names: tuple[str, ...]
    usual: tuple[float, ...]
    trees: tuple[Tree, ...]
    slope: float
    intercept: float

    @model_validator(mode="after")
    def _fits_together(self) -> Forest:
        if len(self.names) != len(self.usual):
            raise ValueError("names and usual values must be as many")
        if not self.trees or any(figure >= len(self.names) for tree in self.trees for figure in tree.figures):
            raise ValueError("trees ask for figures that have no name, or there are none")
        return self

    def probability(self, figures: Mapping[str, float]) -> float:
        """Return the forest's probability, 0..1; of a routing model, that a person refuses the edit.

        A missing measurement is replaced by its usual value.

        Args:
            figures: measurements by name; others than those in `names` are ignored.
        """
        values = self._values(figures)
        share = sum(tree.shares[tree.path(values)[-1]] for tree in self.trees) / len(self.trees)
        return 1 / (1 + math.exp(-(self.slope * logit(share) + self.intercept)))

    def reasons(self, figures: Mapping[str, float], *, most: int = 3) -> tuple[str, ...]:
        """Return the names of the measurements that raise the probability most, the strongest first; empty without any.

        At each node of a path through a tree, the share of refusals changes. A measurement's contribution is the sum of
        the changes at its nodes, over all trees. Measurements that do not raise the probability are left out.

        Args:
            figures: measurements by name. A missing one is replaced by its usual value.
            most: greatest number of names.
        """
        values, added = self._values(figures), [0.0] * len(self.names)
        for tree in self.trees:
            nodes = tree.path(values)
            for node, below in pairwise(nodes):
                added[tree.figures[node]] += tree.shares[below] - tree.shares[node]
        raised = sorted(zip(added, self.names, strict=True), reverse=True)
        return tuple(name for amount, name in raised[:most] if amount > 0)

    def _values(self, figures: Mapping[str, float]) -> list[float]:
        return [figures.get(name, usual) for name, usual in zip(self.names, self.usual, strict=True)]


def logit(share: float) -> float:
    """Return log(p / (1 - p)) of a share p, at most about 5.3 in size.

    p is first limited to 0.005..0.995, because a forest cannot be more certain than that.

    Args:
        share: 0..1.
    """
    held = min(max(share, _LEAST_SHARE), 1 - _LEAST_SHARE)
    return math.log(held / (1 - held))
