"""Check an editor's returned neck joint: is the neckline filled, is no mannequin left, and is no seam visible?

A neck joint (ghost mannequin) combines the photograph of a garment on a mannequin with one of the inside of its neck:
in the result the neck is hollow, and the mannequin is gone. An editor's work is compared with the draft mask that the
editor was given. Distances are in pixels of the master. On masters over 1,500 px they grow with the longest side.
"""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.colour.difference import Lab, delta_e_2000, lab_of
from packshot.colour.spaces import working_profile
from packshot.errors import RefusedInputError
from packshot.returned.read import ReturnedWork
from packshot.types import Box, Finding, Mask, Matte, Pixels16, Status, Value

_SURE = 0.9
_REFERENCE_PX = 1500
_LEAST_REGION = 60


@dataclasses.dataclass(frozen=True)
class JointDraft:
    """The draft of a neck joint (ghost mannequin) that the editor was given, at the master's size.

    Attributes:
        mannequin: matte of the mannequin, (rows, columns) float32 in 0..1; all zero if none was recognised.
        opening: (rows, columns) bool: the neckline that must be filled.
        garment: matte of the cut-out, with the mannequin, (rows, columns) float32 in 0..1.
    """

    mannequin: Matte
    opening: Mask
    garment: Matte

    def without_mannequin(self) -> Matte:
        """Return the matte that the finished picture should have: (rows, columns) float32 in 0..1.

        It covers the garment and its filled opening, but not the mannequin.
        """
        return np.asarray(self.garment * np.maximum(1 - self.mannequin, self.opening), np.float32)


class JointLimits(Value):
    """Limits beyond which an editor's neck joint (ghost mannequin) is sent back.

    Attributes:
        least_filled: minimum share of the opening that the matte covers.
        largest_hole: maximum size of one hole, as a share of the opening.
        same_delta_e: a pixel counts as unchanged from the master below this delta E 2000.
        most_left: maximum share of the mannequin that may still be visible.
        edge_px: nothing is measured within this distance of the draft's edges.
        notch_px: maximum length of a notch or a spike in the outline. Shapes as wide as they are deep do not count.
        most_cut_px: maximum width of a cut into the garment.
        bright, dark: a bright or dark line counts if its L* differs by more than this from both sides.
        longest_line: maximum length of a line along the joint, where garment and filled neck meet, as a share of the
            joint's length.
        longest_shadow: maximum length of a dark line without the mannequin's colour, which may be a collar's shadow,
            as a share of the joint's length.
        mannequin_delta_e: a dark line within this delta E 2000 has the mannequin's colour.
    """

    least_filled: float = 0.97
    largest_hole: float = 0.004
    same_delta_e: float = 3.0
    most_left: float = 0.01
    edge_px: float = 3.0
    notch_px: float = 16.0
    most_cut_px: float = 6.0
    bright: float = 8.0
    dark: float = 14.0
    longest_line: float = 0.15
    longest_shadow: float = 0.5
    mannequin_delta_e: float = 10.0


@dataclasses.dataclass(frozen=True)
class _Joint:
    """The area around the mannequin, cut out of both pictures.

    Attributes:
        left, top: position of the area in the picture.
        unit: pixels of the picture per pixel at the reference size.
        returned, master: L*a*b*, slightly blurred. The master has the overall colour shift of the work added.
        matte: matte of the returned picture.
        garment: certain garment, by the draft.
        opening: the opening without its edge.
    """

    left: int
    top: int
    unit: float
    returned: Lab
    master: Lab
    matte: Matte
    mannequin: Matte
    garment: Mask
    opening: Mask
    limits: JointLimits

    def px(self, length: float) -> int:
        return max(1, round(length * self.unit))

    @property
    def seam(self) -> Mask:
        """The band, some pixels wide, where mannequin and garment meet: (rows, columns) bool, in the cut-out area."""
        return _grown(self.mannequin >= 0.5, self.px(2)) & _grown(self.garment, self.px(4))

    def box(self, part: Mask) -> Box:
        rows, columns = np.nonzero(part.any(axis=1))[0], np.nonzero(part.any(axis=0))[0]
        left, top = self.left, self.top
        return Box(left + int(columns[0]), top + int(rows[0]), left + int(columns[-1]) + 1, top + int(rows[-1]) + 1)


