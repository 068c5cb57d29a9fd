"""Measure the edge at each point of the outline: its offset from the photograph's edge, backdrop left on it, and more.

`EdgeFigures` lists the measurements.
"""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.colour.channels import greatest_channel
from packshot.colour.spaces import WORKING_GAMMA
from packshot.qc.outline import DISTANCES, STEP, Column, Outline, Profile, at, smooth_along

LEAST_CONTRAST = 16.0
"""With less contrast than this across an edge, in levels, remaining backdrop colour cannot be told from the product."""
VISIBLE_BACKDROP = 12.0
"""Backdrop colour at an edge is visible on white if it is more than this many levels below white."""
FLAT_STEP = 8.0
"""With a smaller step than this across the outline, in levels, the photograph has no edge there."""
NO_STEP, NO_STEP_IN_SHADOW, NO_STEP_POINTS = 2.5, 4.0, 3.0
"""Limits in levels for the step averaged over `NO_STEP_POINTS` neighbouring points: below them backdrop, or backdrop in
shadow, continues across the outline."""
SEEN_ON_WHITE = 8.0
"""Something that was cut off or left over matters if it is more than this many levels below white."""
UNLIKE_BACKDROP = 20.0
"""A colour is unlike the backdrop if it differs by more than this many levels."""
LIKE_BACKDROP = 8.0
"""A colour is like the backdrop if it differs by less than this many levels."""
_SEARCH = 5.0
"""The edge is searched within this distance of the outline."""
_LEAST_RISE = 8.0
"""Least gradient of an edge: the change over two samples, in levels."""
_RISE_OF_STEEPEST = 0.4
"""Least gradient of an edge, as a share of the greatest one along the normal."""
_RIM_FROM, _RIM_TO = 1.0, 2.5
"""The rim's colour is averaged between these distances inside the photograph's edge."""
_FRINGE_INSIDE = 3.5
"""Backdrop colour inside the matte is summed up to this distance from the outline."""
_FRINGE_OUTSIDE = 4.0
"""Backdrop colour outside the matte is summed up to this distance from the outline."""
_LEAST_COVERAGE = 0.3
"""Alpha below which a sample counts as outside."""
_MOVE_ROUNDS, _HUBER, _RIDGE = 8, 0.5, 0.01
_RIM_REACH, _RIM_POINTS, _WHOLE, _LEAST_KNOWN = 7.0, 5.0, 0.995, 4.0
_REPAINTED_LEVELS = 3.0
_LINE = at(-4, 3)
"""The darkest place of a contact shadow is looked for between these distances."""
_LINE_BESIDE = at(-8, -5), at(4, 7)
"""Product and floor beside that line are measured between these distances."""
_LINE_DEPTH, _LINE_DARKEST, _LINE_OF_FLOOR, _LINE_INNER, _LINE_FROM = 12.0, 0.78, 0.2, 3.0, -5.0
"""The line is at least so many levels darker than product and floor, and has at most the next share of their levels.
Of its depth below the floor, its depth below the product is at least the third. Its inner side lies within the fourth
distance of its darkest place, and not farther inside than the last: a dark sole is wider."""
_FACES_DOWN, _BASE_OF_HEIGHT, _FLOOR_SHADE, _LEAST_SHADED = 0.35, 0.25, 6.0, 0.1
"""A product touches the floor where its outward normal points down by at least this part, within this share of its
height from its lowest point. It stands on one if the floor is so many levels darker than the lit backdrop along at
least this share of these places."""
_DARKEST_SHADOW = 0.3
"""A shadow keeps more than this share of the backdrop's light."""
_SHADOW_COLOUR = 0.05
"""A shadow's colour differs from the backdrop's by less than this share of its light."""


