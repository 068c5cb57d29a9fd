"""Find the neck of a mannequin in a silhouette, to tell the mannequin from the garment.

The neck is above the shoulders, and much narrower than the shoulders.
"""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np

from packshot.types import Mask

_SHOULDERS_IN = 0.5
_NARROW = 0.55
_LEAST_HEIGHT, _MOST_HEIGHT = 0.02, 0.45
_SEED_ABOVE = 0.65
_GARMENT_FROM, _GARMENT_TO = 0.4, 0.75
_GARMENT_WIDE, _BODY_WIDE = 0.25, 0.6
_WIDEST = 0.45
_LEAST_SEED_PX = 30


@dataclasses.dataclass(frozen=True)
class Neck:
    """Areas from which the search for a mannequin starts. Each mask is (rows, columns) bool.

    Attributes:
        seed: upper part of the area above the shoulders. It is neck if there is a mannequin.
        garment: an area that is surely garment: the centre of the body.
        body: most of the body's width, at the same height.
        width_px: median width of the seed's rows.
    """

    seed: Mask
    garment: Mask
    body: Mask
    width_px: int


def neck_above_shoulders(inside: Mask) -> Neck | None:
    """Return the areas of a silhouette where a mannequin's neck would be, and where there is surely garment.

    The result is None if nothing stands above the shoulders, or if what stands there is too low, too high or too wide
    for a neck.

    Args:
        inside: (rows, columns) bool: the silhouette of garment and mannequin.
    """
    rows = np.nonzero(inside.any(axis=1))[0]
    if not len(rows):
        return None
    top, height = int(rows[0]), int(rows[-1] - rows[0]) + 1
    widths = inside.sum(axis=1)
    widest = int(widths[top : top + max(1, round(_SHOULDERS_IN * height))].max())
    shoulders = top + int(np.argmax(widths[top:] > _NARROW * widest))
    if not _LEAST_HEIGHT * height <= shoulders - top <= _MOST_HEIGHT * height:
        return None
    seed = np.zeros_like(inside)
    last = top + max(1, round(_SEED_ABOVE * (shoulders - top)))
    seed[top:last] = inside[top:last]
    seed = np.asarray(cv2.erode(seed.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0)
    garment, body = (_middle(inside, top=top, height=height, wide_ratio=wide) for wide in (_GARMENT_WIDE, _BODY_WIDE))
    if seed.sum() < _LEAST_SEED_PX or garment.sum() < _LEAST_SEED_PX:
        return None
    width = int(np.median(seed.sum(axis=1)[seed.any(axis=1)]))
    return Neck(seed, garment, body, width) if width <= _WIDEST * widest else None


def _middle(inside: Mask, *, top: int, height: int, wide_ratio: float) -> Mask:
    columns = np.nonzero(inside.any(axis=0))[0]
    centre, reach = (int(columns[0]) + int(columns[-1])) // 2, round(wide_ratio * (columns[-1] - columns[0]) / 2)
    place = np.zeros_like(inside)
    place[
        top + round(_GARMENT_FROM * height) : top + round(_GARMENT_TO * height),
        max(0, centre - reach) : centre + reach + 1,
    ] = True
    return place & inside
