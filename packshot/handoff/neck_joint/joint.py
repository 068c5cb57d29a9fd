"""Make the draft of a neck joint, from which an editor joins a garment's photograph with that of its neck.

The draft is one layered file with garment and neck shot. Measurements show how well the two match.
"""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np

from packshot.handoff.neck_joint.mannequin import LEAST_SURE, Mannequin, find_mannequin
from packshot.handoff.neck_joint.photoshop import Layer, fits, write_layers
from packshot.handoff.neck_joint.placing import How, NeckPlace, Side, place_neck
from packshot.types import Finding, Mask, Matte, Size, Status, Value, size_of

NECK_LAYER, EXTERIOR_LAYER = "Neck (inside)", "Exterior without mannequin"
FINDINGS = frozenset({"neck_joint_missing", "mannequin_not_recognised", "neck_not_aligned"})
"""Codes of all findings of this module."""
_BEYOND = 0.012
_BACK_HANGS = 0.4
_MIXED_HIDDEN = 3.0
"""Factor on the mannequin's share when it is masked. Pixels that are one third mannequin are hidden fully.

Otherwise the mannequin's colour would show around the neckline.
"""


class JointProof(Value):
    """The measurements of a neck joint's draft, for the editor's ticket.

    A neck joint puts the garment's inside (the neck shot) into the exterior shot, where the mannequin was.

    Attributes:
        mannequin: True if a mannequin was recognised.
        mannequin_why_not: if none was recognised, the reason as a sentence; otherwise empty.
        seam_visible_ratio: share of the line between mannequin and garment with a visible colour difference, 0..1; None
            if no line was found.
        seam_delta_e: median delta E 2000 across that line; None if no line was found.
        mannequin_ratio: share of the cut-out that is mannequin, 0..1.
        how: how the neck shot was placed, a value of `How`; empty without a neck shot.
        points: number of points by which the neck shot was aligned; 0 if it was not aligned.
        residual_px: median distance of these points after alignment, in pixels of the exterior shot; None if it was not
            aligned.
        unsure_px: how far two alignments differ around the neckline, each made from one half of the points, in pixels
            of the exterior shot; None if it was not aligned.
        outline_px: mean distance of the outlines of the two shots, in pixels of the exterior shot; None if the neck
            shot was not placed by them.
        scale, degrees: size of the neck shot on the exterior shot, divided by its own size, and its rotation in
            degrees, clockwise; None without a neck shot.
    """

    mannequin: bool
    mannequin_why_not: str = ""
    seam_visible_ratio: float | None = None
    seam_delta_e: float | None = None
    mannequin_ratio: float = 0.0
    how: str = ""
    points: int = 0
    residual_px: float | None = None
    unsure_px: float | None = None
    outline_px: float | None = None
    scale: float | None = None
    degrees: float | None = None

    def words(self) -> dict[str, str]:
        """Return the lines of an editor's ticket about the draft: name of the measurement -> its result in words.

        There are always two: ``mannequin mask`` (how much of the cut-out is mannequin, or why none was recognised) and
        ``neck shot`` (how it was placed, or that there is none). Each text is one or more sentences.
        """
        return {"mannequin mask": self._mask_words(), "neck shot": self._place_words()}

    def _mask_words(self) -> str:
        if not self.mannequin:
            return f"No mannequin was recognised: {self.mannequin_why_not} Nothing is hidden in the layered file."
        return (
            f"A draft: {self.mannequin_ratio:.1%} of the cut-out; {self.seam_visible_ratio:.0%} of its line against "
            f"the garment is visible (median {self.seam_delta_e:.0f} delta E 2000)."
        )

    def _place_words(self) -> str:
        if self.how == How.ALIGNED:
            return (
                f"Aligned by {self.points} points that both photographs show: {self.scale:.1%} of its size, turned by "
                f"{self.degrees:.1f} degrees; the points agree to {self.residual_px:.1f} px, the neckline to "
                f"{self.unsure_px:.1f} px."
            )
        if self.how == How.PLACED:
            return (
                f"Placed, not aligned: by the outline of collar and shoulders, at {self.scale:.1%} of its size; the "
                f"outlines lie {self.outline_px:.1f} px apart. Move it to where it belongs."
            )
        if self.how == How.LAID_IN:
            return "Laid in as it is: neither points nor outline tell where it belongs. Place it by hand."
        return "There is none."


@dataclasses.dataclass(frozen=True)
class NeckJoint:
    """The draft of a neck joint (ghost mannequin), with which an editor starts.

    Attributes:
        layered_psd: the file: the neck shot (the garment's inside) as lower layer, the exterior shot (the garment on
            its mannequin, the mannequin masked) as upper layer. Empty without a neck shot, or if the picture is too
            large for a PSD; then there is a finding.
        mannequin: share of the mannequin in each pixel of the exterior shot, as a draft, (rows, columns) float32 in
            0..1.
        opening: (rows, columns) bool: the area that the neck shot must fill. If the neck shot is aligned, it is the
            part of the neckline that the neck shot covers; else it is the lower part of the neckline. All False if no
            mannequin was recognised.
        proof: measurements of the draft, for the editor's ticket.
        findings: one for each thing that was not found or not aligned.
    """

    layered_psd: bytes
    mannequin: Matte
    opening: Mask
    proof: JointProof
    findings: tuple[Finding, ...]