@dataclasses.dataclass(frozen=True)
class EdgeFigures:
    """Measurements per point of the matte's outline, each of shape (points,). `measure_edges` makes them.

    All are float32, except for three of bool. Distances are in pixels of the photograph reduced so that the product's
    longest side is at most 1700 px. Levels are 0..255. The photograph's edge is the outermost place along the normal
    where its brightness or colour changes steeply; its exact place is where the change is steepest. Where the product
    touches a floor, the dark line of a contact shadow lies between product and floor. There the photograph's edge is
    the line's inner side.

    Attributes:
        contrast: difference between the product's rim and the outside in the photograph, in levels of the channel that
            differs most.
        offset: distance from the matte's edge to the photograph's. It is positive if the photograph's edge lies farther
            out, and NaN if the photograph has no edge.
        jitter: distance of the photograph's edge from the mean of the edge at neighbouring points, positive outward;
            NaN if the photograph has no edge.
        fringe: width of the remaining backdrop colour in the composite; NaN where it could not be seen.
        band: width over which the matte goes from 0.95 to 0.05.
        cuts: bool, True if something other than backdrop continues across the outline and the photograph has no edge.
        loose: bool, True if the outline runs through backdrop, lit or in shadow, and the photograph has no edge.
        repainted: bool, True if the composite just inside the outline differs from the photograph.
        line_level: level of a contact shadow's dark line at the outline, as a share of the product's or the floor's
            level, whichever is lower; NaN where there is none. The line may lie inside or outside of the outline.
    """

    contrast: Column
    offset: Column
    jitter: Column
    fringe: Column
    band: Column
    cuts: NDArray[np.bool_]
    loose: NDArray[np.bool_]
    repainted: NDArray[np.bool_]
    line_level: Column


def measure_edges(outline: Outline) -> EdgeFigures:
    """Return the measurements of the edge at every point of an outline, in the order of its points.

    Args:
        outline: samples of photograph, edit and matte across the matte's outline.
    """
    inner_side, line_level = _contact(outline)
    touches = np.isfinite(line_level)
    steepest = np.where(touches, inner_side, _steepest(outline.master, outline))
    rim = _rim(outline, np.nan_to_num(steepest))
    contrast = np.abs(rim - outline.outer).max(axis=1)
    cuts, loose = _edgeless(outline, touches)
    return EdgeFigures(
        contrast=contrast,
        offset=steepest - np.nan_to_num(_steepest(_mixed(outline), outline)),
        jitter=steepest - smooth_along(steepest, outline, points=5),
        fringe=smooth_along(_fringe(outline, rim, contrast), outline, points=2),
        band=((outline.matte > 0.05) & (outline.matte < 0.95)).sum(axis=1).astype(np.float32) * np.float32(STEP),
        cuts=cuts,
        loose=loose,
        repainted=_repainted(outline),
        line_level=line_level,
    )


def move_of(offset: Column, normal: NDArray[np.float32]) -> tuple[float, float]:
    """Return the displacement (across, down) of a matte that best explains its offsets from the photograph's edge.

    Positive means that the matte lies too far right, or too far down. The model is a translation plus a constant, which
    stands for a matte that is too wide or too tight all around. The model is fitted by iteratively reweighted least
    squares with Huber's weights. All distances are in outline units: one is a pixel of the photograph, or 1/1700 of the
    product's longest side if that is more.

    Args:
        offset: (points,) distance from the matte's edge to the photograph's at each point, positive outward, without
            NaN.
        normal: (points, 2) outward unit normals (x, y).
    """
    terms = np.column_stack([-normal, np.ones(len(normal))]).astype(np.float64)
    weights = np.ones(len(offset))
    fitted: NDArray[np.float64] = np.zeros(3)
    for _ in range(_MOVE_ROUNDS):
        weighted = terms.T * weights
        fitted = np.asarray(np.linalg.solve(weighted @ terms + _RIDGE * np.eye(3) * len(offset), weighted @ offset))
        rest = np.abs(offset - terms @ fitted)
        weights = np.minimum(1, _HUBER / np.maximum(rest, 1e-6))
    return float(fitted[0]), float(fitted[1])


def _repainted(outline: Outline) -> NDArray[np.bool_]:
    """Return where the composite differs from the photograph in opaque pixels just inside the outline.

    The difference is averaged over neighbouring points.
    """
    rim = at(-_RIM_REACH, -1)
    whole = (outline.matte[:, rim] > _WHOLE).astype(np.float32)
    apart = np.abs(outline.composite[:, rim] - outline.master[:, rim]).max(axis=2, initial=0)
    known = smooth_along(whole.sum(axis=1), outline, points=_RIM_POINTS)
    total = smooth_along((apart * whole).sum(axis=1), outline, points=_RIM_POINTS)
    return np.asarray((known >= _LEAST_KNOWN) & (total > _REPAINTED_LEVELS * np.maximum(known, 1)))


def _mixed(outline: Outline) -> Profile:
    """Return the levels of a blend of inner and outer colour by the matte, as the photograph would show it.

    Colours blend in linear light. In encoded levels a soft edge is therefore not steepest where the matte is 0.5.
    """
    keep = outline.matte[..., None]
    light = keep * _linear(outline.inner)[:, None] + (1 - keep) * _linear(outline.outer)[:, None]
    return np.asarray(255 * light ** np.float32(1 / WORKING_GAMMA), np.float32)


