"""Define the values that describe a cut-out: its matte, colours along the edge, the backdrop, the method."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from packshot.types import Finding, FloatImage, Matte, Pixels16


class Method(StrEnum):
    """The way in which a matte, each pixel's share of product, is made.

    AUTO chooses one of the next three: REFINED on a smooth backdrop, MATTING there if the product's edge is soft,
    NETWORK_ONLY on any other backdrop. REFINED moves the network's outline to the photograph's edge. MATTING solves
    soft edges, such as fur, by closed-form matting. NETWORK_ONLY takes the segmentation network's mask as it is but for
    a steeper edge. GIVEN is a matte that was made elsewhere, for example by an editor.
    """

    AUTO = "auto"
    REFINED = "refined"
    MATTING = "matting"
    NETWORK_ONLY = "network_only"
    GIVEN = "given"


@dataclass(frozen=True, eq=False)
class BackdropReport:
    """What the visible backdrop looks like.

    Attributes:
        smooth: True if a smooth surface describes it well, as in a studio. True for a matte that was made elsewhere,
            which needs no backdrop.
        noise_levels: robust standard deviation around that surface, in 8-bit levels of the encoded picture.
        rough_ratio: share of the surely visible backdrop that the surface does not describe, 0..1; 1 if too little of
            the backdrop is visible.
        mean_levels: mean colour of the visible backdrop: (red, green, blue) of the encoded picture, Adobe RGB, in 8-bit
            levels.
        already_white: True if every surely visible pixel of the backdrop is within one 8-bit level of white.
    """

    smooth: bool
    noise_levels: float = 0.0
    rough_ratio: float = 0.0
    mean_levels: tuple[float, float, float] = (255.0, 255.0, 255.0)
    already_white: bool = False


@dataclass(frozen=True, eq=False)
class SoftPixels:
    """The pixels that are partly product (0 < alpha < 1), with the colour of the product alone.

    Attributes:
        rows, columns: (n,) int32: where the pixels are.
        colours: (n, 3) float32, linear light, Adobe RGB, without the backdrop's colour.
    """

    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    colours: FloatImage


@dataclass(frozen=True, eq=False)
class Cutout:
    """A product cut out of its photograph. `cut_out` makes it, or `given_cutout` for a matte from elsewhere.

    Attributes:
        matte: (rows, columns) float32 in 0..1: each pixel's share of product, at the photograph's size.
        foreground: the product's colour where the matte is strictly between 0 and 1. Where it is 1, the photograph has
            the colour.
        network_matte: the segmentation network's prediction, (n, n) float32 in 0..1, at the network's size. If the
            matte was made elsewhere (`GIVEN`), it is a reduced copy of that matte.
        backdrop: report on the backdrop.
        method: how the matte was made; never AUTO.
        findings: problems that a reviewer should know; empty if there are none.
        surface: the backdrop without product and shadow, (rows, columns, 3) float32, encoded Adobe RGB values scaled to
            0..255, at reduced size. None if it is not known: the matte is the network's alone, was made elsewhere, or
            is empty.
        reduced: (rows, columns, 3) uint16, Adobe RGB: the reduced photograph that the network saw. None if the matte
            was made elsewhere or is empty.
    """

    matte: Matte
    foreground: SoftPixels
    network_matte: Matte
    backdrop: BackdropReport
    method: Method
    findings: tuple[Finding, ...] = ()
    surface: FloatImage | None = None
    reduced: Pixels16 | None = None
