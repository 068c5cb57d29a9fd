"""Find the place of the neck shot (the garment's inside) on the exterior shot: by matched points, or by the shoulders.

Points are matched with SIFT (Lowe 2004). RANSAC finds those that agree on one rotation, scale and shift. The transform
is then fitted to all of them. If there are too few such points, the outline of the shoulders decides.
"""

from __future__ import annotations

import dataclasses
import math
from enum import StrEnum
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.handoff.neck_joint.shoulders import Placed, place_by_shoulders
from packshot.types import Box, Mask, Matte, Pixels16, size_of

Warp: TypeAlias = NDArray[np.float64]
"""2 x 3 matrix: from pixels of the neck shot to pixels of the exterior, both at full size."""

_LONGEST_PX = 1400
_AROUND = 1.2
_MOST_POINTS = 4000
_RATIO = 0.8
_REACH_PX = 3.0
_LEAST_POINTS = 16
_MOST_TURNED = 45.0
_LEAST_SCALE, _MOST_SCALE = 0.2, 5.0
_MOST_UNSURE_RATIO = 0.01
_MOST_OUTLINE_RATIO = 0.006
_PRODUCT = 0.9
_CLEAR_OF_MANNEQUIN_PX = 4


class How(StrEnum):
    """How the neck shot (the garment's inside) was placed on the exterior shot (the garment on its mannequin).

    Attributes:
        ALIGNED: by points that both photographs show.
        PLACED: by the outline of collar and shoulders.
        LAID_IN: in the middle of the picture, because neither points nor outline tell its place.
    """

    ALIGNED = "aligned"
    PLACED = "placed"
    LAID_IN = "laid in"


@dataclasses.dataclass(frozen=True)
class NeckPlace:
    """The place of the neck shot (the garment's inside) on the exterior shot (the garment on its mannequin).

    Measurements say how sure the place is. `place_neck` makes it.

    Attributes:
        how: aligned by matched points, placed by the outline of the shoulders, or added without a known place.
        warp: 2 x 3 matrix, from pixels of the neck shot to pixels of the exterior, both at full size.
        points: number of points used for the alignment; 0 if it was not aligned.
        residual_px: median distance of these points after alignment, in pixels of the exterior; None if it was not
            aligned.
        unsure_px: how far two alignments differ around the neckline, each made from one half of the points, in pixels
            of the exterior; None if it was not aligned.
        outline_px: mean distance of the outlines of the two shots, in pixels of the exterior; None if the neck shot was
            not placed by them.
    """

    how: How
    warp: Warp
    points: int = 0
    residual_px: float | None = None
    unsure_px: float | None = None
    outline_px: float | None = None

    @property
    def scale(self) -> float:
        """How many times the neck shot is enlarged (above 1) or reduced (below 1) to fit the exterior shot."""
        return math.hypot(self.warp[0, 0], self.warp[1, 0])

    @property
    def degrees(self) -> float:
        """Rotation of the neck shot on the exterior shot in degrees, clockwise."""
        return math.degrees(math.atan2(self.warp[1, 0], self.warp[0, 0]))


@dataclasses.dataclass(frozen=True)
class Side:
    """One of the two photographs of a neck joint.

    The exterior shot shows the garment on its mannequin, the neck shot the garment's inside.

    Attributes:
        pixels: (rows, columns, 3) uint16, Adobe RGB.
        matte: each pixel's share of what was cut out, (rows, columns) float32 in 0..1.
    """

    pixels: Pixels16
    matte: Matte


def place_neck(exterior: Side, mannequin: Matte, opening: Mask, neck: Side) -> NeckPlace:
    """Return where the neck shot (the garment's inside) lies on the exterior shot (the garment on its mannequin).

    Points that both photographs show decide. Without enough of them the outline of collar and shoulders decides. If
    that does not fit either, the neck shot is laid into the middle of the picture.

    Args:
        exterior: the garment on its mannequin.
        mannequin: matte of the mannequin in the exterior, (rows, columns) float32 in 0..1.
        opening: (rows, columns) bool: the area of the exterior that the neck shot must fill; empty if it is unknown.
        neck: the garment's inside.
    """
    garment: Mask = (exterior.matte >= _PRODUCT) & (mannequin <= 1 - _PRODUCT)
    place = _around(opening) if opening.any() else None
    for box in (place, None) if place else (None,):
        found = _aligned(exterior, garment, neck, opening, box)
        if found is not None:
            return found
    placed = place_by_shoulders(exterior.matte - mannequin >= 0.5, neck.matte >= 0.5)
    if placed is not None and placed.outline_px <= _MOST_OUTLINE_RATIO * size_of(exterior.pixels).longest:
        return _by_outline(placed)
    return NeckPlace(How.LAID_IN, _filling(neck, exterior))


def _by_outline(placed: Placed) -> NeckPlace:
    return NeckPlace(How.PLACED, placed.warp, outline_px=round(placed.outline_px, 1))


def _filling(neck: Side, exterior: Side) -> Warp:
    theirs, ours = size_of(neck.pixels), size_of(exterior.pixels)
    scale = min(ours.width / theirs.width, ours.height / theirs.height)
    left, top = (ours.width - scale * theirs.width) / 2, (ours.height - scale * theirs.height) / 2
    return np.array([[scale, 0, left], [0, scale, top]], np.float64)