def _steepest(levels: Profile, outline: Outline) -> Column:
    """Return the position of the photograph's edge along each normal, (points,); NaN where there is none.

    It is the outermost local maximum of the gradient that is steep enough. The greatest one would be wrong for a shaded
    or shining rim: it may lie between the rim and the product's inside.
    """
    even = _over_neighbours(levels, outline)
    rise = even[:, 2:] - even[:, :-2]
    steepness = np.sqrt(np.einsum("pdc,pdc->pd", rise, rise))
    distances = DISTANCES[1:-1]
    window = np.abs(distances) <= _SEARCH
    steepness, distances = steepness[:, window], distances[window]
    peak = np.zeros(steepness.shape, bool)
    middle = steepness[:, 1:-1]
    peak[:, 1:-1] = (middle >= steepness[:, :-2]) & (middle >= steepness[:, 2:])
    peak &= steepness >= np.maximum(_RISE_OF_STEEPEST * steepness.max(axis=1, initial=0), _LEAST_RISE)[:, None]
    outermost = steepness.shape[1] - 1 - np.argmax(peak[:, ::-1], axis=1)
    place = distances[outermost] + _between_samples(steepness, outermost) * STEP
    return np.where(peak.any(axis=1), place, np.nan).astype(np.float32)


def _contact(outline: Outline) -> tuple[Column, Column]:
    """Return a contact shadow's dark line along each normal: (position of its inner side, its level), both (points,).

    The level is a share of the product's or the floor's, whichever is lower. Both are NaN where the photograph shows no
    such line: a place at the outline that is darker than product and floor, at the base of what stands on a floor in
    shadow.
    """
    light = greatest_channel(_over_neighbours(outline.master, outline))
    index, nowhere = np.arange(len(light)), np.full(len(light), np.nan, np.float32)
    product, floor = (np.median(light[:, part], axis=1) for part in _LINE_BESIDE)
    low = outline.normal[:, 1] > _FACES_DOWN
    if low.any():
        low &= outline.y >= outline.y.max() - _BASE_OF_HEIGHT * np.ptp(outline.y)
    shaded = outline.backdrop.max(axis=1, initial=0) - floor >= _FLOOR_SHADE
    if not low.any() or float(shaded[low].mean()) < _LEAST_SHADED:
        return nowhere, nowhere
    darkest = _LINE.start + light[:, _LINE].argmin(axis=1)
    below_product, below_floor = product - light[index, darkest], floor - light[index, darkest]
    line = (below_product >= np.maximum(_LINE_DEPTH, _LINE_OF_FLOOR * below_floor)) & (below_floor >= _LINE_DEPTH) & low
    level = light[index, darkest] / np.maximum(np.minimum(product, floor), 1)
    line &= level <= _LINE_DARKEST
    fall = np.zeros(light.shape, np.float32)
    fall[:, 1:-1] = light[:, :-2] - light[:, 2:]
    inside = darkest[:, None] - np.arange(round(_LINE_INNER / STEP) + 1)
    steepest = inside[index, fall[index[:, None], inside].argmax(axis=1)]
    place = DISTANCES[steepest] + _between_samples(fall, steepest) * STEP
    line &= place >= _LINE_FROM
    return np.where(line, place, nowhere).astype(np.float32), np.where(line, level, nowhere).astype(np.float32)


def _between_samples(values: Profile, at_index: NDArray[np.intp]) -> Column:
    """Return the offset of a parabola's vertex through a peak and its neighbours, in steps from the peak."""
    index = np.arange(len(values))
    before = values[index, np.maximum(at_index - 1, 0)]
    after = values[index, np.minimum(at_index + 1, values.shape[1] - 1)]
    bend = before - 2 * values[index, at_index] + after
    return np.clip(np.where(bend < -1e-6, 0.5 * (before - after) / np.minimum(bend, -1e-6), 0), -1, 1)


def _rim(outline: Outline, offset: Column) -> Profile:
    """Return the photograph's mean colour just inside its edge, (points, 3) levels."""
    inward = offset[:, None] - DISTANCES
    inside = (inward >= _RIM_FROM) & (inward <= _RIM_TO)
    weight = inside.astype(np.float32)
    total = np.einsum("pdc,pd->pc", outline.master, weight)
    return np.asarray(total / np.maximum(weight.sum(axis=1, keepdims=True), 1), np.float32)


def _over_neighbours(values: Profile, outline: Outline) -> Profile:
    """Return the mean of each point and its two neighbours on the same contour. This reduces noise and keeps edges."""
    if len(values) < 3:
        return values
    same = (outline.loop[1:] == outline.loop[:-1]).astype(np.float32)[:, None, None]
    total, count = values.copy(), np.ones((len(values), 1, 1), np.float32)
    total[1:] += same * values[:-1]
    total[:-1] += same * values[1:]
    count[1:] += same
    count[:-1] += same
    return np.asarray(total / count, np.float32)


def _fringe(outline: Outline, rim: Profile, contrast: Column) -> Column:
    """Return the width of backdrop colour that remains in the composite, (points,) units; NaN where it is not visible.

    It is the sum over the samples along a normal. Each counts by how far its colour has moved from the expected one
    towards the backdrop's, 0..1.
    """
    inner, outer = _linear(rim), _linear(outline.outer)
    matte = outline.matte[..., None]
    composite = _linear(outline.composite)
    to_backdrop = outer - inner
    length = (to_backdrop**2).sum(axis=1)[:, None] + 1e-9
    product = (composite - (1 - matte)) / np.maximum(matte, _LEAST_COVERAGE)
    inside = np.einsum("pdc,pc->pd", product - inner[:, None], to_backdrop) / length
    white_to_backdrop = outer - 1
    depth = (white_to_backdrop**2).sum(axis=1)[:, None] + 1e-9
    expected = matte * inner[:, None] + (1 - matte)
    outside = np.einsum("pdc,pc->pd", composite - expected, white_to_backdrop) / depth
    covered = outline.matte > _LEAST_COVERAGE
    wanted_in = covered & (DISTANCES >= -_FRINGE_INSIDE)
    wanted_out = ~covered & (DISTANCES <= _FRINGE_OUTSIDE)
    width = (np.clip(inside, 0, 1) * wanted_in + np.clip(outside, 0, 1) * wanted_out).sum(axis=1) * STEP
    visible = (contrast >= LEAST_CONTRAST) & (np.abs(outline.outer - 255).max(axis=1) > VISIBLE_BACKDROP)
    return np.where(visible, width, np.nan).astype(np.float32)


def _edgeless(outline: Outline, touches: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the flags `cuts` and `loose` of `EdgeFigures`."""
    before = outline.master[:, at(-2, -1)].mean(axis=1)
    after = outline.master[:, at(1, 2)].mean(axis=1)
    flat = (np.abs(before - after).max(axis=1) < FLAT_STEP) & ~touches
    step = np.abs(smooth_along(before - after, outline, points=NO_STEP_POINTS)).max(axis=1)
    outside = np.abs(outline.outer - outline.backdrop).max(axis=1)
    inside = np.abs(outline.inner - outline.backdrop).max(axis=1)
    cut = (outside > UNLIKE_BACKDROP) & _seen_on_white(outline.outer)
    floor = (inside < LIKE_BACKDROP) & (step < NO_STEP)
    floor |= _shaded(outline.inner, outline.backdrop) & (step < NO_STEP_IN_SHADOW)
    cuts = smooth_along((flat & cut).astype(np.float32), outline, points=3) > 0.6
    loose = smooth_along((flat & floor & _seen_on_white(outline.inner)).astype(np.float32), outline, points=3) > 0.6
    return cuts, loose


def _seen_on_white(levels: Profile) -> NDArray[np.bool_]:
    """Return where a colour is dark enough to be seen on white."""
    return np.asarray((255 - levels).max(axis=1) > SEEN_ON_WHITE)


def _shaded(seen: Profile, backdrop: Profile) -> NDArray[np.bool_]:
    """Return where a colour may be backdrop in shadow: all channels darker by the same factor, in linear light."""
    light, lit = _linear(seen), _linear(backdrop) + np.float32(1e-4)
    power = (lit * lit).sum(axis=1)
    factor = (light * lit).sum(axis=1) / power
    colour = np.sqrt(((light - factor[:, None] * lit) ** 2).sum(axis=1) / power)
    return np.asarray((factor > _DARKEST_SHADOW) & (factor < 1) & (colour < _SHADOW_COLOUR * factor))


def _linear(levels: Profile) -> Profile:
    """Return levels in linear light, 0..1."""
    if levels.size == 0:  # OpenCV turns an empty array into one element
        return levels
    light = cv2.pow(np.maximum(levels, 0) / np.float32(255), WORKING_GAMMA)
    return np.asarray(light, np.float32).reshape(levels.shape)