def join_neck(exterior: Side, neck: Side | None) -> NeckJoint:
    """Return the draft of a neck joint (ghost mannequin), made of the exterior shot and the neck shot.

    Nothing is painted: every pixel comes from one of the two photographs. If something is not found, the draft's
    findings say so.

    Args:
        exterior: the garment on its mannequin.
        neck: the garment's inside; None if somebody decided to continue without it.
    """
    found = find_mannequin(exterior.pixels, exterior.matte)
    place = place_neck(exterior, found.mask, found.opening, neck) if neck else None
    psd, opening = b"", _lower_part(found.opening)
    if neck is not None and place is not None and fits(size_of(exterior.pixels), layers=2):
        lower = _neck_layer(neck, place, found.mask, size_of(exterior.pixels))
        kept = exterior.matte * (1 - np.minimum(1, _MIXED_HIDDEN * found.mask))
        upper = Layer(EXTERIOR_LAYER, exterior.pixels, np.ones_like(exterior.matte), np.asarray(kept, np.float32))
        psd = write_layers((lower, upper))
        if place.how is How.ALIGNED:
            opening = found.opening & (lower.cover > 0.5)
    findings = (*_missing(size_of(exterior.pixels), place, made=bool(psd)), *_findings(found, place))
    return NeckJoint(psd, found.mask, opening, _proof(found, exterior.matte, place), findings)


def _lower_part(opening: Mask) -> Mask:
    """Return the lower part of the opening. It must be filled, no matter how low the back of the collar hangs.

    The position of the back is unknown without an aligned neck shot.
    """
    rows = np.nonzero(opening.any(axis=1))[0]
    part = opening.copy()
    if len(rows):
        part[: int(rows[0]) + round(_BACK_HANGS * (int(rows[-1]) - int(rows[0])))] = False
    return part


def _missing(size: Size, place: NeckPlace | None, *, made: bool) -> tuple[Finding, ...]:
    if made:
        return ()
    why = "there is no neck shot" if place is None else f"a picture of {size} is more than a PSD holds"
    message = f"No layered file for the neck joint: {why}."
    return (Finding(code="neck_joint_missing", status=Status.SKIPPED, message=message),)


def _neck_layer(neck: Side, place: NeckPlace, mannequin: Matte, size: Size) -> Layer:
    """Return the neck shot as a layer, warped to its place.

    Its mask shows it where the mannequin was and a little around.
    """
    radius = max(1, round(_BEYOND * size.longest))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
    mask = cv2.dilate((mannequin > 0).astype(np.float32), kernel) if mannequin.any() else np.ones_like(mannequin)
    warp, pixels, matte = place.warp, neck.pixels, neck.matte
    if place.scale < 1:  # area averaging first, so that fine fabric shows no moire
        small = Size(*(max(1, round(one * place.scale)) for one in size_of(pixels)))
        shrink = np.array([small.width / pixels.shape[1], small.height / pixels.shape[0]])
        pixels = np.asarray(cv2.resize(pixels, small, interpolation=cv2.INTER_AREA), np.uint16)
        matte = np.asarray(cv2.resize(matte, small, interpolation=cv2.INTER_AREA), np.float32)
        warp = warp.copy()
        warp[:, 2] += warp[:, :2] @ (0.5 / shrink - 0.5)
        warp[:, :2] /= shrink
    moved = cv2.warpAffine(pixels, warp, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    cover = cv2.warpAffine(matte, warp, size, flags=cv2.INTER_LINEAR)
    return Layer(NECK_LAYER, moved.astype(np.uint16), np.asarray(cover, np.float32), np.asarray(mask, np.float32))


def _proof(found: Mannequin, matte: Matte, place: NeckPlace | None) -> JointProof:
    return JointProof(
        mannequin=found.recognised,
        mannequin_why_not=found.why_not,
        seam_visible_ratio=found.seam.visible_ratio if found.seam else None,
        seam_delta_e=found.seam.delta_e if found.seam else None,
        mannequin_ratio=round(float(found.mask.sum() / max(float(matte.sum()), 1.0)), 4),
        how=place.how.value if place else "",
        points=place.points if place else 0,
        residual_px=place.residual_px if place else None,
        unsure_px=place.unsure_px if place else None,
        outline_px=place.outline_px if place else None,
        scale=round(place.scale, 4) if place else None,
        degrees=round(place.degrees, 2) if place else None,
    )


def _findings(found: Mannequin, place: NeckPlace | None) -> list[Finding]:
    findings = []
    if not found.recognised:
        message = f"No mannequin was recognised, so nothing is masked: {found.why_not}"
        findings.append(
            Finding(
                code="mannequin_not_recognised",
                status=Status.SKIPPED,
                message=message,
                measured=found.seam.visible_ratio if found.seam else None,
                limit=LEAST_SURE if found.seam else None,
                unit="ratio" if found.seam else "",
            )
        )
    if place is not None and place.how is not How.ALIGNED:
        message = f"The neck shot is {place.how.value}, not aligned: too few points are seen in both photographs."
        findings.append(Finding(code="neck_not_aligned", status=Status.WARNING, message=message))
    return findings
