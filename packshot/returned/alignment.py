"""Align a returned picture with its master, and decide whether both are the same photograph.

Only pixels inside the product are compared: outside it, one picture shows the backdrop and the other one white.
"""

from __future__ import annotations

import dataclasses
import math
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.ingest.decode import upright
from packshot.types import Mask, Matte, Pixels16, Size, size_of

Warp: TypeAlias = NDArray[np.float64]
"""A 2 x 3 affine matrix: from (x, y) in the master to (x, y) in the returned picture, both in reduced pixels."""

REDUCED_PX = 768
_LEAST_TEXTURE = 1.5
_LEAST_POINTS = 60
_ECC_STEPS = 60
_ECC_PRECISION = 1e-5
_LEAST_MATCHES = 10
_CLEARLY_BETTER_BY = 0.1
_BEYOND_DOUBT = 0.8
_SOLID = 0.99
_KEPT = 0.95
_WIDE = 1 / 24
_MOST_BENT = 1.03
_ALREADY_GOOD = 0.9
_TURNS = {
    2: "mirrored left to right",
    3: "turned upside down",
    4: "mirrored top to bottom",
    5: "mirrored and turned by a quarter",
    6: "turned by a quarter to the right",
    7: "mirrored and turned by a quarter",
    8: "turned by a quarter to the left",
}


@dataclasses.dataclass(frozen=True)
class Alignment:
    """How the product lies in a returned picture, compared with its master, and how alike both are.

    Attributes:
        likeness: correlation of the product's lightness after alignment, -1 to 1; None if the product has too little
            detail.
        turned: how the returned picture is rotated or mirrored, in words, such as ``turned upside down``; empty if it
            is not.
        scale: size of the product in the returned picture divided by that in the master. Both pictures are first
            scaled to one size.
        moved_px: displacement of the corner of the product's box that moved farthest, in pixels of the master.
        warp: the transform from master to returned picture, (2, 3) float64: it maps (x, y) in the master to (x, y) in
            the returned picture, both in reduced pixels. None if they could not be aligned, or if the returned picture
            is turned.
    """

    likeness: float | None
    turned: str = ""
    scale: float = 1.0
    moved_px: float = 0.0
    warp: Warp | None = None

    @property
    def degrees(self) -> float:
        """Rotation of the product in degrees, clockwise; 0 without a warp."""
        return math.degrees(math.atan2(self.warp[1, 0], self.warp[0, 0])) if self.warp is not None else 0.0


@dataclasses.dataclass(frozen=True)
class Pair:
    """A master and a picture that an editor returned, reduced to one size so that they can be compared.

    Attributes:
        master, returned: (rows, columns, 3) uint16, Adobe RGB.
        inside: (rows, columns) bool, product in the returned picture, without its edge.
        solid: (rows, columns) bool, fully opaque product in the master, without its edge; True everywhere if no draft
            is known.
        enlargement: pixels of the master per reduced pixel.
    """

    master: Pixels16
    returned: Pixels16
    inside: Mask
    solid: Mask
    enlargement: float

    def compared(self, warp: Warp) -> Mask:
        """Return where both pictures show the product: (rows, columns) bool, in the master's coordinates.

        If both show it in fewer than 60 pixels, the result is where the returned picture shows it, whatever the master
        shows.

        Args:
            warp: the transform from master to returned picture, as `Alignment.warp`.
        """
        inside = warped_back(self.inside.astype(np.float32), warp) > 0.99
        both: Mask = inside & self.solid
        return both if np.count_nonzero(both) >= _LEAST_POINTS else inside


def reduced_pair(master: Pixels16, returned: Pixels16, matte: Matte, *, draft: Matte | None) -> Pair:
    """Return master and returned picture at one size, so that they can be aligned.

    The longest side is at most 768 px. The returned picture is stretched to the aspect ratio of the master.

    Args:
        master, returned: (rows, columns, 3) uint16, Adobe RGB.
        matte: the returned picture's matte (each pixel's share of product), (rows, columns) float32 in 0..1, at the
            returned picture's size.
        draft: the machine's matte of the master, (rows, columns) float32 in 0..1, at the master's size; None if there
            is none.
    """
    size = size_of(master)
    share = min(1.0, REDUCED_PX / size.longest)
    small = Size(max(1, round(size.width * share)), max(1, round(size.height * share)))
    everywhere: Mask = np.ones((small.height, small.width), bool)
    return Pair(
        _resized(master, small).astype(np.uint16),
        _resized(returned, small).astype(np.uint16),
        _without_edge(matte >= 0.5, small),
        everywhere if draft is None else _without_edge(draft >= _SOLID, small),
        size.width / small.width,
    )


