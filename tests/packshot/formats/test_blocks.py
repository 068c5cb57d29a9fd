"""Image resource blocks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from packshot.formats.blocks import Block, join_blocks, pascal, split_blocks

blocks = st.builds(Block, st.integers(0, 65535), st.binary(max_size=255), st.binary(max_size=60))


@given(st.lists(blocks, max_size=6))
def test_what_is_joined_is_split_again(parts: list[Block]) -> None:
    assert split_blocks(join_blocks(parts)) == (tuple(parts), "")


@given(st.lists(blocks, min_size=1, max_size=4), st.data())
def test_a_list_that_is_cut_off_keeps_what_is_whole(parts: list[Block], data: st.DataObject) -> None:
    whole = join_blocks(parts)
    found = split_blocks(whole[: data.draw(st.integers(0, len(whole) - 1))])
    assert found.blocks == tuple(parts[: len(found.blocks)])


@given(st.binary(max_size=200))
def test_any_bytes_are_split_without_an_error(data: bytes) -> None:
    split_blocks(b"8BIM\x07\xd0\0\0" + data)


def test_other_programs_resources_are_no_paths_of_photoshop() -> None:
    ours = join_blocks([Block(2000, b"Path 1", b"ab")])
    assert split_blocks(b"MeSa" + ours[4:] + ours).blocks == (Block(2000, b"Path 1", b"ab"),)


def test_damage_is_told() -> None:
    ours = join_blocks([Block(2000, b"Path 1", b"abcd")])
    assert split_blocks(ours + b"rubbish").damage == "no image resource at byte 22 of 29"
    assert split_blocks(ours[:-2]).damage == "image resource 2000 holds 2 of its 4 bytes"
    assert split_blocks(ours + bytes(3)).damage == ""


def test_a_string_is_padded_only_where_it_must_be() -> None:
    assert pascal(b"ab") == b"\2ab"
    assert pascal(b"ab", even=True) == b"\2ab\0"
    assert pascal(b"abc", even=True) == b"\3abc"
