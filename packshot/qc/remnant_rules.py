"""Check by rules whether backdrop was left in the matte. Their evidence is the photograph's colours and edges."""

from __future__ import annotations

from packshot.cutout import Method
from packshot.qc.measured import measured, skipped, widened
from packshot.qc.scene import Scene
from packshot.specs.models import RuleLimits
from packshot.types import Finding

_NO_BACKDROP = "Too little of the backdrop shows to know its colour."


def backdrop_patch_suspected(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on patches of backdrop that may be kept in the matte, such as narrow gaps and corners.

    Its value is the area of the largest patch, in pixels of the photograph reduced so that its longest side is at most
    1000 px; 0 if there is none. A white patch on a white backdrop counts too, because it shows on any page that is not
    white. The finding has the status `skipped` and no value if too little of the backdrop shows to predict it.

    Args:
        scene: the edit on one platform's canvas, with its measurements. If the finding has a box, it is in pixels of
            the photograph.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    if scene.reduced.backdrop is None:
        return skipped("backdrop_patch_suspected", _NO_BACKDROP)
    patches = scene.patches
    area = patches[0].area if patches else 0.0
    box = widened(patches[0].box, scene.frame) if patches else None
    message = f"A patch of {area:.0f} px in the cut-out has the backdrop's colour: a gap or a corner may be filled."
    return measured("backdrop_patch_suspected", area, limits, message, unit="px", box=box)


def backdrop_strip_suspected(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on backdrop that may be kept between the matte's outline and the product's real edge.

    Its value is the area of the largest strip with nearly the backdrop's colour, in pixels; 0 if there is none. The
    photograph is first reduced so that the product's longest side is at most 1200 px. The real edge is the photograph's
    strongest edge inside the outline. If too little of the backdrop shows to predict its colour, the finding has the
    status `skipped` and no value.

    Args:
        scene: the edit on one platform's canvas, with its measurements. If the finding has a box, it is in pixels of
            the photograph.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    if scene.reduced.backdrop is None:
        return skipped("backdrop_strip_suspected", _NO_BACKDROP)
    strips = [strip for strip in scene.strips if strip.is_backdrop]
    area = strips[0].area if strips else 0
    box = widened(strips[0].box, scene.frame) if strips else None
    message = (
        f"In an area of {area} px, the product's edge lies inside the cut-out, and the rest of it looks like backdrop."
    )
    return measured("backdrop_strip_suspected", area, limits, message, unit="px", box=box)


def backdrop_left_suspected(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on the region of the matte that is most likely left-over backdrop.

    Its value is the probability that this region is backdrop, 0..1: the smaller one of those that two trained random
    forests give. It is 0 if no region has nearly the backdrop's colour. Shaded and tinted backdrop is judged too. The
    finding has the status `skipped` and no value if a person made the matte, or if too little of the backdrop shows to
    predict it.

    Args:
        scene: the edit on one platform's canvas, with its measurements. If the finding has a box, it is in pixels of
            the photograph.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    if scene.edit.cutout.method == Method.GIVEN:
        return skipped("backdrop_left_suspected", "A person made this cut-out, and looked at its gaps.")
    if scene.reduced.backdrop is None:
        return skipped("backdrop_left_suspected", _NO_BACKDROP)
    left = scene.left_backdrop
    probability, area = (left.probability, left.area) if left else (0.0, 0.0)
    message = f"A patch of {area:.0f} px in the cut-out is backdrop with a probability of {probability:.0%}."
    box = widened(left.box, scene.frame) if left else None
    return measured("backdrop_left_suspected", probability, limits, message, unit="probability", box=box)
