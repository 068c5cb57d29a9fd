"""Check the floor under the product by rules: is shadow kept in the matte, and does the photograph prove the base?

The base is the lowest stretch of the outline of a product that stands on a floor.

The rules do not use the cut-out's own shadow detection.
"""

from __future__ import annotations

from functools import partial

from packshot.cutout import Method
from packshot.qc.base import base_of
from packshot.qc.edge_rules import place_on_outline
from packshot.qc.measured import measured, skipped, widened
from packshot.qc.outline import longest_run
from packshot.qc.scene import Scene
from packshot.specs.models import RuleLimits
from packshot.types import Finding


def kept_shadow_suspected(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on a contact shadow that may have been kept in the matte.

    Its value is the area of the largest shadow between the matte's outline and the product's stronger edge inside of
    it, in pixels of the photograph reduced so that the product's longest side is at most 1200 px; 0 if there is none. A
    shadow is darker than the backdrop, soft at its outer end and bounded by a stronger edge at its inner end. The
    finding has the status `skipped` and no value if too little of the backdrop shows to predict it.

    Args:
        scene: the edit on one platform's canvas, with its measurements. If the finding has a box, it is in pixels of
            the photograph.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    if scene.reduced.backdrop is None:
        return skipped("kept_shadow_suspected", "Too little of the backdrop shows to know its light.")
    shadows = [strip for strip in scene.strips if strip.is_shadow]
    area = shadows[0].area if shadows else 0
    message = (
        f"In an area of {area} px, the product's edge lies inside the cut-out: the shadow on the floor may "
        "have been kept."
    )
    box = widened(shadows[0].box, scene.frame) if shadows else None
    return measured("kept_shadow_suspected", area, limits, message, unit="px", box=box)


def base_unproven(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on the base of a standing product where the photograph does not prove the matte's outline.

    The base is the lowest stretch of the outline. The value is the share of the base that is not proven, 0..1. An edge
    farther out proves nothing, nor does the outer side of a thin dark line. At such places the matte contains shadow,
    or a bit of the base was cut off, or the outline is ragged.

    The finding has the status `skipped` and no value if no shadow lies along the base: the product hangs, lies flat, or
    was photographed without a floor. The finding is skipped, too, if a person made the matte, or if there is no
    product.

    Args:
        scene: the edit on one platform's canvas, with its measurements. If the finding has a box, it is in pixels of
            the photograph.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    if scene.edit.cutout.method == Method.GIVEN:
        return skipped("base_unproven", "A person made this cut-out, and looked at its base.")
    base = base_of(scene.outline, scene.edges, scene.subject) if scene.subject else None
    if base is None:
        return skipped("base_unproven", "No shadow lies along the lowest part of the outline: nothing stands there.")
    first, length = longest_run(base.unproven, scene.outline)
    message = (
        f"Along {base.share:.0%} of the product's base, the photograph has no edge where the cut-out ends, or one "
        "farther out, or the cut-out keeps a dark line of shadow."
    )
    place = partial(place_on_outline, scene, first + length // 2)
    return measured("base_unproven", base.share, limits, message, unit="share", box=place)
