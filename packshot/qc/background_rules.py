"""Rules on the background: exactly white everywhere, nothing of the backdrop left."""

from __future__ import annotations

import numpy as np

from packshot.qc.measured import measured, widened
from packshot.qc.scene import Scene
from packshot.qc.white import away_from, check_border_points, find_off_white
from packshot.specs.models import RuleLimits
from packshot.types import Finding

_LEFTOVER_LEVELS = 4.0


def non_white_background(scene: Scene, limits: RuleLimits) -> Finding:
    """How many background pixels of the composite are not exactly white, over the whole frame."""
    off = scene.off_white
    message = (
        f"{off.count} of {off.background} background pixels are not exactly white, by up to {off.worst_levels:.0f} "
        "levels."
        if off.count
        else f"All {off.background} background pixels are exactly white."
    )
    box = widened(off.largest_box, scene.frame) if off.largest_box else None
    return measured("non_white_background", off.count, limits, message, unit="px", box=box)


def background_leftover(scene: Scene, limits: RuleLimits) -> Finding:
    """Largest visible patch of the backdrop outside the matte, in thousandths of the frame."""
    off = scene.off_white
    visible = off.largest_count if off.worst_levels >= _LEFTOVER_LEVELS else 0
    share = 1000 * visible / (scene.frame.width * scene.frame.height)
    box = widened(off.largest_box, scene.frame) if off.largest_box else None
    message = f"A patch of {visible} px of the backdrop is left outside the matte."
    return measured("background_leftover", share, limits, message, unit="per mille", box=box)


def non_white_rendition(scene: Scene, limits: RuleLimits) -> Finding:
    """How many pixels of the framed picture are not exactly white outside the matte and the resampling around it."""
    framed = scene.edit.framed
    background = away_from(np.asarray(framed.matte > 0), scene.white_from_px(framed.placement.scale))
    off = find_off_white(scene.edit.srgb8, background)
    message = (
        f"{off.count} background pixels of the framed picture are not exactly white, by up to {off.worst_levels:.0f} "
        "levels."
        if off.count
        else "The framed picture's background is exactly white."
    )
    return measured("non_white_rendition", off.count, limits, message, unit="px")


def quick_check(scene: Scene, limits: RuleLimits) -> Finding:
    """Share of points along the framed picture's border that are not exactly white."""
    quick = check_border_points(scene.edit.srgb8, scene.edit.framed.matte)
    missing = 1 - quick.compliance_rate
    message = (
        f"{quick.compliance_rate:.0%} of the checked border points are exactly white; {len(quick.failures)} are not."
    )
    return measured("quick_check", missing, limits, message, unit="share")