def check_neck_joint(
    work: ReturnedWork, master: Pixels16, draft: JointDraft | None, *, limits: JointLimits | None = None
) -> tuple[Finding, ...]:
    """Return the four findings on a neck joint (ghost mannequin) that an editor returned.

    In order: whether the neckline is filled, whether mannequin is left, whether the outline is even, whether a line
    shows at the seam. A failed finding with `gate` sends the work back. All four have the status `skipped` and no value
    if no mannequin was recognised, if there is no draft, or if the work has no matte or another shape than the master.

    Args:
        work: the work as `packshot.returned.read.read_returned` returns it.
        master: (rows, columns, 3) uint16, Adobe RGB: the garment on its mannequin.
        draft: the draft mask that the editor was given; None if there was none.
        limits: beyond which the work is sent back; None: the defaults.
    """
    if draft is None or not draft.mannequin.any():
        return _all_skipped("No mannequin was recognised in the master: a person has to look for it.")
    try:
        pixels, matte = work.composite_for(master)
    except RefusedInputError:
        return _all_skipped("The picture tells nothing of what is product, or has another shape than the master.")
    joint = _joint(pixels, matte, master, draft, limits or JointLimits())
    return (_filled(joint), _mannequin_left(joint), _outline(joint), _line(joint))


def _all_skipped(why: str) -> tuple[Finding, ...]:
    return (
        _skipped("neck_filled", why),
        _skipped("mannequin_left", why),
        _skipped("joint_outline", why),
        _skipped("joint_line", why),
    )


def _skipped(code: str, why: str) -> Finding:
    return Finding(code=code, status=Status.SKIPPED, message=why)


def _joint(pixels: Pixels16, matte: Matte, master: Pixels16, draft: JointDraft, limits: JointLimits) -> _Joint:
    rows, columns = np.nonzero(draft.mannequin.any(axis=1))[0], np.nonzero(draft.mannequin.any(axis=0))[0]
    height, width = draft.mannequin.shape
    unit = max(1.0, max(height, width) / _REFERENCE_PX)
    reach = round(60 * unit)
    top, bottom = max(0, int(rows[0]) - reach), min(height, int(rows[-1]) + reach)
    left, right = max(0, int(columns[0]) - reach), min(width, int(columns[-1]) + reach)
    part = (slice(top, bottom), slice(left, right))
    mannequin = draft.mannequin[part]
    garment = (draft.garment[part] >= _SURE) & (mannequin <= 1 - _SURE)
    returned, ours = (_soft_lab(one[part], unit) for one in (pixels, master))
    shift = _shift(returned, ours, garment & (matte[part] >= _SURE))
    return _Joint(
        left=left,
        top=top,
        unit=unit,
        returned=returned,
        master=ours + shift,
        matte=matte[part],
        mannequin=mannequin,
        garment=garment,
        opening=_shrunk(draft.opening[part], max(1, round(limits.edge_px * unit))),
        limits=limits,
    )


def _soft_lab(pixels: Pixels16, unit: float) -> Lab:
    """Return L*a*b*, slightly blurred so that grain does not count."""
    lab = lab_of(np.ascontiguousarray(pixels), icc=working_profile())
    return np.asarray(cv2.GaussianBlur(lab, (0, 0), 0.7 * unit), np.float32)


def _shift(returned: Lab, master: Lab, both: Mask) -> NDArray[np.float32]:
    """Return the median L*a*b* change of the garment: the effect of an overall colour correction."""
    if np.count_nonzero(both) < _LEAST_REGION:
        return np.zeros(3, np.float32)
    return np.asarray(np.median(returned[both] - master[both], axis=0), np.float32)


def _filled(joint: _Joint) -> Finding:
    limits = joint.limits
    whole = int(np.count_nonzero(joint.opening))
    if whole < _LEAST_REGION:
        return _skipped(
            "neck_filled", "The garment lies nowhere on both sides of the neck: there is no opening to fill."
        )
    bare = joint.opening & (joint.matte < _SURE)
    share, (hole, size) = 1 - float(bare.sum()) / whole, _largest(bare)
    if share >= limits.least_filled and size <= limits.largest_hole * whole:
        return _passed(
            "neck_filled", f"The neckline is filled: {share:.1%} of it.", share, "ratio", limit=limits.least_filled
        )
    message = f"The neckline is not filled: {1 - share:.1%} of it is bare, {size / whole:.1%} in one place."
    return _failed("neck_filled", message, share, "ratio", limit=limits.least_filled, box=joint.box(hole))


