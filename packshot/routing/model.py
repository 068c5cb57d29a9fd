"""The trained model of routing: how likely a person would refuse what the machine makes of a shot.

Two forests: one asks what is measured before the cut-out, one that and the figures of the cut-out's mattes. Written as
plain JSON: what is loaded is figures, never code.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from datetime import datetime
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import NamedTuple

from pydantic import ValidationError

from packshot.errors import ModelError
from packshot.routing.forest import Forest
from packshot.routing.promise import Limit, limit_for
from packshot.specs.models import Promise
from packshot.specs.stages import Unproven
from packshot.types import Value


class Stage(StrEnum):
    """When a model is asked."""

    ROUTE = "route"
    APPROVE = "approve"


class Example(Value):
    """A shot that the machine edited and somebody judged.

    Attributes:
        figures: by name, as measured before and after the cut-out.
        refused: by a person, or by truth.
        group: what belongs together: never split between fitting and testing.
        approved: by quality control; only such shots can escape.
        source: ``truth``, ``review``, ``audit``; only the first and the last are a fair sample.
    """

    figures: Mapping[str, float]
    refused: bool
    group: str
    category: str = ""
    approved: bool = True
    source: str = "truth"


class Labelled(NamedTuple):
    """A shot that the model did not learn from: what it said, and what happened."""

    probability: float
    refused: bool
    category: str


class Seen(NamedTuple):
    """A real photograph whose edit a person judged, among the labelled shots.

    Attributes:
        kinds: those of `Unproven` that it is of.
    """

    probability: float
    refused: bool
    category: str
    kinds: tuple[str, ...]


class StageModel(Value):
    """A model for one stage, and what its limits follow from.

    Attributes:
        calibration: labelled shots, each with the probability by a model that never saw its group.
        seen: those of them that are real photographs; the others are drawn or rendered, with exact truth.
    """

    forest: Forest
    calibration: tuple[Labelled, ...]
    seen: tuple[Seen, ...] = ()


class RoutingModel(Value):
    """A trained model with its card.

    Attributes:
        version: day of training and fingerprint; names it in every record.
        card: what it was trained on and how well it does, for people.
    """

    version: str
    trained_at: datetime
    route: StageModel
    approve: StageModel
    card: Mapping[str, object]

    def stage(self, stage: Stage) -> StageModel:
        return self.route if stage is Stage.ROUTE else self.approve

    def limit(self, stage: Stage, promise: Promise, *, without: Collection[str] = ()) -> Limit:
        """Return up to which probability a stage keeps a promise.

        Args:
            without: categories that a shot is known not to be of, because the client's rules send them to people.
        """
        shots = [one for one in self.stage(stage).calibration if one.category not in without]
        found = limit_for([(one.probability, one.refused) for one in shots], promise)
        seen = [one for one in self.stage(stage).seen if one.category not in without]
        return found.model_copy(update={"real": len(seen), "real_refused": sum(one.refused for one in seen)})

    def real_limit(self, stage: Stage, promise: Promise, kind: Unproven) -> Limit:
        """Return up to which probability a stage keeps a promise by real photographs of one kind alone."""
        seen = [one for one in self.stage(stage).seen if kind in one.kinds]
        found = limit_for([(one.probability, one.refused) for one in seen], promise)
        return found.model_copy(update={"real": len(seen), "real_refused": sum(one.refused for one in seen)})


def version_of(*, trained_at: datetime, route: StageModel, approve: StageModel) -> str:
    """Return a version: the day, and eight digits of the hash of all that decides."""
    text = "".join(_decisive(one) for one in (route, approve))
    return f"{trained_at:%Y-%m-%d}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _decisive(stage: StageModel) -> str:
    """All that decides; a model that has seen no real photograph is told as it was before there were any."""
    return stage.model_dump_json(exclude=None if stage.seen else {"seen"})


def read_model(data: bytes, *, name: str) -> RoutingModel:
    """Return a model from its JSON.

    Raises:
        ModelError: it is no model, or it was changed after training.
    """
    try:
        model = RoutingModel.model_validate_json(data)
    except ValidationError as error:
        raise ModelError(
            "this is no routing model",
            name,
            found=str(error.errors()[0]["msg"]),
            next_step="Roll back to the version before: the deployment roll-back-router.",
        ) from error
    expected = version_of(trained_at=model.trained_at, route=model.route, approve=model.approve)
    if model.version != expected:
        raise ModelError(
            "the routing model is not the one that was trained",
            name,
            found=f"version {model.version}, content of {expected}",
            next_step="Roll back to the version before: the deployment roll-back-router.",
        )
    return model


@cache
def shipped_model() -> RoutingModel:
    """Return the model that comes with Packshot, trained on truth."""
    file = resources.files("packshot.routing").joinpath("shipped_model.json")
    return read_model(file.read_bytes(), name="packshot/routing/shipped_model.json")
