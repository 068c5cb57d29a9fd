"""Draw overlays for reviewers: what a check has measured, as one value for each pixel of the edit.

An overlay's values are (rows, columns) uint8, of the edit's size; 0 where it shows nothing. `packshot.looking.shades`
turns them into colours.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.colour.difference import delta_e_2000, lab_of
from packshot.colour.spaces import decode_working, encode_working, working_profile
from packshot.colour.target_values import lab_of_linear
from packshot.qc.scene import background_of, box_of_product
from packshot.qc.white import find_off_white, off_white_in
from packshot.specs.rules import Shadow
from packshot.types import Box, FloatImage, Mask, Matte, Pixels8, Pixels16

STEPS_PER_DELTA_E = 10
"""A value of an overlay of colour differences is this many times delta E 2000, rounded, at least 1 and at most 255."""
SEEN_DELTA_E = 1.0
"""A smaller colour difference can hardly be seen; overlays don't show it."""
CELL_PX = 4
"""Side of the cells whose mean colours are compared between edit and master."""
HALO_OUTSIDE_PX, HALO_INSIDE_PX, HALO_REACH_PX = 2, 3, 12
"""The halo is looked for from so far outside the matte to so far inside the opaque product; the product's own colour is
taken from at most `HALO_REACH_PX` away."""
DARKEST_L = 20.0
"""A cell with a lower L* has too little colour left to be compared with a reference."""
_CELL_ROWS_AT_ONCE = 32
_POINTS_AT_ONCE = 65_536

_Strip = tuple[slice, slice]
_Compared = tuple[Mask, Mask, NDArray[np.float32]]


class Overlay(StrEnum):
    """The overlays that people can lay over an edit to see where a check measured something.

    Attributes:
        OFF_WHITE: background that is not exactly white. `off_white` makes it.
        MATTE_EDGE: the product's outline. `matte_edge` makes it.
        HALO: wrong colours along the outline. `halo` makes it.
        COLOUR: colours of the product that differ from those of the master. `colour` makes it.
        REFERENCE: colours of the product that differ from a reference colour. `reference_colour` makes it.
    """

    OFF_WHITE = "off_white"
    MATTE_EDGE = "matte_edge"
    HALO = "halo"
    COLOUR = "colour"
    REFERENCE = "reference"


@dataclasses.dataclass(frozen=True, eq=False)
class Shown:
    """One overlay of an edit: a check's measurements as one value for each pixel, and their summary.

    Attributes:
        values: (rows, columns) uint8, of the edit's size; 0 where nothing is shown.
        count: number of pixels that are off white (`OFF_WHITE`), that form the line (`MATTE_EDGE`), or whose colour
            differs by at least delta E 2000 of 1 (`HALO`, `COLOUR`, `REFERENCE`).
        compared: number of pixels that were looked at.
        worst: greatest measurement: levels below white (of 255) for `OFF_WHITE`, delta E 2000 for `HALO`, `COLOUR` and
            `REFERENCE`; 0 for `MATTE_EDGE`.
        box: in pixels of the edit: for `OFF_WHITE` the largest connected patch; for colour differences the pixel that
            differs most. None if `count` is 0, and for `MATTE_EDGE`.
    """

    values: Pixels8
    count: int
    compared: int
    worst: float = 0.0
    box: Box | None = None


def off_white(edit: Pixels16, matte: Matte, *, shadow: Shadow) -> Shown:
    """Return an overlay of every pixel of the edit's background that is not exactly white.

    A pixel's value is its distance from white in 8-bit levels, rounded up, so at least 1. The overlay's number of
    pixels, worst level and box agree with the finding ``non_white_background``, because one function counts the pixels
    for both.

    Args:
        edit: (rows, columns, 3) uint16, Adobe RGB.
        matte: each pixel's share of product, (rows, columns) float32 in 0..1, of the edit's size.
        shadow: what the plan does with the product's shadow. Near a kept shadow, nothing has to be white.
    """
    background = background_of(matte, shadow=shadow, subject=box_of_product(matte))
    found = find_off_white(edit, background)
    values = np.zeros(matte.shape, np.uint8)
    if found.count:
        off = off_white_in(edit, background) > 0
        values[off] = np.ceil((65535 - edit[off].min(axis=1).astype(np.float64)) / 257).astype(np.uint8)
    return Shown(values, found.count, found.background, found.worst_levels, found.largest_box)


def matte_edge(matte: Matte) -> Shown:
    """Return an overlay with a line along the matte's edge, one pixel wide; its pixels have the value 255.

    A pixel belongs to the line if the matte is at least 0.5 there and less than 0.5 at one of its four neighbours. If
    the frame cuts the product, there is no edge at the cut.

    Args:
        matte: each pixel's share of product, (rows, columns) float32 in 0..1.
    """
    inside = (matte >= 0.5).astype(np.uint8)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    kept = cv2.erode(inside, cross, borderType=cv2.BORDER_CONSTANT, borderValue=1)
    line = np.where((inside > 0) & (kept == 0), np.uint8(255), np.uint8(0))
    return Shown(line, cv2.countNonZero(line), matte.size)


