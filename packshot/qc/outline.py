"""Sample the photograph and the edit along lines across the matte's outline.

The lines are the outline's normals. Distances along a normal are in outline units, positive outward. One unit is one
pixel of the photograph, or 1/1700 of the product's longest side if that is more: a shopper cannot see finer detail in
the delivered picture.
"""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.qc.reduced import Reduced
from packshot.types import Matte, Pixels16

DELIVERED_PX = 1700.0
"""Longest side of a product that fills 85 % of 2000 px."""
REACH = 8.0
"""Distance of the farthest sample from the outline, in units."""
STEP = 0.5
"""Distance between two samples along a normal, in units."""
MOST_POINTS = 6000
"""Most points sampled on all contours together."""
_LEAST_LOOP_PX = 16
"""Shorter contours are ignored."""
_TRUNCATED = 4.0
"""The smoothing Gaussian is cut off at this many standard deviations."""

Column = NDArray[np.float32]
"""(points,)."""
Profile = NDArray[np.float32]
"""(points, distances) or (points, distances, 3)."""

DISTANCES: Column = np.arange(-REACH, REACH + STEP / 2, STEP, dtype=np.float32)


@dataclasses.dataclass(frozen=True)
class Outline:
    """Samples along lines across a matte's outline. `trace_outline` makes it.

    The lines are the outline's normals, sampled from 8 outline units inside to 8 units outside, every half unit. An
    outline unit is one pixel of the photograph, or 1/1700 of the product's longest side if that is more. Arrays are
    float32 unless another type is named. Levels are encoded Adobe RGB values scaled to 0..255.

    Attributes:
        unit_px: pixels of the photograph per outline unit, at least 1.
        x, y: (points,) position where the matte crosses 0.5, in pixels of the photograph.
        normal: (points, 2) outward unit normals (x, y).
        loop: (points,) int32, number of the closed contour that a point belongs to.
        hole: (points,) bool, True if that contour is the border of a hole.
        matte: (points, distances) in 0..1.
        master, composite: (points, distances, 3) levels of the photograph and of the edit.
        inner, outer: (points, 3) levels of the photograph, averaged over a few units inside and outside the outline.
        backdrop: (points, 3) levels of the predicted backdrop at the point.
        spacing_px: distance between neighbouring points along the contour, in pixels of the photograph.
    """

    unit_px: float
    x: Column
    y: Column
    normal: NDArray[np.float32]
    loop: NDArray[np.int32]
    hole: NDArray[np.bool_]
    matte: Profile
    master: Profile
    composite: Profile
    inner: Profile
    outer: Profile
    backdrop: Profile
    spacing_px: float

    @property
    def points(self) -> int:
        """Number of points on all contours."""
        return len(self.x)


def at(low: float, high: float) -> slice:
    """Return the slice of sampled distances from `low` to `high`, both included, in outline units.

    The slice selects from `DISTANCES` (-8 to 8 in steps of 0.5, positive outward) and from arrays of samples. Example:
    ``DISTANCES[at(-2, -1)]`` is -2, -1.5, -1. An outline unit is one pixel of the photograph, or 1/1700 of the
    product's longest side if that is more.
    """
    return slice(round((low + REACH) / STEP), round((high + REACH) / STEP) + 1)


def trace_outline(
    master16: Pixels16, composite16: Pixels16, matte: Matte, reduced: Reduced, *, product_px: float
) -> Outline:
    """Return the samples across the outline of a matte; without points if the matte nowhere reaches 0.5.

    The outline is where the matte crosses 0.5. Contours shorter than 16 px are left out. At most about 6000 points are
    sampled.

    Args:
        master16, composite16: photograph and edit, (rows, columns, 3) uint16, Adobe RGB.
        matte: each pixel's share of product, (rows, columns) float32 in 0..1, of the photograph's size.
        reduced: the reduced edit. Its predicted backdrop is sampled; without one, the photograph's colour well outside
            the outline stands for it.
        product_px: longest side of the product's box, in pixels of the photograph. It gives the outline unit.
    """
    unit_px = max(1.0, product_px / DELIVERED_PX)
    x, y, nx, ny, loop, hole, spacing = _points(matte, unit_px)
    if len(x):
        x, y = _to_crossing(matte, x, y, nx, ny, unit_px)
    columns = x[:, None] + nx[:, None] * DISTANCES * unit_px
    rows = y[:, None] + ny[:, None] * DISTANCES * unit_px
    master = _sample(master16, columns, rows) / np.float32(257)
    across = _sample(matte, columns, rows)
    backdrop = (
        master[:, at(6, 8)].mean(axis=1) if reduced.backdrop is None else at_reduced(reduced.backdrop, reduced, x, y)
    )
    return Outline(
        unit_px=unit_px,
        x=x,
        y=y,
        normal=np.stack([nx, ny], axis=1).astype(np.float32),
        loop=loop,
        hole=hole,
        matte=across,
        master=master,
        composite=_sample(composite16, columns, rows) / np.float32(257),
        inner=_mean_where(master[:, at(-5, -2.5)], across[:, at(-5, -2.5)] > 0.9),
        outer=_mean_where(master[:, at(2.5, 5)], across[:, at(2.5, 5)] < 0.1),
        backdrop=backdrop,
        spacing_px=spacing,
    )


