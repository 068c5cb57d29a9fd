"""How good probabilities are: order, calibration, by category."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from packshot.types import Value

_LEAST = 1e-6


class Bin(Value):
    """Shots of like probability: what was said of them, and what happened."""

    shots: int
    said: float
    refused: float


class Quality(Value):
    """How good a model's probabilities are on shots it did not learn from.

    Attributes:
        auc: chance that a refused shot got a higher probability than an accepted one; None where one kind is missing.
        calibration_error: mean difference between what was said and what happened, over bins of equally many shots.
        log_loss: mean of minus the logarithm of the probability of what happened; lower is better.
        curve: the bins.
    """

    shots: int
    refused: int
    auc: float | None
    calibration_error: float
    log_loss: float
    curve: tuple[Bin, ...]


def quality_of(probabilities: Sequence[float], refused: Sequence[bool], *, bins: int = 10) -> Quality:
    """Return the quality of probabilities, held against what happened."""
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
    """Mann and Whitney's U over the number of pairs; ties count half."""
    bad, good = said[happened > 0], said[happened == 0]
    if not len(bad) or not len(good):
        return None
    ordered = np.sort(good)
    below = np.searchsorted(ordered, bad, side="left") + np.searchsorted(ordered, bad, side="right")
    return float(below.sum() / (2 * len(bad) * len(good)))
