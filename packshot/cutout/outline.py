"""Refine the outline of the product: move it to the strongest edge nearby, as one smooth curve.

The mask of the product was decided pixel by pixel, so its outline is not exact. The mask's outline lies a pixel or two
outside the true edge, which is where alpha (a pixel's share of product) is 0.5. It lies farther outside if a contact
shadow begins at the product.

So the outline is moved, point by point. For each point, the colours along its normal are compared. The point moves to
the largest change of colour near its old position. Neighbouring points move by similar amounts. The method is active
contours by dynamic programming (Amini, Weymouth and Jain 1990).

A product can fade into the backdrop over more pixels than a lens blurs; for example, chrome that reflects the studio.
There the photograph shows where the fading begins but not where it ends. The outline then follows the segmentation
network's mask.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from packshot.colour.spaces import decode_working
from packshot.cutout.contact import COURSE_PX, product_ends
from packshot.cutout.distances import nearest, signed_distance
from packshot.types import FloatImage, Mask, Matte, Pixels16

STEP_PX = 0.5
"""Distance between two sampling positions along a normal."""
OFFSETS_PX = np.arange(-6.0, 1.5 + STEP_PX / 2, STEP_PX, dtype=np.float32)
"""Offsets along the normal that a point of the outline may move by; negative is inwards."""
LENS_PX, LEAST_BLUR_PX, MOST_BLUR_PX = 1.1, 0.5, 3.0
"""Standard deviation of the blur of lens and sensor, and the least and greatest distance that this blur may explain.

A pixel counts as product if it differs enough from the backdrop. The mask's outline lies where alpha makes just that
difference. With high contrast or a dark backdrop it lies farther outside. A point may move inwards by this distance
over any colours. It may move farther only where all it passes is shadow."""
CHANGE_PX = 1.0
"""The colours this far inside and outside of a position are compared."""
SHARP_PX, NORMAL_PX = 0.6, 2.0
"""Standard deviations of the Gaussians that remove noise before edges are measured, and from the mask before normals
are taken."""
_SHARP_STEPS = (7, 1)
FAINT_NOISES = 4.0
"""An edge much weaker than this many times the noise has little influence on the cost."""
TURN_COST = 0.7
"""Cost of a change of offset, by one step, from one point to the next."""
AWAY_COST, AWAY_MOST_PX, FARTHER_COST = 0.06, 1.5, 0.02
"""Cost of an offset: `AWAY_COST` for each of its first `AWAY_MOST_PX` pixels, plus `FARTHER_COST` for all its
pixels."""
LENS_PERCENTILE, LENS_POINTS, LENS_REACH_PX, LEAST_LIGHT = 75, 2000, 8.0, 0.02
"""How sharpness is measured: percentile over the points, number of points, half length of a profile, and least contrast
of a profile in linear light."""
LEAST_LENS_RATIO, MOST_LENS_RATIO = 0.33, 0.45
"""Limits of `lens_ratio`: what sharp edges through real lenses show. More than this is made by retouched thin lines,
less by a product that fades into the backdrop all around."""
LEAST_EDGE_PX, MOST_EDGE_PX = 0.35, 0.8
"""Limits of `edge_sigma_px`."""
FADED_RATIO, PENUMBRA_RATIO = 0.75, 0.3
"""Limits for an edge that fades: at its steepest it changes by less than `FADED_RATIO` of what a sharp edge does. If
the light behind it still grows by more than `PENUMBRA_RATIO` of the edge's contrast, the edge is that of a shadow."""
FADED_PX, FADED_REACH_PX, FADED_STRETCH = 6.0, 4.0, 65
"""How fading edges are found: length of the profile inside the outline, greatest move outwards, and number of points of
the majority filter."""
BEHIND_PX = np.array([2.0, 5.0], np.float32)
"""Distances behind the moved outline at which the light is compared to find a shadow's penumbra."""
FACES_DOWN = 0.35
"""A product touches the floor only where its outline's outward normal points down by at least this part."""
CONTACT_ROUNDS, CONTACT_REACH_PX, CONTACT_STRETCH, CONTACT_EVEN = 2, 8, 33, 15
"""How the end of a product that touches the floor is found: rounds, reach of a change, number of points of the majority
filter that finds contact, and of the median over where it ends."""
_NEVER = 10.0
"""Cost that forbids an offset."""
PIECE, OVERLAP = 192, 48
"""Outlines are searched in pieces of `PIECE` points, all in parallel. Each piece overlaps its neighbours by `OVERLAP`
points."""
EVEN_ALONG_PX, EVEN_PX = 1.5, 0.8
"""Standard deviations of the Gaussians that smooth the moves along the outline, and the signed distance at the end."""


