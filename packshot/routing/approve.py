"""Check a finished edit by the routing model: would a person refuse it, and may it be approved without a look?"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from packshot.routing.features import Features
from packshot.routing.model import ModelUse, RoutingModel
from packshot.routing.promise import least_shots
from packshot.routing.proof import kinds_of
from packshot.specs.models import Category, Promise
from packshot.specs.stages import Unproven
from packshot.types import Complexity, Finding, Status

QC_PREFIX = "qc_"
"""Prefix for figures from quality control. Routing's own figures have no prefix."""
_IN_WORDS = {
    Unproven.UNNAMED: "Nobody named its category",
    Unproven.ON_FLOOR: "It stands on a visible floor",
    Unproven.PALE_ON_PALE: "It is pale on a pale backdrop",
    Unproven.DARK_BACKDROP: "Its backdrop is dark",
}
_WAITS = "Only real photographs that people judged prove such a shot."
_RISK_TAKEN = "The client's style guide takes the risk that too few people have judged such shots."


def qc_figures(findings: Iterable[Finding]) -> dict[str, float]:
    """Return the measurements of quality control as ``qc_<code>`` -> measurement, for the model that judges an edit.

    A finding without a measured value is left out. If several have the same code, the last counts.

    Args:
        findings: of an edit.
    """
    return {f"{QC_PREFIX}{one.code}": one.measured for one in findings if one.measured is not None}


def ruled_out(category: Category | None, categories: Iterable[Category]) -> tuple[str, ...]:
    """Return names of the categories to which a shot certainly does not belong; empty if its category is unknown.

    They are the categories whose rule sends shots to people. A shot that went to the machine belongs to none of them.

    Args:
        category: the category of a shot that went to the machine; None if it is unknown.
        categories: all categories.
    """
    if category is None:
        return ()
    return tuple(one.name for one in categories if one.complexity not in (None, Complexity.SIMPLE))


@dataclass(frozen=True)
class Watch:
    """The routing model's check of a machine's edit, after the cut-out. The check can stop an automatic approval.

    Attributes:
        model: the routing model in use.
        features: measurements of the master, made before the cut-out.
        promise: the share of approved edits that people may refuse at most, with a confidence.
        ruled_out: names of categories to which the shot certainly does not belong.
        category: name of the shot's category; empty if it is unknown.
        real_only: kinds of shots for which only real photographs count as proof.
        risk_taken: kinds from `real_only` that the client lets the machine approve without such proof.
    """

    model: RoutingModel
    features: Features
    promise: Promise
    ruled_out: Collection[str] = ()
    category: str = ""
    real_only: Collection[Unproven] = ()
    risk_taken: Collection[Unproven] = ()

    def proof(self, measured: Mapping[str, float]) -> Finding:
        """Return the finding `real_proof_missing`: have people judged enough real photographs like this shot?

        Only the kinds in `real_only` to which the shot belongs are checked: for them, drawn scenes prove nothing. A
        kind is proven for the shot if people's judgements of real photographs of the kind show that the promise is kept
        up to the probability with which the model expects a refusal of the shot's edit.

        If each kind is proven, or there is none to check, the finding is passed and has no value. If a kind is not
        proven, the finding fails and stops the approval. If the client takes the risk for all kinds that are not
        proven, it is only a warning, which stays with the delivery. The value is the number of judged real photographs
        of such a kind; of several kinds, the smallest.

        Args:
            measured: measurements of the finished edit by name: of its mattes (`MaskFigures`), `pale_rim`, and
                ``qc_<code>`` of quality control. They also show to which kinds the shot belongs.
        """
        figures = {**self.features.model_dump(), **measured}
        kinds = [kind for kind in kinds_of(figures, self.category) if kind in self.real_only]
        probability = self.model.approve.forest.probability(figures)
        limits = {kind: self.model.real_limit(ModelUse.APPROVE, self.promise, kind) for kind in kinds}
        missing = [kind for kind, one in limits.items() if one.probability is None or probability > one.probability]
        waits = [kind for kind in missing if kind not in self.risk_taken]
        told = "; ".join(f"{_IN_WORDS[kind]}: {limits[kind].sentence}" for kind in waits or missing)
        return Finding(
            code="real_proof_missing",
            status=Status.FAILED if waits else Status.WARNING if missing else Status.PASSED,
            message=f"{_WAITS if waits else _RISK_TAKEN} {told}." if missing else "",
            measured=float(min((limits[kind].real for kind in waits or missing), default=0)) if missing else None,
            limit=float(least_shots(self.promise)),
            unit="shots",
            gate=True,
        )

    def judge(self, measured: Mapping[str, float]) -> Finding:
        """Return the finding `refusal_likely`: its value is the probability that a person refuses the edit, 0..1.

        It passes up to the limit at which the model keeps the promise. Above the limit, or if no limit keeps the
        promise, it fails and stops the approval.

        Args:
            measured: measurements of the finished edit by name: of its mattes (`MaskFigures`), `pale_rim`, and
                ``qc_<code>`` of quality control.
        """
        figures = {**self.features.model_dump(), **measured}
        forest = self.model.approve.forest
        probability = forest.probability(figures)
        limit = self.model.limit(ModelUse.APPROVE, self.promise, without=self.ruled_out)
        kept = limit.probability is not None and probability <= limit.probability
        because = ", ".join(name.replace("_", " ") for name in forest.reasons(figures)) or "nothing in particular"
        return Finding(
            code="refusal_likely",
            status=Status.PASSED if kept else Status.FAILED,
            message=f"People {'seldom' if kept else 'may'} refuse an edit like this one ({because}); "
            f"probability {probability:.3f}, {limit.sentence}; model {self.model.version}.",
            measured=round(probability, 5),
            limit=limit.probability,
            unit="probability",
            gate=True,
        )
