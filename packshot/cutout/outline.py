"""The line between product and backdrop, moved to where the photograph changes most, in one smooth course.

Whether a pixel is product is settled pixel by pixel, which leaves the line a pixel or two outside of where half is
covered, and farther where a contact shadow begins at the product. So the colours across the line are looked at: it
goes where they change most, near where it was, and without jumps from one pixel to the next (active contours by
dynamic programming: Amini, Weymouth and Jain 1990).

Where the product fades into the backdrop's colour over more pixels than a lens makes of an edge, as chrome does that
mirrors the studio, the photograph shows where it begins to differ and not where it ends: the network says that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.colour.spaces import decode_working
from packshot.cutout.distances import nearest, signed_distance
from packshot.types import FloatImage, Mask, Matte

STEP_PX = 0.5
OFFSETS_PX = np.arange(-6.0, 1.5 + STEP_PX / 2, STEP_PX, dtype=np.float32)
"""How far a point of the line may move: negative inwards."""
LENS_PX, LEAST_BLUR_PX, MOST_BLUR_PX = 1.1, 0.5, 3.0
"""Standard deviation of lens and sensor, and the limits of what it explains.

Pixels count as product from some difference to the backdrop on, so the line lies where coverage makes that difference:
the farther outside, the greater the contrast and the darker the backdrop. So far inwards it may move over whatever is
there; farther, over shadow only.
"""
CHANGE_PX = 1.0
"""Colours this far on either side of a place are compared."""
SHARP_PX, NORMAL_PX = 0.6, 2.0
FAINT_NOISES = 4.0
TURN_COST = 0.7
AWAY_COST, AWAY_MOST_PX, FARTHER_COST = 0.06, 1.5, 0.02
FADED_CHANGE_RATIO = 0.25
"""A lens changes a colour by more than a third of its whole way within a pixel; below this it is no lens that does."""
FADED_PX, FADED_REACH_PX, FADED_STRETCH = 6.0, 4.0, 33
_NEVER = 10.0
PIECE, OVERLAP = 192, 48
"""Outlines are searched in pieces of so many points, all of them at once, that overlap by so many."""
EVEN_ALONG_PX, EVEN_PX = 1.5, 0.8


@dataclass(frozen=True, eq=False)
class _Outline:
    """The points of all outlines.

    Attributes:
        rows, columns: (points,).
        outward: (points, 2) float32, unit vectors (x, y) that point out of the product.
        pieces: (pieces, PIECE + 2 OVERLAP), indices of consecutive points.
    """

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    outward: FloatImage
    pieces: NDArray[np.intp]

    def across(self, picture: Any, offsets_px: Any) -> Any:
        """What a picture shows at distances from each point, (points, offsets[, channels]); 0 is the line itself."""
        away = offsets_px + 0.5  # the points lie on the product's outermost pixels
        x = self.columns[:, None] + away * self.outward[:, :1]
        y = self.rows[:, None] + away * self.outward[:, 1:]
        places = x.astype(np.float32), y.astype(np.float32)
        return cv2.remap(picture, *places, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def settled_line(
    product: Mask,
    picture: FloatImage,
    probability: Matte,
    movable: Mask,
    shaded: Matte,
    *,
    noise: float,
    least_levels: float,
) -> Matte:
    """Return each pixel's distance from the line after it has moved, in pixels, float32, positive inside.

    Args:
        product: (rows, columns), as it was found pixel by pixel.
        picture: (rows, columns, 3) float32, encoded, 0..255.
        probability: (rows, columns) float32, the network's.
        movable: where the line may move.
        shaded: (rows, columns) float32, how far each pixel is backdrop in shadow, 0..1.
        noise: standard deviation in `picture`.
        least_levels: from which difference to the backdrop on a pixel was taken for product.
    """
    distance = signed_distance(product)
    outline = _outline_of(product)
    if outline is None:
        return distance
    sharp: Any = cv2.GaussianBlur(picture, (0, 0), SHARP_PX)
    cost = _costs(outline, sharp, _blurred_px(outline, sharp, least_levels), movable, shaded, noise)
    moves = OFFSETS_PX[_cheapest_courses(cost, outline.pieces)]
    moves = _out_to_where_it_fades(outline, moves, sharp, probability, movable)
    field, weight = np.zeros(product.shape, np.float32), np.zeros(product.shape, np.float32)
    field[outline.rows, outline.columns] = moves
    weight[outline.rows, outline.columns] = 1
    even = [cv2.GaussianBlur(one, (0, 0), EVEN_ALONG_PX) for one in (field, weight)]
    spread = even[0] / np.maximum(even[1], 1e-6)
    distance[movable] += spread[nearest(weight > 0, at=movable)]
    return np.asarray(cv2.GaussianBlur(distance, (0, 0), EVEN_PX), np.float32)


def _outline_of(product: Mask) -> _Outline | None:
    """All outlines that are long enough to have a course; None if there is none."""
    found, _ = cv2.findContours(product.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    outlines = [outline[:, 0] for outline in found if len(outline) >= OVERLAP]
    if not outlines:
        return None
    piece = np.arange(-OVERLAP, PIECE + OVERLAP)
    pieces: list[NDArray[np.intp]] = []
    first = 0
    for outline in outlines:
        pieces += [first + (start + piece) % len(outline) for start in range(0, len(outline), PIECE)]
        first += len(outline)
    columns, rows = np.concatenate(outlines).T.astype(np.intp)
    soft = cv2.GaussianBlur(product.astype(np.float32), (0, 0), NORMAL_PX)
    slope = np.stack([cv2.Sobel(soft, cv2.CV_32F, *axis)[rows, columns] for axis in ((1, 0), (0, 1))], axis=1)
    outward = -slope / np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-6)
    return _Outline(rows, columns, outward.astype(np.float32), np.stack(pieces))


def _costs(
    outline: _Outline, sharp: FloatImage, blurred_px: NDArray[Any], movable: Mask, shaded: Matte, noise: float
) -> Matte:
    """What it costs to move each point by each offset, (points, offsets): little where the picture changes much."""
    inner, outer = (outline.across(sharp, OFFSETS_PX + side * CHANGE_PX) for side in (-1, 1))
    change = np.linalg.norm(outer - inner, axis=2)
    away = np.abs(OFFSETS_PX)
    cost = 1 - change / (change.max(axis=1, keepdims=True) + FAINT_NOISES * noise)
    cost += AWAY_COST * np.minimum(away, AWAY_MOST_PX) + FARTHER_COST * away
    shadow = np.where(-blurred_px[:, None] > OFFSETS_PX, outline.across(shaded, OFFSETS_PX), 1)
    shadow_all_the_way = np.minimum.accumulate(shadow[:, ::-1], axis=1)[:, ::-1] > 0.5
    allowed = shadow_all_the_way & (outline.across(movable.astype(np.float32), OFFSETS_PX) > 0.5)
    return np.asarray(np.where(allowed | (OFFSETS_PX == 0), cost, cost + _NEVER), np.float32)


def _blurred_px(outline: _Outline, picture: FloatImage, least_levels: float) -> NDArray[Any]:
    """How far outside of half coverage a difference of `least_levels` is reached, (points,)."""
    inside, outside = np.moveaxis(outline.across(picture, np.array([-4, 2.5], np.float32)), 1, 0)
    channel = np.abs(inside - outside).argmax(axis=1)[:, None]
    inside, outside = (np.take_along_axis(part, channel, axis=1)[:, 0] for part in (inside, outside))
    seen = outside + np.clip(inside - outside, -least_levels, least_levels)
    light = [decode_working(np.clip(one * 257, 0, 65535).astype(np.uint16)[None])[0] for one in (inside, outside, seen)]
    covered = np.abs(light[2] - light[1]) / np.maximum(np.abs(light[0] - light[1]), 1e-6)
    odds = (1 - covered) / np.maximum(covered, 1e-3)
    return np.asarray(np.clip(LENS_PX * np.log(np.maximum(odds, 1)) / 1.702, LEAST_BLUR_PX, MOST_BLUR_PX))


def _out_to_where_it_fades(
    outline: _Outline, moves: NDArray[np.float32], picture: FloatImage, probability: Matte, movable: Mask
) -> NDArray[np.float32]:
    """Moves that go on to the network's line, where that is near and further out and the edge is no lens's."""
    offsets = np.arange(-FADED_PX, 2 * CHANGE_PX + STEP_PX, STEP_PX, dtype=np.float32)
    levels = outline.across(picture, moves[:, None] + offsets)
    seen = decode_working(np.clip(levels * 257, 0, 65535).astype(np.uint16))  # a lens mixes light
    way = np.abs(seen - seen[:, -1:]).max(axis=1)
    channel = way.argmax(axis=1)[:, None, None]
    course = np.take_along_axis(seen, channel, axis=2)[..., 0]
    within_a_pixel = round(1 / STEP_PX)
    change = np.abs(course[:, within_a_pixel:] - course[:, :-within_a_pixel])[:, round(FADED_PX / 2 / STEP_PX) :]
    faded = _for_a_stretch(change.max(axis=1) < FADED_CHANGE_RATIO * way.max(axis=1))
    outward = np.arange(0, FADED_REACH_PX + STEP_PX, STEP_PX, dtype=np.float32)
    beyond = (outline.across(probability, moves[:, None] + outward) <= 0.5) & (
        outline.across(movable.astype(np.float32), moves[:, None] + outward) > 0.5
    )
    there = outward[beyond.argmax(axis=1)]
    return np.where(faded & beyond.any(axis=1), moves + there, moves)


def _for_a_stretch(flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Flagged points most of whose neighbours along the outline are flagged too."""
    window = np.full(FADED_STRETCH, 1 / FADED_STRETCH)
    return flags & (np.convolve(flags, window, mode="same") > 0.5)


def _cheapest_courses(cost: Matte, pieces: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return each point's offset on its piece's cheapest course (Viterbi); from point to point one step at most."""
    count, length = pieces.shape
    offsets = cost.shape[1]
    framed = np.full((count, offsets + 2), np.inf, np.float32)
    below, total, above = framed[:, :-2], framed[:, 1:-1], framed[:, 2:]
    total[:] = cost[pieces[:, 0]]
    came = np.zeros((length, count, offsets), np.int8)
    for at in range(1, length):
        turned = np.minimum(below, above) + np.float32(TURN_COST)
        turns = turned < total
        came[at][turns] = np.where(below <= above, -1, 1)[turns]
        total[:] = np.where(turns, turned, total) + cost[pieces[:, at]]
    offset = total.argmin(axis=1)
    found = np.zeros(cost.shape[0], np.intp)
    every = np.arange(count)
    for at in range(length - 1, OVERLAP - 1, -1):
        if at < length - OVERLAP:
            found[pieces[:, at]] = offset
        offset = offset + came[at, every, offset]
    return found
