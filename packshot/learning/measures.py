"""Measure how good predicted probabilities are: their ranking, their calibration and their log loss."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from packshot.types import Value

_LEAST = 1e-6


class Bin(Value):
    """Shots of similar probability, to compare probability and outcome.

    Attributes:
        shots: number of shots.
        said: mean predicted probability of a refusal, 0..1.
        refused: share that people really refused, 0..1.
    """

    shots: int
    said: float
    refused: float


class Quality(Value):
    """The quality of a model's probabilities of a refusal, on shots on which the model was not trained.

    Attributes:
        shots: number of shots.
        refused: number of shots that people refused.
        auc: probability that a refused shot was given a higher probability than an accepted one, 0..1; None if there
            are no refused or no accepted shots.
        calibration_error: mean difference between mean probability and refused share, over bins of equal size, 0..1.
        log_loss: mean of -log(probability of the true outcome), natural logarithm; lower is better. 0 without shots.
        curve: the bins from which the calibration error was computed, by rising probability; empty without shots.
    """

    shots: int
    refused: int
    auc: float | None
    calibration_error: float
    log_loss: float
    curve: tuple[Bin, ...]


def quality_of(probabilities: Sequence[float], refused: Sequence[bool], *, bins: int = 10) -> Quality:
    """Return how well predicted probabilities agree with people's decisions.

    Args:
        probabilities: the predicted probability that each shot is refused, 0..1.
        refused: whether each shot was refused, in the order of `probabilities`.
        bins: number of equally large groups for the calibration curve.
    """
    said, happened = np.asarray(probabilities, np.float64), np.asarray(refused, np.float64)
    order = np.argsort(said, kind="stable")
    parts = [part for part in np.array_split(order, min(bins, len(order))) if len(part)] if len(order) else []
    curve = tuple(
        Bin(shots=len(part), said=float(said[part].mean()), refused=float(happened[part].mean())) for part in parts
    )
    held = np.clip(said, _LEAST, 1 - _LEAST)
    loss = -(happened * np.log(held) + (1 - happened) * np.log(1 - held))
    return Quality(
        shots=len(said),
        refused=int(happened.sum()),
        auc=_auc(said, happened),
        calibration_error=sum(abs(one.said - one.refused) * one.shots for one in curve) / max(1, len(said)),
        log_loss=float(loss.mean()) if len(loss) else 0.0,
        curve=curve,
    )


def _auc(
    said: np.ndarray[tuple[int, ...], np.dtype[np.float64]], happened: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
) -> float | None:
    """Return the Mann-Whitney U statistic divided by the number of pairs. Ties count half."""
    bad, good = said[happened > 0], said[happened == 0]
    if not len(bad) or not len(good):
        return None
    ordered = np.sort(good)
    below = np.searchsorted(ordered, bad, side="left") + np.searchsorted(ordered, bad, side="right")
    return float(below.sum() / (2 * len(bad) * len(good)))
