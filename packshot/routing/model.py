"""Estimate by a trained model how likely it is that a person refuses the machine's edit of a shot.

The model has two forests. One uses measurements made before the cut-out. The other also uses measurements of the
finished edit. A model is stored as plain JSON, so loading it runs no code.
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


class ModelUse(StrEnum):
    """When the routing model is asked how probable it is that a person refuses the machine's edit of a shot.

    Attributes:
        ROUTE: before the cut-out, to decide who edits the shot.
        APPROVE: after the cut-out, to stop a doubtful approval.
    """

    ROUTE = "route"
    APPROVE = "approve"


class Example(Value):
    """A shot that the machine edited and that was judged: one training example.

    Attributes:
        figures: measured before and after the cut-out, by name.
        refused: True if a person refused the edit, or if it differs too much from the known right result.
        group: name of the product, or of the scene. Examples of one group are never split between training and testing.
        category: name of the shot's category; empty if it is unknown.
        approved: True if quality control approved the edit. Only such a shot can be an escape: approved, but wrong.
        source: ``truth`` for a scene whose right result is known; ``audit`` for an approved edit that was chosen at
            random and judged by a person; ``review`` for an edit that a person judged because the machine did not
            approve it. Reviews are no fair sample of all shots.
    """

    figures: Mapping[str, float]
    refused: bool
    group: str
    category: str = ""
    approved: bool = True
    source: str = "truth"


class Labelled(NamedTuple):
    """A shot on which the model was not trained: what the model said of its edit, and whether the edit was refused.

    Attributes:
        probability: the model's probability of a refusal, 0..1.
        refused: True if the edit was refused, or differs too much from the known right result.
        category: name of the shot's category; empty if it is unknown.
    """

    probability: float
    refused: bool
    category: str


class JudgedPhoto(NamedTuple):
    """A real photograph among the labelled shots, whose edit a person judged.

    Attributes:
        probability: the model's probability of a refusal, 0..1.
        refused: True if the person refused the edit.
        category: name of the shot's category; empty if it is unknown.
        kinds: the kinds to which it belongs, of those for which drawn scenes prove nothing (`Unproven`).
    """

    probability: float
    refused: bool
    category: str
    kinds: tuple[str, ...]


class ProvenForest(Value):
    """The model for one use (before or after the cut-out), with the shots that determine its limits.

    Attributes:
        forest: what gives the probability of a refusal.
        calibration: labelled shots. Each probability is from a model that was not trained on the shot's group.
        seen: the real photographs among them. The others are drawn or rendered scenes whose right result is known.
    """

    forest: Forest
    calibration: tuple[Labelled, ...]
    seen: tuple[JudgedPhoto, ...] = ()


class RoutingModel(Value):
    """A trained model that gives the probability that a person refuses the machine's edit of a shot, with its card.

    Attributes:
        version: day of training and fingerprint, for example ``2026-03-01-1a2b3c4d``. Every record names it.
        trained_at: time of the training.
        route, approve: the forests for the two uses: before the cut-out, and after it.
        card: the model card: the training data and the model's quality, as plain JSON, for people.
    """

    version: str
    trained_at: datetime
    route: ProvenForest
    approve: ProvenForest
    card: Mapping[str, object]

    def use(self, use: ModelUse) -> ProvenForest:
        """Return the forest for one use: before the cut-out (ROUTE), or after it (APPROVE).

        Args:
            use: when the model is asked.
        """
        return self.route if use is ModelUse.ROUTE else self.approve

    def limit(self, use: ModelUse, promise: Promise, *, without: Collection[str] = ()) -> Limit:
        """Return the highest probability of a refusal at which the model keeps a promise, with its proof.

        Shots up to this probability may pass without a person. The limit's probability is None if there are too few
        labelled shots, or if too many of them were refused: then no shot passes.

        Args:
            use: when the model is asked: before the cut-out, or after it.
            promise: the share of refusals allowed at most, with a confidence.
            without: names of categories to which a shot certainly does not belong, because rules send them to people.
                Labelled shots of these categories are left out.
        """
        shots = [one for one in self.use(use).calibration if one.category not in without]
        found = limit_for([(one.probability, one.refused) for one in shots], promise)
        seen = [one for one in self.use(use).seen if one.category not in without]
        return found.model_copy(update={"real": len(seen), "real_refused": sum(one.refused for one in seen)})

    def real_limit(self, use: ModelUse, promise: Promise, kind: Unproven) -> Limit:
        """Return a limit on the model's probability, proven on real photographs of one kind only.

        The model's probability says how likely it is that a person refuses the machine's edit of a shot. Shots up to
        the limit pass: the machine may edit them, or approve its edit of them. Shots beyond it go to people. Among the
        shots that pass, people would refuse no larger share than the promise allows. The limit's probability is None if
        people judged too few photographs of this kind, or refused too many of their edits. Then no shot passes.

        Args:
            use: ROUTE if the model is asked before the cut-out, APPROVE if after it.
            promise: the largest share of shots that pass and would be refused, and the confidence of this.
            kind: the kind of photograph, such as those with a dark backdrop.
        """
        seen = [one for one in self.use(use).seen if kind in one.kinds]
        found = limit_for([(one.probability, one.refused) for one in seen], promise)
        return found.model_copy(update={"real": len(seen), "real_refused": sum(one.refused for one in seen)})


def version_of(*, trained_at: datetime, route: ProvenForest, approve: ProvenForest) -> str:
    """Return a model's version: day of training, and eight hex digits of a hash over what determines decisions.

    Example: ``2026-03-01-1a2b3c4d``.

    Args:
        trained_at: time of the training.
        route, approve: the models for the two uses.
    """
    text = "".join(_decisive(one) for one in (route, approve))
    return f"{trained_at:%Y-%m-%d}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _decisive(use: ProvenForest) -> str:
    """Return everything in a model that determines decisions, as JSON.

    Without real photographs, ``seen`` is left out, so that the versions of older models stay the same.
    """
    return use.model_dump_json(exclude=None if use.seen else {"seen"})


def read_model(data: bytes, *, name: str) -> RoutingModel:
    """Return a routing model (which predicts whether a person would refuse the machine's edit) from its JSON.

    Loading the model runs no code.

    Args:
        data: the JSON, as stored.
        name: what the model is called in messages, such as its path.
    Raises:
        ModelError: the data is not a model, or was changed after training.
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
    """Return the routing model that comes with Packshot.

    It predicts whether a person would refuse the machine's edit, and was trained on scenes whose right result is known.

    It is loaded once per process.

    Raises:
        ModelError: the installed file was changed.
    """
    file = resources.files("packshot.routing").joinpath("shipped_model.json")
    return read_model(file.read_bytes(), name="packshot/routing/shipped_model.json")
