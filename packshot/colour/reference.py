"""Read a client's reference colour (CIE L*a*b* or hexadecimal RGB), and compare a product's colour with it."""

from __future__ import annotations

import re

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.colour.difference import Lab, delta_e_2000, lab_of
from packshot.colour.spaces import decode_working, srgb_profile
from packshot.colour.target_values import lab_of_linear
from packshot.colour.transform import srgb8_to_working
from packshot.types import Matte, Pixels8, Pixels16, Value

CELL_PX = 12
"""Side of the cells that a product is averaged over, in pixels."""
_INSIDE = 0.999
"""A cell belongs to the product's inside if the matte is at least this in all its pixels."""
_LIKE_DELTA_E = 6.0
"""Colours closer together than this (delta E 2000) count as the same main colour."""
_LEAST_SHARE = 0.1
"""Least share of the cells that a main colour must have."""
_LEAST_CELLS = 9
_MOST_COLOURS = 5
_SWATCH_CELLS = 24
_HEX = re.compile(r"(?:hex|srgb)?[\s:]*#?([0-9a-f]{6})", re.IGNORECASE)
_NUMBER = r"([+-]?\d+(?:[.,]\d+)?)"
_STATES = r"\*?\s*+(?:[:=]\s*+)?"
_LAB = re.compile(
    rf"(?:cie)?\s*+l\*?a\*?b\*?\s*+(?:[:=(]\s*+)?{_NUMBER}[\s,;/|]+{_NUMBER}[\s,;/|]+{_NUMBER}\s*\)?", re.IGNORECASE
)
_LAB_LETTERS = re.compile(
    rf"l{_STATES}{_NUMBER}[\s,;/|]++a{_STATES}{_NUMBER}[\s,;/|]++b{_STATES}{_NUMBER}", re.IGNORECASE
)


class ReferenceColour(Value):
    """The colour that a product should have, as the client states it. `parse_reference` makes it.

    Attributes:
        lab: CIE L*a*b* (D50).
        said: the client's own text for the colour, with single spaces.
    """

    lab: tuple[float, float, float]
    said: str


class MainColour(Value):
    """One of a product's main colours, measured in its picture. `main_colours` finds them.

    Attributes:
        lab: the colour, CIE L*a*b* (D50), L* in 0..100. It is the median of all cells (12 x 12 pixels) of the product
            that have about this colour.
        share: share of the product's cells that have about this colour, 0..1.
    """

    lab: tuple[float, float, float]
    share: float


def parse_reference(text: str) -> ReferenceColour | None:
    """Return the colour given in a text; None if the whole text is not one colour, or its L*a*b* is out of range.

    Examples: ``#B3202A``, ``Lab 41.2 58 33``, ``L=41,2; a=58; b=33``. Hexadecimal RGB is read as sRGB.

    Args:
        text: the client's words.
    """
    said = " ".join(text.split())
    match = _LAB.fullmatch(said) or _LAB_LETTERS.fullmatch(said)
    if match:
        lightness, a, b = (float(number.replace(",", ".")) for number in match.groups())
        within = 0 <= lightness <= 100 and max(abs(a), abs(b)) <= 150
        return ReferenceColour(lab=(lightness, a, b), said=said) if within else None
    triple = _HEX.fullmatch(said)
    if triple is None:
        return None
    pixel = np.array([[list(bytes.fromhex(triple[1]))]], np.uint8)
    lightness, a, b = (round(float(value), 3) for value in lab_of(pixel, icc=srgb_profile())[0, 0])
    return ReferenceColour(lab=(lightness, a, b), said=said)