def _mannequin_left(joint: _Joint) -> Finding:
    limits = joint.limits
    region = _shrunk(joint.mannequin >= _SURE, joint.px(limits.edge_px))
    whole = int(np.count_nonzero(region))
    if whole < _LEAST_REGION:
        return _skipped("mannequin_left", "The mannequin shows too little to look for it.")
    same = delta_e_2000(joint.returned, joint.master) < limits.same_delta_e
    left = _opened(region & (joint.matte >= 0.5) & same, joint.px(2))
    share = float(left.sum()) / whole
    if share <= limits.most_left:
        return _passed("mannequin_left", "Nothing of the mannequin is left.", share, "ratio", limit=limits.most_left)
    message = f"{share:.1%} of the mannequin can still be seen. Take it out; the neck shot shows what belongs there."
    return _failed("mannequin_left", message, share, "ratio", limit=limits.most_left, box=joint.box(_largest(left)[0]))


def _outline(joint: _Joint) -> Finding:
    """Check the outline near the joint for notches, spikes and cuts.

    Notches are what a morphological closing adds, spikes are what an opening removes. Plain corners change little.
    """
    limits = joint.limits
    near = _grown(joint.seam, joint.px(12))
    product, radius = joint.matte >= 0.5, joint.px(limits.notch_px / 4)
    filled, smooth = _closed(product, radius) & ~product, product & ~_opened(product, radius)
    notch, spike = _longest(_touching(filled, near)), _longest(_touching(smooth, near))
    cut = _shrunk(joint.garment, joint.px(limits.edge_px)) & ~product & near
    depth = float(cv2.distanceTransform(_padded(cut), cv2.DIST_L2, 5).max()) if cut.any() else 0.0
    found = (
        (notch[1], limits.notch_px, notch[0], "a notch or a gap"),
        (spike[1], limits.notch_px, spike[0], "a spike"),
        (2 * depth, limits.most_cut_px, cut, "a cut into the garment"),
    )
    for length, limit, place, what in found:
        if length > joint.px(limit):
            message = f"The outline breaks where neck and garment meet: {what} of {length:.0f} px."
            return _failed(
                "joint_outline", message, round(length, 1), "px", limit=joint.px(limit), box=joint.box(place)
            )
    worst = round(max(notch[1], spike[1]), 1)
    return _passed(
        "joint_outline", "The outline goes on evenly at the joint.", worst, "px", limit=joint.px(limits.notch_px)
    )


@dataclasses.dataclass(frozen=True)
class _Line:
    """A line along the joint.

    Attributes:
        ratio: length as a share of the joint.
        allowed_ratio: limit for `ratio`.
        stands_out: L* difference from both sides.
    """

    part: Mask
    ratio: float
    allowed_ratio: float
    word: str
    stands_out: float


def _line(joint: _Joint) -> Finding:
    limits = joint.limits
    opening = _grown(joint.opening, joint.px(2 * limits.edge_px))
    band = joint.seam & _grown(opening, joint.px(4)) & _grown(joint.matte >= 0.5, joint.px(4))
    length = float(np.count_nonzero(_thin(joint))) if band.any() else 0.0
    if length < 10 * joint.unit:
        return _skipped("joint_line", "Garment and neck meet nowhere inside the cut-out.")
    found = [_longest_line(joint, _grown(band, joint.px(3)), length=length, sign=sign) for sign in (1, -1)]
    worst = max(found, key=lambda one: one.ratio / one.allowed_ratio)
    measured, limit = round(worst.ratio, 3), limits.longest_line
    if worst.ratio <= limit:
        return _passed("joint_line", "No bright or dark line runs along the joint.", measured, "ratio", limit=limit)
    said = (
        f"A {worst.word} line runs along {worst.ratio:.0%} of the joint: {worst.stands_out:.0f} L* beside both sides."
    )
    box = joint.box(worst.part)
    if worst.ratio > worst.allowed_ratio:
        return _failed("joint_line", said, measured, "ratio", limit=worst.allowed_ratio, box=box)
    return Finding(
        code="joint_line",
        status=Status.WARNING,
        message=f"{said} It may be the collar's shadow: look at it.",
        measured=measured,
        limit=limit,
        unit="ratio",
        box=box,
        gate=True,
    )


