"""Routing models made by hand, whose answers are known beforehand."""

from __future__ import annotations

from datetime import UTC, datetime

from packshot.routing.model import Labelled, Logistic, RoutingModel, StageModel, version_of

TRAINED_AT = datetime(2026, 3, 1, tzinfo=UTC)


def stage_of(figure: str, *, shots: int = 400, category: str = "") -> StageModel:
    """A stage that looks at one figure alone: 0.5 gives an even chance. Labelled shots above 0.5 were refused."""
    logistic = Logistic(names=(figure,), means=(0.5,), scales=(0.1,), weights=(2.0,), intercept=0.0)
    ratios = [place / shots for place in range(shots)]
    calibration = tuple(Labelled(logistic.probability({figure: one}), one > 0.5, category) for one in ratios)
    return StageModel(logistic=logistic, calibration=calibration)


def model_of(*, before: str = "thin_structure", after: str = "disagreement", shots: int = 400) -> RoutingModel:
    """A model that looks at one figure before the cut-out, and at one after it."""
    route, approve = stage_of(before, shots=shots), stage_of(after, shots=shots)
    version = version_of(trained_at=TRAINED_AT, route=route, approve=approve)
    return RoutingModel(version=version, trained_at=TRAINED_AT, route=route, approve=approve, card={})
