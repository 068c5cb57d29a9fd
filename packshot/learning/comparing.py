"""Compare a new routing model (which predicts whether a person would refuse the machine's edit) with the model in use,
on shots on which neither was trained.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from packshot.figures import counted
from packshot.learning.measures import Quality, quality_of
from packshot.routing.model import Example, ModelUse, RoutingModel
from packshot.types import Value

LEAST_SHOTS = 60
LEAST_OF_EACH = 10
_LEAST = 1e-6


class Comparison(Value):
    """A new routing model and the one in use, compared on the same judged shots. `compare` makes it.

    What is compared is the probability, after the cut-out, that a person refuses the machine's edit.

    Attributes:
        better: True if the new model should be used.
        why: the reason in words.
        candidate: quality of the new model.
        serving: quality of the model in use.
    """

    better: bool
    why: str
    candidate: Quality
    serving: Quality


def compare(candidate: RoutingModel, serving: RoutingModel, held_out: Sequence[Example]) -> Comparison:
    """Return a comparison: whether a new routing model is better than the one in use, and the quality of both.

    Compared is the probability, after the cut-out, that a person refuses the machine's edit. The new model is better if
    its mean log loss is lower by more than the standard error of the difference. With fewer than 60 examples, or with
    fewer than 10 refused or 10 accepted ones, it does not count as better.

    Args:
        candidate: the new model.
        serving: the model in use.
        held_out: judged shots on which neither model was trained.
    """
    refused = [one.refused for one in held_out]
    new, old = (
        [model.use(ModelUse.APPROVE).forest.probability(one.figures) for one in held_out]
        for model in (candidate, serving)
    )
    better, why = _verdict(new, old, refused)
    return Comparison(better=better, why=why, candidate=quality_of(new, refused), serving=quality_of(old, refused))


def _verdict(candidate: Sequence[float], serving: Sequence[float], refused: Sequence[bool]) -> tuple[bool, str]:
    if len(refused) < LEAST_SHOTS or min(sum(refused), len(refused) - sum(refused)) < LEAST_OF_EACH:
        found = (
            f"{counted(len(refused), 'judged shot was', 'judged shots were')} held out, {sum(refused)} of them refused"
        )
        return False, f"{found}; it takes {LEAST_SHOTS}, and {LEAST_OF_EACH} of each kind"
    gain = _losses(serving, refused) - _losses(candidate, refused)
    mean, error = float(gain.mean()), float(gain.std(ddof=1) / np.sqrt(len(gain)))
    return mean > error, f"log loss lower by {mean:.4f} on {counted(len(gain), 'shot')}, standard error {error:.4f}"


def _losses(
    probabilities: Sequence[float], refused: Sequence[bool]
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    held, happened = np.clip(probabilities, _LEAST, 1 - _LEAST), np.asarray(refused, np.float64)
    return np.asarray(-(happened * np.log(held) + (1 - happened) * np.log(1 - held)), np.float64)