def smooth_along(values: NDArray[Any], outline: Outline, *, points: float) -> NDArray[np.float32]:
    """Return values smoothed along each closed contour of an outline, float32, of the shape of `values`.

    The filter is a Gaussian. NaN counts as missing. The result is NaN where too few values are near.

    Args:
        values: (points,) or (points, channels): one entry for each point of the outline.
        outline: the outline that the points belong to.
        points: standard deviation of the Gaussian, as a number of points.
    """
    if not values.size:  # OpenCV turns an empty array into one element
        return np.zeros(values.shape, np.float32)
    columns = values.astype(np.float32).reshape(len(values), -1)
    known = np.isfinite(columns)
    reach = round(_TRUNCATED * points)
    around = _closed(outline.loop, reach)

    def smooth(part: NDArray[Any]) -> NDArray[np.float32]:
        lines = np.ascontiguousarray(part.astype(np.float32)[around.point])
        return np.asarray(cv2.GaussianBlur(lines, (1, 2 * reach + 1), points, sigmaY=points), np.float32)[around.own]

    if known.all():
        return smooth(columns).reshape(values.shape)
    weight = smooth(known).reshape(columns.shape)
    total = smooth(np.where(known, columns, 0)).reshape(columns.shape)
    return np.where(weight > 0.05, total / np.maximum(weight, 1e-9), np.nan).astype(np.float32).reshape(values.shape)


class _Closed(NamedTuple):
    """All contours in one array, each padded at both ends with its own points, so that it wraps around.

    Attributes:
        point: index of the point at each place.
        own: the places without padding, in the order of the points.
    """

    point: NDArray[np.intp]
    own: NDArray[np.intp]


def _closed(loop: NDArray[np.int32], reach: int) -> _Closed:
    """Return the padded contours, with `reach` places of padding at each end."""
    index, own, first = [], [], 0
    for line in _lines(loop):
        count = line.stop - line.start
        index.append(line.start + np.arange(-reach, count + reach) % count)
        own.append(first + reach + np.arange(count))
        first += count + 2 * reach
    return _Closed(np.concatenate(index), np.concatenate(own))


def longest_run(flags: NDArray[np.bool_], outline: Outline) -> tuple[int, int]:
    """Return (index of the first point, number of points) of the longest run of flagged points on one contour.

    The index counts the points of `outline` from 0.

    The result is (0, 0) if no point is flagged. A run that crosses the contour's first point is counted as two runs.

    Args:
        flags: (points,) bool.
        outline: the outline that the points belong to.
    """
    best = (0, 0)
    for line in _lines(outline.loop):
        edges = np.flatnonzero(np.diff(np.concatenate(([0], flags[line].view(np.int8), [0]))))
        starts, ends = edges[::2], edges[1::2]
        if len(starts):
            index = int(np.argmax(ends - starts))
            length = int(ends[index] - starts[index])
            if length > best[1]:
                best = (line.start + int(starts[index]), length)
    return best


def worst_stretch(flags: NDArray[np.bool_], outline: Outline, *, length_px: float) -> tuple[int, float]:
    """Return the stretch with the largest share of flagged points, as (index of its middle point, share in 0..1).

    A stretch may cross a contour's first point. Contours shorter than a stretch are left out. The result is (0, 0.0) if
    no point is flagged or all contours are too short.

    Args:
        flags: (points,) bool: True for a point that counts.
        outline: the outline that the points belong to.
        length_px: length of the stretch, in pixels of the photograph. A stretch has at least five points.
    """
    reach = max(2, round(length_px / 2 / outline.spacing_px))
    worst = (0, 0.0)
    for line in _lines(outline.loop):
        count = line.stop - line.start
        if count < 2 * reach + 1:
            continue
        around = flags[line][np.arange(-reach, count + reach) % count].astype(np.int64)
        total = np.concatenate(([0], np.cumsum(around)))
        share = (total[2 * reach + 1 :] - total[: -2 * reach - 1]) / (2 * reach + 1)
        middle = int(np.argmax(share))
        if share[middle] > worst[1]:
            worst = (line.start + middle, float(share[middle]))
    return worst


