"""Find the mannequin inside a cut-out garment, as a draft for an editor.

The neck of a mannequin is above the shoulders. The neck is smooth and has one hue. This hue is followed down to the
edge of the garment. The same is done for smooth limbs that come out of the garment. A mannequin is accepted only if it
differs visibly from the garment along most of their common line.
"""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.colour.difference import Lab, lab_of
from packshot.colour.spaces import working_profile
from packshot.handoff.neck_joint.neck import Neck, neck_above_shoulders
from packshot.handoff.neck_joint.seam import Seam, measure_seam
from packshot.types import Mask, Matte, Pixels16, Size, size_of

WORKED_AT_PX = 800
"""Longest side of the reduced picture in which the mannequin is searched. Its edge is then refined at full size."""
LEAST_SURE = 0.7
"""Minimum share of the line between mannequin and garment with a visible colour difference."""
_LIKE, _UNLIKE = 5.0, 11.0
_DARKER, _LIGHTER = 32.0, 10.0
_REFERENCE_L = 60.0
_DARKEST_L = 25.0
_ROUGH = 4.0
_MOST_UNEVEN, _MOST_ROUGH = 9.0, 2.5
_LEAST_APART = 8.0
_MOST_ALIKE, _MOST_SHARED = 0.6, 0.05
_LEAST_COVERED = 0.9
_LEAST_LIMB = 0.002
_LIMB_AT_OUTLINE = 1.0
_MOST_BARE = 0.2
_MANNEQUIN, _GARMENT, _OUTSIDE = 1, 2, 3


@dataclasses.dataclass(frozen=True)
class Mannequin:
    """The draft of the mannequin in a cut-out: which pixels are mannequin, and which must be filled when it is gone.

    Attributes:
        mask: (rows, columns) float32 in 0..1, share of the mannequin in each pixel; all zero if none was recognised.
        opening: (rows, columns) bool: the neck between garment on both sides. The garment's inside must fill it.
            It is empty if no mannequin was recognised.
        seam: visibility of the line between mannequin and garment; None if no line was found or looked for.
        why_not: if no mannequin was recognised, the reason as a sentence; otherwise empty.
    """

    mask: Matte
    opening: Mask
    seam: Seam | None = None
    why_not: str = ""

    @property
    def recognised(self) -> bool:
        """Whether a mannequin was recognised in the cut-out."""
        return not self.why_not


@dataclasses.dataclass(frozen=True)
class _Small:
    """The reduced picture.

    Attributes:
        lab: CIE L*a*b*, slightly blurred.
        rough: local standard deviation of L*.
        inside: mask of the cut-out.
    """

    lab: Lab
    rough: NDArray[np.float32]
    inside: Mask


def find_mannequin(pixels: Pixels16, matte: Matte) -> Mannequin:
    """Return the draft of the mannequin inside a cut-out, at the size of the picture.

    If no mannequin is recognised, the mask and the opening are empty, and `why_not` says why.

    Args:
        pixels: (rows, columns, 3) uint16, Adobe RGB.
        matte: each pixel's share of product, (rows, columns) float32 in 0..1, garment and mannequin together.
    """
    size = size_of(pixels)
    small = _reduced(pixels, matte)
    neck = neck_above_shoulders(small.inside)
    if neck is None:
        return _none(size, "No neck stands above the shoulders.")
    unlike_skin = _unlike_a_mannequin(small, neck)
    if unlike_skin:
        return _none(size, unlike_skin)
    distance = _distance(small, neck)
    if float((distance[neck.body] < _LEAST_APART).mean()) > _MOST_ALIKE:
        return _none(size, "The garment has the colour of what stands above the shoulders.")
    found = _flooded(small, neck, distance)
    covered = float(found[neck.seed].mean())
    if covered < _LEAST_COVERED:
        return _none(size, f"Only {covered:.0%} of what stands above the shoulders has a mannequin's colour.")
    bare = float((found & neck.body).sum()) / int(neck.body.sum())
    if bare > _MOST_BARE:
        return _none(size, f"What has the colour of the upper end is {bare:.0%} of the body too.")
    seam = measure_seam(small.lab, found, small.inside & ~found)
    if seam is None or seam.visible_ratio < LEAST_SURE:
        seen = f"{seam.visible_ratio:.0%}" if seam else "none"
        return dataclasses.replace(
            _none(size, f"Of the line between mannequin and garment {seen} is visible."), seam=seam
        )
    return Mannequin(_at_full_size(pixels, matte, found, small), _enlarged(_opening(found, small, neck), size), seam)


def _none(size: Size, why: str) -> Mannequin:
    shape = (size.height, size.width)
    return Mannequin(np.zeros(shape, np.float32), np.zeros(shape, bool), why_not=why)


