"""Rules on colour and detail: the product on the canvas must still look like the product in the photograph."""

from __future__ import annotations

from packshot.qc.inputs import ColourReference
from packshot.qc.measured import measured, skipped, widened
from packshot.qc.scene import Scene
from packshot.specs.models import RuleLimits
from packshot.types import Finding, Status

_TOO_SMALL = "The product's interior is too small to measure it."


def colour_shift(scene: Scene, limits: RuleLimits) -> Finding:
    """Measure the mean colour difference between photograph and delivered pixels over the product.

    The plan sets the limit.
    """
    figures = scene.colour
    if figures is None:
        return skipped("colour_shift", _TOO_SMALL, gate=limits.gate)
    limits = _ordered(limits, scene.edit.rendition.rules.colour_mean_delta_e)
    message = f"The product's colours differ by delta E {figures.mean_delta_e:.1f} on average."
    box = widened(figures.worst_patch, scene.frame)
    return measured("colour_shift", figures.mean_delta_e, limits, message, unit="delta E 2000", box=box)


def colour_shift_p95(scene: Scene, limits: RuleLimits) -> Finding:
    """Measure the 95th percentile of the colour difference over the product. The plan sets the limit."""
    figures = scene.colour
    if figures is None:
        return skipped("colour_shift_p95", _TOO_SMALL, gate=limits.gate)
    limits = _ordered(limits, scene.edit.rendition.rules.colour_p95_delta_e)
    message = f"The colours of 5 % of the product differ by delta E {figures.p95_delta_e:.1f} or more."
    box = widened(figures.worst_patch, scene.frame)
    return measured("colour_shift_p95", figures.p95_delta_e, limits, message, unit="delta E 2000", box=box)


def channel_clipping(scene: Scene, limits: RuleLimits) -> Finding:
    """Measure the share of the product whose colours lie outside the delivered colour space."""
    figures = scene.colour
    if figures is None:
        return skipped("channel_clipping", _TOO_SMALL)
    message = f"{figures.clipped_ratio:.1%} of the product has colours that the delivered space cannot hold."
    return measured("channel_clipping", figures.clipped_ratio, limits, message, unit="share")


def blurred(scene: Scene, limits: RuleLimits) -> Finding:
    """Measure the detail on the canvas, as a ratio to the photograph's at the same scale."""
    figures = scene.colour
    if figures is None:
        return skipped("blurred", _TOO_SMALL)
    message = f"The product has {figures.sharpness_ratio:.0%} of the detail that the photograph has at this size."
    box = widened(figures.blurriest_patch, scene.frame)
    return measured("blurred", figures.sharpness_ratio, limits, message, unit="ratio", box=box)


def jpeg_blocks(scene: Scene, limits: RuleLimits) -> Finding:
    """Measure how much more the grid of JPEG blocks stands out than in the photograph."""
    figures = scene.colour
    if figures is None:
        return skipped("jpeg_blocks", _TOO_SMALL)
    message = f"Steps at the borders of JPEG blocks are {figures.blockiness:.0%} stronger than in the photograph."
    box = widened(figures.worst_patch, scene.frame)
    return measured("jpeg_blocks", figures.blockiness, limits, message, unit="ratio", box=box)


def colour_not_verified(scene: Scene, limits: RuleLimits) -> Finding:
    """Compare the product with a measured colour reference.

    Without a reference the rule never passes: it is skipped and says so, or fails if the plan requires a reference.
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