def _thin(joint: _Joint) -> Mask:
    """Return a one-pixel line: the edge of the mannequin between opening and garment."""
    inside = joint.mannequin >= 0.5
    return inside & ~_shrunk(inside, 1) & _grown(joint.garment, joint.px(3)) & _grown(joint.opening, joint.px(8))


def _longest_line(joint: _Joint, band: Mask, *, length: float, sign: int) -> _Line:
    """Return the longest line that is brighter (sign 1) or darker (sign -1) than both its sides.

    Lines that the garment already had in the master do not count.
    """
    limits = joint.limits
    limit = limits.bright if sign > 0 else limits.dark
    ours, theirs = (_narrow(sign * one[..., 0], joint.px(4)) for one in (joint.returned, joint.master))
    cloth = _shrunk(joint.garment, joint.px(8))
    if np.count_nonzero(cloth) >= _LEAST_REGION:
        limit = max(limit, 1.5 * float(np.quantile(theirs[cloth], 0.99)))
    known = cv2.dilate(theirs, _disc(joint.px(3))) > limit / 2
    standing = band & (ours > limit) & ~(known & joint.garment)
    part, reach = _longest(_grown(standing, 1))
    line = part & standing
    shadow = sign < 0 and line.any() and not _mannequin_coloured(joint, line)
    return _Line(
        part,
        reach / length,
        limits.longest_shadow if shadow else limits.longest_line,
        "bright" if sign > 0 else "dark",
        float(np.median(ours[line])) if line.any() else 0.0,
    )


def _mannequin_coloured(joint: _Joint, line: Mask) -> bool:
    """Return True if a line has the colour of the mannequin beside it, so that it is not a shadow."""
    beside = _shrunk(joint.mannequin >= _SURE, joint.px(2)) & _grown(line, joint.px(12))
    if not beside.any():
        return False
    means = (np.median(one, axis=0) for one in (joint.returned[line], joint.master[beside]))
    return bool(delta_e_2000(*means) < joint.limits.mannequin_delta_e)


def _narrow(lightness: NDArray[np.float32], radius_px: int) -> NDArray[np.float32]:
    """Return the top-hat transform: how much narrow bright details exceed their surroundings."""
    return np.asarray(cv2.morphologyEx(lightness, cv2.MORPH_TOPHAT, _disc(radius_px)), np.float32)


def _largest(mask: Mask) -> tuple[Mask, int]:
    """Return the connected component with the largest area, and the area in pixels."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count < 2:
        return mask, 0
    best = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    return np.asarray(labels == best), int(stats[best, cv2.CC_STAT_AREA])


def _longest(mask: Mask) -> tuple[Mask, float]:
    """Return the connected component with the longest bounding-box diagonal, and that diagonal in pixels."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count < 2:
        return mask, 0.0
    reach = np.hypot(stats[1:, cv2.CC_STAT_WIDTH], stats[1:, cv2.CC_STAT_HEIGHT])
    best = 1 + int(reach.argmax())
    return np.asarray(labels == best), float(reach[best - 1])


def _touching(mask: Mask, near: Mask) -> Mask:
    """Return the connected components of a mask that reach into a region."""
    _, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    touched = np.unique(labels[near & mask])
    return np.asarray(np.isin(labels, touched[touched > 0]))


def _padded(mask: Mask) -> NDArray[np.uint8]:
    return np.pad(mask.astype(np.uint8), 1)


def _grown(mask: Mask, radius_px: int) -> Mask:
    return np.asarray(cv2.dilate(mask.astype(np.uint8), _disc(radius_px)) > 0)


def _shrunk(mask: Mask, radius_px: int) -> Mask:
    return np.asarray(cv2.erode(mask.astype(np.uint8), _disc(radius_px)) > 0)


def _opened(mask: Mask, radius_px: int) -> Mask:
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, _disc(radius_px)) > 0)


def _closed(mask: Mask, radius_px: int) -> Mask:
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, _disc(radius_px)) > 0)


def _disc(radius_px: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius_px + 1,) * 2), np.uint8)


def _passed(code: str, message: str, measured: float, unit: str, *, limit: float) -> Finding:
    return Finding(
        code=code, status=Status.PASSED, message=message, measured=measured, limit=limit, unit=unit, gate=True
    )


def _failed(code: str, message: str, measured: float, unit: str, *, limit: float, box: Box) -> Finding:
    return Finding(
        code=code, status=Status.FAILED, message=message, measured=measured, limit=limit, unit=unit, gate=True, box=box
    )