def _without_edge(product: Mask, size: Size) -> Mask:
    whole = _resized(product.astype(np.float32), size) > 0.99
    return np.asarray(cv2.erode(whole.astype(np.uint8), np.ones((5, 5), np.uint8), borderValue=1) > 0)


def _resized(picture: NDArray[np.uint16] | NDArray[np.float32], size: Size) -> NDArray[np.float32]:
    shrinks = size.width <= picture.shape[1]
    way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, size, interpolation=way), np.float32)


def align(pair: Pair) -> Alignment:
    """Return the best alignment of the returned picture with the master, and how alike both then are.

    The likeness tells whether both are the same photograph. It is None, and nothing is aligned, if the product has too
    little detail. Several ways are tried until the likeness is good: no movement; refinement by ECC (maximised
    correlation); matching by SIFT (detected points), refined by ECC; the seven rotations and mirrorings of EXIF.

    Args:
        pair: both pictures at the same size.
    """
    ours, theirs = _grey(pair.master), _grey(pair.returned)
    unmoved = np.eye(2, 3)
    straight = _judged(ours, theirs, pair, unmoved)
    if straight.likeness is None:
        return straight
    found = [straight, *_improved(ours, theirs, pair, unmoved)]
    if _best(found) < _ALREADY_GOOD:
        matched = _matched(ours, theirs, pair.inside)
        if matched is not None:
            found += [_judged(ours, theirs, pair, matched), *_improved(ours, theirs, pair, matched)]
    if _best(found) < _ALREADY_GOOD:
        found += _turned(pair, better_than=_best(found) + _CLEARLY_BETTER_BY)
    return max(found, key=lambda one: one.likeness if one.likeness is not None else -1)


def _best(found: list[Alignment]) -> float:
    return max(one.likeness if one.likeness is not None else -1 for one in found)


def _improved(ours: NDArray[np.float32], theirs: NDArray[np.float32], pair: Pair, start: Warp) -> list[Alignment]:
    """Return a refined alignment near `start`; empty if the warp would shear or scale more than an editor does."""
    warp = _refined(ours, theirs, pair.inside, start)
    change = np.linalg.svd(warp[:, :2] @ np.linalg.inv(start[:, :2]), compute_uv=False)
    even = change[1] > 0 and change[0] / change[1] <= _MOST_BENT and _MOST_BENT**-2 <= change[0] <= _MOST_BENT**2
    return [_judged(ours, theirs, pair, warp)] if even else []


def _judged(ours: NDArray[np.float32], theirs: NDArray[np.float32], pair: Pair, warp: Warp) -> Alignment:
    back, inside = warped_back(theirs, warp), pair.compared(warp)
    rows, columns = np.nonzero(inside)
    if not len(rows):
        return Alignment(None)
    corners = np.array([(x, y, 1) for x in (columns.min(), columns.max()) for y in (rows.min(), rows.max())], float)
    moved = np.linalg.norm(corners @ warp.T - corners[:, :2], axis=1).max()
    return Alignment(
        likeness(ours, back, inside),
        scale=math.sqrt(abs(float(np.linalg.det(warp[:, :2])))),
        moved_px=float(moved) * pair.enlargement,
        warp=warp,
    )


def warped_back(picture: NDArray[np.float32], warp: Warp) -> NDArray[np.float32]:
    """Return a returned picture resampled to the master's coordinates: shape as `picture`, float32.

    Args:
        picture: the returned picture, or something measured on it: (rows, columns) or (rows, columns, channels)
            float32.
        warp: the transform from master to returned picture, as `Alignment.warp`.
    """
    size = (picture.shape[1], picture.shape[0])
    return np.asarray(cv2.warpAffine(picture, warp, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP), np.float32)


