"""Check by rules that every pixel of an edit's background is exactly white."""

from __future__ import annotations

import numpy as np

from packshot.qc.measured import measured, widened
from packshot.qc.scene import Scene
from packshot.qc.white import away_from, check_border_points, find_off_white
from packshot.specs.models import RuleLimits
from packshot.types import Finding

_LEFTOVER_LEVELS = 4.0
"""A patch less than this many levels below white cannot be seen."""


def non_white_background(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on background that is not exactly white.

    Its value is the number of such pixels in the edit, at the photograph's size. Background is where the matte is 0.
    The room that a kept shadow takes is not counted.

    Args:
        scene: the edit on one platform's canvas, with its measurements. If the finding has a box, it is in pixels of
            the photograph.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    off = scene.off_white
    message = (
        f"{off.count} of {off.background} background pixels are not exactly white; the worst is off by "
        f"{off.worst_levels:.0f} levels."
        if off.count
        else f"All {off.background} background pixels are exactly white."
    )
    box = widened(off.largest_box, scene.frame) if off.largest_box else None
    return measured("non_white_background", off.count, limits, message, unit="px", box=box)


def background_leftover(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on visible backdrop that is left outside the matte.

    Its value is the area of the largest connected patch that is not exactly white, in thousandths of the photograph's
    area. It is 0 if no background pixel of the edit is at least 4 levels (of 255) off white, because nobody can see
    less.

    Args:
        scene: the edit on one platform's canvas, with its measurements. If the finding has a box, it is in pixels of
            the photograph.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    off = scene.off_white
    visible = off.largest_count if off.worst_levels >= _LEFTOVER_LEVELS else 0
    share = 1000 * visible / (scene.frame.width * scene.frame.height)
    box = widened(off.largest_box, scene.frame) if off.largest_box else None
    message = f"A patch of {visible} px of the backdrop is left outside the cut-out."
    return measured("background_leftover", share, limits, message, unit="per mille", box=box)


def non_white_rendition(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on the background of the picture on the platform's canvas: is it exactly white?

    Its value is the number of background pixels that are not exactly white. Pixels that resampling mixes with the
    product are not counted, nor is the room that a kept shadow takes.

    Args:
        scene: the edit on one platform's canvas, with its measurements. If the finding has a box, it is in pixels of
            the photograph.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    framed = scene.edit.framed
    background = away_from(np.asarray(framed.matte > 0), scene.white_from_px(framed.placement.scale))
    off = find_off_white(scene.edit.srgb8, background)
    message = (
        f"{off.count} background pixels of the framed picture are not exactly white; the worst is off by "
        f"{off.worst_levels:.0f} levels."
        if off.count
        else "The framed picture's background is exactly white."
    )
    return measured("non_white_rendition", off.count, limits, message, unit="px")


def quick_check(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on the border of the canvas: is it exactly white?

    Its value is the share of the checked points that are not exactly white, 0..1. There are 50 points, spaced evenly
    along the border. Points on the product are not checked. The value is 0 if the product covers all points.

    Args:
        scene: the edit on one platform's canvas, with its measurements. If the finding has a box, it is in pixels of
            the photograph.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    quick = check_border_points(scene.edit.srgb8, scene.edit.framed.matte)
    missing = 1 - quick.compliance_rate
    message = (
        f"{quick.compliance_rate:.0%} of the checked border points are exactly white; {len(quick.failures)} are not."
    )
    return measured("quick_check", missing, limits, message, unit="share")
