"""What a cut-out is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from packshot.types import Finding, FloatImage, Matte, Pixels16


class Method(StrEnum):
    """How a matte is made.

    AUTO chooses: REFINED on a smooth backdrop, MATTING where the product's edge is soft, NETWORK_ONLY elsewhere.
    GIVEN is somebody else's matte.
    """

    AUTO = "auto"
    REFINED = "refined"
    MATTING = "matting"
    NETWORK_ONLY = "network_only"
    GIVEN = "given"


@dataclass(frozen=True, eq=False)
class BackdropReport:
    """What is behind the product.

    Attributes:
        smooth: whether it is a studio backdrop that a smooth surface explains.
        noise_levels: robust standard deviation around that surface, in 8-bit levels of the encoded picture.
        rough_ratio: share of the sure backdrop that the surface does not explain.
        mean_levels: mean colour in 8-bit levels, working space.
        already_white: whether all of it is within a level of white.
    """

    smooth: bool
    noise_levels: float = 0.0
    rough_ratio: float = 0.0
    mean_levels: tuple[float, float, float] = (255.0, 255.0, 255.0)
    already_white: bool = False


@dataclass(frozen=True, eq=False)
class SoftPixels:
    """The pixels that are partly product, with the product's own colour in them.

    Attributes:
        rows, columns: (n,) int32.
        colours: (n, 3) float32, linear light, working space, free of the backdrop's colour.
    """

    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    colours: FloatImage


@dataclass(frozen=True, eq=False)
class Cutout:
    """A product cut out of its photograph.

    Attributes:
        matte: (rows, columns) float32 in 0..1, as large as the photograph.
        foreground: the product's colour where the matte is neither 0 nor 1; elsewhere it is the photograph's.
        network_matte: the network's own prediction, at its own size.
        findings: what a reviewer should know.
        surface: (rows, columns, 3) float32, encoded, 0..255, at reduced size: the backdrop without product and shadow;
            None where it is not known.
        reduced: (rows, columns, 3) uint16, the photograph itself at reduced size, as it was looked at; None where it
            was not.
    """

    matte: Matte
    foreground: SoftPixels
    network_matte: Matte
    backdrop: BackdropReport
    method: Method
    findings: tuple[Finding, ...] = ()
    surface: FloatImage | None = None
    reduced: Pixels16 | None = None
