"""Fit a colour correction to a colour target's patches, and measure how good it is.

The fit is done in linear light by least squares. It is weighted so that equal errors look about equal to the eye.
Several models are tried. Each is tested on patches to which it was not fitted. The simplest model is chosen that does
about as well as the best one.

Root-polynomial: Finlayson, Mackiewicz, Hurlbert: Color correction using root-polynomial regression. IEEE Transactions
on Image Processing 24 (2015), 1460-1470; degree 2. Like a matrix it keeps hues when the exposure changes.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.colour.difference import delta_e_2000
from packshot.colour.target_values import (
    PATCHES,
    TargetEdition,
    lab_of_linear,
    linear_of_lab,
    reference_lab,
)
from packshot.types import FloatImage, Value

_Floats = NDArray[np.float64]
_CLEARLY_BETTER = 0.9
"""A model with more coefficients is chosen only if its error on held-out patches is below this share of the simpler
one's."""
_LEAST_FITTED = 18
"""Least number of usable patches."""


class Model(StrEnum):
    """Models of a colour correction, simplest first.

    EXPOSURE is one gain for all channels. BALANCE is a gain for each channel. LINEAR is a 3 x 3 matrix. ROOT_POLYNOMIAL
    is a 3 x 6 matrix, over red, green, blue and the square roots of rg, gb and rb.
    """

    EXPOSURE = "exposure"
    BALANCE = "balance"
    LINEAR = "linear 3x3"
    ROOT_POLYNOMIAL = "root-polynomial 3x6"


class DeltaE(Value):
    """Colour errors over patches or pixels, in delta E 2000.

    Attributes:
        mean: mean of the errors.
        p95: the 95th percentile of the errors.
        max: the greatest error.
    """

    mean: float
    p95: float
    max: float

    def __str__(self) -> str:
        return f"mean {self.mean:.2f}, p95 {self.p95:.2f}, max {self.max:.2f}"


class TargetFit(Value):
    """A colour correction that was fitted to a colour target, and its errors in delta E 2000. `fit_target` makes it.

    Attributes:
        model: the chosen model.
        coefficients: (3, 3) or (3, 6), a row per output channel: from the model's terms to linear Adobe RGB. The terms
            are red, green and blue, and for a root polynomial sqrt(rg), sqrt(gb) and sqrt(rb) as well.
        edition: the table of published values that was used.
        before: error of the patches as photographed.
        after: error after correction, on the patches it was fitted to.
        held_out: error after correction, each patch corrected by a fit without it (leave-one-out).
        patches: number of patches used; clipped ones are left out.
        others: mean held-out error of each model that was tried, by the model's name; the chosen one included.
    """

    model: Model
    coefficients: tuple[tuple[float, ...], ...]
    edition: TargetEdition
    before: DeltaE
    after: DeltaE
    held_out: DeltaE
    patches: int
    others: dict[str, float]


def fit_target(
    patches: _Floats, *, edition: TargetEdition = TargetEdition.SINCE_2014, clipped: tuple[int, ...] = ()
) -> TargetFit | None:
    """Return the colour correction that maps the measured patches of a colour target to their published colours.

    The simplest model is chosen whose error is not clearly worse than a richer one's. None if fewer than 18 patches
    remain without those in `clipped`.

    Args:
        patches: (24, 3) float64, linear Adobe RGB as measured, row by row from dark skin to black.
        edition: when the target was made.
        clipped: numbers (1 to 24) of patches that the camera clipped; they are left out.
    """
    used = np.array([number not in clipped for number in range(1, PATCHES + 1)])
    if used.sum() < _LEAST_FITTED:
        return None
    measured, wanted = patches[used], reference_lab(edition)[used]
    held_out = {model: _held_out(measured, wanted, model) for model in Model}
    chosen = Model.EXPOSURE
    for model in Model:
        if held_out[model].mean < _CLEARLY_BETTER * held_out[chosen].mean:
            chosen = model
    coefficients = _fit(measured, wanted, chosen)
    return TargetFit(
        model=chosen,
        coefficients=tuple(tuple(round(float(value), 8) for value in row) for row in coefficients),
        edition=edition,
        before=summary(delta_e_2000(lab_of_linear(measured), wanted)),
        after=summary(delta_e_2000(_corrected(measured, coefficients), wanted)),
        held_out=held_out[chosen],
        patches=int(used.sum()),
        others={str(model): round(figures.mean, 3) for model, figures in held_out.items()},
    )


