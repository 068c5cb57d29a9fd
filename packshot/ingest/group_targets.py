"""Calculate the colour correction of a lighting set-up from the colour targets photographed with it.

A colour target is a chart of patches whose colours are published. If there is no correction, a finding says why.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from packshot.colour.difference import delta_e_2000
from packshot.colour.normalise import Correction, Kind
from packshot.colour.target import TargetReading
from packshot.colour.target_fit import DeltaE, Model, TargetFit, fit_target
from packshot.colour.target_values import TargetEdition, lab_of_linear
from packshot.specs.models import IngestConfig
from packshot.types import Finding, Status

_CLEARLY_BETTER = 0.9
_TARGETS_AGREE_DELTA_E = 3.0


def fitted(
    targets: Mapping[str, TargetReading], config: IngestConfig
) -> tuple[TargetFit | None, bool, tuple[Finding, ...]]:
    """Return (colour correction fitted to the targets, True if it is good enough to use, findings).

    The targets are the colour charts of one lighting set-up. The correction is fitted to the median of their readings.
    It is None if there is no target, if the targets show different light, or if they are over-exposed; then the bool is
    False. Without a target there are no findings. Otherwise there is one, ``target_fit``: passed if the correction is
    good enough, else a warning with the reason.

    Args:
        targets: name of the photograph -> the colour target in it.
        config: which edition of the chart was photographed, and the greatest colour errors (delta E 2000) of a
            correction that is good enough.
    """
    if not targets:
        return None, False, ()
    where = ", ".join(sorted(targets))
    readings = np.array([targets[name].patches for name in sorted(targets)])
    patches = np.median(readings, axis=0)
    apart = float(delta_e_2000(lab_of_linear(readings), lab_of_linear(patches)).mean(axis=1).max())
    if apart > _TARGETS_AGREE_DELTA_E:
        message = f"The colour targets in {where} show different light; none of them was used."
        return None, False, (_refused(message, apart, _TARGETS_AGREE_DELTA_E),)
    clipped = tuple(sorted({number for reading in targets.values() for number in reading.clipped}))
    fit = fit_target(patches, edition=TargetEdition(config.groups.target), clipped=clipped)
    if fit is None:
        message = f"The colour target in {where} is over-exposed: {len(clipped)} of its patches are cut off."
        return None, False, (_refused(message, None, None),)
    limits = config.groups
    if fit.held_out.mean > limits.target_mean_delta_e or fit.held_out.p95 > limits.target_p95_delta_e:
        message = (
            f"No correction fits the colour target in {where}: {fit.held_out} delta E 2000 are left on patches that "
            f"were not fitted ({fit.before} before). Colours were left as photographed."
        )
        return fit, False, (_refused(message, fit.held_out.mean, limits.target_mean_delta_e),)
    message = (
        f"Colour target in {where}, {fit.model}: delta E 2000 {fit.before} before, {fit.held_out} after (held out)."
    )
    proof = Finding(
        code="target_fit",
        status=Status.PASSED,
        message=message,
        measured=fit.held_out.mean,
        limit=limits.target_mean_delta_e,
        unit="delta E 2000",
    )
    return fit, True, (proof,)


def _refused(message: str, measured: float | None, limit: float | None) -> Finding:
    figures = {"measured": None if measured is None else round(measured, 2), "limit": limit}
    return Finding(code="target_fit", status=Status.WARNING, message=message, unit="delta E 2000", **figures)


def proof(fit: TargetFit) -> DeltaE:
    """Return the colour error that is left in the photographs of a lighting set-up after its correction.

    The error is in delta E 2000, over the patches of the colour target, each corrected by a fit without it. If the
    correction is not worth using (`worth_it`), none is made; the result is then the error of the patches as
    photographed.

    Args:
        fit: the correction fitted to a colour target, with its errors.
    """
    return fit.held_out if worth_it(fit) else fit.before


def worth_it(fit: TargetFit) -> bool:
    """Return True if a colour correction lowers the mean colour error (delta E 2000) by more than a tenth.

    The error is measured on the patches of the colour target, each corrected by a fit without it.

    Args:
        fit: the correction fitted to a colour target, with its errors.
    """
    return fit.held_out.mean < _CLEARLY_BETTER * fit.before.mean


def by_target(fit: TargetFit, where: str) -> Correction:
    """Return the colour correction for the pixels of a lighting set-up, from the fit to its colour target.

    The correction changes nothing if the fit does not lower the mean colour error by more than a tenth (`worth_it`).

    Args:
        fit: the fit to a colour target, which is good enough to use.
        where: names of the files that show the target, as one text; it becomes part of the correction's `why`.
    """
    if not worth_it(fit):
        return Correction()
    why = f"{fit.model} fitted to the colour target in {where}"
    if fit.model in (Model.EXPOSURE, Model.BALANCE):
        red, green, blue = (fit.coefficients[index][index] for index in range(3))
        return Correction(kind=Kind.TARGET, gains=(red, green, blue), why=why)
    return Correction(kind=Kind.TARGET, coefficients=fit.coefficients, why=why)
