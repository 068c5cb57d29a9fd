"""Cut a large picture into tiles for work in parts, and resample a picture of another size to a tile's pixels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.types import Box, Mask, Size, size_of


def boxes_of(size: Size, *, side_px: int) -> Iterator[Box]:
    """Yield the boxes of square tiles that cover a picture without overlap, row by row, each row from left to right.

    Tiles at the right and bottom border may be smaller.

    Args:
        size: size of the picture, in pixels.
        side_px: side of a tile.
    """
    for top in range(0, size.height, side_px):
        for left in range(0, size.width, side_px):
            yield Box(left, top, min(size.width, left + side_px), min(size.height, top + side_px))


def boxes_holding(mask: Mask, *, side_px: int) -> Iterator[Box]:
    """Yield, for each square tile that has pixels of a mask, the smallest box around these pixels.

    The boxes are in pixels of the mask. Tiles without a pixel of the mask are left out.

    Args:
        mask: (rows, columns) bool or uint8; not 0 means in the mask.
        side_px: side of a tile.
    """
    for box in boxes_of(size_of(mask), side_px=side_px):
        part = mask[box.top : box.bottom, box.left : box.right].view(np.uint8)
        left, top, width, height = cv2.boundingRect(part)
        if width and height:
            yield Box(box.left + left, box.top + top, box.left + left + width, box.top + top + height)


def with_margin(box: Box, size: Size, *, margin_px: int) -> tuple[Box, tuple[slice, slice]]:
    """Return (the enlarged box, the slices of the original box in it).

    The enlarged box is the box with a margin on each side, cut off at the picture's border. The slices are (rows,
    columns) and select the original box's pixels from an array of the enlarged box.

    Args:
        box: in pixels of the picture.
        size: size of the picture.
        margin_px: width of the margin.
    """
    wide = Box(
        max(0, box.left - margin_px),
        max(0, box.top - margin_px),
        min(size.width, box.right + margin_px),
        min(size.height, box.bottom + margin_px),
    )
    rows = slice(box.top - wide.top, box.bottom - wide.top)
    return wide, (rows, slice(box.left - wide.left, box.right - wide.left))


def part_of(picture: NDArray[Any], box: Box, size: Size, *, nearest: bool = False) -> Any:
    """Return the part of a picture that lies under a box, (rows, columns[, channels]) of the box's size.

    If the picture has the size that the box belongs to, the part is a view of it. Otherwise the part is resampled.

    Args:
        picture: (rows, columns[, channels]) of any size. A bool mask comes back as uint8.
        box: a box in the pixels of a picture of `size`.
        size: size of the picture that the box belongs to. It shows the same scene as `picture`.
        nearest: take the nearest pixel instead of interpolating linearly.
    """
    source = picture.view(np.uint8) if picture.dtype == bool else picture
    if size == (picture.shape[1], picture.shape[0]):
        return source[box.top : box.bottom, box.left : box.right]
    across, down = picture.shape[1] / size.width, picture.shape[0] / size.height
    matrix = np.array(
        [[across, 0, (box.left + 0.5) * across - 0.5], [0, down, (box.top + 0.5) * down - 0.5]], np.float64
    )
    how = cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR
    return cv2.warpAffine(
        source, matrix, (box.width, box.height), flags=how | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )
