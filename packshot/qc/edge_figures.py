"""Figures for each point of the outline: how far the matte's edge is from the photograph's, what colour is left."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from packshot.colour.spaces import WORKING_GAMMA
from packshot.qc.outline import DISTANCES, STEP, Column, Outline, Profile, at, smooth_along

LEAST_CONTRAST = 20.0
"""Levels between inside and outside below which an edge cannot be placed."""
VISIBLE_BACKDROP = 12.0
"""Levels below white from which backdrop colour left at an edge can be seen on white."""
FLAT_STEP = 8.0
"""Levels across the edge below which the photograph shows no edge there."""
UNLIKE_BACKDROP = 20.0
LIKE_BACKDROP = 8.0
_SEARCH = 5.0
_FRINGE_INSIDE = 3.5
_FRINGE_OUTSIDE = 4.0
_LEAST_COVERAGE = 0.3


@dataclasses.dataclass(frozen=True)
class EdgeFigures:
    """Per point of the outline.

    Attributes:
        contrast: levels between inside and outside in the photograph.
        offset: units from the matte's edge to the photograph's, positive where the photograph's lies farther out;
            NaN where it cannot be placed.
        jitter: offset without what changes slowly along the outline.
        fringe: width in units of backdrop colour left in the composite; NaN where it could not be seen.
        band: units over which the matte goes from .95 to .05.
        cuts: whether the outline runs, without any edge in the photograph, through what is not backdrop.
        loose: whether it runs, without any edge, through what is backdrop.
    """

    contrast: Column
    offset: Column
    jitter: Column
    fringe: Column
    band: Column
    cuts: NDArray[np.bool_]
    loose: NDArray[np.bool_]


def measure_edges(outline: Outline) -> EdgeFigures:
    """Return the figures of every point of an outline."""
    inner, outer = _linear(outline.inner), _linear(outline.outer)
    contrast = np.abs(outline.inner - outline.outer).max(axis=1)
    offset = _offset(outline, inner, outer, contrast)
    cuts, loose = _edgeless(outline)
    return EdgeFigures(
        contrast=contrast,
        offset=offset,
        jitter=offset - smooth_along(offset, outline, points=5),
        fringe=smooth_along(_fringe(outline, inner, outer, contrast), outline, points=2),
        band=((outline.matte > 0.05) & (outline.matte < 0.95)).sum(axis=1).astype(np.float32) * np.float32(STEP),
        cuts=cuts,
        loose=loose,
    )


def _offset(outline: Outline, inner: Profile, outer: Profile, contrast: Column) -> Column:
    """Project the photograph on the way from outside to inside, in linear light; find where it is half way."""
    axis = inner - outer
    length = (axis**2).sum(axis=1) + 1e-9
    window = at(-_SEARCH, _SEARCH)
    along = ((_linear(outline.master[:, window]) - outer[:, None]) * axis[:, None]).sum(axis=2) / length[:, None]
    along = _over_neighbours(along, outline)
    distances = DISTANCES[window]
    crossing = (along[:, :-1] >= 0.5) & (along[:, 1:] < 0.5)
    nearest = np.argmin(np.where(crossing, np.abs(distances[:-1] + STEP / 2), np.inf), axis=1)
    index = np.arange(len(along))
    high, low = along[index, nearest], along[index, nearest + 1]
    offset = distances[nearest] + (high - 0.5) / np.maximum(high - low, 1e-3) * STEP
    placed = crossing.any(axis=1) & (contrast >= LEAST_CONTRAST)
    return np.where(placed, offset, np.nan).astype(np.float32)


def _over_neighbours(values: Profile, outline: Outline) -> Profile:
    """Average each point with its two neighbours where they are on the same line: noise goes, edges stay."""
    if len(values) < 3:
        return values
    same_before = np.concatenate(([False], outline.loop[1:] == outline.loop[:-1]))[:, None]
    same_after = np.concatenate((outline.loop[1:] == outline.loop[:-1], [False]))[:, None]
    before, after = np.roll(values, 1, axis=0), np.roll(values, -1, axis=0)
    total = values + np.where(same_before, before, 0) + np.where(same_after, after, 0)
    return np.asarray(total / (1.0 + same_before + same_after), np.float32)


def _fringe(outline: Outline, inner: Profile, outer: Profile, contrast: Column) -> Column:
    """Add up how far each sample of the composite is from what it should be towards the backdrop's colour."""
    matte = outline.matte[..., None]
    composite = _linear(outline.composite)
    to_backdrop = outer - inner
    length = (to_backdrop**2).sum(axis=1)[:, None] + 1e-9
    product = (composite - (1 - matte)) / np.maximum(matte, _LEAST_COVERAGE)
    inside = ((product - inner[:, None]) * to_backdrop[:, None]).sum(axis=2) / length
    white_to_backdrop = outer - 1
    depth = (white_to_backdrop**2).sum(axis=1)[:, None] + 1e-9
    expected = matte * inner[:, None] + (1 - matte)
    outside = ((composite - expected) * white_to_backdrop[:, None]).sum(axis=2) / depth
    covered = outline.matte > _LEAST_COVERAGE
    wanted_in = covered & (DISTANCES >= -_FRINGE_INSIDE)
    wanted_out = ~covered & (DISTANCES <= _FRINGE_OUTSIDE)
    width = (np.clip(inside, 0, 1) * wanted_in + np.clip(outside, 0, 1) * wanted_out).sum(axis=1) * STEP
    visible = (contrast >= LEAST_CONTRAST) & (np.abs(outline.outer - 255).max(axis=1) > VISIBLE_BACKDROP)
    return np.where(visible, width, np.nan).astype(np.float32)


def _edgeless(outline: Outline) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    before = outline.master[:, at(-2, -1)].mean(axis=1)
    after = outline.master[:, at(1, 2)].mean(axis=1)
    flat = np.abs(before - after).max(axis=1) < FLAT_STEP
    outside = np.abs(outline.outer - outline.backdrop).max(axis=1)
    inside = np.abs(outline.inner - outline.backdrop).max(axis=1)
    cuts = smooth_along((flat & (outside > UNLIKE_BACKDROP)).astype(np.float32), outline, points=3) > 0.6
    loose = smooth_along((flat & (inside < LIKE_BACKDROP)).astype(np.float32), outline, points=3) > 0.6
    return cuts, loose


def _linear(levels: Profile) -> Profile:
    return np.asarray((np.maximum(levels, 0) / np.float32(255)) ** np.float32(WORKING_GAMMA), np.float32)
