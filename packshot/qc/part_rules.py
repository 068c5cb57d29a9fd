"""Check whole parts of the product by rules: parts cut off, backdrop left, gaps filled, false holes.

Also: which objects the picture contains. Lengths are in outline units, and a finding gives them as px. An outline unit
is one pixel, or 1/1700 of the product's longest side if that is more.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from packshot.cutout import Method
from packshot.qc.evidence import overlap
from packshot.qc.inside import filled_gaps, leftovers
from packshot.qc.measured import box_around, measured, skipped, widened
from packshot.qc.outline import longest_run
from packshot.qc.outside import product_outside, sharp_outside
from packshot.qc.pinholes import pinholes
from packshot.qc.regions import Region, parts, product_area
from packshot.qc.scene import Scene
from packshot.specs.models import RuleLimits
from packshot.types import Box, Finding

_PRODUCT_OF_LARGEST = 0.03
_SAME_PLACE = 0.5
_GAP_WITHIN_PRODUCT = 0.015
_NO_PRODUCT = "There is no product to look for holes in."
_NO_BACKDROP = "Too little of the backdrop shows to know what it looks like."


def bite_suspected(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on a part that may be cut off at the outer outline.

    Its value is the length of the longest stretch where something other than backdrop continues across the outline, and
    the photograph has no edge there. It is in pixels of the photograph reduced so that the product's longest side is at
    most 1700 px; 0 if there is no such stretch.

    Args:
        scene: the edit on one platform's canvas, with its measurements. If the finding has a box, it is in pixels of
            the photograph.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    run_px, box = _run(scene, scene.edges.cuts & ~scene.outline.hole)
    message = (
        f"Along {run_px:.0f} px, the outline cuts through something that continues outside: a part may be missing."
    )
    return measured("bite_suspected", run_px, limits, message, unit="px", box=box)


def punched_hole_suspected(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on a hole in the matte that may be wrong.

    Its value is the length of the longest stretch where something other than backdrop continues across a hole's
    outline, and the photograph has no edge there. It is in pixels of the photograph reduced so that the product's
    longest side is at most 1700 px; 0 if there is no such stretch.

    Args:
        scene: the edit on one platform's canvas, with its measurements. If the finding has a box, it is in pixels of
            the photograph.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    run_px, box = _run(scene, scene.edges.cuts & scene.outline.hole)
    message = (
        f"Along {run_px:.0f} px, a hole's outline cuts through something that continues inside: the hole may be wrong."
    )
    return measured("punched_hole_suspected", run_px, limits, message, unit="px", box=box)


def missing_part_suspected(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on a part of the product that may be missing.

    Its value is the largest area beside the matte that is neither backdrop nor shadow, in thousandths of the product's
    area; 0 if there is none. The finding has the status `skipped` and no value if too little of the backdrop shows to
    predict it.

    Args:
        scene: the edit on one platform's canvas, with its measurements. If the finding has a box, it is in pixels of
            the photograph.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    if scene.reduced.backdrop is None:
        return skipped("missing_part_suspected", _NO_BACKDROP)
    enclosed, open_ones = product_outside(scene.reduced)
    share, box = _largest(scene, [*enclosed, *open_ones])
    message = (
        f"An area beside the cut-out, {share:.1f} thousandths of the product, is not backdrop: a part may be missing."
    )
    return measured("missing_part_suspected", share, limits, message, unit="per mille", box=box)


def sharp_edge_outside(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on sharp structure just outside the matte: too sharp for a shadow, so perhaps product.

    Its value is the area of the largest such structure, in thousandths of the product's area; 0 if there is none. The
    finding has the status `skipped` and no value if too little of the backdrop shows to predict it.

    Args:
        scene: the edit on one platform's canvas, with its measurements. If the finding has a box, it is in pixels of
            the photograph.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    if scene.reduced.backdrop is None:
        return skipped("sharp_edge_outside", _NO_BACKDROP)
    share, box = _largest(scene, sharp_outside(scene.reduced))
    message = f"Just outside the cut-out, the photograph has sharp edges over {share:.1f} thousandths of the product."
    return measured("sharp_edge_outside", share, limits, message, unit="per mille", box=box)


def leftover_suspected(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on backdrop that may be left at the outline.

    Its value is the largest area that looks exactly like the backdrop, in thousandths of the product's area; 0 if there
    is none. An area counts less if the photograph has an edge between it and the outside: then it may be product in the
    same colour. The finding has the status `skipped` and no value if too little of the backdrop shows to predict it.

    Args:
        scene: the edit on one platform's canvas, with its measurements. If the finding has a box, it is in pixels of
            the photograph.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    if scene.reduced.backdrop is None:
        return skipped("leftover_suspected", _NO_BACKDROP)
    share, box = _largest(scene, leftovers(scene.reduced_product))
    message = f"An area of {share:.1f} thousandths of the product looks like backdrop that was left in."
    return measured("leftover_suspected", share, limits, message, unit="per mille", box=box)


def loose_outline(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on an outline that runs through plain backdrop, lit or in shadow.

    Its value is the length of the longest such stretch, in pixels of the photograph reduced so that the product's
    longest side is at most 1700 px; 0 if there is none.

    Args:
        scene: the edit on one platform's canvas, with its measurements. If the finding has a box, it is in pixels of
            the photograph.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    run_px, box = _run(scene, scene.edges.loose)
    message = f"Along {run_px:.0f} px, the outline runs through plain backdrop: some backdrop may be left in."
    return measured("loose_outline", run_px, limits, message, unit="px", box=box)


def filled_hole_suspected(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on a gap in the product that may be filled.

    Its value is the largest area inside the matte where the backdrop seems to show, in thousandths of the product's
    area; 0 if there is none. The finding has the status `skipped` and no value if too little of the backdrop shows to
    predict it.

    Args:
        scene: the edit on one platform's canvas, with its measurements. If the finding has a box, it is in pixels of
            the photograph.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    if scene.reduced.backdrop is None:
        return skipped("filled_hole_suspected", _NO_BACKDROP)
    share, box = _largest(scene, filled_gaps(scene.reduced_product))
    message = f"An area inside the product, {share:.1f} thousandths of it, looks like backdrop: a gap may be filled."
    return measured("filled_hole_suspected", share, limits, message, unit="per mille", box=box)


def pinhole(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on small holes in the edit where the photograph has none.

    Its value is the area of the largest hole, in pixels of the photograph; 0 if there is none. A hole is transparent in
    the matte or faded in the colours, and has at most 60 px. The finding has the status `skipped` and no value if too
    little of the backdrop shows to predict it, or if there is no product.

    Args:
        scene: the edit on one platform's canvas, with its measurements. If the finding has a box, it is in pixels of
            the photograph.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    if scene.subject is None:
        return skipped("pinhole", _NO_PRODUCT)
    if scene.reduced.backdrop is None:
        return skipped("pinhole", _NO_BACKDROP)
    edit = scene.edit
    found = pinholes(edit.master16, edit.composite16, edit.cutout.matte, scene.reduced, scene.subject)
    area = found[0].area if found else 0
    message = f"The edit has {len(found)} small holes where the photograph has none; the largest has {area:.0f} px."
    box = widened(found[0].box, scene.frame) if found else None
    return measured("pinhole", area, limits, message, unit="px", box=box)


def product_touches_frame(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on a product that the photograph may cut off.

    Its value is the share of the photograph's border that the product covers, 0..1.

    Args:
        scene: the edit on one platform's canvas, with its measurements. If the finding has a box, it is in pixels of
            the photograph.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    matte = scene.edit.cutout.matte
    border = np.concatenate((matte[0], matte[-1], matte[:, 0], matte[:, -1]))
    share = float((border > 0.05).mean())
    message = f"The product covers {share:.1%} of the photograph's border: it may be cut off."
    box = _border_box(scene) if share else None
    return measured("product_touches_frame", share, limits, message, unit="share", box=box)


def empty_product(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on a product that is missing or tiny.

    Its value is the share of the photograph that the product covers, 0..1; less is worse. It is 0 if there is no
    product.

    Args:
        scene: the edit on one platform's canvas, with its measurements. If the finding has a box, it is in pixels of
            the photograph.
        limits: the finding passes down to `good`, fails at `bad` or less, and is a warning between them.
    """
    share = product_area(scene.reduced) / scene.reduced.matte.size if scene.subject else 0.0
    return measured("empty_product", share, limits, f"The product covers {share:.1%} of the photograph.", unit="share")