def likeness(a: NDArray[np.float32], b: NDArray[np.float32], inside: Mask) -> float | None:
    """Return how alike two grey pictures are in a region: their correlation, -1 to 1.

    The result is None if the region has fewer than 60 pixels, or if the first picture has too little contrast in it. It
    is 0 if the second picture has hardly any contrast in it.

    The 5 % of pixels that agree least are left out, so that a removed dust spot does not count. Wide gradients of light
    are subtracted from both pictures. Otherwise different products would look alike, because they have similar
    gradients.

    Args:
        a, b: the first and the second picture, (rows, columns) float32, levels in 0..255.
        inside: (rows, columns) bool: the region.
    """
    first, second = _detail(a, inside)[inside], _detail(b, inside)[inside]
    if len(first) < _LEAST_POINTS or first.std() < _LEAST_TEXTURE:
        return None
    if second.std() < _LEAST_TEXTURE / 4:
        return 0.0
    slope, offset = np.polyfit(second, first, 1)
    off = np.abs(first - slope * second - offset)
    kept = off <= np.quantile(off, _KEPT)
    if first[kept].std() == 0 or second[kept].std() == 0:
        return 0.0
    return float(np.corrcoef(first[kept], second[kept])[0, 1])


def _detail(grey: NDArray[np.float32], inside: Mask) -> NDArray[np.float32]:
    """Return the picture minus a wide Gaussian blur (sigma: 1/24 of the longest side).

    Only pixels of the region count.
    """
    weight = inside.astype(np.float32)
    sigma = max(grey.shape) * _WIDE
    around = cv2.GaussianBlur(grey * weight, (0, 0), sigma) / np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma), 1e-4)
    return np.asarray(grey - around, np.float32)


def _grey(pixels: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Return lightness levels in 0..255."""
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.float32) / np.float32(257)


def _turned(pair: Pair, *, better_than: float) -> list[Alignment]:
    """Return the rotation or mirroring that makes the returned picture clearly match the master; empty if none does."""
    found = []
    size = Size(pair.inside.shape[1], pair.inside.shape[0])
    ours = _grey(pair.master)
    for turn, words in _TURNS.items():
        back = {6: 8, 8: 6}.get(turn, turn)
        theirs = _resized(np.asarray(upright(_grey(pair.returned), back), np.float32), size)
        inside = _resized(np.asarray(upright(pair.inside.astype(np.float32), back), np.float32), size) > 0.99
        like = likeness(ours, theirs, np.asarray(inside))
        if like is not None and like > max(better_than, _BEYOND_DOUBT):
            found.append(Alignment(like, words))
    return found


def _refined(ours: NDArray[np.float32], theirs: NDArray[np.float32], inside: Mask, start: NDArray[np.float64]) -> Warp:
    """Return the affine warp with the highest correlation (ECC; Evangelidis and Psarakis 2008); `start` if it fails."""
    until = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, _ECC_STEPS, _ECC_PRECISION)
    first, mask = start.astype(np.float32), inside.astype(np.uint8)
    try:
        _, warp = cv2.findTransformECC(ours, theirs, first, cv2.MOTION_AFFINE, until, mask, 5)
    except cv2.error:
        return start
    return np.asarray(warp, np.float64)


def _matched(ours: NDArray[np.float32], theirs: NDArray[np.float32], inside: Mask) -> Warp | None:
    """Return a warp from matched SIFT points (Lowe 2004) and RANSAC; None if too few points agree.

    The warp has rotation, scale and shift only.
    """
    finder = cv2.SIFT.create(nfeatures=2000)
    points_a, looks_a = finder.detectAndCompute(ours.astype(np.uint8), None)
    around = cv2.dilate(inside.astype(np.uint8), np.ones((9, 9), np.uint8))
    points_b, looks_b = finder.detectAndCompute(theirs.astype(np.uint8), around)
    if looks_a is None or looks_b is None or len(points_a) < 2 or len(points_b) < 2:
        return None
    pairs = cv2.BFMatcher(cv2.NORM_L2).knnMatch(looks_b, looks_a, k=2)
    good = [pair[0] for pair in pairs if len(pair) == 2 and pair[0].distance < 0.75 * pair[1].distance]
    if len(good) < _LEAST_MATCHES:
        return None
    here = np.array([points_a[one.trainIdx].pt for one in good])
    there = np.array([points_b[one.queryIdx].pt for one in good])
    warp, agreeing = cv2.estimateAffinePartial2D(here, there, ransacReprojThreshold=3)
    if warp is None or int(agreeing.sum()) < _LEAST_MATCHES:
        return None
    return np.asarray(warp, np.float64)
