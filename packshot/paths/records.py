"""Read and write path records: 26 bytes each, with coordinates as signed fixed-point numbers of 24 fractional bits.

Source: Adobe Photoshop File Formats, "Path resource format". Two fields of a subpath's length record are missing there.
They are read as Photoshop writes them: the operation in bytes 4-5, the fill rule in bytes 6-7 (2 is winding).
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Iterable, Iterator
from enum import IntEnum

from packshot.figures import counted
from packshot.paths.model import FillRule, Knot, Operation, Point, SubPath

RECORD_BYTES = 26
_ONE = 1 << 24
_LEAST, _GREATEST = -(1 << 31), (1 << 31) - 1
_WINDING = 2
_OPERATIONS = frozenset(int(one) for one in Operation)
_MOST_KNOTS = 65_535


class Selector(IntEnum):
    """The kinds of records in a path resource, by the number at the record's beginning.

    Attributes:
        CLOSED_LENGTH, OPEN_LENGTH: begins a closed or an open subpath, and states its number of knots.
        CLOSED_SMOOTH, CLOSED_CORNER: a smooth knot or a corner of a closed subpath.
        OPEN_SMOOTH, OPEN_CORNER: a smooth knot or a corner of an open subpath.
        FILL_RULE: begins every path resource.
        CLIPBOARD: a place on Photoshop's clipboard; without meaning here.
        INITIAL_FILL: whether the picture begins filled or empty.
    """

    CLOSED_LENGTH = 0
    CLOSED_SMOOTH = 1
    CLOSED_CORNER = 2
    OPEN_LENGTH = 3
    OPEN_SMOOTH = 4
    OPEN_CORNER = 5
    FILL_RULE = 6
    CLIPBOARD = 7
    INITIAL_FILL = 8


_LENGTHS = (Selector.CLOSED_LENGTH, Selector.OPEN_LENGTH)
_SMOOTH = (Selector.CLOSED_SMOOTH, Selector.OPEN_SMOOTH)
_KNOTS = (Selector.CLOSED_SMOOTH, Selector.CLOSED_CORNER, Selector.OPEN_SMOOTH, Selector.OPEN_CORNER)


@dataclasses.dataclass(frozen=True)
class Records:
    """The outlines that were decoded from the records of a saved path.

    Attributes:
        subpaths: the outlines, in order.
        starts_filled: True if a path without any subpath encloses the whole picture.
        damage: one text for each damage that was found, such as ``a sub-path with 3 of its 5 knots``; empty if
            everything could be read.
    """

    subpaths: tuple[SubPath, ...]
    starts_filled: bool = False
    damage: tuple[str, ...] = ()


def decode_records(data: bytes) -> Records:
    """Return the outlines in the records of a saved path, with a description of whatever is damaged.

    No error is raised: the undamaged outlines are returned, and `Records.damage` says what could not be read.

    Args:
        data: the content of a path's image resource, or the records of a vector mask.
    """
    reader = _Reader()
    for at in range(0, len(data) - RECORD_BYTES + 1, RECORD_BYTES):
        reader.take(data[at : at + RECORD_BYTES])
    over = len(data) % RECORD_BYTES
    if data[len(data) - over :].strip(b"\0"):  # Photoshop pads vector masks with zeros
        reader.damage.append(f"{over} bytes after the last whole record")
    return reader.result()


class _Reader:
    """Collects records into subpaths."""

    def __init__(self) -> None:
        self.damage: list[str] = []
        self._subpaths: list[SubPath] = []
        self._head: SubPath | None = None
        self._promised = 0
        self._knots: list[Knot] = []
        self._strays = 0
        self._unknown = 0
        self._starts_filled = False

    def take(self, record: bytes) -> None:
        (selector,) = struct.unpack_from(">H", record)
        if selector in _LENGTHS:
            self._end_subpath()
            self._begin_subpath(record, closed=selector == Selector.CLOSED_LENGTH)
        elif selector in _KNOTS:
            self._take_knot(record, smooth=selector in _SMOOTH)
        elif selector == Selector.INITIAL_FILL:
            self._starts_filled = struct.unpack_from(">H", record, 2)[0] == 1
        elif selector not in (Selector.FILL_RULE, Selector.CLIPBOARD):
            self._unknown += 1

    def result(self) -> Records:
        self._end_subpath()
        if self._strays:
            self.damage.append(f"{counted(self._strays, 'knot that belongs', 'knots that belong')} to no sub-path")
        if self._unknown:
            self.damage.append(f"{counted(self._unknown, 'record')} of unknown kind")
        return Records(tuple(self._subpaths), self._starts_filled, tuple(self.damage))

    def _begin_subpath(self, record: bytes, *, closed: bool) -> None:
        count, operation, rule = struct.unpack_from(">HhH", record, 2)
        if operation not in _OPERATIONS:
            self.damage.append(f"a sub-path with the unknown operation {operation}, taken as 'exclude'")
            operation = Operation.EXCLUDE
        filling = FillRule.WINDING if rule == _WINDING else FillRule.EVEN_ODD
        self._head, self._promised = SubPath((), closed, Operation(operation), filling), count

    def _take_knot(self, record: bytes, *, smooth: bool) -> None:
        if self._head is None or len(self._knots) >= self._promised:
            self._strays += 1
            return
        y0, x0, y1, x1, y2, x2 = (value / _ONE for value in struct.unpack_from(">6i", record, 2))
        self._knots.append(Knot(Point(x0, y0), Point(x1, y1), Point(x2, y2), smooth))

    def _end_subpath(self) -> None:
        if self._head is None:
            return
        if len(self._knots) < self._promised:
            self.damage.append(f"a sub-path with {len(self._knots)} of its {self._promised} knots")
        if self._knots:
            self._subpaths.append(dataclasses.replace(self._head, knots=tuple(self._knots)))
        self._head, self._knots = None, []


def encode_records(subpaths: Iterable[SubPath], *, starts_filled: bool = False) -> bytes:
    """Return the records of a saved path as bytes: the fill rule, the initial fill, then each subpath with its knots.

    Coordinates are rounded to 2**-24 of the picture's side and limited to -128..128. A subpath has at most 65,535
    knots; further ones are left out.

    Args:
        subpaths: the outlines, in order.
        starts_filled: True if a path without any subpath encloses the whole picture.
    """
    yes = int(starts_filled)
    head = struct.pack(">H24x", Selector.FILL_RULE) + struct.pack(">HH22x", Selector.INITIAL_FILL, yes)
    return head + b"".join(record for one in subpaths for record in _subpath_records(one))


def _subpath_records(subpath: SubPath) -> Iterator[bytes]:
    selector = Selector.CLOSED_LENGTH if subpath.closed else Selector.OPEN_LENGTH
    knots = subpath.knots[:_MOST_KNOTS]
    rule = _WINDING if subpath.rule is FillRule.WINDING else 1
    yield struct.pack(">HHhH18x", selector, len(knots), subpath.operation, rule)
    smooth, corner = (selector + 1, selector + 2)
    for knot in knots:
        places = (value for point in (knot.before, knot.anchor, knot.after) for value in (point.y, point.x))
        yield struct.pack(">H6i", smooth if knot.smooth else corner, *(_fixed(value) for value in places))


def _fixed(value: float) -> int:
    return min(max(round(value * _ONE), _LEAST), _GREATEST)
