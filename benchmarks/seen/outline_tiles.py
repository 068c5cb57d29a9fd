"""Cut square tiles along an edit's outline, which together show all of it to a person."""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.types import Mask, Matte

TILE_PX = 156
KNOWN_PX = 10
"""So much of a tile lies around what it is there for: a place at a tile's very rim cannot be judged."""
SOFT = (0.04, 0.96)
FAR_PX = 6
LEAST_SOFT_PX = 12


class Tile(NamedTuple):
    """A square of an edit, to be looked at in full size; it may reach beyond the picture.

    Attributes:
        left, top: its upper left corner, in pixels of the picture that is shown; may be negative.
    """

    left: int
    top: int


def walk(matte: Matte, *, tile_px: int = TILE_PX) -> list[Tile]:
    """Return tiles that together cover the outline of all parts and holes, and soft areas far from it.

    The tiles follow the outline, the longest contour first. Each new tile contains the first point that no earlier tile
    shows, and is moved along the outline as far as this allows. Without a product there are no tiles.

    Args:
        matte: (rows, columns) float32 in 0..1.
        tile_px: width and height of a tile.
    """
    whole = (matte >= 0.5).astype(np.uint8)
    contours, _ = cv2.findContours(whole, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    walks = [np.asarray(contour[:, 0], np.int32) for contour in sorted(contours, key=lambda one: -one.shape[0])]
    points = _far_soft(matte, whole)
    if len(points):
        walks.append(points)
    seen: Mask = np.zeros(matte.shape, np.bool_)
    reach = tile_px // 2 - KNOWN_PX
    tiles: list[Tile] = []
    for walked in walks:
        for index, (x, y) in enumerate(walked):
            if seen[y, x]:
                continue
            centre = _farthest(walked[index : index + 3 * tile_px], reach)
            tiles.append(Tile(int(centre[0]) - tile_px // 2, int(centre[1]) - tile_px // 2))
            top, left = max(0, centre[1] - reach), max(0, centre[0] - reach)
            seen[top : centre[1] + reach + 1, left : centre[0] + reach + 1] = True
    return tiles


def _farthest(ahead: NDArray[np.int32], reach: int) -> NDArray[np.int32]:
    """The middle of the box around as much of the walk as a tile holds."""
    low = np.minimum.accumulate(ahead, axis=0)
    high = np.maximum.accumulate(ahead, axis=0)
    held = ((high - low) <= 2 * reach).all(axis=1)
    last = int(np.argmin(held)) - 1 if not held.all() else -1
    return np.asarray((low[last] + high[last]) // 2, np.int32)


def _far_soft(matte: Matte, whole: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Points of soft areas that no outline is near, (n, 2) x and y, along rows."""
    kernel = np.ones((2 * FAR_PX + 1,) * 2, np.uint8)
    near = cv2.dilate(whole, kernel) != cv2.erode(whole, kernel, borderValue=1)
    soft = ((matte > SOFT[0]) & (matte < SOFT[1]) & ~near).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(soft)
    large = np.flatnonzero(stats[:, cv2.CC_STAT_AREA] >= LEAST_SOFT_PX)
    rows, columns = np.nonzero(np.isin(labels, large[large > 0]))
    return np.stack([columns, rows], axis=1).astype(np.int32)


def cut(picture: NDArray[Any], tile: Tile, *, tile_px: int = TILE_PX, beyond: int = 128) -> NDArray[Any]:
    """Return a tile's pixels: (tile_px, tile_px) or (tile_px, tile_px, channels), of the picture's dtype.

    Args:
        picture: (rows, columns) or (rows, columns, channels).
        tile: the tile.
        tile_px: width and height of the tile.
        beyond: value of pixels outside the picture.
    """
    out = np.full((tile_px, tile_px, *picture.shape[2:]), beyond, picture.dtype)
    rows, columns = picture.shape[:2]
    top, left = max(0, tile.top), max(0, tile.left)
    bottom, right = min(rows, tile.top + tile_px), min(columns, tile.left + tile_px)
    if bottom > top and right > left:
        out[top - tile.top : bottom - tile.top, left - tile.left : right - tile.left] = picture[top:bottom, left:right]
    return out