def several_products(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on too many objects in the picture.

    Its value is the number of separate objects in the matte beyond the expected number, at least 0. A part whose box
    lies mostly within the largest part's box counts as part of that object. Small specks do not count.

    Args:
        scene: the edit on one platform's canvas, with its measurements. If the finding has a box, it is in pixels of
            the photograph.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    found = parts(scene.reduced, threshold=0.5, joined_over_ratio=_GAP_WITHIN_PRODUCT)
    large = [
        part
        for part in found
        if part is found[0]
        or (part.area >= _PRODUCT_OF_LARGEST * found[0].area and overlap(part.box, found[0].box) < _SAME_PLACE)
    ]
    extra = max(0, len(large) - scene.edit.expected_products)
    message = f"The cut-out shows {len(large)} separate objects; {scene.edit.expected_products} expected."
    box = widened(large[-1].box, scene.frame) if extra else None
    return measured("several_products", extra, limits, message, box=box)


def backdrop_not_smooth(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on the backdrop: 1 if it was not smooth enough for the cut-out to rely on, else 0.

    A person's matte needs no smooth backdrop, so its value is 0.

    Args:
        scene: the edit on one platform's canvas, with its measurements. If the finding has a box, it is in pixels of
            the photograph.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    smooth = scene.edit.cutout.backdrop.smooth or scene.edit.cutout.method == Method.GIVEN
    message = (
        "The backdrop is smooth."
        if smooth
        else "The backdrop is not a smooth studio backdrop: nothing confirms the edge."
    )
    return measured("backdrop_not_smooth", 0.0 if smooth else 1.0, limits, message)


def _run(scene: Scene, flags: NDArray[np.bool_]) -> tuple[float, Box | None]:
    """Return the length of the longest flagged stretch in outline units, and a box around its middle."""
    first, length = longest_run(flags, scene.outline)
    if not length:
        return 0.0, None
    middle = first + length // 2
    box = box_around(float(scene.outline.x[middle]), float(scene.outline.y[middle]), scene.frame)
    return length * scene.outline.spacing_px / scene.outline.unit_px, box


def _largest(scene: Scene, regions: list[Region]) -> tuple[float, Box | None]:
    """Return the largest area in thousandths of the product, and a box around it."""
    if not regions:
        return 0.0, None
    largest = max(regions, key=lambda region: region.area)
    return 1000 * largest.area / product_area(scene.reduced), widened(largest.box, scene.frame)


def _border_box(scene: Scene) -> Box:
    """Return a box on the side of the frame that the product covers most."""
    matte, frame = scene.edit.cutout.matte, scene.frame
    sides = {
        (None, 0): matte[0],
        (None, frame.height - 1): matte[-1],
        (0, None): matte[:, 0],
        (frame.width - 1, None): matte[:, -1],
    }
    (x, y), line = max(sides.items(), key=lambda side: float(side[1].sum()))
    middle = int(np.median(np.flatnonzero(line > 0.05))) if (line > 0.05).any() else 0
    return box_around(middle if x is None else x, middle if y is None else y, frame)
