"""Measure a delivered file: is its background white, how much of the picture does the product fill, are colours
changed?

The pixels are decoded from the file. The matte (the product's coverage of each pixel) is that of the picture before it
was encoded; it shows where the product is. File and matte have the same size: that of the platform's canvas. So all
places are in pixels of the delivered file.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.colour.difference import Lab, delta_e_2000, lab_of
from packshot.colour.spaces import decode_working, encode_working, working_profile
from packshot.colour.transform import convert
from packshot.framing.fit import fill_ratio_of
from packshot.framing.place import Framed
from packshot.qc.white import OffWhite, QuickCheck, check_border_points, find_off_white
from packshot.types import Box, Mask, Matte, Pixels16, Value, size_of

INVISIBLE = 1 / 512
"""With less alpha than this even black leaves white at exactly 255, in 8 bits of any delivered space."""
CELL_PX = 4
"""Side of the cells that colours are averaged over."""
COLOUR_SAMPLES = 6_000
"""Most cells that are compared."""


class WhiteFigures(Value):
    """How white the background of a decoded file is. `measure_white` makes it.

    An encoder leaves faint ripples around the product (ringing). So pixels near the product have other limits than
    pixels farther away.

    Attributes:
        beyond: how many pixels are not white, how far from white, and where, among all that are farther from the
            product than the ringing reaches.
        ring_distance_px: how far the ringing of this codec reaches (Chebyshev distance).
        ring_floor: darkest channel value (of 255) within that distance, of pixels outside the zone of product and
            shadow. 255 if all are still white.
        white_from_px: every pixel at least this far from the product is exactly white; 0 if all are.
        quick: result of checking a few points along the picture's border for exact white, as marketplaces may do.
    """

    beyond: OffWhite
    ring_distance_px: int
    ring_floor: int
    white_from_px: int
    quick: QuickCheck


class ColourFigures(Value):
    """How much a delivered file's colours differ from the picture before encoding, over the product, in delta E 2000.

    `measure_colour` makes it.

    Attributes:
        mean_delta_e, p95_delta_e: mean and 95th percentile over the cells, which are blocks of 4 x 4 pixels.
        samples: number of cells compared, evenly spread.
    """

    mean_delta_e: float
    p95_delta_e: float
    samples: int


def product_zone(matte: Matte, before: NDArray[Any], *, shadow_kept: bool) -> Mask:
    """Return where the picture may differ from white, (rows, columns) bool: the product, and its shadow if it is kept.

    Args:
        matte: each pixel's share of product, (rows, columns) float32 in 0..1, before encoding.
        before: (rows, columns, 3) uint8 or uint16: the encoder's input.
        shadow_kept: True if a shadow is kept. Then everything that was not white before encoding belongs to the zone.
    """
    zone: Mask = matte > (INVISIBLE if before.dtype == np.uint8 else 0)
    if shadow_kept:
        zone |= off_white(before)
    return zone


def off_white(pixels: NDArray[Any]) -> Mask:
    """Return where any channel is below white, (rows, columns) bool.

    Args:
        pixels: (rows, columns, 3) uint8 or uint16. White is the greatest value of the type.
    """
    white = int(np.iinfo(pixels.dtype).max)
    exact = cv2.inRange(pixels, (white,) * 3, (white,) * 3)
    return np.asarray(exact == 0, np.bool_)


def measure_white(pixels: NDArray[Any], zone: Mask, *, ring_distance_px: int) -> WhiteFigures:
    """Return the measurements of a decoded file's white background.

    Args:
        pixels: (rows, columns, 3) uint8 or uint16, decoded.
        zone: (rows, columns) bool: where the picture need not be white; see `product_zone`.
        ring_distance_px: how far the ringing of this codec (faint ripples around the product) reaches.
    """
    ground = ~zone
    distance = cv2.distanceTransform(ground.view(np.uint8), cv2.DIST_C, 3)
    beyond: Mask = distance > ring_distance_px
    white = int(np.iinfo(pixels.dtype).max)
    off = off_white(pixels)
    off &= ground
    ring = pixels[off & ~beyond]
    return WhiteFigures(
        beyond=find_off_white(pixels, beyond),
        ring_distance_px=ring_distance_px,
        ring_floor=int(ring.min()) * 255 // white if ring.size else 255,
        white_from_px=int(distance[off].max()) + 1 if off.any() else 0,
        quick=check_border_points(pixels, ~beyond),
    )


def measure_colour(pixels: NDArray[Any], framed: Framed, *, icc: bytes) -> ColourFigures | None:
    """Return how much a delivered file's colours differ from the picture before encoding; None without a product.

    The measurements are in delta E 2000. Cells of 4 x 4 pixels that lie fully inside the product are averaged in linear
    light and compared. Noise of the codec within a cell does not count, because the eye averages it too. A shift of the
    whole cell is a colour difference. A product too thin for a cell is compared pixel by pixel.

    Args:
        pixels: (rows, columns, 3 or 4) uint8 or uint16, decoded, in the space of `icc`.
        framed: the picture that the file was made from.
        icc: the file's profile.
    """
    places = _cells(framed.matte)
    if places.size == 0:
        return None
    rows, columns = np.divmod(places, framed.matte.shape[1])
    became = pixels[rows, columns]
    if icc != working_profile():
        became = convert(became, source=icc, target=working_profile(), bit_depth=16)
    difference = delta_e_2000(_lab_of_cells(framed.pixels[rows, columns]), _lab_of_cells(became))
    return ColourFigures(
        mean_delta_e=float(difference.mean()),
        p95_delta_e=float(np.percentile(difference, 95)),
        samples=len(places),
    )


def _cells(matte: Matte) -> NDArray[np.intp]:
    """Return indices into the flattened picture, (cells, pixels per cell), of evenly spread cells of product."""
    rows, columns = (side // CELL_PX * CELL_PX for side in matte.shape)
    whole = matte[:rows, :columns] >= 1
    inside = whole.reshape(rows // CELL_PX, CELL_PX, columns // CELL_PX, CELL_PX).all(axis=(1, 3))
    cells = np.argwhere(inside) * CELL_PX
    if len(cells) == 0:
        return np.flatnonzero(matte > 0.5)[:, None]
    cells = cells[:: -(-len(cells) // COLOUR_SAMPLES)]
    step = np.arange(CELL_PX)
    within = (step[:, None] * matte.shape[1] + step).reshape(1, -1)
    return np.asarray(cells[:, :1] * matte.shape[1] + cells[:, 1:] + within, np.intp)


def _lab_of_cells(pixels: Pixels16) -> Lab:
    """Return CIE L*a*b* of each cell's mean in linear light; input (cells, pixels, 3) uint16, Adobe RGB."""
    light = decode_working(np.ascontiguousarray(pixels)).mean(axis=1, keepdims=True)
    return lab_of(encode_working(light), icc=working_profile())


def visible_product_box(pixels: NDArray[Any], matte: Matte) -> Box | None:
    """Return the box around the product's visible pixels: those in the matte that are not white in the file.

    None if there are none. A product's rim may be overexposed to white. Nobody sees that part, so the fill ratio is
    measured without it.

    Args:
        pixels: (rows, columns, 3) uint8 or uint16, decoded, as `light_of` returns them.
        matte: each pixel's share of product, (rows, columns) float32 in 0..1, before encoding.
    """
    seen = (matte > 0.5) & off_white(pixels)
    left, top, width, height = cv2.boundingRect(seen.view(np.uint8))
    return Box(left, top, left + width, top + height) if width and height else None


def measure_fill(pixels: NDArray[Any], matte: Matte) -> float:
    """Return the fill ratio measured on the decoded pixels; 0 if no product is visible.

    The fill ratio is the product's share of the canvas's width or height, whichever is greater.

    Args:
        pixels: (rows, columns, 3) uint8 or uint16, decoded, as `light_of` returns them.
        matte: each pixel's share of product, (rows, columns) float32 in 0..1, before encoding.
    """
    box = visible_product_box(pixels, matte)
    return fill_ratio_of(box.size, size_of(pixels)) if box else 0.0