def _reduced(pixels: Pixels16, matte: Matte) -> _Small:
    size = size_of(pixels)
    share = min(1.0, WORKED_AT_PX / size.longest)
    small = (max(1, round(size.width * share)), max(1, round(size.height * share)))
    lab = lab_of(cv2.resize(pixels, small, interpolation=cv2.INTER_AREA).astype(np.uint16), icc=working_profile())
    lab = np.asarray(cv2.GaussianBlur(lab, (0, 0), 0.8), np.float32)
    inside = _largest(np.asarray(cv2.resize(matte, small, interpolation=cv2.INTER_AREA) >= 0.5))
    return _Small(lab, _roughness(lab[..., 0], _shrunk(inside, 1)), inside)


def _roughness(lightness: NDArray[np.float32], inside: Mask) -> NDArray[np.float32]:
    """Return the local standard deviation of L*, from pixels of the cut-out only."""
    weight = inside.astype(np.float32)

    def mean(values: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
        total, counted = (cv2.GaussianBlur(one, (0, 0), sigma) for one in (values * weight, weight))
        return np.asarray(total / np.maximum(counted, 1e-3), np.float32)

    fine = (lightness - mean(lightness, 3)) * weight
    return np.sqrt(mean(fine * fine, 2))


def _largest(mask: Mask) -> Mask:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    if count < 2:
        return mask
    return np.asarray(labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax()))


def _unlike_a_mannequin(small: _Small, neck: Neck) -> str:
    """Return why the part above the shoulders is not a mannequin's neck; empty if it may be one."""
    colours = _hue(small.lab)[neck.seed]
    uneven = float(np.quantile(np.linalg.norm(colours - np.median(colours, axis=0), axis=1), 0.9))
    if uneven > _MOST_UNEVEN:
        return f"What stands above the shoulders has several colours (they vary by {uneven:.0f})."
    rough = float(np.median(small.rough[neck.seed]))
    if rough > _MOST_ROUGH:
        return f"What stands above the shoulders is not smooth (its lightness varies by {rough:.1f} L*)."
    return ""


def _hue(lab: Lab) -> NDArray[np.float32]:
    """Return a* and b* scaled to a common lightness, because shading also reduces chroma."""
    return np.asarray(lab[..., 1:] * (_REFERENCE_L / np.maximum(lab[..., :1], _DARKEST_L)), np.float32)


def _distance(small: _Small, neck: Neck) -> NDArray[np.float32]:
    """Return the distance of each pixel's colour from the neck's. A limited shadow on the neck adds nothing."""
    lightness = small.lab[..., 0]
    low, high = np.quantile(lightness[neck.seed], (0.02, 0.98))
    beyond = np.maximum(0, np.maximum(low - _DARKER - lightness, lightness - high - _LIGHTER))
    apart = np.linalg.norm(_hue(small.lab) - np.median(_hue(small.lab)[neck.seed], axis=0), axis=2)
    return np.asarray(np.hypot(apart, beyond), np.float32)


def _flooded(small: _Small, neck: Neck, distance: NDArray[np.float32]) -> Mask:
    """Return the mask of neck and limbs, up to the edge of the garment.

    Uses a watershed (Meyer 1994): certain pixels of both grow until they meet at an edge of the picture. The rim of the
    cut-out has no markers, because the backdrop is mixed in there.
    """
    like = _opened((distance < _LIKE) & (small.rough < _ROUGH) & small.inside, 2)
    shared = float((distance[neck.body] < _LIKE).mean()) > _MOST_SHARED
    beyond = np.zeros_like(like)
    if shared:  # the garment has stripes of this colour; they are narrower than the neck
        kept = _opened(like, neck.width_px // 8)
        near = _grown(kept, neck.width_px // 12)
        beyond, like = (distance < _UNLIKE) & ~near, like & near
    sure = _touching(like, neck.seed)
    if not shared:
        sure |= _limbs(like & ~sure, small.inside, thick_px=neck.width_px // 5)
    core = _shrunk(small.inside, 2)
    markers = np.zeros(distance.shape, np.int32)
    markers[core & ((distance > _UNLIKE) | beyond)] = _GARMENT
    markers[neck.garment & ~sure] = _GARMENT
    markers[_shrunk(sure, 1)] = _MANNEQUIN
    markers[~core] = _OUTSIDE
    relief = np.clip(small.lab * np.array([2.55, 2, 2]) + np.array([0, 128, 128]), 0, 255).astype(np.uint8)
    flooded = cv2.watershed(np.ascontiguousarray(relief), markers)
    return _carried_on(flooded == _MANNEQUIN, flooded == _GARMENT) & small.inside


def _carried_on(ours: Mask, theirs: Mask) -> Mask:
    """Return the mask of pixels that are nearer to the first of two regions."""
    from scipy import ndimage  # slow to import, and most processes touch no pixels

    rows, columns = ndimage.distance_transform_edt(~(ours | theirs), return_distances=False, return_indices=True)
    return np.asarray(ours[rows, columns])


def _touching(mask: Mask, seed: Mask) -> Mask:
    """Return the connected components of a mask that touch a seed."""
    _, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    touched = np.unique(labels[seed & mask])
    return np.asarray(np.isin(labels, touched[touched > 0]))


def _limbs(like: Mask, inside: Mask, *, thick_px: int) -> Mask:
    """Return other smooth parts with the neck's colour that reach the outline of the cut-out: arms, hands, legs."""
    near_outline = inside & ~_shrunk(inside, 5)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        _opened(like, thick_px // 2).astype(np.uint8), connectivity=4
    )
    found = np.zeros_like(like)
    for one in range(1, count):
        area, part = int(stats[one, cv2.CC_STAT_AREA]), labels == one
        if area >= _LEAST_LIMB * inside.sum() and (part & near_outline).sum() >= _LIMB_AT_OUTLINE * np.sqrt(area):
            found |= part
    return found


def _opened(mask: Mask, radius_px: int) -> Mask:
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, _disc(radius_px)) > 0)


def _shrunk(mask: Mask, radius_px: int) -> Mask:
    return np.asarray(cv2.erode(mask.astype(np.uint8), _disc(radius_px)) > 0)


def _grown(mask: Mask, radius_px: int) -> Mask:
    return np.asarray(cv2.dilate(mask.astype(np.uint8), _disc(radius_px)) > 0)


def _disc(radius_px: int) -> NDArray[np.uint8]:
    size = 2 * radius_px + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)


