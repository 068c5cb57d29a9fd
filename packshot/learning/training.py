"""Train the routing model, which predicts whether a person would refuse the machine's edit: extremely randomised trees.

Every setting is chosen by cross-validation.

In cross-validation, all examples of one product or scene (one group) are held out together. Training is deterministic:
the same examples give the same model. scikit-learn is used only for training. A trained model is plain numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from packshot.errors import TrainingError
from packshot.figures import counted
from packshot.learning.measures import quality_of
from packshot.routing.approve import QC_PREFIX
from packshot.routing.features import Features
from packshot.routing.forest import Forest, Tree, logit
from packshot.routing.mask_figures import MaskFigures
from packshot.routing.model import Example, JudgedPhoto, Labelled, ModelUse, ProvenForest, RoutingModel, version_of
from packshot.routing.proof import kinds_of

if TYPE_CHECKING:
    from sklearn.ensemble import ExtraTreesClassifier

FIGURES: Mapping[ModelUse, tuple[str, ...]] = {
    ModelUse.ROUTE: tuple(Features.model_fields),
    ModelUse.APPROVE: (*Features.model_fields, *MaskFigures.model_fields),
}
"""The figures that a model needs for each use. To approve it also needs the measurements of quality control."""

LEAST_IN_LEAF = (3, 5, 10)
"""Candidates for the minimum number of shots in a leaf."""
TREES = 100
FOLDS = 8
LEAST_GROUPS = 20

_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Fitted:
    """The model for one use, and its probabilities on held-out groups."""

    use: ModelUse
    least_in_leaf: int
    probabilities: list[float]
    model: ProvenForest


def train(examples: Sequence[Example], *, at: datetime, data: str) -> RoutingModel:
    """Return a routing model that is trained on examples.

    The model contains the judged examples from which its limits are computed, and a description for people (model
    card). Equal arguments give an equal model.

    Args:
        examples: judged shots, and scenes with a known right result.
        at: time of the training, for the version.
        data: where the examples are from, in words, for the card.

    Raises:
        TrainingError: the examples are of fewer than 20 products or scenes, or they are all refused or all accepted.
    """
    _require_enough(examples)
    fitted = [_fitted(examples, use) for use in (ModelUse.ROUTE, ModelUse.APPROVE)]
    route, approve = (one.model for one in fitted)
    return RoutingModel(
        version=version_of(trained_at=at, route=route, approve=approve),
        trained_at=at,
        route=route,
        approve=approve,
        card=_card(examples, fitted, data=data),
    )


def held_out_probabilities(examples: Sequence[Example], use: ModelUse, *, least_in_leaf: int) -> list[float]:
    """Return for each example the probability that people refuse it, 0..1, in the order of the examples.

    Each comes from a model that was trained without the examples of the same product or scene (`Example.group`), so
    that the model did not know the answer.

    Args:
        examples: the training examples.
        use: to route, before the cut-out, or to approve, after it.
        least_in_leaf: smallest number of examples in a leaf.
    """
    refused = np.array([one.refused for one in examples])
    shares = _held_out_shares(examples, use, least_in_leaf=least_in_leaf)
    found = np.zeros(len(examples))
    for others, held in _splits(examples, seed=1):
        slope, intercept = _curve(shares[others], refused[others])
        found[held] = 1 / (1 + np.exp(-(slope * np.array([logit(one) for one in shares[held]]) + intercept)))
    return [float(one) for one in found]


def fit(examples: Sequence[Example], use: ModelUse, *, least_in_leaf: int) -> Forest:
    """Return a forest of decision trees that predicts from a shot's measurements whether people refuse the machine's
    edit.

    A logistic curve turns the forest's result into a probability. The curve is fitted on products and scenes on which
    the trees were not trained.

    Args:
        examples: the training examples.
        use: to route, before the cut-out, or to approve, after it.
        least_in_leaf: smallest number of examples in a leaf.
    """
    table, usual = _table(examples, use)
    model = _trees(table, examples, least_in_leaf=least_in_leaf)
    refused = np.array([one.refused for one in examples])
    slope, intercept = _curve(_held_out_shares(examples, use, least_in_leaf=least_in_leaf), refused)
    return Forest(
        names=figure_names(examples, use),
        usual=tuple(round(float(one), 4) for one in usual),
        trees=tuple(_plain_tree(one.tree_) for one in model.estimators_),
        slope=round(slope, 5),
        intercept=round(intercept, 5),
    )


def figure_names(examples: Sequence[Example], use: ModelUse) -> tuple[str, ...]:
    """Return the names of the measurements that a model needs for one use; its trees number them in this order, from 0.

    To approve, a model also needs each measurement of quality control (``qc_<code>``) that any example has.

    Args:
        examples: the training examples.
        use: to route, before the cut-out, or to approve, after it.
    """
    judged = {name for one in examples for name in one.figures if name.startswith(QC_PREFIX)}
    return (*FIGURES[use], *(sorted(judged) if use is ModelUse.APPROVE else ()))


def _table(examples: Sequence[Example], use: ModelUse) -> tuple[_Floats, _Floats]:
    """Return the measurements, (examples, names), and the usual value of each name, its mean.

    Missing measurements are replaced by the usual value.
    """
    names = figure_names(examples, use)
    raw = np.array([[one.figures.get(name, np.nan) for name in names] for one in examples])
    known = np.maximum(1, np.count_nonzero(~np.isnan(raw), axis=0))
    usual = np.nansum(raw, axis=0) / known
    return np.where(np.isnan(raw), usual, raw), usual


def _trees(table: _Floats, examples: Sequence[Example], *, least_in_leaf: int) -> ExtraTreesClassifier:
    from sklearn.ensemble import ExtraTreesClassifier  # slow to import, and only a training needs it

    model = ExtraTreesClassifier(TREES, min_samples_leaf=least_in_leaf, random_state=0)
    return model.fit(table, [one.refused for one in examples], sample_weight=_weights(examples))


def _held_out_shares(examples: Sequence[Example], use: ModelUse, *, least_in_leaf: int) -> _Floats:
    table, _ = _table(examples, use)
    shares = np.zeros(len(examples))
    for others, held in _splits(examples, seed=0):
        model = _trees(table[others], [examples[place] for place in others], least_in_leaf=least_in_leaf)
        shares[held] = model.predict_proba(table[held])[:, -1] if len(model.classes_) > 1 else float(model.classes_[0])
    return shares


def _splits(examples: Sequence[Example], *, seed: int) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    from sklearn.model_selection import GroupKFold

    groups = np.array([one.group for one in examples])
    yield from GroupKFold(min(FOLDS, len(set(groups))), shuffle=True, random_state=seed).split(groups, groups=groups)


def _curve(shares: _Floats, refused: NDArray[np.bool_]) -> tuple[float, float]:
    """Return (slope, intercept) of Platt's curve. With only one kind of outcome the share stays as it is."""
    if refused.all() or not refused.any():
        return 1.0, 0.0
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=10.0).fit(np.array([[logit(one)] for one in shares]), refused)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def _plain_tree(tree: Any) -> Tree:
    """Return a scikit-learn tree as plain numbers."""
    shares = tree.value[:, 0, -1] / tree.value[:, 0].sum(axis=1)
    inner = tree.children_left >= 0
    return Tree(
        figures=tuple(int(one) for one in np.where(inner, tree.feature, -1)),
        limits=tuple(round(float(one), 7) for one in np.where(inner, tree.threshold, 0.0)),
        lefts=tuple(int(one) for one in np.where(inner, tree.children_left, 0)),
        rights=tuple(int(one) for one in np.where(inner, tree.children_right, 0)),
        shares=tuple(round(float(one), 4) for one in shares),
    )