@dataclass(frozen=True, eq=False)
class _Outline:
    """The points of all contours.

    Attributes:
        rows, columns: (points,).
        outward: (points, 2) float32, unit normals (x, y) that point out of the product.
        pieces: (pieces, PIECE + 2 OVERLAP), indices of consecutive points.
    """

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    outward: FloatImage
    pieces: NDArray[np.intp]

    def across(self, picture: Any, offsets_px: Any) -> Any:
        """Return a picture sampled at offsets along each point's normal, (points, offsets[, channels]).

        Offset 0 is the outline itself.
        """
        away = offsets_px + 0.5  # the points lie on the product's outermost pixels
        x = self.columns[:, None] + away * self.outward[:, :1]
        y = self.rows[:, None] + away * self.outward[:, 1:]
        places = x.astype(np.float32), y.astype(np.float32)
        return cv2.remap(picture, *places, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    def part(self, points: NDArray[np.intp]) -> _Outline:
        """Return an outline of chosen points only. It does not say which points form one closed contour.

        Args:
            points: indices of the points to keep, from 0.
        """
        return _Outline(self.rows[points], self.columns[points], self.outward[points], self.pieces[:0])

    def light_across(self, levels: Any, offsets_px: Any) -> FloatImage:
        """Return a picture sampled along each point's normal: (points, offsets, channels) float32, linear light, 0..1.

        Args:
            levels: the picture, (rows, columns, channels) float32, encoded Adobe RGB values scaled to 0..255.
            offsets_px: distances from the outline in pixels, positive outwards; 0 is the outline itself.
        """
        seen = self.across(levels, offsets_px)
        return decode_working(np.clip(seen * 257, 0, 65535).astype(np.uint16))

    def some(self, count: int, *, scale: float) -> _Outline:
        """Return an outline of about `count` of the points, evenly spread, in pixels of a picture of another size.

        Args:
            count: how many points to keep.
            scale: size of the other picture, divided by the size of this outline's picture.
        """
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
    floor_from: ArrayLike,
) -> Matte:
    """Return each pixel's distance from the refined outline, (rows, columns) float32, in pixels, positive inside.

    The mask's outline moves to the strongest edge of the photograph nearby, at most 6 px inwards and 1.5 px outwards.
    Where the product fades into the backdrop, the outline may move up to 4 px farther outwards. If every contour of the
    mask is shorter than 48 points, the outline is not moved: the result is the distance from the mask's own outline.

    Args:
        product: (rows, columns) bool: the mask that was decided pixel by pixel.
        picture: (rows, columns, 3) float32, encoded Adobe RGB values scaled to 0..255.
        probability: (rows, columns) float32 in 0..1: the segmentation network's prediction.
        movable: (rows, columns) bool: True where the outline may move. Elsewhere it stays.
        shaded: (rows, columns) float32 in 0..1: how much each pixel looks like backdrop in shadow.
        noise: standard deviation of the noise in `picture`, in levels (0..255).
        least_levels: least difference from the backdrop, in levels, for a pixel to count as product.
        lens: how sharp the photograph's edges are, 0.33..0.45, as `lens_ratio` returns it.
        floor_from: number of the first row in which the product may touch a floor: (columns,), or one number for all
            columns; infinity where the product stands on no floor.
    """
    distance = signed_distance(product)
    outline = _outline_of(product)
    if outline is None:
        return distance
    sharp: Any = cv2.GaussianBlur(picture, (0, 0), SHARP_PX)
    cost = _costs(outline, sharp, _blurred_px(outline, sharp, least_levels), movable, shaded, noise)
    moves = OFFSETS_PX[_cheapest_courses(cost, outline.pieces)]
    moves = _out_to_where_it_fades(outline, moves, sharp, probability, movable, lens)
    floor = np.broadcast_to(np.asarray(floor_from, np.float32), product.shape[1:])
    return _ended_at_contact(_moved(distance, outline, moves, movable), sharp, movable, noise, floor)


