"""What quality control looks at."""

from __future__ import annotations

import dataclasses
from typing import Any, Protocol

from packshot.framing import Framed
from packshot.specs.models import RenditionPlan
from packshot.types import Finding, Matte, Pixels8, Pixels16


class BackdropLike(Protocol):
    """What the cut-out found out about the backdrop."""

    @property
    def smooth(self) -> bool: ...


class CutoutLike(Protocol):
    """What the cut-out says about itself."""

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
    """How far the product is from a measured reference: a swatch or a colour target.

    Attributes:
        mean_delta_e, p95_delta_e: delta E 2000 between reference and picture.
        source: what the reference is, in words.
    """

    mean_delta_e: float
    p95_delta_e: float
    source: str


@dataclasses.dataclass(frozen=True)
class QcInput:
    """One edit, with everything needed to judge it.

    Attributes:
        master16: (rows, columns, 3) uint16, the photograph in the working space, after its planned correction.
        cutout: its matte is float32 at the same size; its network matte at any size of the same shape.
        composite16: (rows, columns, 3) uint16, the edit on exact white, working space, same size.
        framed: what is put on the canvas, working space, with its matte and placement.
        srgb8: (rows, columns, 3) uint8, the framed pixels as they are delivered, sRGB.
        rendition: what was ordered.
        expected_products: how many separate things the picture should show.
        colour_reference: how the product's colours compare with a reference; None where there is none.
        findings: what was found out about the shot before it was edited and bears on its approval.
        reduced16: `master16`, averaged to a lesser size already; None where nobody has done so.
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
