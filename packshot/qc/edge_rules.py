"""Check the product's edge by rules: does the matte's outline lie on it, and how much backdrop is left along it?

Distances are in outline units. One is a pixel of the photograph, or 1/1700 of the product's longest side if that is
more. A finding gives them as px.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from packshot.cutout import Method
from packshot.qc.disagreement import overruled, overruled_details
from packshot.qc.edge_figures import move_of
from packshot.qc.measured import box_around, measured, skipped, widened
from packshot.qc.outline import Column, longest_run, smooth_along
from packshot.qc.proven import least_proven
from packshot.qc.regions import haze, parts, product_area
from packshot.qc.scene import Scene
from packshot.specs.models import RuleLimits
from packshot.types import Box, Finding

_LEAST_PLACED = 0.05
"""The least share of the outline that must be measurable."""
_MISPLACED = 1.0
"""A point is misplaced if it lies more than this many units from the photograph's edge."""
_FRINGED = 0.7
"""A point has a fringe if more than this many units of backdrop colour are left."""
_JITTER_CAP, _JUMPS_KEPT, _CLEAR = 3.0, 0.9, 20.0
_TOO_PALE = 16.0
_ISLAND_OF_LARGEST = 0.03


def gradient_alignment(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on an outline that does not lie on the photograph's edge.

    Its value is the share of the measured outline that lies more than 1 px from the photograph's edge, 0..1. The
    distance is in pixels of the photograph reduced so that the product's longest side is at most 1700 px. The finding
    has the status `skipped` and no value if the photograph has an edge along less than 5 % of the outline.

    Args:
        scene: the edit on one platform's canvas, with its measurements. If the finding has a box, it is in pixels of
            the photograph.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    offset = scene.edges.offset
    placed = np.isfinite(offset)
    if not _enough(placed):
        return skipped("gradient_alignment", "Too little of the outline has enough contrast to find its edge.")
    share = float((np.abs(offset[placed]) > _MISPLACED).mean())
    return measured(
        "gradient_alignment",
        share,
        limits,
        f"{share:.0%} of the outline lies more than {_MISPLACED:.0f} px from the edge in the photograph.",
        unit="share",
        box=partial(worst_place, scene, np.abs(offset)),
    )


def outline_shift(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on an outline that is too wide or too tight all around.

    Its value is the size of the median offset from the photograph's edge, in pixels of the photograph reduced so that
    the product's longest side is at most 1700 px. The finding has the status `skipped` and no value if the photograph
    has an edge along less than 5 % of the outline.

    Args:
        scene: the edit on one platform's canvas, with its measurements. If the finding has a box, it is in pixels of
            the photograph.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    offset = scene.edges.offset
    placed = np.isfinite(offset)
    if not _enough(placed):
        return skipped("outline_shift", "Too little of the outline has enough contrast to find its edge.")
    shift = float(np.median(offset[placed]))
    side = "too wide" if shift < 0 else "too tight"
    message = f"On the whole, the outline is {abs(shift):.1f} px {side}."
    return measured(
        "outline_shift", abs(shift), limits, message, unit="px", box=partial(worst_place, scene, np.abs(offset))
    )


def outline_moved(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on an outline that is displaced: too wide on one side and too tight on the other.

    Its value is the length of the displacement, in pixels of the photograph reduced so that the product's longest side
    is at most 1700 px. The finding has the status `skipped` and no value if the photograph has an edge along less than
    5 % of the outline.

    Args:
        scene: the edit on one platform's canvas, with its measurements. If the finding has a box, it is in pixels of
            the photograph.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    offset = scene.edges.offset
    placed = np.isfinite(offset)
    if not _enough(placed):
        return skipped("outline_moved", "Too little of the outline has enough contrast to find its edge.")
    x, y = move_of(offset[placed], scene.outline.normal[placed])
    way = float(np.hypot(x, y))
    message = f"The whole outline is shifted by {way:.1f} px ({x:+.1f} across, {y:+.1f} down)."
    return measured("outline_moved", way, limits, message, unit="px", box=partial(worst_place, scene, np.abs(offset)))


def rim_changed(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on a product's rim that differs from the photograph, for example because it was blurred.

    Its value is the length of the longest differing stretch just inside the outline, in pixels of the photograph
    reduced so that the product's longest side is at most 1700 px. The finding has the status `skipped` and no value if
    a person made the edit, because a person may retouch the product.

    Args:
        scene: the edit on one platform's canvas, with its measurements. If the finding has a box, it is in pixels of
            the photograph.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    if scene.edit.cutout.method == Method.GIVEN:
        return skipped("rim_changed", "A person made this edit, and may have retouched the product.")
    first, length = longest_run(scene.edges.repainted, scene.outline)
    run_px = length * scene.outline.spacing_px / scene.outline.unit_px
    message = f"Along {run_px:.0f} px of the outline, the product's rim differs from the photograph."
    place = partial(place_on_outline, scene, first + length // 2) if length else None
    return measured("rim_changed", run_px, limits, message, unit="px", box=place)


def fringe(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on backdrop colour that is left along the outline: how much of the outline has it.

    Its value is the share of the measured outline where that colour is wider than 0.7 px, 0..1. The width is measured
    on the photograph reduced so that the product's longest side is at most 1700 px. The value is 0, and the rule
    passes, if the colour could be seen along less than 5 % of the outline.

    Args:
        scene: the edit on one platform's canvas, with its measurements. If the finding has a box, it is in pixels of
            the photograph.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    width = scene.edges.fringe
    seen = np.isfinite(width)
    if not _enough(seen):
        return measured(
            "fringe", 0.0, limits, "Product and backdrop are too alike for a fringe to be seen.", unit="share"
        )
    share = float((width[seen] > _FRINGED).mean())
    message = f"{share:.0%} of the outline shows more than {_FRINGED} px of the backdrop's colour."
    return measured("fringe", share, limits, message, unit="share", box=partial(worst_place, scene, width))


def fringe_width(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on the median width of the backdrop colour that is left along the outline.

    The width is in pixels of the photograph reduced so that the product's longest side is at most 1700 px. It is 0, and
    the rule passes, if the colour could be seen along less than 5 % of the outline.

    Args:
        scene: the edit on one platform's canvas, with its measurements. If the finding has a box, it is in pixels of
            the photograph.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    width = scene.edges.fringe
    seen = np.isfinite(width)
    if not _enough(seen):
        message = "Product and backdrop are too alike for a fringe to be seen."
        return measured("fringe_width", 0.0, limits, message, unit="px")
    median = float(np.median(width[seen]))
    message = f"A rim of the backdrop's colour, {median:.1f} px wide, is left around the product."
    return measured("fringe_width", median, limits, message, unit="px", box=partial(worst_place, scene, width))


def jagged_edge(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on an outline that jumps in and out across the photograph's edge.

    Its value is the root mean square of the jumps, in pixels of the photograph reduced so that the product's longest
    side is at most 1700 px. The worst tenth of the points is left out: chrome and glass have several edges side by
    side, so that single points jump between them. A jagged outline jumps everywhere. Points of low contrast are left
    out too if enough others remain, because noise moves the edge there. The finding has the status `skipped` and no
    value if the photograph has an edge along less than 5 % of the outline.

    Args:
        scene: the edit on one platform's canvas, with its measurements. If the finding has a box, it is in pixels of
            the photograph.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    jitter, contrast = scene.edges.jitter, scene.edges.contrast
    placed = np.isfinite(jitter)
    if not _enough(placed):
        return skipped("jagged_edge", "Too little of the outline has enough contrast to find its edge.")
    clear = placed & (contrast >= _CLEAR)
    jumps = np.abs(jitter[clear if _enough(clear) else placed])
    most = np.quantile(jumps, _JUMPS_KEPT)
    size = float(np.sqrt(np.mean(np.minimum(jumps[jumps <= most], _JITTER_CAP) ** 2)))
    message = f"The outline jumps by {size:.2f} px to and fro across the edge in the photograph."
    return measured("jagged_edge", size, limits, message, unit="px", box=partial(worst_place, scene, np.abs(jitter)))


def edge_contrast(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on an edge that can hardly be seen in the photograph.

    Its value is the share of the outline where product and backdrop differ by less than 16 levels (of 255), 0..1. The
    finding has the status `skipped` and no value if the matte has no outline.

    Args:
        scene: the edit on one platform's canvas, with its measurements. If the finding has a box, it is in pixels of
            the photograph.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    contrast = scene.edges.contrast
    if not len(contrast):
        return skipped("edge_contrast", "The cut-out has no outline.")
    share = float((contrast < _TOO_PALE).mean())
    message = f"Along {share:.0%} of the outline, the product hardly differs from its surroundings."
    return measured("edge_contrast", share, limits, message, unit="share", box=partial(worst_place, scene, -contrast))


def uncertain_band(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on the half-transparent band along the outline.

    Its value is the 90th percentile of the band's width, in pixels of the photograph reduced so that the product's
    longest side is at most 1700 px. The band is where the matte lies between 0.05 and 0.95. The finding has the status
    `skipped` and no value if the matte has no outline.

    Args:
        scene: the edit on one platform's canvas, with its measurements. If the finding has a box, it is in pixels of
            the photograph.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    band = scene.edges.band
    if not len(band):
        return skipped("uncertain_band", "The cut-out has no outline.")
    width = float(np.percentile(band, 90))
    message = f"Along a tenth of the outline the cut-out is half transparent over {width:.1f} px or more."
    return measured("uncertain_band", width, limits, message, unit="px", box=partial(worst_place, scene, band))


def islands(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on small separate specks in the matte.

    Its value is their total area, in thousandths of the product's area. A speck is separate from the largest part, and
    has less than 3 % of that part's area.

    Args:
        scene: the edit on one platform's canvas, with its measurements. If the finding has a box, it is in pixels of
            the photograph.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    found = parts(scene.reduced, threshold=0.3)
    specks = [part for part in found[1:] if part.area < _ISLAND_OF_LARGEST * found[0].area]
    share = 1000 * sum(part.area for part in specks) / product_area(scene.reduced)
    message = f"{len(specks)} separate specks, together {share:.1f} thousandths of the product."
    box = widened(specks[0].box, scene.frame) if specks else None
    return measured("islands", share, limits, message, unit="per mille", box=box)


def haze_around(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on a faint veil of backdrop over the white.

    Its value is the total area of the veil, in thousandths of the photograph's area. A veil is an area away from the
    product where the matte is faint: above 0.003 and at most 0.5.

    Args:
        scene: the edit on one platform's canvas, with its measurements. If the finding has a box, it is in pixels of
            the photograph.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    found = haze(scene.reduced)
    share = 1000 * sum(part.area for part in found) / scene.reduced.matte.size
    message = f"A faint veil of backdrop covers {share:.2f} thousandths of the picture."
    box = widened(found[0].box, scene.frame) if found else None
    return measured("haze_around", share, limits, message, unit="per mille", box=box)


def network_disagreement(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on the difference between matte and segmentation network in thin lines along the edge.

    Its value is the number of differing pixels, divided by the pixels that are product in either of the two, 0..1.
    Differences that nobody could see on white are left out, and those where the photograph shows that the matte is
    right.

    Args:
        scene: the edit on one platform's canvas, with its measurements. If the finding has a box, it is in pixels of
            the photograph.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    share, regions = scene.disagreement
    box = widened(regions[0].box, scene.frame) if regions else None
    message = f"Along the edge, the cut-out and the AI's first mask disagree about {share:.1%} of the product."
    return measured("network_disagreement", share, limits, message, unit="share", box=box)


def network_disagreement_patch(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on the largest area where matte and segmentation network differ: one says product, one not.

    Lines of a few pixels along the outline are no such area. The value is the area in thousandths of the product's; 0
    if there is none. Differences that nobody could see on white are left out, and those where the photograph shows that
    the matte is right.

    Args:
        scene: the edit on one platform's canvas, with its measurements. If the finding has a box, it is in pixels of
            the photograph.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    _, regions = scene.disagreement
    share = 1000 * regions[0].area / product_area(scene.reduced) if regions else 0.0
    box = widened(regions[0].box, scene.frame) if regions else None
    message = f"The cut-out and the AI's first mask disagree about an area of {share:.1f} thousandths of the product."
    return measured("network_disagreement_patch", share, limits, message, unit="per mille", box=box)


def network_overruled(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on the largest area where the matte contradicts a segmentation network that is sure.

    The network is sure of a pixel if its probability of product is above 0.8 or below 0.05. The value is that area in
    thousandths of the product's area; 0 if there is none. The photograph is not used. The finding has the status
    `skipped` and no value if a person made the matte.

    Args:
        scene: the edit on one platform's canvas, with its measurements. If the finding has a box, it is in pixels of
            the photograph.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    if scene.edit.cutout.method == Method.GIVEN:
        return skipped("network_overruled", "A person made this cut-out; the AI was not asked.")
    regions = overruled(scene.reduced_product)
    share = 1000 * regions[0].area / product_area(scene.reduced) if regions else 0.0
    box = widened(regions[0].box, scene.frame) if regions else None
    message = (
        f"Over {share:.1f} thousandths of the product, the cut-out says the opposite of the AI's first mask, "
        "which is sure there."
    )
    return measured("network_overruled", share, limits, message, unit="per mille", box=box)


def network_overruled_detail(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on the largest detail where the matte contradicts the segmentation network.

    Its value is the detail's area in pixels of the photograph scaled so that its longest side is 1000 px; 0 if there is
    none. Examples: a narrow gap that stays filled, and a bit of backdrop at an edge. The finding has the status
    `skipped` and no value if a person made the matte.

    Args:
        scene: the edit on one platform's canvas, with its measurements. If the finding has a box, it is in pixels of
            the photograph.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    if scene.edit.cutout.method == Method.GIVEN:
        return skipped("network_overruled_detail", "A person made this cut-out; the AI was not asked.")
    regions = overruled_details(scene.reduced_product)
    area = regions[0].area if regions else 0.0
    box = widened(regions[0].box, scene.frame) if regions else None
    message = (
        f"The cut-out and the AI's first mask disagree about a detail of {area:.0f} px (in a picture 1000 px long): "
        "backdrop may be left there."
    )
    return measured("network_overruled_detail", area, limits, message, unit="px", box=box)


def outline_unproven(scene: Scene, limits: RuleLimits) -> Finding:
    """Return the finding on the worst stretch of the outline: the one with the least proof.

    Its value is the share of the stretch, 0..1, that is confirmed neither by an edge in the photograph nor by the
    segmentation network. The stretch is 2 % of the picture's longest side long. The finding has the status `skipped`
    and no value if a person made the matte, or if the matte has no outline.

    Args:
        scene: the edit on one platform's canvas, with its measurements. If the finding has a box, it is in pixels of
            the photograph.
        limits: the finding passes up to `good`, fails from `bad` on, and is a warning between them.
    """
    if scene.edit.cutout.method == Method.GIVEN:
        return skipped("outline_unproven", "A person made this cut-out; the AI was not asked.")
    if not scene.outline.points:
        return skipped("outline_unproven", "The cut-out has no outline.")
    point, share = least_proven(scene.outline, scene.edges, scene.reduced)
    message = (
        f"In its worst stretch, {share:.0%} of the outline is confirmed neither by the photograph nor by the "
        "AI's first mask."
    )
    place = partial(place_on_outline, scene, point)
    return measured("outline_unproven", share, limits, message, unit="share", box=place)


def _enough(known: NDArray[np.bool_]) -> bool:
    """Return whether enough of the outline could be measured."""
    return len(known) > 0 and float(known.mean()) >= _LEAST_PLACED


def place_on_outline(scene: Scene, point: int) -> Box:
    """Return a square box, 256 px wide, around a point of the product's outline, for a finding to show to the reviewer.

    The box is in pixels of the photograph, which are also those of the edit. It lies inside the photograph, and is
    smaller if the photograph is less than 256 px wide or high.

    Args:
        scene: the edit on one platform's canvas, with its measurements. If the finding has a box, it is in pixels of
            the photograph. The canvas has no influence here.
        point: index into `scene.outline`, whose points are in pixels of the photograph.
    """
    return box_around(float(scene.outline.x[point]), float(scene.outline.y[point]), scene.frame)


def worst_place(scene: Scene, badness: Column | NDArray[np.float32]) -> Box | None:
    """Return a square box, 256 px wide, around the worst place on the outline, for the reviewer to look at.

    The box is in pixels of the photograph, and smaller in a smaller photograph. It is None if no place can be named:
    every measurement is NaN, or too few measurements lie side by side.

    Args:
        scene: the edit on one platform's canvas, with its measurements.
        badness: (points,) a measurement per point of the outline, greater is worse; NaN where unknown. It is smoothed
            along the outline first.
    """
    if not np.isfinite(badness).any():
        return None
    around = smooth_along(np.asarray(badness, np.float32), scene.outline, points=10)
    if not np.isfinite(around).any():
        return None
    worst = int(np.nanargmax(around))
    return place_on_outline(scene, worst)