def _opening(found: Mask, small: _Small, neck: Neck) -> Mask:
    """Return the part of the neck with garment on its left and right. Arms beside the body are no opening."""
    own = _touching(found, neck.seed)
    garment = _opened(small.inside & ~found, 2)
    left = np.maximum.accumulate(garment, axis=1)
    right = np.maximum.accumulate(garment[:, ::-1], axis=1)[:, ::-1]
    return np.asarray(own & left & right)


def _enlarged(mask: Mask, size: Size) -> Mask:
    return np.asarray(cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_LINEAR) >= 0.5)


def _at_full_size(pixels: Pixels16, matte: Matte, found: Mask, small: _Small) -> Matte:
    """Return the share of the mannequin in each pixel, at full size.

    A pixel near the seam is taken as a mixture of the local mean colours of mannequin and garment. Where these hardly
    differ, the reduced mask is enlarged.
    """
    size = size_of(pixels)
    ours, theirs = _means(small.lab, _shrunk(found, 1)), _means(small.lab, _shrunk(small.inside & ~found, 1))
    band = _enlarged(_grown(found, 3) & _grown(small.inside & ~found, 3), size)
    beyond = _carried_on(found, small.inside & ~found)  # the matte's soft rim goes to the nearer region
    coarse = np.asarray(cv2.resize(beyond.astype(np.float32), size, interpolation=cv2.INTER_LINEAR), np.float32)
    top, bottom, left, right = _bounds(band)
    place = (slice(top, bottom), slice(left, right))
    lab = lab_of(np.ascontiguousarray(pixels[place]), icc=working_profile())
    first, second = (np.asarray(cv2.resize(one, size, interpolation=cv2.INTER_LINEAR))[place] for one in (ours, theirs))
    apart = first - second
    length = (apart * apart).sum(axis=2)
    share = ((lab - second) * apart).sum(axis=2) / np.maximum(length, 1)
    clear = band[place] & (length > _LEAST_APART**2)
    mask = coarse.copy()
    mask[place] = np.where(clear, np.clip((share - 0.1) / 0.8, 0, 1), coarse[place])
    return np.asarray(np.minimum(np.clip(mask, 0, 1), (matte > 0).astype(np.float32)), np.float32)


def _means(lab: Lab, where: Mask) -> Lab:
    """Return the local mean colour of a region, extended beyond the region."""
    weight = where.astype(np.float32)
    total = np.zeros_like(lab)
    counted = np.zeros_like(weight)
    for sigma, strength in ((3, 1.0), (12, 1e-3), (60, 1e-6)):
        total += strength * cv2.GaussianBlur(lab * weight[..., None], (0, 0), sigma)
        counted += strength * cv2.GaussianBlur(weight, (0, 0), sigma)
    return np.asarray(total / np.maximum(counted, 1e-12)[..., None], np.float32)


def _bounds(mask: Mask) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero(mask.any(axis=1))[0], np.nonzero(mask.any(axis=0))[0]
    if not len(rows):
        return 0, 1, 0, 1
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
