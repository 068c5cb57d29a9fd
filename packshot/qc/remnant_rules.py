"""Rules on backdrop that was left in the matte. Their evidence is the photograph's: its colours and its edges."""

from __future__ import annotations

from packshot.cutout import Method
from packshot.qc.measured import measured, skipped, widened
from packshot.qc.scene import Scene
from packshot.specs.models import RuleLimits
from packshot.types import Finding

_NO_BACKDROP = "Too little of the backdrop shows to know its colour."


def backdrop_patch_suspected(scene: Scene, limits: RuleLimits) -> Finding:
    """Measure the largest patch near the outline that has the backdrop's colour and ends at a clear edge.

    A window that shows exactly the backdrop counts anywhere in the product. The area is stated in pixels of a picture
    1000 px long. A white patch counts on a white backdrop, too: it shows on any other page.
    """
    if scene.reduced.backdrop is None:
        return skipped("backdrop_patch_suspected", _NO_BACKDROP)
    patches = scene.patches
    area = patches[0].area if patches else 0.0
    box = widened(patches[0].box, scene.frame) if patches else None
    message = f"A patch of {area:.0f} px in the matte has the backdrop's colour: a gap or a corner may be filled."
    return measured("backdrop_patch_suspected", area, limits, message, unit="px", box=box)


def backdrop_strip_suspected(scene: Scene, limits: RuleLimits) -> Finding:
    """Measure the largest area of nearly the backdrop's colour outside the photograph's strongest edge.

    It is stated in pixels of a product at most 1200 px long.
    """
    if scene.reduced.backdrop is None:
        return skipped("backdrop_strip_suspected", _NO_BACKDROP)
    strips = [strip for strip in scene.strips if strip.is_backdrop]
    area = strips[0].area if strips else 0
    box = widened(strips[0].box, scene.frame) if strips else None
    message = (
        f"In an area of {area} px, the product's edge lies inside the matte, and the rest of it looks like backdrop."
    )
    return measured("backdrop_strip_suspected", area, limits, message, unit="px", box=box)


def backdrop_left_suspected(scene: Scene, limits: RuleLimits) -> Finding:
    """Measure the greatest probability that a region of the matte is backdrop, by a forest learnt from known truth.

    A region is any patch whose colour comes near the backdrop's, shaded or tinted ones included.
    """
    if scene.edit.cutout.method == Method.GIVEN:
        return skipped("backdrop_left_suspected", "A person made this matte, and looked at its gaps.")
    if scene.reduced.backdrop is None:
        return skipped("backdrop_left_suspected", _NO_BACKDROP)
    left = scene.left_backdrop
    probability, area = (left.probability, left.area) if left else (0.0, 0.0)
    message = f"A patch of {area:.0f} px in the matte is backdrop with a probability of {probability:.0%}."
    box = widened(left.box, scene.frame) if left else None
    return measured("backdrop_left_suspected", probability, limits, message, unit="probability", box=box)