def _weights(examples: Sequence[Example]) -> _Floats:
    groups = np.array([one.group for one in examples])
    _, which, counts = np.unique(groups, return_inverse=True, return_counts=True)
    weights = 1 / np.sqrt(counts[which])
    return np.asarray(weights * len(weights) / weights.sum(), np.float64)


def _fitted(examples: Sequence[Example], use: ModelUse) -> _Fitted:
    """Return the model for one use. Its leaf size has the lowest log loss on held-out groups; all examples train it."""
    refused = [one.refused for one in examples]
    tried = {least: held_out_probabilities(examples, use, least_in_leaf=least) for least in LEAST_IN_LEAF}
    least = min(tried, key=lambda one: quality_of(tried[one], refused).log_loss)
    shots = [
        Labelled(round(probability, 5), one.refused, one.category)
        for probability, one in zip(tried[least], examples, strict=True)
        if one.source != "review" and (one.approved or use is ModelUse.ROUTE)
    ]
    seen = [
        JudgedPhoto(round(probability, 5), one.refused, one.category, kinds_of(one.figures, one.category))
        for probability, one in zip(tried[least], examples, strict=True)
        if one.source == "audit" and (one.approved or use is ModelUse.ROUTE)
    ]
    model = ProvenForest(
        forest=fit(examples, use, least_in_leaf=least), calibration=tuple(sorted(shots)), seen=tuple(sorted(seen))
    )
    return _Fitted(use, least, tried[least], model)


def _require_enough(examples: Sequence[Example]) -> None:
    groups, answers = len({one.group for one in examples}), {one.refused for one in examples}
    if groups < LEAST_GROUPS or len(answers) < 2:
        raise TrainingError(
            "there is too little to learn from",
            f"{counted(len(examples), 'judged shot')} of {counted(groups, 'product')}",
            allowed=f"{LEAST_GROUPS} products and both kinds of verdicts",
            next_step="Raise the share of audits in configs/routing.yaml, and wait for more verdicts.",
        )


def _card(examples: Sequence[Example], fitted: Sequence[_Fitted], *, data: str) -> dict[str, object]:
    """Return the model card: what a person should know before trusting the model."""
    refused = [one.refused for one in examples]
    stages = {
        one.use.value: {
            "figures": list(one.model.forest.names),
            "least_in_leaf": one.least_in_leaf,
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
        "method": f"{TREES} extremely randomised trees and a logistic curve; held out by groups",
        "stages": stages,
    }


def _by_category(examples: Sequence[Example], probabilities: Sequence[float]) -> dict[str, object]:
    """Return, by category: shots, share refused, mean probability, and share of wrong answers at a threshold of 0.5."""
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
