"""Check by rules that the product's colour and detail on the canvas are still those of the photograph."""

from __future__ import annotations

from packshot.qc.inputs import ColourReference
from packshot.qc.measured import measured, skipped, unmeasured, widened
from packshot.qc.scene import Scene
from packshot.specs.models import RuleLimits
from packshot.types import Finding, Status

_TOO_SMALL = "The product's interior is too small to measure it."


def colour_shift(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on the mean colour difference between photograph and delivered pixels, in delta E 2000.

    Only pixels of the product are compared. If the product's interior is too small to measure, the finding has the
    status `failed` and no value.

    Args:
        scene: the edit on one platform's canvas, with its measurements.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them. The limit in the
            shot's plan for the mean is used as `bad`, and `good` is changed by the same factor.
    """
    figures = scene.colour
    if figures is None:
        return unmeasured("colour_shift", f"{_TOO_SMALL} Its colours are not verified.", limits)
    limits = _ordered(limits, scene.edit.rendition.rules.colour_mean_delta_e)
    message = f"The product's colours differ by delta E {figures.mean_delta_e:.1f} on average."
    box = widened(figures.worst_patch, scene.frame)
    return measured("colour_shift", figures.mean_delta_e, limits, message, unit="delta E 2000", box=box)


def colour_shift_p95(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on the 95th percentile of the product's colour difference, in delta E 2000.

    5 % of the product differ by this much or more. Photograph and delivered pixels are compared. The finding has the
    status `skipped` and no value if the product's interior is too small to measure.

    Args:
        scene: the edit on one platform's canvas, with its measurements.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them. The limit in the
            shot's plan for the 95th percentile is used as `bad`, and `good` is changed by the same factor.
    """
    figures = scene.colour
    if figures is None:
        return skipped("colour_shift_p95", _TOO_SMALL, gate=limits.gate)
    limits = _ordered(limits, scene.edit.rendition.rules.colour_p95_delta_e)
    message = f"The colours of 5 % of the product differ by delta E {figures.p95_delta_e:.1f} or more."
    box = widened(figures.worst_patch, scene.frame)
    return measured("colour_shift_p95", figures.p95_delta_e, limits, message, unit="delta E 2000", box=box)


def channel_clipping(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on colours that the delivered colour space cannot hold.

    Its value is the share of the product that has such colours, 0..1. The finding has the status `skipped` and no value
    if the product's interior is too small to measure.

    Args:
        scene: the edit on one platform's canvas, with its measurements.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    figures = scene.colour
    if figures is None:
        return skipped("channel_clipping", _TOO_SMALL)
    message = f"{figures.clipped_ratio:.1%} of the product has colours that the delivered space cannot hold."
    return measured("channel_clipping", figures.clipped_ratio, limits, message, unit="share")


def blurred(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on lost detail.

    Its value is the share of the photograph's detail that is left in the edit, at the same scale. 1 means that none was
    lost; less is worse. The finding has the status `skipped` and no value if the product's interior is too small to
    measure.

    Args:
        scene: the edit on one platform's canvas, with its measurements.
        limits: the finding passes down to `good`, fails at `bad` or less, and is a warning between them.
    """
    figures = scene.colour
    if figures is None:
        return skipped("blurred", _TOO_SMALL)
    message = f"The product has {figures.sharpness_ratio:.0%} of the detail that the photograph has at this size."
    box = widened(figures.blurriest_patch, scene.frame)
    return measured("blurred", figures.sharpness_ratio, limits, message, unit="ratio", box=box)


def jpeg_blocks(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on visible JPEG blocks in the edit.

    Its value is how much stronger the steps at every eighth pixel are than other steps, as a share, beyond what the
    photograph itself shows. 0 means that no blocks were added. The finding has the status `skipped` and no value if the
    product's interior is too small to measure.

    Args:
        scene: the edit on one platform's canvas, with its measurements.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    figures = scene.colour
    if figures is None:
        return skipped("jpeg_blocks", _TOO_SMALL)
    message = f"Steps at the borders of JPEG blocks are {figures.blockiness:.0%} stronger than in the photograph."
    box = widened(figures.worst_patch, scene.frame)
    return measured("jpeg_blocks", figures.blockiness, limits, message, unit="ratio", box=box)


def colour_not_verified(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on the mean colour difference between the product and a measured reference, in delta E 2000.

    The finding also has the status `failed` if the 95th percentile exceeds the limit of the shot's plan. Without a
    reference it has no value, and its message says so. Its status is then `failed`, which stops an approval, if the
    plan requires a reference, else `skipped`.

    Args:
        scene: the edit on one platform's canvas, with its measurements and, if there is one, its colour reference.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them. The limit in the
            shot's plan for the mean is used as `bad`, and `good` is changed by the same factor.
    """
    reference = scene.edit.colour_reference
    required = scene.edit.rendition.rules.colour_reference_required
    if reference is not None:
        limits = _ordered(limits, scene.edit.rendition.rules.colour_mean_delta_e)
        message = f"The colour differs from {reference.source} by delta E {reference.mean_delta_e:.1f} on average."
        finding = measured("colour_not_verified", reference.mean_delta_e, limits, message, unit="delta E 2000")
        return _with_p95(finding, reference, scene.edit.rendition.rules.colour_p95_delta_e, limits)
    if required:
        message = "The client requires a colour reference, and there is none."
        return Finding(code="colour_not_verified", status=Status.FAILED, message=message, gate=True)
    message = "There is no colour reference. The colour was compared with the photograph, not with the product."
    return skipped("colour_not_verified", message)


def _with_p95(finding: Finding, reference: ColourReference, most: float, limits: RuleLimits) -> Finding:
    """Return the finding, failed if the reference's 95th percentile exceeds the plan's limit."""
    if reference.p95_delta_e <= most:
        return finding
    message = (
        f"{finding.message} 5 % of the product differ by {reference.p95_delta_e:.1f} or more; {most:g} is allowed."
    )
    return finding.model_copy(update={"status": Status.FAILED, "gate": limits.gate, "message": message})


def _ordered(limits: RuleLimits, bad: float) -> RuleLimits:
    """Return the limits with the plan's value as `bad`. `good` keeps its ratio to `bad`."""
    return limits.model_copy(update={"good": limits.good / limits.bad * bad, "bad": bad})
