"""Training of the routing model: regularised logistic regression, everything chosen by cross-validation by groups.

Deterministic: the same examples give the same model. scikit-learn only fits; a trained model is figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from packshot.errors import TrainingError
from packshot.learning.measures import quality_of
from packshot.routing.features import Features
from packshot.routing.mask_figures import MaskFigures
from packshot.routing.model import Example, Labelled, Logistic, RoutingModel, Stage, StageModel, version_of

FIGURES: Mapping[Stage, tuple[str, ...]] = {
    Stage.ROUTE: tuple(Features.model_fields),
    Stage.APPROVE: (*Features.model_fields, *MaskFigures.model_fields),
}
"""What each stage may look at."""

STRENGTHS = (0.01, 0.03, 0.1, 0.3, 1.0)
"""Inverse strengths of the regularisation that are tried."""
FOLDS = 8
LEAST_GROUPS = 20
_SPREAD = 3.0
_LEAST_SPREAD = 1e-3

_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Fitted:
    """A stage's model and what came of it on groups left out."""

    stage: Stage
    strength: float
    probabilities: list[float]
    model: StageModel


def train(examples: Sequence[Example], *, at: datetime, data: str) -> RoutingModel:
    """Return a model trained on examples, with the limits' calibration and its card.

    Args:
        data: where the examples are from, in words, for the card.
    Raises:
        TrainingError: too few groups, or only refused or only accepted examples.
    """
    _require_enough(examples)
    fitted = [_fitted(examples, stage) for stage in (Stage.ROUTE, Stage.APPROVE)]
    route, approve = (one.model for one in fitted)
    return RoutingModel(
        version=version_of(trained_at=at, route=route, approve=approve),
        trained_at=at,
        route=route,
        approve=approve,
        card=_card(examples, fitted, data=data),
    )


def held_out_probabilities(
    examples: Sequence[Example], stage: Stage, *, strength: float, folds: int = FOLDS
) -> list[float]:
    """Return each example's probability by a model that saw nothing of its group."""
    groups = np.array([one.group for one in examples])
    found = np.zeros(len(examples))
    splits = GroupKFold(min(folds, len(set(groups))), shuffle=True, random_state=0)
    for fitted, held in splits.split(groups, groups=groups):
        model = fit([examples[place] for place in fitted], stage, strength=strength)
        found[held] = [model.probability(examples[place].figures) for place in held]
    return [float(one) for one in found]


def fit(examples: Sequence[Example], stage: Stage, *, strength: float) -> Logistic:
    """Return a logistic regression on a stage's figures. Each group weighs the same, however many shots it has."""
    names = FIGURES[stage]
    table = np.array([[one.figures.get(name, np.nan) for name in names] for one in examples])
    known = np.maximum(1, np.count_nonzero(~np.isnan(table), axis=0))
    means = np.nansum(table, axis=0) / known
    spread = np.sqrt(np.nansum((table - means) ** 2, axis=0) / known)
    scales = np.where(spread > _LEAST_SPREAD, spread, 1.0)
    parts = np.clip(np.nan_to_num((table - means) / scales), -_SPREAD, _SPREAD)
    model = LogisticRegression(C=strength, max_iter=5000)
    model.fit(parts, [one.refused for one in examples], sample_weight=_weights(examples))
    return Logistic(
        names=names,
        means=tuple(round(float(one), 6) for one in means),
        scales=tuple(round(float(one), 6) for one in scales),
        weights=tuple(round(float(one), 6) for one in model.coef_[0]),
        intercept=round(float(model.intercept_[0]), 6),
    )


def _weights(examples: Sequence[Example]) -> _Floats:
    groups = np.array([one.group for one in examples])
    _, which, counts = np.unique(groups, return_inverse=True, return_counts=True)
    weights = 1 / np.sqrt(counts[which])
    return np.asarray(weights * len(weights) / weights.sum(), np.float64)


def _fitted(examples: Sequence[Example], stage: Stage) -> _Fitted:
    """Try every strength on groups left out; the lowest log loss wins, and all examples train the model."""
    refused = [one.refused for one in examples]
    tried = {strength: held_out_probabilities(examples, stage, strength=strength) for strength in STRENGTHS}
    strength = min(tried, key=lambda one: quality_of(tried[one], refused).log_loss)
    shots = [
        Labelled(round(probability, 5), one.refused, one.category)
        for probability, one in zip(tried[strength], examples, strict=True)
        if one.source != "review" and (one.approved or stage is Stage.ROUTE)
    ]
    logistic = fit(examples, stage, strength=strength)
    model = StageModel(logistic=logistic, calibration=tuple(sorted(shots)))
    return _Fitted(stage, strength, tried[strength], model)


def _require_enough(examples: Sequence[Example]) -> None:
    groups, answers = len({one.group for one in examples}), {one.refused for one in examples}
    if groups < LEAST_GROUPS or len(answers) < 2:
        raise TrainingError(
            "there is too little to learn from",
            f"{len(examples)} judged shots of {groups} products",
            allowed=f"{LEAST_GROUPS} products and both kinds of verdicts",
            next_step="Raise the share of audits in configs/routing.yaml, and wait for more verdicts.",
        )


def _card(examples: Sequence[Example], fitted: Sequence[_Fitted], *, data: str) -> dict[str, object]:
    """What a person should know of a model before trusting it."""
    refused = [one.refused for one in examples]
    stages = {
        one.stage.value: {
            "figures": list(FIGURES[one.stage]),
            "strength": one.strength,
            "held_out": quality_of(one.probabilities, refused).model_dump(mode="json"),
            "by_category": _by_category(examples, one.probabilities),
        }
        for one in fitted
    }
    sources = sorted({one.source for one in examples})
    return {
        "data": data,
        "examples": len(examples),
        "groups": len({one.group for one in examples}),
        "refused": sum(refused),
        "sources": {source: sum(one.source == source for one in examples) for source in sources},
        "method": "L2-regularised logistic regression; held out by groups; every figure standardised and held within 3",
        "stages": stages,
    }


def _by_category(examples: Sequence[Example], probabilities: Sequence[float]) -> dict[str, object]:
    """By category: shots, share refused, mean probability, and how often the likelier answer was wrong."""
    found: dict[str, object] = {}
    for category in sorted({one.category for one in examples}):
        part = [(p, one.refused) for p, one in zip(probabilities, examples, strict=True) if one.category == category]
        found[category or "unknown"] = {
            "shots": len(part),
            "refused": round(sum(refused for _, refused in part) / len(part), 3),
            "said": round(sum(p for p, _ in part) / len(part), 3),
            "wrong": round(sum((p >= 0.5) != refused for p, refused in part) / len(part), 3),
        }
    return found