def halo(edit: Pixels16, matte: Matte) -> Shown:
    """Return an overlay of colour errors along the outline, where something of the old backdrop may be left.

    A pixel's value is ten times delta E 2000 between the pixel and its expected colour, at most 255. The expected
    colour is the product's colour nearby, composited on white by the matte in linear light. The product's colour is the
    mean over 3 x 3 pixels, in linear light, around the nearest pixel that lies at least 3 px inside the opaque product
    (matte at least 0.999).

    Pixels are compared from 3 px inside the opaque product to 2 px outside the matte. If no opaque product is within 12
    px, as in fur or along a thin wire, nothing is shown. Texture and shading that change within a few pixels of the
    edge are shown too. So the overlay shows where to look, not where a mistake is.

    Args:
        edit: (rows, columns, 3) uint16, Adobe RGB.
        matte: each pixel's share of product, (rows, columns) float32 in 0..1, of the edit's size.
    """
    values = np.zeros(matte.shape, np.uint8)
    core = _opaque_core(matte)
    nearest, away = _nearest(core)
    reached = cv2.dilate((matte > 0).astype(np.uint8), np.ones((2 * HALO_OUTSIDE_PX + 1,) * 2, np.uint8)) > 0
    band = np.flatnonzero(reached & ~core & (away <= HALO_REACH_PX))
    for start in range(0, len(band), _POINTS_AT_ONCE):
        some = band[start : start + _POINTS_AT_ONCE]
        product = _means_around(edit, nearest[some])
        share = matte.reshape(-1)[some][:, None]
        wanted = encode_working((share * product + (1 - share)).astype(np.float32))
        found = edit.reshape(-1, 3)[some]
        values.reshape(-1)[some] = _steps(_apart(found, wanted))
    return _differences(values, len(band))


def colour(edit: Pixels16, master: Pixels16, matte: Matte) -> Shown:
    """Return an overlay of the colour differences (delta E 2000) between the product in the edit and in the master.

    Cells of 4 x 4 pixels are averaged in linear light and compared. Only cells that lie wholly in the opaque product
    (matte 1) count. Every pixel of a cell has the value of ten times the cell's difference, from 1 to 255. A cell with
    no changed pixel is compared, and shows 0.

    Args:
        edit, master: (rows, columns, 3) uint16, Adobe RGB, of the same size.
        matte: each pixel's share of product, (rows, columns) float32 in 0..1, of the edit's size.
    """

    def compare(strip: _Strip, whole: Mask) -> _Compared:
        changed = whole & _cells((edit[strip] != master[strip]).any(axis=2), any_pixel=True)
        if not changed.any():
            return whole, changed, np.zeros(0, np.float32)
        apart = _apart(_cell_means(edit[strip], changed), _cell_means(master[strip], changed))
        return whole, changed, apart

    return _by_cells(matte, compare)


def reference_colour(edit: Pixels16, matte: Matte, lab: Sequence[float]) -> Shown:
    """Return an overlay of the delta E 2000 between the product's colours in the edit and a reference colour.

    A reference is one colour, and a product has light and shade. So each cell of 4 x 4 pixels is brought to the
    reference's lightness first: its mean is multiplied in linear light, as if more or less light fell on it. What
    differs then is the colour itself. Every pixel of a cell has the value of ten times the cell's difference, from 1 to
    255. Only cells that lie wholly in the opaque product (matte 1) and have an L* of at least 20 count.

    Args:
        edit: (rows, columns, 3) uint16, Adobe RGB.
        matte: each pixel's share of product, (rows, columns) float32 in 0..1, of the edit's size.
        lab: CIE L*a*b* (D50) of the reference.
    """
    wanted = np.asarray(lab, np.float64)

    def compare(strip: _Strip, whole: Mask) -> _Compared:
        linear = decode_working(_cell_means(edit[strip], whole)).astype(np.float64)
        lightness = lab_of_linear(linear)[:, 0]
        light = lightness >= DARKEST_L
        scale = ((wanted[0] + 16) / (lightness[light] + 16)) ** 3
        found = lab_of_linear(linear[light] * scale[:, None])
        cells = whole.copy()
        cells[whole] = light
        return cells, cells, delta_e_2000(found.astype(np.float32), wanted.astype(np.float32))

    return _by_cells(matte, compare)


