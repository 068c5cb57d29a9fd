"""Correct the colours of shots that were taken in the same light (a shoot group). All of them get the same correction.

A correction has two steps, and each may be missing. Both are computed in linear light, in Adobe RGB's primaries:

1. Gains: a factor for red, for green and for blue (von Kries). They bring the group's backdrop to the colour of a
   reference: the backdrop of another group of the same series (groups that should look alike), or neutral grey.
2. A matrix that was fitted to a colour target (ColorChecker). It brings the target's patches to their published
   colours.

A correction without both steps, the identity, leaves every pixel unchanged. `packshot.ingest.shoot_groups` chooses the
reference group and the correction.
"""

from __future__ import annotations

import math
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.colour.backdrop_light import BackdropReading
from packshot.colour.difference import delta_e_2000
from packshot.colour.spaces import decode_working, encode_working
from packshot.colour.target_fit import apply_coefficients
from packshot.colour.target_values import lab_of_linear
from packshot.types import Pixels16, Value

_ROWS_AT_ONCE = 128
"""Rows corrected at a time, so that floating-point pixels take little memory."""
Gains = tuple[float, float, float]
NO_GAINS: Gains = (1.0, 1.0, 1.0)


class Kind(StrEnum):
    """What a colour correction is for. All shots that were taken in the same light, a group, get the same correction.

    A series is several groups that should look alike; one of them is its reference group.

    Attributes:
        IDENTITY: nothing; every pixel stays unchanged.
        EVENED: the group's backdrop gets the colour of the backdrop of its series' reference group, so that both groups
            look alike.
        NEUTRAL: the backdrop becomes grey.
        TARGET: the patches of a colour target get their published colours. If the target stands in the reference group,
            the group's backdrop gets the colour of that group's backdrop first.
    """

    IDENTITY = "identity"
    EVENED = "evened"
    NEUTRAL = "neutral backdrop"
    TARGET = "colour target"


class Correction(Value):
    """A colour correction that all shots of a shoot group (shots taken in the same light) get, and the reason for it.

    Attributes:
        kind: what the correction is for.
        gains: factors for linear Adobe RGB red, green and blue; applied first. (1, 1, 1) changes nothing.
        coefficients: matrix that was fitted to a colour target; applied second. It is (3, 3) or (3, 6): one row for
            each channel of the result, one column for each input: red, green, blue, and for (3, 6) also sqrt(rg),
            sqrt(gb), sqrt(rb). Empty means none.
        why: the reason in words, for people; empty if the correction changes nothing. Several reasons are joined by
            "; ".
    """

    kind: Kind = Kind.IDENTITY
    gains: Gains = NO_GAINS
    coefficients: tuple[tuple[float, ...], ...] = ()
    why: str = ""

    @property
    def is_identity(self) -> bool:
        """True if the correction changes nothing: all gains are 1, and no matrix was fitted to a colour target."""
        return self.gains == NO_GAINS and not self.coefficients


def correct(pixels: Pixels16, correction: Correction) -> Pixels16:
    """Return the corrected pixels, (rows, columns, 3) uint16, Adobe RGB.

    The result is a new array, or `pixels` itself if the correction changes nothing. Values outside Adobe RGB are
    clipped.

    Args:
        pixels: (rows, columns, 3) uint16, Adobe RGB.
        correction: the correction of the shot's group.
    """
    if correction.is_identity:
        return pixels
    corrected = np.empty_like(pixels)
    gains = np.diag(np.array(correction.gains)).astype(np.float32)
    for top in range(0, len(pixels), _ROWS_AT_ONCE):
        rows = slice(top, top + _ROWS_AT_ONCE)
        linear = np.asarray(cv2.transform(decode_working(np.ascontiguousarray(pixels[rows])), gains), np.float32)
        if correction.coefficients:
            linear = apply_coefficients(linear, correction.coefficients)
        corrected[rows] = encode_working(linear)
    return corrected


def newly_clipped(before: Pixels16, after: Pixels16) -> float:
    """Return the share of pixels, 0..1, in which a correction clipped at least one channel.

    A channel is clipped if it becomes 65535 and was less before. It is also clipped if it becomes 0 and was more than
    1 % of the range (655 of 65535) before.

    Args:
        before, after: the picture before and after the correction, (rows, columns, 3) uint16, Adobe RGB.
    """
    high = (after == 65535) & (before < 65535)
    low = (after == 0) & (before > 655)
    return float((high | low).any(axis=2).mean())


def gains_between(backdrop: BackdropReading, wanted: NDArray[np.float64]) -> Gains:
    """Return the gains (red, green, blue, in linear light) that change a backdrop's colour into the wanted one.

    Args:
        backdrop: the backdrop as it was measured.
        wanted: (3,) linear Adobe RGB in 0..1.
    """
    red, green, blue = (float(gain) for gain in wanted / np.maximum(np.array(backdrop.linear), 1e-6))
    return round(red, 6), round(green, 6), round(blue, 6)


def neutral_light(backdrop: BackdropReading) -> NDArray[np.float64]:
    """Return the grey that is as light as a backdrop, (3,) linear Adobe RGB in 0..1, three equal values.

    Args:
        backdrop: the backdrop as it was measured.
    """
    lightness = backdrop.lab[0]
    light = ((lightness + 16) / 116) ** 3 if lightness > 8 else lightness / 903.3
    return np.full(3, light)


def difference(one: BackdropReading, other: BackdropReading) -> float:
    """Return the colour difference between two backdrops, in delta E 2000; 0 if they are equal.

    Args:
        one, other: the backdrops as they were measured.
    """
    return float(delta_e_2000(np.array(one.lab), np.array(other.lab)))


def chroma(backdrop: BackdropReading) -> float:
    """Return how colourful a backdrop is: its chroma C*ab in CIE L*a*b*; 0 is grey.

    Args:
        backdrop: the backdrop as it was measured.
    """
    return math.hypot(backdrop.lab[1], backdrop.lab[2])


def middle(backdrops: list[BackdropReading]) -> BackdropReading:
    """Return one reading with the median of each measurement of several readings: the usual light of a backdrop.

    A fall-off that only some readings have is the median of these; it is None if no reading has it.

    Args:
        backdrops: at least one reading.
    """
    linear = np.median(np.array([one.linear for one in backdrops]), axis=0)
    lab = lab_of_linear(linear)
    return BackdropReading(
        linear=(float(linear[0]), float(linear[1]), float(linear[2])),
        lab=(float(lab[0]), float(lab[1]), float(lab[2])),
        share=float(np.median([one.share for one in backdrops])),
        clipped=float(np.median([one.clipped for one in backdrops])),
        left_right=_median_or_none([one.left_right for one in backdrops]),
        bottom_top=_median_or_none([one.bottom_top for one in backdrops]),
    )


def _median_or_none(values: list[float | None]) -> float | None:
    """Return the median of the known values; None if none is known."""
    known = [value for value in values if value is not None]
    return float(np.median(known)) if known else None
