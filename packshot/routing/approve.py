"""After the cut-out: would a person refuse what the machine made, and may it be approved unseen?"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from packshot.routing.features import Features
from packshot.routing.model import RoutingModel, Stage
from packshot.routing.promise import least_shots
from packshot.routing.proof import kinds_of
from packshot.specs.models import Category, Promise
from packshot.specs.stages import Unproven
from packshot.types import Complexity, Finding, Status

QC_PREFIX = "qc_"
"""What the names of quality control's figures begin with, beside those of routing's own."""
_IN_WORDS = {
    Unproven.UNNAMED: "Nobody named its category",
    Unproven.ON_FLOOR: "It stands on a visible floor",
    Unproven.PALE_ON_PALE: "It is pale on a pale backdrop",
}


def qc_figures(findings: Iterable[Finding]) -> dict[str, float]:
    """Return what quality control measured, by ``qc_<code>``; what it could not measure is left out."""
    return {f"{QC_PREFIX}{one.code}": one.measured for one in findings if one.measured is not None}


def ruled_out(category: Category | None, categories: Iterable[Category]) -> tuple[str, ...]:
    """Return the categories that rules send to people, for a shot that is known to be of another one."""
    if category is None:
        return ()
    return tuple(one.name for one in categories if one.complexity not in (None, Complexity.SIMPLE))


@dataclass(frozen=True)
class Watch:
    """What looks over a machine's shoulder.

    Attributes:
        features: of the master, before the cut-out.
        ruled_out: categories that the shot is known not to be of.
        category: the shot's; empty where nobody named it.
        real_only: kinds of shots that only real photographs prove.
    """

    model: RoutingModel
    features: Features
    promise: Promise
    ruled_out: Collection[str] = ()
    category: str = ""
    real_only: Collection[Unproven] = ()

    def proof(self, measured: Mapping[str, float]) -> Finding:
        """Return whether real photographs speak for a shot whose kind drawn ones prove nothing of; else it stops.

        Args:
            measured: on the cut-out's mattes, and by quality control.
        """
        figures = self.features.model_dump()
        kinds = [kind for kind in kinds_of(figures, self.category) if kind in self.real_only]
        probability = self.model.approve.forest.probability({**figures, **measured})
        limits = {kind: self.model.real_limit(Stage.APPROVE, self.promise, kind) for kind in kinds}
        missing = [kind for kind, one in limits.items() if one.probability is None or probability > one.probability]
        told = "; ".join(f"{_IN_WORDS[kind]}: {limits[kind].sentence}" for kind in missing)
        return Finding(
            code="real_proof_missing",
            status=Status.FAILED if missing else Status.PASSED,
            message=f"Only real photographs that people judged prove such a shot. {told}." if missing else "",
            measured=float(min((limits[kind].real for kind in missing), default=0)) if missing else None,
            limit=float(least_shots(self.promise)),
            unit="shots",
            gate=True,
        )

    def judge(self, measured: Mapping[str, float]) -> Finding:
        """Return how likely a refusal is; beyond what keeps the promise the finding stops an approval.

        Args:
            measured: on the cut-out's mattes, and by quality control.
        """
        figures = {**self.features.model_dump(), **measured}
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
