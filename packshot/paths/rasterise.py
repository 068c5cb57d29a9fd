"""Fill a clipping path to a matte: compute how much of each pixel lies inside the path (its coverage).

Each row of pixels is sampled on 32 scan lines. On each scan line, the crossings with the outline are computed exactly,
sorted, and combined by the operations and fill rules of the subpaths. Each span between two crossings counts with its
exact length. So coverage is exact horizontally. At an edge that runs along the scan lines, the error is at most 1/64.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from packshot.errors import TooLargeError
from packshot.paths.curves import Points, curves_of, flatten
from packshot.paths.model import FillRule, Operation, SavedPath, SubPath
from packshot.types import Matte

LINES_PER_ROW = 32
_MOST_CROSSINGS = 60_000_000
_ROWS_AT_ONCE = 256
_LEVELS = 65535


@dataclasses.dataclass(frozen=True)
class _Crossings:
    """The crossings of an outline with the scan lines.

    Attributes:
        line: number of the scan line, from the top.
        x: in pixels.
        turn: +1 where the outline goes down, -1 where it goes up.
    """

    line: NDArray[np.int64]
    x: NDArray[np.float64]
    turn: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.line)

    def sorted(self) -> _Crossings:
        return self[np.lexsort((self.x, self.line))]

    def __getitem__(self, which: NDArray[np.int64] | NDArray[np.bool_] | slice) -> _Crossings:
        return _Crossings(self.line[which], self.x[which], self.turn[which])


def rasterise(path: SavedPath, width: int, height: int) -> Matte:
    """Return how much of each pixel a path covers: (height, width) float32 in 0..1, exactly 0 outside and 1 inside.

    The coordinates of a path are fractions, so any size is possible. Subpaths are applied in order to an empty picture.
    If the first operation is "subtract" or "intersect", they are applied to a full picture. A clipping path with the
    winding rule is filled as one shape.

    Args:
        path: the path.
        width, height: size of the picture, in pixels.
    Raises:
        TooLargeError: the path has far more crossings than a real drawing.
    """
    edges = _joined(path, width, height)
    matte = np.empty((height, width), np.float32)
    for top in range(0, height, _ROWS_AT_ONCE):
        rows = min(_ROWS_AT_ONCE, height - top)
        first, last = np.searchsorted(edges.line, (top * LINES_PER_ROW, (top + rows) * LINES_PER_ROW))
        matte[top : top + rows] = _covered(edges[slice(first, last)], top, rows, width)
    return matte


def _covered(edges: _Crossings, top: int, rows: int, width: int) -> NDArray[np.float64]:
    """Return the coverage of some rows, from sorted crossings. Odd crossings start a span, even ones end it.

    A span that starts at x covers a part of its own pixel and all pixels right of it. So each crossing is added to a
    table of differences. The cumulative sum along a row is the coverage.
    """
    sign = np.where(np.arange(len(edges)) % 2 == 0, 1.0, -1.0) / LINES_PER_ROW
    column = np.floor(edges.x)
    place = (edges.line // LINES_PER_ROW - top) * (width + 2) + column.astype(np.int64)
    inside = edges.x - column
    cells = rows * (width + 2)
    steps = np.bincount(place, sign * (1 - inside), cells) + np.bincount(place + 1, sign * inside, cells)
    covered = np.cumsum(steps.reshape(rows, width + 2), axis=1)[:, :width]
    return np.asarray(np.clip(np.rint(covered * _LEVELS), 0, _LEVELS) / _LEVELS, np.float64)


def _joined(path: SavedPath, width: int, height: int) -> _Crossings:
    """Return the crossings of the whole path. Along each scan line, inside and outside alternate."""
    drawn = [one for one in path.subpaths if len(one.knots) > 1]
    budget = _Budget(path.name)
    if path.clip_rule is FillRule.WINDING:
        return _one_shape(drawn, width, height, FillRule.WINDING, budget)
    if not drawn:
        return _whole_picture(width, height if path.starts_filled and not path.subpaths else 0)
    shapes = [
        (shape[0].operation, _one_shape(shape, width, height, shape[0].rule, budget))
        for shape in dataclasses.replace(path, subpaths=tuple(drawn)).shapes()
    ]
    begins_full = shapes[0][0] in (Operation.SUBTRACT, Operation.INTERSECT)
    result = _whole_picture(width, height if begins_full else 0)
    for operation, group in itertools.groupby(shapes, key=lambda pair: pair[0]):
        result = _applied(result, operation, [shape for _, shape in group])
    return result.sorted()


def _applied(result: _Crossings, operation: Operation, shapes: Sequence[_Crossings]) -> _Crossings:
    """Return the crossings after applying all shapes of one operation at once."""
    if operation is Operation.EXCLUDE:
        return _together([result, *shapes])
    if operation is Operation.SUBTRACT:
        return _where_deep([result], 1, minus=_where_deep(shapes, 1))
    if operation is Operation.INTERSECT:
        return _where_deep([result, *shapes], 1 + len(shapes))
    return _where_deep([result, *shapes], 1)


def _where_deep(shapes: Sequence[_Crossings], depth: int, *, minus: _Crossings | None = None) -> _Crossings:
    """Return the boundary crossings of the area where at least `depth` shapes overlap. `minus` counts as -1."""
    directed = [_directed(shape) for shape in shapes]
    if minus is not None:
        directed.append(dataclasses.replace(minus, turn=-_directed(minus).turn))
    return _changes(_together(directed), depth, both_ways=False)


def _directed(shape: _Crossings) -> _Crossings:
    """Return sorted crossings with turn +1 where a shape starts and -1 where it ends."""
    ordered = shape.sorted()
    turns = np.where(np.arange(len(ordered)) % 2 == 0, 1, -1).astype(np.int8)
    return dataclasses.replace(ordered, turn=turns)


def _changes(edges: _Crossings, depth: int, *, both_ways: bool) -> _Crossings:
    """Return the crossings at which the running sum of turns reaches `depth` or falls below it."""
    ordered = edges.sorted()
    level = np.cumsum(ordered.turn, dtype=np.int64)
    deep = (np.abs(level) if both_ways else level) >= depth
    before = np.concatenate([[False], deep[:-1]])
    return ordered[deep != before]


def _one_shape(subpaths: Sequence[SubPath], width: int, height: int, rule: FillRule, budget: _Budget) -> _Crossings:
    outlines = [_crossings(flatten(curves_of(one, width, height)), width, height, budget) for one in subpaths]
    together = _together(outlines)
    return together if rule is FillRule.EVEN_ODD else _changes(together, 1, both_ways=True)


def _together(parts: Sequence[_Crossings]) -> _Crossings:
    return _Crossings(
        np.concatenate([_NONE.line, *(part.line for part in parts)]),
        np.concatenate([_NONE.x, *(part.x for part in parts)]),
        np.concatenate([_NONE.turn, *(part.turn for part in parts)]),
    )


def _whole_picture(width: int, height: int) -> _Crossings:
    lines = np.repeat(np.arange(height * LINES_PER_ROW, dtype=np.int64), 2)
    x = np.tile([0.0, float(width)], len(lines) // 2)
    return _Crossings(lines, x, np.tile(np.array([1, -1], np.int8), len(lines) // 2))


@dataclasses.dataclass
class _Budget:
    """The remaining number of crossings that a path may have."""

    name: str
    left: int = _MOST_CROSSINGS

    def spend(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise TooLargeError(
                "this path is too intricate to be filled",
                self.name,
                found=f"more than {_MOST_CROSSINGS:,} crossings",
                next_step="Look at the file; a path that a person or a program drew has far fewer.",
            )


def _crossings(points: Points, width: int, height: int, budget: _Budget) -> _Crossings:
    """Return the crossings of a closed line with the scan lines.

    Parts left or right of the picture are moved to its border.
    """
    start, end = points * LINES_PER_ROW - (0.0, 0.5), np.roll(points, -1, axis=0) * LINES_PER_ROW - (0.0, 0.5)
    last = height * LINES_PER_ROW
    first_line = np.clip(np.ceil(np.minimum(start[:, 1], end[:, 1])), 0, last).astype(np.int64)
    past_line = np.clip(np.ceil(np.maximum(start[:, 1], end[:, 1])), 0, last).astype(np.int64)
    counts = past_line - first_line
    budget.spend(int(counts.sum()) + len(points))
    edge = np.repeat(np.arange(len(points)), counts)
    line = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts) + first_line[edge]
    rise = np.where(counts > 0, end[:, 1] - start[:, 1], 1.0)
    slope = (end[:, 0] - start[:, 0]) / rise
    x = (start[edge, 0] + (line - start[edge, 1]) * slope[edge]) / LINES_PER_ROW
    return _Crossings(line, np.clip(x, 0, width), np.sign(rise).astype(np.int8)[edge])


_NONE = _Crossings(np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.int8))
