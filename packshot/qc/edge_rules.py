"""Rules on the quality of the edge: the position of the matte's outline, and remains of the backdrop along it."""

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
    """Measure the share of the outline that lies off the photograph's edge."""
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
    """Measure how far the outline as a whole is too wide or too tight."""
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
    """Measure how far the outline as a whole is displaced: too wide on one side and too tight on the other."""
    offset = scene.edges.offset
    placed = np.isfinite(offset)
    if not _enough(placed):
        return skipped("outline_moved", "Too little of the outline has enough contrast to find its edge.")
    x, y = move_of(offset[placed], scene.outline.normal[placed])
    way = float(np.hypot(x, y))
    message = f"The whole outline is shifted by {way:.1f} px ({x:+.1f} across, {y:+.1f} down)."
    return measured("outline_moved", way, limits, message, unit="px", box=partial(worst_place, scene, np.abs(offset)))


def rim_changed(scene: Scene, limits: RuleLimits) -> Finding:
    """Measure the longest stretch just inside the outline where the product differs from the photograph.

    A blurred rim is an example. The rule is skipped for a person's edit, because a person may retouch the product.
    """
    if scene.edit.cutout.method == Method.GIVEN:
        return skipped("rim_changed", "A person made this edit, and may have retouched the product.")
    first, length = longest_run(scene.edges.repainted, scene.outline)
    run_px = length * scene.outline.spacing_px / scene.outline.unit_px
    message = f"Along {run_px:.0f} px of the outline, the product's rim differs from the photograph."
    place = partial(place_on_outline, scene, first + length // 2) if length else None
    return measured("rim_changed", run_px, limits, message, unit="px", box=place)


def fringe(scene: Scene, limits: RuleLimits) -> Finding:
    """Measure the share of the outline along which backdrop colour is left."""
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
    """Measure the median width of the backdrop colour left along the outline."""
    width = scene.edges.fringe
    seen = np.isfinite(width)
    if not _enough(seen):
        message = "Product and backdrop are too alike for a fringe to be seen."
        return measured("fringe_width", 0.0, limits, message, unit="px")
    median = float(np.median(width[seen]))
    message = f"A rim of the backdrop's colour, {median:.1f} px wide, is left around the product."
    return measured("fringe_width", median, limits, message, unit="px", box=partial(worst_place, scene, width))


def jagged_edge(scene: Scene, limits: RuleLimits) -> Finding:
    """Measure how much the outline jumps around the photograph's edge: the root mean square of the jitter.

    The worst tenth is left out. Chrome and glass have several edges side by side, and the measured edge sometimes jumps
    between them; a jagged outline jumps everywhere. Points of low contrast are left out where enough others remain,
    because noise moves their edge.
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
    """Measure the share of the outline where product and backdrop look alike, so that the edge is uncertain."""
    contrast = scene.edges.contrast
    if not len(contrast):
        return skipped("edge_contrast", "The matte has no outline.")
    share = float((contrast < _TOO_PALE).mean())
    message = f"Along {share:.0%} of the outline, the product hardly differs from its surroundings."
    return measured("edge_contrast", share, limits, message, unit="share", box=partial(worst_place, scene, -contrast))


def uncertain_band(scene: Scene, limits: RuleLimits) -> Finding:
    """Measure the width of the half-transparent band along the outline: its 90th percentile."""
    band = scene.edges.band
    if not len(band):
        return skipped("uncertain_band", "The matte has no outline.")
    width = float(np.percentile(band, 90))
    message = f"Along a tenth of the outline the matte is half transparent over {width:.1f} px or more."
    return measured("uncertain_band", width, limits, message, unit="px", box=partial(worst_place, scene, band))


def islands(scene: Scene, limits: RuleLimits) -> Finding:
    """Measure the area of small separate specks in the matte, in thousandths of the product."""
    found = parts(scene.reduced, threshold=0.3)
    specks = [part for part in found[1:] if part.area < _ISLAND_OF_LARGEST * found[0].area]
    share = 1000 * sum(part.area for part in specks) / product_area(scene.reduced)
    message = f"{len(specks)} separate specks, together {share:.1f} thousandths of the product."
    box = widened(specks[0].box, scene.frame) if specks else None
    return measured("islands", share, limits, message, unit="per mille", box=box)


def haze_around(scene: Scene, limits: RuleLimits) -> Finding:
    """Measure the area where faint remains of the backdrop veil the white, in thousandths of the photograph."""
    found = haze(scene.reduced)
    share = 1000 * sum(part.area for part in found) / scene.reduced.matte.size
    message = f"A faint veil of backdrop covers {share:.2f} thousandths of the picture."
    box = widened(found[0].box, scene.frame) if found else None
    return measured("haze_around", share, limits, message, unit="per mille", box=box)


def network_disagreement(scene: Scene, limits: RuleLimits) -> Finding:
    """Measure how much refined matte and network differ along the edge, where the photograph does not settle it."""
    share, regions = scene.disagreement
    box = widened(regions[0].box, scene.frame) if regions else None
    message = f"Along the edge, the matte and the segmentation network disagree about {share:.1%} of the product."
    return measured("network_disagreement", share, limits, message, unit="share", box=box)


def network_disagreement_patch(scene: Scene, limits: RuleLimits) -> Finding:
    """Measure the largest single area on which matte and network disagree and which the photograph does not settle."""
    _, regions = scene.disagreement
    share = 1000 * regions[0].area / product_area(scene.reduced) if regions else 0.0
    box = widened(regions[0].box, scene.frame) if regions else None
    message = (
        f"The matte and the segmentation network disagree about an area of {share:.1f} thousandths of the product."
    )
    return measured("network_disagreement_patch", share, limits, message, unit="per mille", box=box)


def network_overruled(scene: Scene, limits: RuleLimits) -> Finding:
    """Measure the largest area that the network is sure of and the matte decides the other way.

    What the photograph shows there does not matter.
    """
    if scene.edit.cutout.method == Method.GIVEN:
        return skipped("network_overruled", "A person made this matte; no network was asked.")
    regions = overruled(scene.reduced_product)
    share = 1000 * regions[0].area / product_area(scene.reduced) if regions else 0.0
    box = widened(regions[0].box, scene.frame) if regions else None
    message = (
        f"Over {share:.1f} thousandths of the product, the matte says the opposite of the segmentation network, "
        "which is sure there."
    )
    return measured("network_overruled", share, limits, message, unit="per mille", box=box)


def network_overruled_detail(scene: Scene, limits: RuleLimits) -> Finding:
    """Measure the largest detail that the matte keeps or drops against the network.

    It is stated in pixels of a picture 1000 px long. Examples: a narrow gap that stays filled, and a bit of backdrop at
    an edge.
    """
    if scene.edit.cutout.method == Method.GIVEN:
        return skipped("network_overruled_detail", "A person made this matte; no network was asked.")
    regions = overruled_details(scene.reduced_product)
    area = regions[0].area if regions else 0.0
    box = widened(regions[0].box, scene.frame) if regions else None
    message = (
        f"The matte and the segmentation network disagree about a detail of {area:.0f} px (in a picture 1000 px long): "
        "backdrop may be left there."
    )
    return measured("network_overruled_detail", area, limits, message, unit="px", box=box)


def outline_unproven(scene: Scene, limits: RuleLimits) -> Finding:
    """Measure how much of the worst 40 px of outline neither the photograph's edge nor the network confirms.

    The 40 px are of a picture 2000 px long.
    """
    if scene.edit.cutout.method == Method.GIVEN:
        return skipped("outline_unproven", "A person made this matte; no network was asked.")
    if not scene.outline.points:
        return skipped("outline_unproven", "The matte has no outline.")
    point, share = least_proven(scene.outline, scene.edges, scene.reduced)
    message = (
        f"In its worst stretch, {share:.0%} of the outline is confirmed neither by the photograph nor by the "
        "segmentation network."
    )
    place = partial(place_on_outline, scene, point)
    return measured("outline_unproven", share, limits, message, unit="share", box=place)


def _enough(known: NDArray[np.bool_]) -> bool:
    """Return whether enough of the outline could be measured."""
    return len(known) > 0 and float(known.mean()) >= _LEAST_PLACED


def place_on_outline(scene: Scene, point: int) -> Box:
    """Return a box around a point of the outline, in pixels of the photograph: the place that a finding shows.

    Args:
        point: index of the point along the outline.
    """
    return box_around(float(scene.outline.x[point]), float(scene.outline.y[point]), scene.frame)


def worst_place(scene: Scene, badness: Column | NDArray[np.float32]) -> Box | None:
    """Return a box around the place where a value, smoothed along the outline, is greatest; None without values."""
    if not np.isfinite(badness).any():
        return None
    around = smooth_along(np.asarray(badness, np.float32), scene.outline, points=10)
    if not np.isfinite(around).any():
        return None
    worst = int(np.nanargmax(around))
    return place_on_outline(scene, worst)
