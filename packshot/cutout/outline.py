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
from packshot.types import FloatImage, Mask, Matte, Pixels16

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
_SHARP_STEPS = (7, 1)
FAINT_NOISES = 4.0
TURN_COST = 0.7
AWAY_COST, AWAY_MOST_PX, FARTHER_COST = 0.06, 1.5, 0.02
LENS_PERCENTILE, LENS_POINTS, LENS_REACH_PX, LEAST_LIGHT = 75, 2000, 8.0, 0.02
LEAST_LENS_RATIO, MOST_LENS_RATIO = 0.33, 0.45
"""What a sharp edge's colour changes by within a pixel, as a share of its whole way: the sharper edges of a photograph
tell, within what lenses do. More than that is the retouching of thin lines, less a product that fades all around."""
LEAST_EDGE_PX, MOST_EDGE_PX = 0.35, 0.8
FADED_RATIO, PENUMBRA_RATIO = 0.75, 0.3
"""An edge that changes by less than so much of what a sharp one does is no lens's; one behind which the light then
grows by so much of the edge's own way is a shadow's."""
FADED_PX, FADED_REACH_PX, FADED_STRETCH = 6.0, 4.0, 65
BEHIND_PX = np.array([2.0, 5.0], np.float32)
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

    def light_across(self, levels: Any, offsets_px: Any) -> FloatImage:
        """What encoded levels show at distances from each point, in linear light: it is light that a lens mixes."""
        seen = self.across(levels, offsets_px)
        return decode_working(np.clip(seen * 257, 0, 65535).astype(np.uint16))

    def some(self, count: int, *, scale: float) -> _Outline:
        """About so many of the points, as evenly spread as they are, in a picture larger by so much."""
        every = np.s_[:: max(1, len(self.rows) // count)]
        rows, columns = ((places[every] * scale).astype(np.intp) for places in (self.rows, self.columns))
        return _Outline(rows, columns, self.outward[every], self.pieces[:0])


def settled_line(
    product: Mask,
    picture: FloatImage,
    probability: Matte,
    movable: Mask,
    shaded: Matte,
    *,
    noise: float,
    least_levels: float,
    lens: float,
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
        lens: the photograph's `lens_ratio`.
    """
    distance = signed_distance(product)
    outline = _outline_of(product)
    if outline is None:
        return distance
    sharp: Any = cv2.GaussianBlur(picture, (0, 0), SHARP_PX)
    cost = _costs(outline, sharp, _blurred_px(outline, sharp, least_levels), movable, shaded, noise)
    moves = OFFSETS_PX[_cheapest_courses(cost, outline.pieces)]
    moves = _out_to_where_it_fades(outline, moves, sharp, probability, movable, lens)
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


def lens_ratio(pixels: Pixels16, probability: Matte) -> float:
    """Return what a sharp edge's colour changes by within a pixel, as a share of its whole way, within what lenses do.

    Args:
        pixels: (rows, columns, 3) uint16, working space.
        probability: float32, the network's, at any size: the edges lie near its line.
    """
    return min(max(_change_ratio(pixels, probability), LEAST_LENS_RATIO), MOST_LENS_RATIO)


def edge_sigma_px(pixels: Pixels16, probability: Matte) -> float:
    """Return how blurred a photograph's sharper edges are: the standard deviation of a normal blur, in its own pixels.

    An edge under a blur of s changes by 1 / (s sqrt(2 pi)) of its way within a pixel where it is steepest; what it is
    looked at with, `SHARP_PX`, adds its square. Bounded by `LEAST_EDGE_PX` and `MOST_EDGE_PX`; the latter where there
    is no edge.

    Args:
        pixels: (rows, columns, 3) uint16, working space.
        probability: float32, of product, at any size.
    """
    ratio = max(_change_ratio(pixels, probability), 1e-3)
    square = 1 / (2 * np.pi * ratio**2) - SHARP_PX**2
    return float(np.sqrt(np.clip(square, LEAST_EDGE_PX**2, MOST_EDGE_PX**2)))


def _change_ratio(pixels: Pixels16, probability: Matte) -> float:
    """What a sharp edge's colour changes by within a pixel, as a share of its whole way; 0 where there is no edge."""
    outline = _outline_of(probability >= 0.5)
    if outline is None:
        return 0.0
    some = outline.some(LENS_POINTS, scale=pixels.shape[1] / probability.shape[1])
    offsets = np.arange(-LENS_REACH_PX, LENS_REACH_PX + STEP_PX, STEP_PX, dtype=np.float32)
    courses = cv2.GaussianBlur(some.across(pixels, offsets), _SHARP_STEPS, SHARP_PX / STEP_PX)
    change, way = _change_and_way(decode_working(np.asarray(courses, np.uint16)))
    plain = way > LEAST_LIGHT
    if not plain.any():
        return 0.0
    return float(np.percentile(change.max(axis=1)[plain] / way[plain], LENS_PERCENTILE))


def _out_to_where_it_fades(
    outline: _Outline, moves: NDArray[np.float32], picture: FloatImage, probability: Matte, movable: Mask, lens: float
) -> NDArray[np.float32]:
    """Moves that go on to the network's line, where that is near and further out and the edge is no lens's."""
    offsets = np.arange(-FADED_PX, 2 * CHANGE_PX + STEP_PX, STEP_PX, dtype=np.float32)
    change, way = _change_and_way(outline.light_across(picture, moves[:, None] + offsets))
    slow = change[:, round(FADED_PX / 2 / STEP_PX) :].max(axis=1) < FADED_RATIO * lens * way
    outward = np.arange(0, FADED_REACH_PX + STEP_PX, STEP_PX, dtype=np.float32)
    beyond = (outline.across(probability, moves[:, None] + outward) <= 0.5) & (
        outline.across(movable.astype(np.float32), moves[:, None] + outward) > 0.5
    )
    there = moves + outward[beyond.argmax(axis=1)]
    behind = outline.light_across(picture, there[:, None] + BEHIND_PX)
    penumbra = (behind[:, 1] - behind[:, 0]).min(axis=1) > PENUMBRA_RATIO * way
    return np.where(_for_a_stretch(slow & ~penumbra) & beyond.any(axis=1), there, moves)


def _change_and_way(courses: FloatImage) -> tuple[FloatImage, NDArray[np.float32]]:
    """How much light changes within each pixel of courses across an edge, and its whole way to the outer end.

    Args:
        courses: (points, offsets, 3) linear, `STEP_PX` apart, from inside to outside.

    Returns:
        (points, pixels) and (points,), in the channel whose way is the longest.
    """
    way = np.abs(courses - courses[:, -1:]).max(axis=1)
    channel = way.argmax(axis=1)[:, None, None]
    course = np.take_along_axis(courses, channel, axis=2)[..., 0]
    within_a_pixel = round(1 / STEP_PX)
    return np.abs(course[:, within_a_pixel:] - course[:, :-within_a_pixel]), way.max(axis=1)


def _for_a_stretch(flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Points most of whose neighbours along the outline are flagged: what is so for a stretch is so for all of it."""
    length = min(FADED_STRETCH, max(1, len(flags)))  # numpy's "same" is as long as the longer of the two
    window = np.full(length, 1 / length)
    return np.asarray(np.convolve(flags, window, mode="same") > 0.5)


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
