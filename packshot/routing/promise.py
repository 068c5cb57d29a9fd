"""Calculate limits on a model's probability that keep a stated promise, from labelled shots.

A promise has a ratio and a confidence. Example: people would refuse at most 1 % of the shots that pass, with 95 %
confidence.

The upper bound of a share is Clopper and Pearson's (Biometrika 1934), exact for any number of shots. Limits are tried
in a fixed order, the safest shots first. The search stops at the first limit that breaks the promise, and the last one
that kept it is taken. The order must not depend on the labels. Then a limit that breaks the promise is taken with a
probability of at most 1 - confidence (fixed-sequence testing; Angelopoulos et al., Learn then Test, 2021).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from packshot.figures import counted
from packshot.specs.models import Promise
from packshot.types import Value

Pair = tuple[float, bool]
"""A shot on which the model was not trained: (its probability, True if the shot was refused)."""

_FIRST_RATIO = 0.3
_STEP_RATIO = 0.04


class Limit(Value):
    """The highest probability of a refusal at which a promise is kept, with its proof. `limit_for` makes it.

    Attributes:
        promise: the promise that the limit keeps.
        probability: shots up to this probability of a refusal may pass. None means that people look at every shot:
            there are too few labelled shots, or too many of them were refused.
        accepted: number of labelled shots up to the limit: those that it lets pass.
        refused: how many of the `accepted` ones people refused.
        labelled: number of labelled shots: the model was not trained on them, and it is known whether people refused
            them.
        bound: upper bound of the share refused up to the limit, 0..1; 1 without a limit.
        real, real_refused: number of all labelled shots that are real photographs, and how many of them were refused.
            The others are drawn or rendered. Unlike `accepted`, they are not only those up to the limit.
    """

    promise: Promise
    probability: float | None
    accepted: int
    refused: int
    labelled: int
    bound: float
    real: int = 0
    real_refused: int = 0

    @property
    def sentence(self) -> str:
        """The limit and its proof in words, for people.

        Example of its beginning: "at most 1.0% refused, with 95% confidence: up to 0.023, 0 of 512 labelled shots
        refused".
        """
        return f"{self._promised}; {self._of_real_ones}"

    @property
    def _of_real_ones(self) -> str:
        """The result for real photographs alone. A promise proven on drawn scenes may not hold for them."""
        needed, refused = (
            least_shots(self.promise),
            f"{self.real_refused} of {counted(self.real, 'real photograph')} refused",
        )
        if self.real < needed:
            return f"{refused}: too few real photographs to promise it of them alone, {needed} are the least"
        bound = upper_bound(self.real_refused, self.real, confidence=self.promise.confidence)
        return f"{refused}: at most {bound:.1%} of all such"

    @property
    def _promised(self) -> str:
        promised = f"at most {self.promise.ratio:.1%} refused, with {self.promise.confidence:.0%} confidence"
        if self.probability is not None:
            of_them = f"{self.refused} of {counted(self.accepted, 'labelled shot')} refused"
            return f"{promised}: up to {self.probability:.3f}, {of_them}"
        needed = least_shots(self.promise)
        if self.labelled < needed:
            return f"{promised}: not to be had from {counted(self.labelled, 'labelled shot')}, {needed} are the least"
        return f"{promised}: not kept even by the safest of {counted(self.labelled, 'labelled shot')}"


def upper_bound(refused: int, shots: int, *, confidence: float) -> float:
    """Return the largest plausible share of refusals: Clopper and Pearson's one-sided upper confidence bound, 0..1.

    Example: 3 of 492 shots refused are a share of 0.6 %. With 95 % confidence the true share is at most 1.6 %.

    Args:
        refused: refused shots among all `shots`.
        shots: number of shots; with 0, or if all were refused, the bound is 1.
        confidence: 0..1.
    """
    from scipy import stats  # slow to import, and most processes prove nothing

    return float(stats.beta.ppf(confidence, refused + 1, shots - refused)) if shots > refused else 1.0


def lower_bound(refused: int, shots: int, *, confidence: float) -> float:
    """Return the smallest plausible share of refusals: Clopper and Pearson's one-sided lower confidence bound, 0..1.

    Args:
        refused: refused shots among all `shots`; with 0 the bound is 0.
        shots: number of shots.
        confidence: 0..1.
    """
    from scipy import stats

    return float(stats.beta.ppf(1 - confidence, refused, shots - refused + 1)) if refused else 0.0


def least_shots(promise: Promise) -> int:
    """Return the minimum number of shots, all of them accepted by people, that can prove a promise.

    Example: at most 1 % refused with 95 % confidence needs 299 shots.

    Args:
        promise: the share of refusals allowed at most, with a confidence.
    """
    return math.ceil(math.log(1 - promise.confidence) / math.log(1 - promise.ratio))


def limit_for(pairs: Sequence[Pair], promise: Promise) -> Limit:
    """Return the highest probability of a refusal up to which shots may pass under a promise, with the proof.

    The first candidate is the limit that lets the safest 30 % of the labelled shots pass, but at least as many as can
    prove the promise (`least_shots`). Each next candidate lets 4 % more pass. Shots of equal probability are never
    separated. If already the first one breaks the promise, or there are too few shots, the limit's probability is None.

    Args:
        pairs: (model's probability of a refusal, True if people refused) of each labelled shot.
        promise: the share of refusals allowed at most, with a confidence.
    """
    ordered = sorted(pairs)
    probabilities = np.array([probability for probability, _ in ordered])
    refusals = np.cumsum([refused for _, refused in ordered])
    best = Limit(promise=promise, probability=None, accepted=0, refused=0, labelled=len(ordered), bound=1.0)
    for accepted in _candidates(probabilities, least=least_shots(promise)):
        refused = int(refusals[accepted - 1])
        bound = upper_bound(refused, accepted, confidence=promise.confidence)
        if bound > promise.ratio:
            break
        best = best.model_copy(
            update={
                "probability": float(probabilities[accepted - 1]),
                "accepted": accepted,
                "refused": refused,
                "bound": bound,
            }
        )
    return best


def _candidates(probabilities: np.ndarray[tuple[int, ...], np.dtype[np.float64]], *, least: int) -> list[int]:
    """Return how many shots each candidate accepts, in the order of trial. Labels are not used."""
    shots = len(probabilities)
    first, step = max(least, round(_FIRST_RATIO * shots)), max(1, round(_STEP_RATIO * shots))
    wanted = [*range(first, shots, step), shots] if first <= shots else []
    return sorted({int(np.searchsorted(probabilities, probabilities[count - 1], side="right")) for count in wanted})


class CurvePoint(Value):
    """What one possible limit of the probability would mean: how many shots pass, and how many of them people refuse.

    Attributes:
        probability: the limit, 0..1. Shots up to this probability of a refusal pass.
        automated_ratio: share of the labelled shots that pass, 0..1.
        refused_ratio: share of the passing shots that people refused, 0..1.
        bound: upper confidence bound of `refused_ratio`, 0..1.
    """

    probability: float
    automated_ratio: float
    refused_ratio: float
    bound: float


def promise_curve(pairs: Sequence[Pair], *, confidence: float, points: int = 20) -> tuple[CurvePoint, ...]:
    """Return points of a curve: what share of shots would pass without people, and how many of these could be refused.

    The first point lets only the safest shots pass, the last one lets all pass. Without shots there are no points.

    Args:
        pairs: (model's probability of a refusal, True if people refused) of each labelled shot.
        confidence: of the bound of the refused share, 0..1.
        points: greatest number of points.
    """
    ordered = sorted(pairs)
    refusals = np.cumsum([refused for _, refused in ordered])
    counts = sorted({max(1, round(len(ordered) * (turn + 1) / points)) for turn in range(points)} if ordered else ())
    return tuple(
        CurvePoint(
            probability=ordered[count - 1][0],
            automated_ratio=count / len(ordered),
            refused_ratio=int(refusals[count - 1]) / count,
            bound=upper_bound(int(refusals[count - 1]), count, confidence=confidence),
        )
        for count in counts
    )