def _moved(distance: Matte, outline: _Outline, moves: NDArray[np.float32], movable: Mask) -> Matte:
    """Return the signed distance from an outline after its points were moved along their normals.

    Args:
        distance: (rows, columns), signed distance from the outline as it is, positive inside. It is changed.
        moves: (points,) pixels, positive outwards.
    """
    field, weight = np.zeros(distance.shape, np.float32), np.zeros(distance.shape, np.float32)
    field[outline.rows, outline.columns] = moves
    weight[outline.rows, outline.columns] = 1
    even = [cv2.GaussianBlur(one, (0, 0), EVEN_ALONG_PX) for one in (field, weight)]
    spread = even[0] / np.maximum(even[1], 1e-6)
    distance[movable] += spread[nearest(weight > 0, at=movable)]
    return np.asarray(cv2.GaussianBlur(distance, (0, 0), EVEN_PX), np.float32)


def _outline_of(product: Mask) -> _Outline | None:
    """Return all contours that are long enough to be searched; None if there are none."""
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
    """Return the cost of moving each point by each offset, (points, offsets); a strong edge there makes it low."""
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
    """Return how far outside of alpha 0.5 the difference to the backdrop falls to `least_levels`, (points,)."""
    inside, outside = np.moveaxis(outline.across(picture, np.array([-4, 2.5], np.float32)), 1, 0)
    channel = np.abs(inside - outside).argmax(axis=1)[:, None]
    inside, outside = (np.take_along_axis(part, channel, axis=1)[:, 0] for part in (inside, outside))
    seen = outside + np.clip(inside - outside, -least_levels, least_levels)
    light = [decode_working(np.clip(one * 257, 0, 65535).astype(np.uint16)[None])[0] for one in (inside, outside, seen)]
    covered = np.abs(light[2] - light[1]) / np.maximum(np.abs(light[0] - light[1]), 1e-6)
    odds = (1 - covered) / np.maximum(covered, 1e-3)
    return np.asarray(np.clip(LENS_PX * np.log(np.maximum(odds, 1)) / 1.702, LEAST_BLUR_PX, MOST_BLUR_PX))


def lens_ratio(pixels: Pixels16, probability: Matte) -> float:
    """Return how sharp the photograph's edges are: the greatest change from pixel to pixel, as a share of the contrast.

    A higher value means sharper edges. The 75th percentile over the points of the outline is used, clipped to
    0.33..0.45. If there is no edge, the result is 0.33.

    Args:
        pixels: (rows, columns, 3) uint16, Adobe RGB.
        probability: (rows, columns) float32 in 0..1, at any size: the segmentation network's prediction. Edges are
            measured along its 0.5 contour.
    """
    return min(max(_change_ratio(pixels, probability), LEAST_LENS_RATIO), MOST_LENS_RATIO)


def edge_sigma_px(pixels: Pixels16, probability: Matte) -> float:
    """Return the blur of the photograph's sharper edges: a Gaussian's standard deviation, in the photograph's pixels.

    At its steepest place, an edge blurred by sigma changes by 1 / (sigma sqrt(2 pi)) of its contrast per pixel. The
    measurement itself blurs with a Gaussian of 0.6 px; its variance is subtracted. The result is clipped to 0.35..0.8.
    If there is no edge, it is 0.8.

    Args:
        pixels: (rows, columns, 3) uint16, Adobe RGB.
        probability: (rows, columns) float32 in 0..1, at any size: probability of product. Edges are measured along its
            0.5 contour.
    """
    ratio = max(_change_ratio(pixels, probability), 1e-3)
    square = 1 / (2 * np.pi * ratio**2) - SHARP_PX**2
    return float(np.sqrt(np.clip(square, LEAST_EDGE_PX**2, MOST_EDGE_PX**2)))


