"""Rule on the ground under the product: finds a kept shadow without using the cut-out's own shadow detection."""

from __future__ import annotations

from packshot.qc.measured import measured, skipped, widened
from packshot.qc.scene import Scene
from packshot.specs.models import RuleLimits
from packshot.types import Finding


def kept_shadow_suspected(scene: Scene, limits: RuleLimits) -> Finding:
    """Measure the largest area of the matte that looks like a kept contact shadow.

    It ends softly at the matte's outline, and a stronger edge lies inside.
    """
    if scene.reduced.backdrop is None:
        return skipped("kept_shadow_suspected", "Too little of the backdrop shows to know its light.")
    shadows = [strip for strip in scene.strips if strip.is_shadow]
    area = shadows[0].area if shadows else 0
    message = (
        f"In an area of {area} px, the product's edge lies inside the matte: the shadow on the floor may "
        "have been kept."
    )
    box = widened(shadows[0].box, scene.frame) if shadows else None
    return measured("kept_shadow_suspected", area, limits, message, unit="px", box=box)
