"""Check by rules how much of the canvas the product fills, where the product lies, and whether it is complete."""

from __future__ import annotations

import numpy as np

from packshot.framing import fill_ratio_of
from packshot.qc.measured import measured, skipped
from packshot.qc.scene import Scene
from packshot.specs.models import RuleLimits
from packshot.types import Finding, size_of

_NO_PRODUCT = "There is no product on the canvas."


def fill_ratio(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on how much of the canvas the product fills.

    Its value is the difference between the reached fill ratio and the ordered one, 0..1. The fill ratio is the
    product's share of the canvas's width or height, whichever is greater. The value is 1 if there is no product on the
    canvas.

    Args:
        scene: the edit on one platform's canvas, with its measurements.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    if scene.framed_subject is None:
        return measured("fill_ratio", 1.0, limits, _NO_PRODUCT, unit="ratio")
    target = scene.edit.rendition.rules.fill_ratio
    reached = fill_ratio_of(scene.framed_subject.size, size_of(scene.edit.framed.pixels))
    message = f"The product fills {reached:.1%} of the canvas; {target:.1%} was ordered."
    return measured("fill_ratio", abs(reached - target), limits, message, unit="ratio")


def fill_outside_platform(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on a fill ratio outside the range that the platform accepts.

    Its value is the distance of the ratio from the range; 0 inside, and 1 if there is no product on the canvas.

    Args:
        scene: the edit on one platform's canvas, with its measurements.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    if scene.framed_subject is None:
        return measured("fill_outside_platform", 1.0, limits, _NO_PRODUCT, unit="ratio")
    accepted = scene.edit.rendition.platform.fill
    reached = fill_ratio_of(scene.framed_subject.size, size_of(scene.edit.framed.pixels))
    outside = max(accepted.least_ratio - reached, reached - accepted.most_ratio, 0.0)
    message = (
        f"The product fills {reached:.1%} of the canvas; the platform accepts {accepted.least_ratio:.0%} to "
        f"{accepted.most_ratio:.0%}."
    )
    return measured("fill_outside_platform", outside, limits, message, unit="ratio")


def off_centre(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on a product that is not centred on the canvas.

    Its value is the horizontal or the vertical distance between the centres of product and canvas, whichever is
    greater. It is a share of the canvas's longest side. The finding has the status `skipped` and no value if there is
    no product on the canvas.

    Args:
        scene: the edit on one platform's canvas, with its measurements.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    box, canvas = scene.framed_subject, size_of(scene.edit.framed.pixels)
    if box is None:
        return skipped("off_centre", _NO_PRODUCT)
    off = max(abs(box.left + box.right - canvas.width), abs(box.top + box.bottom - canvas.height)) / 2
    share = off / canvas.longest
    message = f"The product's centre is {off:.0f} px away from the centre of the canvas."
    return measured("off_centre", share, limits, message, unit="ratio")


def product_cut(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on a product that the canvas cuts off.

    Its value is the share of the canvas's border that the product covers, 0..1.

    Args:
        scene: the edit on one platform's canvas, with its measurements.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    matte = scene.edit.framed.matte
    border = np.concatenate((matte[0], matte[-1], matte[:, 0], matte[:, -1]))
    share = float((border > 0.05).mean())
    message = f"The product covers {share:.1%} of the canvas border: it is cut off."
    return measured("product_cut", share, limits, message, unit="share")


def part_outside_canvas(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on a product that does not fit: the share of its area that lies outside the canvas, 0..1.

    The finding has the status `skipped` and no value if there is no product.

    Args:
        scene: the edit on one platform's canvas, with its measurements.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    placement = scene.edit.framed.placement
    area_scale = (placement.canvas.width / placement.window.width) * (placement.canvas.height / placement.window.height)
    whole = float(np.sum(scene.edit.cutout.matte, dtype=np.float64)) * area_scale
    if whole <= 0:
        return skipped("part_outside_canvas", _NO_PRODUCT)
    lost = max(0.0, 1 - float(np.sum(scene.edit.framed.matte, dtype=np.float64)) / whole)
    message = f"{lost:.1%} of the product's area lies outside the canvas."
    return measured("part_outside_canvas", lost, limits, message, unit="share")


def enlarged(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on a product that was scaled up too much.

    Its value is the scale minus the greatest scale that the plan allows; 0 if the scale is allowed. A scale of 1 keeps
    the photograph's pixels.

    Args:
        scene: the edit on one platform's canvas, with its measurements.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    scale = scene.edit.framed.placement.scale
    allowed = scene.edit.rendition.rules.max_upscale_ratio
    message = f"The product was scaled by {scale:.2f}; up to {allowed:.2f} is allowed."
    return measured("enlarged", max(0.0, scale - allowed), limits, message, unit="ratio")


def low_resolution(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on a canvas smaller than the platform's minimum.

    Its value is the missing share of the minimum's longest side, 0..1; 0 if the canvas is large enough.

    Args:
        scene: the edit on one platform's canvas, with its measurements.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    longest, least = size_of(scene.edit.framed.pixels).longest, scene.edit.rendition.platform.canvas.min_px
    message = f"The canvas is {longest} px on its longest side; the platform requires {least} px."
    return measured("low_resolution", max(0.0, 1 - longest / least), limits, message, unit="share")


def below_recommended(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on a canvas smaller than the platform recommends.

    Its value is the missing share of the recommended longest side, 0..1. It is 0 if the platform recommends no size.

    Args:
        scene: the edit on one platform's canvas, with its measurements.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    longest, wanted = size_of(scene.edit.framed.pixels).longest, scene.edit.rendition.platform.canvas.recommended_px
    if wanted is None:
        return measured(
            "below_recommended", 0.0, limits, "No size is recommended; full resolution is used.", unit="share"
        )
    message = f"The canvas is {longest} px on its longest side; {wanted} px are recommended."
    return measured("below_recommended", max(0.0, 1 - longest / wanted), limits, message, unit="share")
