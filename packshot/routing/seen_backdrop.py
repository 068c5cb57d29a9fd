"""Find where in the photograph the backdrop is visible, and fit a smooth surface of colour there.

Usually it is visible along the frame's border. A product that fills the frame leaves only a thin border, or the
corners.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from packshot.routing.backdrop import (
    BORDER_RATIO,
    Backdrop,
    Surface,
    backdrop_at,
    border_of,
    fit_from,
    fit_to_border,
)
from packshot.types import Box, FloatImage, Mask, Size, size_of

UNEVEN_DELTA_E = 3.0
"""Where the frame differs by more than this from a surface, the surface does not explain it."""
_THIN_RATIOS = (0.02, 0.01, 0.005, 0.0)
"""Widths of thinner borders, over the shorter side. The last one is the outermost pixels."""
_CORNER_RATIO = 0.06
_CORNERS_ALIKE_DELTA_E = 12.0
_EXPLAINED_RATIO = 0.9
_CORNERS_FROM_RATIO = 0.5
"""The corners are asked only if at least this share of the border is not explained."""
_MOST_PLACES = 8
"""A product meets the frame's edge in a few places. A rough backdrop differs in many."""
_RECTANGLE_RATIO = 0.995
"""What covers this share of its own box is an exact rectangle."""
_ON_GROUND_RATIO = 0.005
_CLEAR_PX = 3
_LEAST_GROUND_PX = 16


@dataclass(frozen=True)
class SeenBackdrop:
    """The backdrop of a frame as a smooth surface, and the pixels that differ from it. `see_backdrop` makes it.

    Attributes:
        surface: the fitted surface over the whole frame.
        backdrop: the surface at the frame's pixels.
        unexplained: (rows, columns) bool: where the frame, lightly smoothed, differs from the surface by more than
            delta E 3.
    """

    surface: Surface
    backdrop: Backdrop
    unexplained: Mask


def see_backdrop(lab: FloatImage) -> SeenBackdrop:
    """Return the backdrop's surface, fitted where the backdrop is visible, and the pixels that differ from it.

    The surface is fitted to the frame's border if one surface fits both the border and the border's outermost pixels.
    Otherwise thinner borders are tried, then the corners. If the surface fits none of them, or if there may be a frame
    drawn around the picture, the result is the surface fitted to the border.

    Args:
        lab: (rows, columns, 3) float32, CIE L*a*b*, the whole frame.
    """
    usual = _explained_by(fit_to_border(lab), lab)
    size, off = size_of(lab), usual.unexplained
    unseen = float(off[border_of(size)].mean())
    if max(unseen, off[border_of(size, 0)].mean()) <= 1 - _EXPLAINED_RATIO:
        return usual
    for surface, start in _other_starts(lab, corners=unseen >= _CORNERS_FROM_RATIO):
        other = _explained_by(surface, lab)
        off = other.unexplained
        if off[start].mean() <= 1 - _EXPLAINED_RATIO and _places_along_edge(off) <= _MOST_PLACES:
            return usual if _may_be_drawn_frame(off, lab) else other
    return usual


def seen_beside(seen: SeenBackdrop) -> Mask | None:
    """Return where the backdrop is visible beside a product that fills the frame, (rows, columns) bool.

    The result is None if the product does not fill the frame: the backdrop is then visible in a border of the usual
    width.

    Args:
        seen: the backdrop of a frame. The result has the size of that frame.
    """
    ratio = seen.surface.border_ratio
    return None if ratio == BORDER_RATIO else border_of(size_of(seen.unexplained), ratio) & ~seen.unexplained


def _explained_by(surface: Surface, lab: FloatImage) -> SeenBackdrop:
    size = size_of(lab)
    backdrop = backdrop_at(surface, lab, window=Box(0, 0, *size), frame=size)
    off = np.asarray(cv2.GaussianBlur(backdrop.distance, (0, 0), 0.7) > UNEVEN_DELTA_E)
    return SeenBackdrop(surface, backdrop, off)


def _other_starts(lab: FloatImage, *, corners: bool) -> Iterator[tuple[Surface, Mask]]:
    """Yield surfaces with the pixels that each was fitted to."""
    size = size_of(lab)
    for ratio in _THIN_RATIOS:
        border = border_of(size, ratio)
        yield fit_from(lab, border, border_ratio=ratio), border
    squares = _corners_of(size)
    if corners and _are_alike(lab, squares):
        yield fit_from(lab, squares, border_ratio=_THIN_RATIOS[-1]), squares


def _corners_of(size: Size) -> Mask:
    """Return squares in the frame's corners as a mask."""
    side = max(1, round(size.shortest * _CORNER_RATIO))
    rows, columns = np.zeros(size.height, np.bool_), np.zeros(size.width, np.bool_)
    for ends in (rows, columns):
        ends[:side] = ends[-side:] = True
    return np.asarray(np.outer(rows, columns), np.bool_)


def _are_alike(lab: FloatImage, corners: Mask) -> bool:
    """Return True if the corners could show one backdrop: their colours are near each other."""
    half_rows, half_columns = lab.shape[0] // 2, lab.shape[1] // 2
    quarters = [np.s_[:half_rows, :half_columns], np.s_[:half_rows, half_columns:]]
    quarters += [np.s_[half_rows:, :half_columns], np.s_[half_rows:, half_columns:]]
    colours = [np.median(lab[quarter][corners[quarter]], axis=0) for quarter in quarters]
    farthest = max(float(np.linalg.norm(one - other)) for one in colours for other in colours)
    return farthest <= _CORNERS_ALIKE_DELTA_E


def _places_along_edge(off: Mask) -> int:
    """Return in how many places along the frame's edge something is not explained."""
    edge = np.concatenate([off[0], off[1:-1, -1], off[-1, ::-1], off[-2:0:-1, 0]])
    return int((edge & ~np.roll(edge, 1)).sum())


def _may_be_drawn_frame(off: Mask, lab: FloatImage) -> bool:
    """Return True if what stands out is an exact rectangle, with an even ground of its own and something on it.

    A carton with a print can look like that, too. So nothing is decided for it here.
    """
    left, top, width, height = cv2.boundingRect(off.view(np.uint8))
    if off.sum() < _RECTANGLE_RATIO * width * height:
        return False
    inside = lab[top + _CLEAR_PX : top + height - _CLEAR_PX, left + _CLEAR_PX : left + width - _CLEAR_PX]
    if min(inside.shape[:2]) < _LEAST_GROUND_PX:
        return False
    on_ground = _explained_by(fit_to_border(inside), inside).unexplained
    even = on_ground[border_of(size_of(inside))].mean() <= 1 - _EXPLAINED_RATIO
    return bool(even and on_ground.mean() > _ON_GROUND_RATIO)
