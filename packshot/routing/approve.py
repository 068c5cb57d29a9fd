"""After the cut-out: would a person refuse what the machine made, and may it be approved unseen?"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from packshot.routing.features import Features
from packshot.routing.mask_figures import MaskFigures
from packshot.routing.model import RoutingModel, Stage
from packshot.specs.models import Promise
from packshot.types import Finding, Status


@dataclass(frozen=True)
class Watch:
    """What looks over a machine's shoulder.

    Attributes:
        features: of the master, before the cut-out.
        ruled_out: categories that the shot is known not to be of.
    """

    model: RoutingModel
    features: Features
    promise: Promise
    ruled_out: Collection[str] = ()

    def judge(self, masks: MaskFigures) -> Finding:
        """Return how likely a refusal is; beyond what keeps the promise the finding stops an approval."""
        figures = {**self.features.model_dump(), **masks.model_dump()}
        forest = self.model.approve.forest
        probability = forest.probability(figures)
        limit = self.model.limit(Stage.APPROVE, self.promise, without=self.ruled_out)
        kept = limit.probability is not None and probability <= limit.probability
        because = ", ".join(name.replace("_", " ") for name in forest.reasons(figures)) or "nothing in particular"
        return Finding(
            code="refusal_likely",
            status=Status.PASSED if kept else Status.FAILED,
            message=f"The probability that a person refuses this edit is {probability:.3f} ({because}); "
            f"{limit.sentence}; model {self.model.version}.",
            measured=round(probability, 5),
            limit=limit.probability,
            unit="probability",
            gate=True,
        )
