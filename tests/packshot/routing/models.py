"""Routing models made by hand, whose answers are known beforehand."""

from __future__ import annotations

from datetime import UTC, datetime

from packshot.routing.forest import Forest, Tree
from packshot.routing.model import Labelled, ProvenForest, RoutingModel, version_of

TRAINED_AT = datetime(2026, 3, 1, tzinfo=UTC)


def stage_of(figure: str, *, shots: int = 400, category: str = "") -> ProvenForest:
    """A model that looks at one figure alone: 0.5 gives an even chance. Labelled shots above 0.5 were refused."""
    steps = [(place + 0.5) / 200 for place in range(200)]
    trees = tuple(
        Tree(figures=(0, -1, -1), limits=(step, 0, 0), lefts=(1, 0, 0), rights=(2, 0, 0), shares=(0.5, 0.0, 1.0))
        for step in steps
    )
    forest = Forest(names=(figure,), usual=(0.5,), trees=trees, slope=2.0, intercept=0.0)
    ratios = [place / shots for place in range(shots)]
    calibration = tuple(Labelled(forest.probability({figure: one}), one > 0.5, category) for one in ratios)
    return ProvenForest(forest=forest, calibration=calibration)


def model_of(*, before: str = "thin_structure", after: str = "disagreement", shots: int = 400) -> RoutingModel:
    """A model that looks at one figure before the cut-out, and at one after it."""
    route, approve = stage_of(before, shots=shots), stage_of(after, shots=shots)
    version = version_of(trained_at=TRAINED_AT, route=route, approve=approve)
    return RoutingModel(version=version, trained_at=TRAINED_AT, route=route, approve=approve, card={})