def swatch_colour(pixels: Pixels16) -> tuple[float, float, float] | None:
    """Return the colour of a photographed swatch, (red, green, blue) in linear Adobe RGB, 0..1.

    The result is the median over the middle third of the picture, in both directions. None if there are several
    colours: more than a tenth of this part differs from the median by delta E 2000 of more than 6.

    Args:
        pixels: (rows, columns, 3) uint16, Adobe RGB.
    """
    rows, columns = pixels.shape[:2]
    middle = pixels[rows // 3 : rows - rows // 3, columns // 3 : columns - columns // 3]
    small = cv2.resize(middle, (_SWATCH_CELLS, _SWATCH_CELLS), interpolation=cv2.INTER_AREA)
    linear = decode_working(np.asarray(small, np.uint16)).reshape(-1, 3).astype(np.float64)
    colour = np.median(linear, axis=0)
    apart = delta_e_2000(lab_of_linear(linear), lab_of_linear(colour))
    if float(np.percentile(apart, 90)) > _LIKE_DELTA_E:
        return None
    return float(colour[0]), float(colour[1]), float(colour[2])


def main_colours(srgb8: Pixels8, matte: Matte) -> tuple[MainColour, ...]:
    """Return a product's main colours, the most common first: at most five.

    The result is empty if the product is too small, or has no colour that covers a tenth of it.

    The product's inside is cut into cells of 12 x 12 pixels, each averaged in linear light. The colour that most cells
    resemble (by less than delta E 2000 of 6) is the first; its cells are set aside. The remaining cells give the next
    colour, as long as a tenth of all cells have it. The product is too small if it has fewer than 9 cells.

    Args:
        srgb8: (rows, columns, 3) uint8, sRGB, as delivered.
        matte: (rows, columns) float32 in 0..1, same size: each pixel's share of product.
    """
    cells = _cells(srgb8, matte)
    if len(cells) < _LEAST_CELLS:
        return ()
    left = cells
    found: list[MainColour] = []
    while len(left) >= max(_LEAST_CELLS, _LEAST_SHARE * len(cells)) and len(found) < _MOST_COLOURS:
        sample = left[:: max(1, len(left) // 400)]
        near = delta_e_2000(sample[:, None], sample[None]) < _LIKE_DELTA_E
        centre = np.median(sample[near[int(near.sum(axis=1).argmax())]], axis=0)
        like = delta_e_2000(left, centre) < _LIKE_DELTA_E
        if like.sum() < _LEAST_SHARE * len(cells):
            break
        lab = np.median(left[like], axis=0)
        found.append(
            MainColour(lab=(float(lab[0]), float(lab[1]), float(lab[2])), share=float(like.sum() / len(cells)))
        )
        left = left[~like]
    return tuple(found)


def nearest_delta_e(colours: tuple[MainColour, ...], reference: ReferenceColour) -> float:
    """Return the colour difference, delta E 2000, between a reference and the nearest of a product's main colours.

    Args:
        colours: the product's main colours, at least one.
        reference: the colour that the product should have.
    """
    labs = np.array([colour.lab for colour in colours])
    return float(delta_e_2000(labs, np.array(reference.lab)).min())


def _cells(srgb8: Pixels8, matte: Matte) -> Lab:
    """Return CIE L*a*b* of the cells that lie fully inside the product, (cells, 3)."""
    rows, columns = srgb8.shape[0] // CELL_PX, srgb8.shape[1] // CELL_PX
    if rows == 0 or columns == 0:
        return np.zeros((0, 3), np.float32)
    cut = (slice(0, rows * CELL_PX), slice(0, columns * CELL_PX))
    whole = (matte[cut] >= _INSIDE).reshape(rows, CELL_PX, columns, CELL_PX).all(axis=(1, 3))
    linear = _linear(srgb8[cut])
    small = np.asarray(cv2.resize(linear, (columns, rows), interpolation=cv2.INTER_AREA), np.float64)
    return np.asarray(lab_of_linear(small[whole]), np.float32)


def _linear(srgb8: Pixels8) -> NDArray[np.float32]:
    """Return sRGB pixels in linear Adobe RGB."""
    return decode_working(srgb8_to_working(np.ascontiguousarray(srgb8)))
