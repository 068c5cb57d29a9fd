"""Define the input of quality control: one edit, with all that is needed to judge it."""

from __future__ import annotations

import dataclasses
from typing import Any, Protocol

from packshot.framing import Framed
from packshot.specs.models import RenditionPlan
from packshot.types import Finding, Matte, Pixels8, Pixels16


class BackdropLike(Protocol):
    """The part of the cut-out's report on the backdrop that quality control reads.

    Attributes:
        smooth: True if the backdrop is smooth enough for the cut-out to rely on.
    """

    @property
    def smooth(self) -> bool: ...


class CutoutLike(Protocol):
    """The part of a cut-out that quality control reads, so that it does not depend on how the cut-out was made.

    Attributes:
        matte: (rows, columns) float32 in 0..1: each pixel's share of product, of the photograph's size.
        network_matte: the segmentation network's mask, (rows, columns) float32 in 0..1, of any size.
        backdrop: what the cut-out found out about the backdrop.
        method: the `Method` that made the matte; `Method.GIVEN` if a person made it.
        findings: what the cut-out reports.
    """

    @property
    def matte(self) -> Matte: ...
    @property
    def network_matte(self) -> Matte: ...
    @property
    def backdrop(self) -> BackdropLike: ...
    @property
    def method(self) -> Any: ...
    @property
    def findings(self) -> tuple[Finding, ...]: ...


@dataclasses.dataclass(frozen=True)
class ColourReference:
    """How far the product's colours in a picture are from a measured reference, such as a swatch or a colour target.

    Attributes:
        mean_delta_e, p95_delta_e: mean and 95th percentile of delta E 2000 between reference and picture.
        source: the reference in words, for the message.
    """

    mean_delta_e: float
    p95_delta_e: float
    source: str


@dataclasses.dataclass(frozen=True)
class QcInput:
    """One edit on one platform's canvas, with everything needed to judge it.

    Attributes:
        master16: (rows, columns, 3) uint16, Adobe RGB: the photograph after its planned colour correction.
        cutout: the matte, the segmentation network's mask, and how the matte was made. The matte has the photograph's
            size; the mask may have any size with the same aspect ratio.
        composite16: (rows, columns, 3) uint16, Adobe RGB: the edit on exact white, at the photograph's size.
        framed: the edit on the platform's canvas: pixels in Adobe RGB, their matte, and how the edit was placed.
        srgb8: (rows, columns, 3) uint8, sRGB: the pixels of `framed` as delivered.
        rendition: what was ordered: the platform and its rules.
        expected_products: number of separate objects that the picture should show.
        colour_reference: how far the product's colours are from a reference; None without a reference.
        findings: findings made before the edit that may affect the approval.
        reduced16: `master16` reduced by area averaging; None if no reduced copy exists yet.
    """

    master16: Pixels16
    cutout: CutoutLike
    composite16: Pixels16
    framed: Framed
    srgb8: Pixels8
    rendition: RenditionPlan
    expected_products: int = 1
    colour_reference: ColourReference | None = None
    findings: tuple[Finding, ...] = ()
    reduced16: Pixels16 | None = None