def _by_cells(matte: Matte, compare: Callable[[_Strip, Mask], _Compared]) -> Shown:
    """Return an overlay of the product's colour differences, cell by cell of `CELL_PX` x `CELL_PX` pixels.

    Args:
        matte: (rows, columns) float32 in 0..1. Only cells that lie wholly in the opaque product (matte 1) count.
        compare: called with a strip of the picture and its cells in the product, (rows of cells, columns of cells).
            Returns which of them it compared, which of these it measured, and delta E 2000 of the measured ones. The
            others have no difference. It is not called for a strip without the product.
    """
    rows, columns = (side // CELL_PX for side in matte.shape)
    values = np.zeros(matte.shape, np.uint8)
    count = 0
    for top in range(0, rows, _CELL_ROWS_AT_ONCE):
        bottom = min(top + _CELL_ROWS_AT_ONCE, rows)
        strip = np.s_[top * CELL_PX : bottom * CELL_PX, : columns * CELL_PX]
        whole = _cells(matte[strip] >= 1)
        if not whole.any():
            continue
        compared, measured, delta_e = compare(strip, whole)
        count += int(compared.sum())
        apart = np.zeros(whole.shape, np.uint8)
        apart[measured] = _steps(delta_e)
        values[strip] = apart.repeat(CELL_PX, axis=0).repeat(CELL_PX, axis=1)
    return _differences(values, count * CELL_PX**2)


def _opaque_core(matte: Matte) -> Mask:
    """Return what lies at least `HALO_INSIDE_PX` inside the opaque product."""
    kernel = np.ones((2 * HALO_INSIDE_PX + 1,) * 2, np.uint8)
    return cv2.erode((matte >= 0.999).astype(np.uint8), kernel) > 0


def _nearest(core: Mask) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return for each pixel the place of the nearest pixel of the core in the flattened picture, and how far it is.

    Without a core everything is infinitely far away.
    """
    if not core.any():
        return np.zeros(core.size, np.int64), np.full(core.shape, np.inf, np.float32)
    outside = (~core).astype(np.uint8)
    away, labels = cv2.distanceTransformWithLabels(outside, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    places = np.flatnonzero(core)
    by_label = np.zeros(int(labels.max()) + 1, np.int64)
    by_label[labels.reshape(-1)[places]] = places
    return by_label[labels.reshape(-1)], np.asarray(away, np.float32)


def _means_around(picture: Pixels16, places: NDArray[np.int64]) -> FloatImage:
    """Return the means in linear light over 3 x 3 pixels around places in the flattened picture, (places, 3)."""
    rows, columns = np.divmod(places, picture.shape[1])
    height, width = picture.shape[:2]
    total = np.zeros((len(places), 3), np.float32)
    for down in (-1, 0, 1):
        for across in (-1, 0, 1):
            around = picture[np.clip(rows + down, 0, height - 1), np.clip(columns + across, 0, width - 1)]
            total += decode_working(around)
    return total / np.float32(9)


def _cells(strip: NDArray[np.bool_], *, any_pixel: bool = False) -> Mask:
    """Return where the mask holds for all pixels of a cell, or for any of them: (rows of cells, columns of cells)."""
    pixels = strip.reshape(strip.shape[0] // CELL_PX, CELL_PX, strip.shape[1] // CELL_PX, CELL_PX)
    return np.asarray(pixels.any(axis=(1, 3)) if any_pixel else pixels.all(axis=(1, 3)), np.bool_)


def _cell_means(strip: Pixels16, wanted: Mask) -> Pixels16:
    """Return the means in linear light of the wanted cells, (cells, 3) uint16, working space."""
    rows, columns = wanted.shape
    cells = strip.reshape(rows, CELL_PX, columns, CELL_PX, 3).swapaxes(1, 2)[wanted].reshape(-1, CELL_PX**2, 3)
    return encode_working(decode_working(np.ascontiguousarray(cells)).mean(axis=1))


def _apart(first: Pixels16, second: Pixels16) -> NDArray[np.float32]:
    """Return delta E 2000 of colours, (colours,); input (colours, 3) uint16, working space."""
    labs = [lab_of(np.ascontiguousarray(one[None]), icc=working_profile())[0] for one in (first, second)]
    return delta_e_2000(labs[0], labs[1])


def _steps(delta_e: NDArray[np.float32]) -> Pixels8:
    """Return colour differences as values of an overlay."""
    return np.clip(np.rint(delta_e * STEPS_PER_DELTA_E), 1, 255).astype(np.uint8)


def _differences(values: Pixels8, compared: int) -> Shown:
    """Return an overlay of colour differences with its worst place."""
    worst = int(values.max(initial=0))
    count = cv2.countNonZero(cv2.inRange(values, (STEPS_PER_DELTA_E * SEEN_DELTA_E,), (255.0,)))
    if not count:
        return Shown(values, 0, compared, worst / STEPS_PER_DELTA_E)
    row, column = (int(place) for place in np.unravel_index(int(values.argmax()), values.shape))
    return Shown(
        values,
        count,
        compared,
        worst / STEPS_PER_DELTA_E,
        Box(column, row, column + 1, row + 1),
    )