def apply_coefficients(linear: FloatImage, coefficients: tuple[tuple[float, ...], ...]) -> FloatImage:
    """Return a picture after a colour correction: (rows, columns, 3) float32, linear Adobe RGB.

    Values may lie outside 0..1.

    Args:
        linear: (rows, columns, 3) float32, linear Adobe RGB, at least 0.
        coefficients: (3, 3) or (3, 6): one row for each channel of the result, one column for each input: red, green,
            blue, and for (3, 6) also sqrt(rg), sqrt(gb), sqrt(rb). `fit_target` computes them.
    """
    matrix = np.array(coefficients, np.float32)
    terms = linear if matrix.shape[1] == 3 else np.concatenate([linear, _roots(linear)], axis=2)
    return np.asarray(cv2.transform(terms, matrix), np.float32)


def summary(delta_e: NDArray[np.floating[Any]]) -> DeltaE:
    """Return mean, 95th percentile and maximum of some colour differences, rounded to 3 decimals.

    Args:
        delta_e: delta E 2000, any shape, not empty.
    """
    return DeltaE(
        mean=round(float(delta_e.mean()), 3),
        p95=round(float(np.percentile(delta_e, 95)), 3),
        max=round(float(delta_e.max()), 3),
    )


def _held_out(measured: _Floats, wanted: _Floats, model: Model) -> DeltaE:
    """Return the leave-one-out error of a model."""
    differences = []
    for index in range(len(measured)):
        others = np.arange(len(measured)) != index
        coefficients = _fit(measured[others], wanted[others], model)
        differences.append(delta_e_2000(_corrected(measured[index : index + 1], coefficients), wanted[index]))
    return summary(np.concatenate(differences))


def _fit(measured: _Floats, wanted_lab: _Floats, model: Model) -> _Floats:
    """Return the model's coefficients, (3, 3) or (3, 6).

    Errors are weighted by the slope of L* over the light: dL*/dY is proportional to Y^(-2/3).
    """
    wanted = linear_of_lab(wanted_lab)
    light = ((wanted_lab[:, :1] + 16) / 116) ** 3
    weights = light ** (-2 / 3)
    if model is Model.EXPOSURE:
        gain = float((weights**2 * measured * wanted).sum() / (weights**2 * measured**2).sum())
        return np.eye(3) * gain
    if model is Model.BALANCE:
        gains = (weights**2 * measured * wanted).sum(axis=0) / (weights**2 * measured**2).sum(axis=0)
        return np.asarray(np.diag(gains), np.float64)
    terms = measured if model is Model.LINEAR else np.concatenate([measured, _roots(measured)], axis=1)
    solution, *_ = np.linalg.lstsq(terms * weights, wanted * weights, rcond=None)
    return np.asarray(solution.T, np.float64)


def _corrected(measured: _Floats, coefficients: _Floats) -> _Floats:
    """Return CIE L*a*b* of the corrected patches."""
    terms = measured if coefficients.shape[1] == 3 else np.concatenate([measured, _roots(measured)], axis=1)
    return lab_of_linear(np.maximum(terms @ coefficients.T, 0))


def _roots(linear: NDArray[np.floating[Any]]) -> NDArray[Any]:
    """Return the root terms sqrt(rg), sqrt(gb) and sqrt(rb), (..., 3)."""
    red, green, blue = linear[..., 0], linear[..., 1], linear[..., 2]
    return np.asarray(np.sqrt(np.maximum(np.stack([red * green, green * blue, red * blue], axis=-1), 0)))
