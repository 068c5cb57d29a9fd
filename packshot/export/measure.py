"""Figures of a delivered file: how white its background is, how much of the canvas is product, how true its colours.

The pixels are those of the decoded file; where the product is comes from the matte before encoding.
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
"""Coverage below which even black stays exactly 255 in 8 bits of any delivered space."""
CELL_PX = 4
COLOUR_SAMPLES = 6_000


class WhiteFigures(Value):
    """The background of a decoded file.

    Attributes:
        beyond: over the full frame, every pixel farther from the product than the codec's ringing distance.
        ring_distance_px: that distance, Chebyshev.
        ring_floor: least channel value found inside it, of pixels that were exactly white before encoding; 255 if none.
        white_from_px: distance from the product from which on every pixel is exactly white.
        quick: points along the border, the way a marketplace may sample.
    """

    beyond: OffWhite
    ring_distance_px: int
    ring_floor: int
    white_from_px: int
    quick: QuickCheck


class ColourFigures(Value):
    """Delta E 2000 between the framed master and the delivered file, over the product.

    Attributes:
        samples: how many cells were compared: every n-th.
    """

    mean_delta_e: float
    p95_delta_e: float
    samples: int


def product_zone(matte: Matte, before: NDArray[Any], *, shadow_kept: bool) -> Mask:
    """Return where the picture may be other than white: on the product, and on its shadow where that is kept.

    Args:
        matte: (rows, columns) in 0..1, before encoding.
        before: (rows, columns, 3), the pixels that went into the encoder.
    """
    zone: Mask = matte > (INVISIBLE if before.dtype == np.uint8 else 0)
    if shadow_kept:
        zone |= off_white(before)
    return zone


def off_white(pixels: NDArray[Any]) -> Mask:
    """Return where any channel of (rows, columns, 3) uint8 or uint16 is less than the greatest value of its type."""
    white = int(np.iinfo(pixels.dtype).max)
    exact = cv2.inRange(pixels, (white,) * 3, (white,) * 3)
    return np.asarray(exact == 0, np.bool_)


def measure_white(pixels: NDArray[Any], zone: Mask, *, ring_distance_px: int) -> WhiteFigures:
    """Return how white a decoded file's background is.

    Args:
        pixels: (rows, columns, 3) uint8 or uint16, decoded.
        zone: what need not be white; see `product_zone`.
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
    """Return how far the product's colours moved; None if there is no product.

    Compared are cells of 4 x 4 pixels that are product throughout, each averaged in linear light: a codec's noise
    within a cell is texture, which the eye averages as well; a shift of the whole cell is colour. A product too thin
    to hold a cell is compared pixel by pixel.

    Args:
        pixels: (rows, columns, 3 or 4) uint8 or uint16, decoded, in the space of `icc`.
        framed: what they were made from.
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
    """(cells, pixels of a cell): places in the flattened picture, every n-th cell that is product throughout."""
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
    """The colour of each cell: (cells, pixels, 3) in the working space, averaged in linear light."""
    light = decode_working(np.ascontiguousarray(pixels)).mean(axis=1, keepdims=True)
    return lab_of(encode_working(light), icc=working_profile())


def visible_product_box(pixels: NDArray[Any], matte: Matte) -> Box | None:
    """Return the box of what is product by the matte and not white in the decoded file; None if there is nothing.

    A rim that was blown out to white is product, but nobody will see it: the fill is measured without it.
    """
    seen = (matte > 0.5) & off_white(pixels)
    left, top, width, height = cv2.boundingRect(seen.view(np.uint8))
    return Box(left, top, left + width, top + height) if width and height else None


def measure_fill(pixels: NDArray[Any], matte: Matte) -> float:
    """Return the fill re-measured from the decoded pixels; 0 if nothing is seen."""
    box = visible_product_box(pixels, matte)
    return fill_ratio_of(box.size, size_of(pixels)) if box else 0.0
