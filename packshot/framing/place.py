"""Resample an edited picture to its canvas, in linear light.

Pictures are reduced by exact area averaging and enlarged by cubic interpolation. Near white, the interpolation is
limited to the range of the two neighbouring samples. So white stays exactly white up to the product, and no bright or
dark line appears along the product's edge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.colour.spaces import WHITE_16, decode_working, encode_working
from packshot.framing.fit import Placement
from packshot.threads import side_by_side
from packshot.types import Box, Matte, Pixels16, Size, size_of

_Kind = TypeVar("_Kind", bound=np.generic)

_ROWS_AT_ONCE = 128  # rows decoded to linear light at a time: all of a 50 MP picture would take 600 MB


@dataclass(frozen=True, eq=False)
class Framed:
    """An edit (the product on white) after it was placed on one platform's canvas: the canvas's pixels and where the
    edit lies on them.

    Attributes:
        pixels: the canvas, (rows, columns, 3) uint16, Adobe RGB.
        matte: the product's coverage on the canvas, (rows, columns) float32 in 0..1.
        placement: which part of the edit became the canvas. Its boxes are in pixels of the edit.
    """

    pixels: Pixels16
    matte: Matte
    placement: Placement


def place(composite: Pixels16, matte: Matte, placement: Placement) -> Framed:
    """Return the edited picture and its matte on the canvas. Outside the picture the canvas is white.

    At scale 1 pixels are copied bit for bit. At another scale they are resampled in linear light; a pixel is exactly
    65535 if all pixels that it is computed from are white.

    Args:
        composite: the product on white, (rows, columns, 3) uint16, Adobe RGB.
        matte: each pixel's share of product, (rows, columns) float32 in 0..1, of the size of `composite`.
        placement: where the picture lies on the canvas, from `packshot.framing.fit.fit`.
    """
    window, canvas = placement.window, placement.canvas
    if window.size == canvas:
        return Framed(_cut(composite, window, beyond=WHITE_16), _cut(matte, window, beyond=0), placement)
    linear = _resample(composite, placement, beyond=1.0)
    coverage = _resample(matte, placement, beyond=0.0)
    return Framed(encode_working(linear), np.clip(coverage, 0, 1), placement)


def _cut(picture: NDArray[_Kind], window: Box, *, beyond: int) -> NDArray[_Kind]:
    """Return the window cut from the picture, filled with `beyond` outside of it."""
    cut = np.full((window.height, window.width, *picture.shape[2:]), beyond, picture.dtype)
    inside = _inside(picture, window)
    rows = slice(inside.top - window.top, inside.bottom - window.top)
    columns = slice(inside.left - window.left, inside.right - window.left)
    cut[rows, columns] = picture[inside.top : inside.bottom, inside.left : inside.right]
    return cut


def _inside(picture: NDArray[Any], window: Box) -> Box:
    """Return the part of the window that lies in the picture; it may be empty."""
    frame = size_of(picture)
    left, top = min(max(window.left, 0), frame.width), min(max(window.top, 0), frame.height)
    return Box(left, top, max(left, min(window.right, frame.width)), max(top, min(window.bottom, frame.height)))


def _resample(picture: NDArray[Any], placement: Placement, *, beyond: float) -> NDArray[np.float32]:
    """Return the window resampled to the canvas, in linear light, float32: each strip of rows across, then all columns.

    Args:
        picture: (rows, columns, 3) uint16, working space, or (rows, columns) float32, taken as linear.
        beyond: value outside of the picture.
    """
    window, canvas = placement.window, placement.canvas
    across = np.full((window.height, canvas.width, *picture.shape[2:]), beyond, np.float32)
    inside = _inside(picture, window)

    def scale_strip(top: int) -> None:
        bottom = min(top + _ROWS_AT_ONCE, inside.bottom)
        strip = np.full((bottom - top, window.width, *picture.shape[2:]), beyond, np.float32)
        part = picture[top:bottom, inside.left : inside.right]
        linear = decode_working(np.ascontiguousarray(part)) if part.dtype == np.uint16 else part
        strip[:, inside.left - window.left : inside.right - window.left] = linear
        across[top - window.top : bottom - window.top] = _scaled(strip, Size(canvas.width, bottom - top))

    side_by_side(scale_strip, range(inside.top, inside.bottom, _ROWS_AT_ONCE))
    return _scaled(across, canvas)


def _scaled(picture: NDArray[np.float32], size: Size) -> NDArray[np.float32]:
    """Return the picture with one side changed: reduced by area averaging, or enlarged by interpolation.

    Cubic interpolation overshoots at edges. Near white every sample is therefore clamped between its two neighbours, so
    that white stays white.
    """
    found = size_of(picture)
    if found == size:
        return picture
    if size.width <= found.width and size.height <= found.height:
        return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)
    if picture.ndim == 2:
        # A matte: linear interpolation is above 0 wherever a neighbour is, so it covers all that is not white.
        return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR), np.float32)
    cubic = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)
    axis = 0 if size.height != found.height else 1
    below, above = _neighbours(picture.shape[axis], cubic.shape[axis])
    first, second = picture.take(below, axis), picture.take(above, axis)
    white = (picture >= 1).all(axis=2)
    last = picture.shape[axis] - 1
    taps = (np.clip(below - 1, 0, last), below, above, np.clip(above + 1, 0, last))
    near_white = np.logical_or.reduce([white.take(index, axis) for index in taps])[..., None]
    kept = np.clip(cubic, np.minimum(first, second), np.maximum(first, second))
    return np.asarray(np.where(near_white, kept, cubic), np.float32)


def _neighbours(before: int, after: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return, for each of `after` samples, the indices of the two of `before` samples that it lies between."""
    below = np.floor((np.arange(after) + 0.5) * before / after - 0.5).astype(np.intp)
    return np.clip(below, 0, before - 1), np.clip(below + 1, 0, before - 1)