def at_reduced(picture: NDArray[Any], reduced: Reduced, x: Column, y: Column) -> NDArray[np.float32]:
    """Return a reduced picture's values at places of the full photograph, (points,) or (points, channels) float32.

    The values are interpolated bilinearly.

    Args:
        picture: (rows, columns) or (rows, columns, channels), of the reduced edit's size.
        reduced: the whole edit, reduced to at most 1024 px, for its scale.
        x, y: (points,) where to sample, in pixels of the photograph.
    """
    return _sample(picture, (x + 0.5) * reduced.scale - 0.5, (y + 0.5) * reduced.scale - 0.5)


def _lines(loop: NDArray[np.int32]) -> list[slice]:
    """Return the slice of points of each contour."""
    borders = np.flatnonzero(np.diff(loop)) + 1
    edges = [0, *(int(border) for border in borders), len(loop)]
    return [slice(start, end) for start, end in itertools.pairwise(edges) if end > start]


def _points(matte: Matte, unit_px: float) -> tuple[Any, ...]:
    """Return x, y, outward or inward normals (x, y), contour numbers, hole flags and the spacing."""
    mask = (matte >= 0.5).view(np.uint8)
    lines, tree = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    kept = [(line[:, 0], tree[0][i][3] >= 0) for i, line in enumerate(lines) if len(line) >= _LEAST_LOOP_PX]
    total = sum(len(line) for line, _ in kept)
    every = max(1.0, total / MOST_POINTS)
    parts = [_line_points(line, every, 3 * unit_px) for line, _ in kept]
    if not parts:
        none = np.zeros(0, np.float32)
        return none, none, none, none, np.zeros(0, np.int32), np.zeros(0, bool), 1.0
    counts = [len(part) for part in parts]
    table = np.concatenate(parts)
    loop = np.repeat(np.arange(len(parts), dtype=np.int32), counts)
    hole = np.repeat([is_hole for _, is_hole in kept], counts)
    return table[:, 0], table[:, 1], table[:, 2], table[:, 3], loop, hole, every


def _line_points(line: NDArray[Any], every: float, sigma_px: float) -> Column:
    """Return (x, y, normal x, normal y) of evenly spaced points on a contour; the normals may still point inwards."""
    from scipy import ndimage  # slow to import, and most processes touch no pixels

    places = line.astype(np.float64)
    smooth = ndimage.gaussian_filter1d(places, sigma_px, axis=0, mode="wrap")
    along = np.roll(smooth, -1, axis=0) - np.roll(smooth, 1, axis=0)
    normal = np.stack([-along[:, 1], along[:, 0]], axis=1)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    chosen = np.unique((np.arange(max(1, round(len(line) / every))) * every).astype(int))
    chosen = chosen[chosen < len(line)]
    return np.concatenate([places[chosen], normal[chosen]], axis=1).astype(np.float32)


def _to_crossing(matte: Matte, x: Column, y: Column, nx: Column, ny: Column, unit_px: float) -> tuple[Column, Column]:
    """Return the points moved along their normals to where the matte crosses 0.5; turn normals outward, in place."""
    ways = np.arange(-3, 3.01, 0.5, dtype=np.float32) * np.float32(unit_px)
    across = _sample(matte, x[:, None] + nx[:, None] * ways, y[:, None] + ny[:, None] * ways)
    inward = across[:, -4:].sum(axis=1) > across[:, :4].sum(axis=1)
    nx[inward] *= -1
    ny[inward] *= -1
    across[inward] = across[inward, ::-1]
    crossing = (across[:, :-1] >= 0.5) & (across[:, 1:] < 0.5)
    cost = np.where(crossing, np.abs(ways[:-1] + ways[1] / 2 - ways[0] / 2), np.inf)
    first = np.argmin(cost, axis=1)
    index = np.arange(len(x))
    high, low = across[index, first], across[index, first + 1]
    way = ways[first] + (high - 0.5) / np.maximum(high - low, 1e-3) * (ways[1] - ways[0])
    way = np.where(crossing.any(axis=1), way, 0).astype(np.float32)
    return x + nx * way, y + ny * way


def _sample(image: NDArray[Any], columns: Column, rows: Column) -> NDArray[np.float32]:
    """Return bilinear samples (to 1/32 of a pixel). Beyond the frame the border pixel repeats."""
    shape = (*columns.shape, *image.shape[2:])
    if not columns.size:  # OpenCV turns an empty array into one element
        return np.zeros(shape, np.float32)
    x, y = (place.astype(np.float32).reshape(len(place), -1) for place in (columns, rows))
    found = cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.float32).reshape(shape)


def _mean_where(profile: Profile, wanted: NDArray[np.bool_]) -> Profile:
    """Return the mean over the wanted distances, or over all of them where none is wanted."""
    weight = np.where(wanted.any(axis=1, keepdims=True), wanted, True).astype(np.float32)[..., None]
    return np.asarray((profile * weight).sum(axis=1) / weight.sum(axis=1), np.float32)
