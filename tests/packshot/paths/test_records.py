"""Path records."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from packshot.paths.model import FillRule, Knot, Operation, Point, SubPath
from packshot.paths.records import RECORD_BYTES, decode_records, encode_records
from tests.packshot.paths.drawn_paths import rectangle, subpaths


@given(st.lists(subpaths, max_size=5), st.booleans())
def test_what_is_written_is_read_again(parts: list[SubPath], starts_filled: bool) -> None:
    records = decode_records(encode_records(parts, starts_filled=starts_filled))
    assert records.subpaths == tuple(parts)
    assert records.starts_filled == starts_filled
    assert records.damage == ()


@given(st.binary(max_size=40 * RECORD_BYTES))
def test_any_bytes_are_read_without_an_error(data: bytes) -> None:
    records = decode_records(data)
    assert all(one.knots for one in records.subpaths)
    assert records.damage or len(data) % RECORD_BYTES == 0


@given(st.lists(subpaths, min_size=1, max_size=3), st.data())
def test_a_flipped_byte_never_raises(parts: list[SubPath], data: st.DataObject) -> None:
    content = bytearray(encode_records(parts))
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    decode_records(bytes(content))


def test_records_lie_as_adobe_describes_them() -> None:
    part = SubPath((Knot(Point(0.25, 0.5), Point(0.5, 0.25), Point(-1, 2), True),), True, Operation.COMBINE)
    rule, fill, length, knot = struct.iter_unpack("26s", encode_records([part]))
    assert rule[0] == b"\0\6" + bytes(24)
    assert fill[0] == b"\0\x08" + bytes(24)
    assert struct.unpack(">HHhH", length[0][:8]) == (0, 1, 1, 1)
    assert struct.unpack(">H6i", knot[0]) == (1, 1 << 23, 1 << 22, 1 << 22, 1 << 23, 2 << 24, -(1 << 24))


def test_coordinates_beyond_the_format_are_kept_within_it() -> None:
    far = Knot(Point(1e9, -1e9), Point(0, 0), Point(0, 0))
    (part,) = decode_records(encode_records([SubPath((far,))])).subpaths
    assert part.knots[0].before == Point((2**31 - 1) / 2**24, -128)


def test_a_missing_knot_is_told_and_the_others_are_kept() -> None:
    records = decode_records(encode_records([rectangle(0, 0, 1, 1)])[:-RECORD_BYTES])
    assert len(records.subpaths[0].knots) == 3
    assert records.damage == ("a sub-path with 3 of its 4 knots",)


def test_a_knot_too_many_is_told() -> None:
    content = encode_records([rectangle(0, 0, 1, 1)])
    assert decode_records(content + content[-RECORD_BYTES:]).damage == ("1 knot that belongs to no sub-path",)


def test_an_unknown_operation_is_told_and_excludes() -> None:
    content = bytearray(encode_records([rectangle(0, 0, 1, 1)]))
    struct.pack_into(">h", content, 2 * RECORD_BYTES + 4, 9)
    records = decode_records(bytes(content))
    assert records.subpaths[0].operation is Operation.EXCLUDE
    assert records.damage == ("a sub-path with the unknown operation 9, taken as 'exclude'",)


def test_the_winding_rule_survives() -> None:
    part = rectangle(0, 0, 1, 1, rule=FillRule.WINDING)
    assert decode_records(encode_records([part])).subpaths[0].rule is FillRule.WINDING