def _change_ratio(pixels: Pixels16, probability: Matte) -> float:
    """Return how much a sharp edge changes within one pixel at most, as a share of its contrast; 0 without an edge."""
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
    """Return the moves, extended outwards to the network's 0.5 contour where the product fades into the backdrop.

    A move is extended only if that contour is near and the edge is softer than the lens blurs and no shadow's.
    """
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
    return np.where(_for_a_stretch(slow & ~penumbra, FADED_STRETCH) & beyond.any(axis=1), there, moves)


def _ended_at_contact(
    line: Matte, picture: FloatImage, movable: Mask, noise: float, floor_from: NDArray[np.float32]
) -> Matte:
    """Return the line, changed to where the product ends inside the dark line of its contact shadow.

    Only a stretch of the outline that is low and faces down is changed. Most of its points must show such a dark line.
    The second round removes what is left of the first outline's steps.

    Args:
        line: (rows, columns), signed distance from the outline, positive inside.
        floor_from: (columns,), first row in which the product may touch a floor.
    """
    for _ in range(CONTACT_ROUNDS):
        outline = _outline_of(line > 0) if (floor_from < len(line)).any() else None
        if outline is None:
            return line
        ends, clear = np.full(len(outline.rows), np.nan, np.float32), np.zeros(len(outline.rows), bool)
        low = np.flatnonzero((outline.outward[:, 1] > FACES_DOWN) & (outline.rows >= floor_from[outline.columns]))
        if not low.size:
            return line
        ends[low], clear[low] = product_ends(outline.part(low).across(picture, COURSE_PX[None]), noise=noise)
        clear, faint = (_for_a_stretch(flags, CONTACT_STRETCH) for flags in (clear, np.isfinite(ends)))
        stretch = _runs_with(faint | clear, clear)
        if not stretch.any():
            return line
        moves = np.where(stretch, _even_along(ends, CONTACT_EVEN), 0).astype(np.float32)
        there = np.zeros(line.shape, np.uint8)
        there[outline.rows[stretch], outline.columns[stretch]] = 1
        near = cv2.dilate(there, np.ones((2 * CONTACT_REACH_PX + 1,) * 2, np.uint8)) > 0
        line = np.where(near, _moved(signed_distance(line > 0), outline, moves, movable), line)
    return line


def _runs_with(flags: NDArray[np.bool_], wanted: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the flags of those runs of neighbouring points in which at least one point is wanted."""
    run = np.cumsum(np.diff(flags, prepend=False))
    return np.asarray(flags & np.isin(run, run[flags & wanted]))


def _even_along(values: NDArray[np.float32], points: int) -> NDArray[np.float32]:
    """Return the median over so many neighbouring points. Missing values (NaN) are interpolated before."""
    index, known = np.arange(len(values)), np.isfinite(values)
    filled = np.pad(np.interp(index, index[known], values[known]), points // 2, mode="edge")
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(filled, points), axis=1), np.float32)


def _change_and_way(courses: FloatImage) -> tuple[FloatImage, NDArray[np.float32]]:
    """Return the change of light within each pixel along a profile across the edge, and the profile's whole contrast.

    Args:
        courses: (points, offsets, 3) linear light, `STEP_PX` apart, from inside to outside.

    Returns:
        Changes, (points, pixels), and contrasts to the outer end, (points,), in the channel with the greatest contrast.
    """
    way = np.abs(courses - courses[:, -1:]).max(axis=1)
    channel = way.argmax(axis=1)[:, None, None]
    course = np.take_along_axis(courses, channel, axis=2)[..., 0]
    within_a_pixel = round(1 / STEP_PX)
    return np.abs(course[:, within_a_pixel:] - course[:, :-within_a_pixel]), way.max(axis=1)


def _for_a_stretch(flags: NDArray[np.bool_], points: int) -> NDArray[np.bool_]:
    """Return the flags after a majority filter over so many points: what is real lasts for a stretch of the outline."""
    if not len(flags):
        return flags
    length = min(points, len(flags))  # numpy's "same" is as long as the longer of the two
    window = np.full(length, 1 / length)
    return np.asarray(np.convolve(flags, window, mode="same") > 0.5)


def _cheapest_courses(cost: Matte, pieces: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return each point's offset index on the cheapest path (Viterbi); neighbours differ by one step at most."""
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