def _around(opening: Mask) -> Box:
    rows, columns = np.nonzero(opening.any(axis=1))[0], np.nonzero(opening.any(axis=0))[0]
    reach = round(_AROUND * max(int(columns[-1] - columns[0]), int(rows[-1] - rows[0])))
    size = size_of(opening)
    return Box(
        max(0, int(columns[0]) - reach),
        max(0, int(rows[0]) - reach),
        min(size.width, int(columns[-1]) + reach + 1),
        min(size.height, int(rows[-1]) + reach + 1),
    )


@dataclasses.dataclass(frozen=True)
class _Points:
    """Positions of SIFT points at full size, and their descriptors."""

    places: NDArray[np.float64]
    looks: NDArray[np.float32]
    pixel: float


def _points_of(side: Side, where: Mask, box: Box | None) -> _Points | None:
    box = box or Box(0, 0, *size_of(side.pixels))
    part = (slice(box.top, box.bottom), slice(box.left, box.right))
    share = min(1.0, _LONGEST_PX / max(box.size))
    grey = cv2.resize(side.pixels[part], None, fx=share, fy=share, interpolation=cv2.INTER_AREA).max(axis=2)
    mask = cv2.resize(where[part].astype(np.uint8), (grey.shape[1], grey.shape[0]), interpolation=cv2.INTER_NEAREST)
    inside = mask > 0
    if not inside.any():
        return None
    low, high = np.quantile(grey[inside], (0.01, 0.99))
    even = np.clip((grey.astype(np.float32) - low) * (255 / max(float(high - low), 1.0)), 0, 255).astype(np.uint8)
    kept = cv2.erode(mask, np.ones((2 * _CLEAR_OF_MANNEQUIN_PX + 1,) * 2, np.uint8))
    found, looks = cv2.SIFT.create(nfeatures=_MOST_POINTS, contrastThreshold=0.02).detectAndCompute(even, kept)
    if looks is None or len(found) < _LEAST_POINTS:
        return None
    places = (np.array([one.pt for one in found]) + 0.5) / share - 0.5 + (box.left, box.top)
    return _Points(places, np.asarray(looks, np.float32), 1 / share)


def _aligned(exterior: Side, garment: Mask, neck: Side, opening: Mask, box: Box | None) -> NeckPlace | None:
    ours, theirs = _points_of(exterior, garment, box), _points_of(neck, neck.matte >= _PRODUCT, None)
    if ours is None or theirs is None:
        return None
    there, here = _matched(theirs, ours)
    if len(here) < _LEAST_POINTS:
        return None
    reach = _REACH_PX * ours.pixel
    rough, agreeing = cv2.estimateAffinePartial2D(there, here, ransacReprojThreshold=reach, maxIters=5000)
    if rough is None or int(agreeing.sum()) < _LEAST_POINTS:
        return None
    kept = agreeing.ravel() > 0
    there, here = there[kept], here[kept]
    warp = _fitted(there, here)
    corners = _corners(opening if opening.any() else garment)
    unsure = _halves_apart(there, here, corners)
    place = NeckPlace(
        How.ALIGNED,
        warp,
        points=len(here),
        residual_px=round(float(np.median(np.linalg.norm(_mapped(there, warp) - here, axis=1))), 2),
        unsure_px=round(unsure, 2),
    )
    wide = float(np.ptp(corners[:, 0]))
    plausible = _LEAST_SCALE <= place.scale <= _MOST_SCALE and abs(place.degrees) <= _MOST_TURNED
    return place if plausible and unsure <= max(2.0, _MOST_UNSURE_RATIO * wide) else None


def _matched(theirs: _Points, ours: _Points) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    pairs = cv2.BFMatcher(cv2.NORM_L2).knnMatch(theirs.looks, ours.looks, k=2)
    good = [pair[0] for pair in pairs if len(pair) == 2 and pair[0].distance < _RATIO * pair[1].distance]
    return theirs.places[[one.queryIdx for one in good]], ours.places[[one.trainIdx for one in good]]


def _fitted(there: NDArray[np.float64], here: NDArray[np.float64]) -> Warp:
    """Return the similarity transform with the least squared error (Umeyama 1991, without reflection)."""
    first, second = there - there.mean(axis=0), here - here.mean(axis=0)
    along = (first * second).sum()
    across = (first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]).sum()
    cosine, sine = np.array([along, across]) / max(float((first * first).sum()), 1e-9)
    turn = np.array([[cosine, -sine], [sine, cosine]])
    return np.hstack([turn, (here.mean(axis=0) - turn @ there.mean(axis=0))[:, None]])


def _mapped(places: NDArray[np.float64], warp: Warp) -> NDArray[np.float64]:
    return np.asarray(places @ warp[:, :2].T + warp[:, 2])


def _corners(mask: Mask) -> NDArray[np.float64]:
    rows, columns = np.nonzero(mask.any(axis=1))[0], np.nonzero(mask.any(axis=0))[0]
    return np.array([(x, y) for x in (columns[0], columns[-1]) for y in (rows[0], rows[-1])], np.float64)


def _halves_apart(there: NDArray[np.float64], here: NDArray[np.float64], corners: NDArray[np.float64]) -> float:
    """Return the greatest distance of the neckline's corners between two alignments. Each uses every other point."""
    first, second = _fitted(there[::2], here[::2]), _fitted(there[1::2], here[1::2])
    inverse = cv2.invertAffineTransform(first)
    back = _mapped(corners, np.asarray(inverse, np.float64))
    return float(np.linalg.norm(_mapped(back, second) - corners, axis=1).max())
