"""Calculate the colour correction of a lighting set-up from its colour targets, or give the reason for having none."""

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
    """Return (fit, True if it is good enough, findings) for the colour targets of one lighting set-up.

    The fit is None where there is no target, where targets disagree, or where a target is over-exposed. Without a
    target there is no finding; otherwise there is one, on the result: it passes, or is a warning with the reason.

    Args:
        targets: name of the shot or the reference file -> the target in it.
        config: which edition the targets are, and the greatest errors of a good fit.
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
    """Return the colour error that is left: after the correction, or before it if the correction is not worth it.

    The error is in delta E 2000, on patches that the correction was not fitted to.

    Args:
        fit: the fit to a colour target.
    """
    return fit.held_out if worth_it(fit) else fit.before


def worth_it(fit: TargetFit) -> bool:
    """Return True if the correction lowers the mean colour error by more than a tenth.

    The error is measured on patches that the correction was not fitted to.

    Args:
        fit: the fit to a colour target.
    """
    return fit.held_out.mean < _CLEARLY_BETTER * fit.before.mean


def by_target(fit: TargetFit, where: str) -> Correction:
    """Return the correction of a good fit, or one that changes nothing if the correction is not worth it.

    It is worth it if it lowers the mean colour error by more than a tenth.

    Args:
        fit: the fit to a colour target.
        where: names of the files that show the target, for the reason.
    """
    if not worth_it(fit):
        return Correction()
    why = f"{fit.model} fitted to the colour target in {where}"
    if fit.model in (Model.EXPOSURE, Model.BALANCE):
        red, green, blue = (fit.coefficients[index][index] for index in range(3))
        return Correction(kind=Kind.TARGET, gains=(red, green, blue), why=why)
    return Correction(kind=Kind.TARGET, coefficients=fit.coefficients, why=why)
