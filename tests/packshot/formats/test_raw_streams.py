"""Sensor values as lossless JPEG: whole streams are right, and damage in them is a refusal or stops approval."""

from __future__ import annotations

import itertools
import random
import struct
from collections.abc import Callable

import imagecodecs
import numpy as np
import pytest

from packshot.errors import UnreadableError
from packshot.formats import camera_raw
from packshot.formats import raw_streams as room
from packshot.formats.jpeg_codes import NotCompiledError
from packshot.formats.raw_streams import damage_in_lossless, is_lossless
from packshot.ingest.decode import open_photo
from packshot.ingest.master import develop
from packshot.specs.models import IngestConfig
from packshot.types import Finding, Pixels16
from tests.drawn_products import photograph
from tests.drawn_raw import draw_lossless_dng, draw_scene, lossless_jpeg

NOTICEABLE = 8 * 257
"""8 of 255 levels."""
PLACES = 12


def read(data: bytes, limits: IngestConfig) -> tuple[Pixels16, list[Finding]]:
    photo = open_photo(data, name="shot.dng", limits=limits.model_copy(update={"min_px": 1}))
    return develop(photo).pixels16, [one for one in photo.findings if "damage" in one.code or one.gate]


@pytest.mark.parametrize("predictor", range(1, 8))
def test_a_whole_stream_is_not_called_damaged_whoever_wrote_it(predictor: int) -> None:
    values = draw_scene(24, 36)
    for components, restart_rows, spare in itertools.product((1, 2, 4), (0, 8), (0, 1)):
        stream = lossless_jpeg(
            values, predictor=predictor, components=components, restart_rows=restart_rows, spare=spare
        )
        assert is_lossless(stream)
        assert not damage_in_lossless(stream)
        for filler in (b"\0" * 5, b"\xff\0" * 3):
            assert not damage_in_lossless(stream[:-2] + filler + stream[-2:])


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_a_whole_stream_of_other_encoders_is_not_called_damaged(bits: int) -> None:
    """They are liblj92 and libjpeg-turbo. We have no whole file of a camera with such streams."""
    for (height, width), noise in itertools.product(((24, 36), (63, 101), (97, 64)), (0.0, 20.0, 400.0)):
        scene = draw_scene(height, width, noise=noise).astype(np.int64)
        values = (scene << 2 >> 16 - bits).astype(np.uint16)
        streams = [imagecodecs.ljpeg_encode(values, bitspersample=bits)]
        streams += [
            imagecodecs.jpeg_encode(values, lossless=True, predictor=predictor, bitspersample=bits)
            for predictor in range(1, 8)
        ]
        assert all(is_lossless(bytes(one)) for one in streams)
        assert [damage_in_lossless(bytes(one)) for one in streams] == [""] * 8


@pytest.mark.parametrize(("tile_px", "components"), [(0, 1), (64, 2)])
def test_a_whole_dng_is_developed_without_a_word_on_damage(tile_px: int, components: int, limits: IngestConfig) -> None:
    mosaic = draw_scene(128, 192)
    pixels, findings = read(draw_lossless_dng(mosaic, tile_px=tile_px, components=components)[0], limits)
    assert not findings
    as_strip = read(draw_lossless_dng(mosaic, predictor=6)[0], limits)[0]
    assert np.array_equal(pixels, as_strip)


def changed(data: bytes, at: int, draw: random.Random) -> bytes:
    return data[:at] + bytes(one ^ draw.randrange(1, 256) for one in data[at : at + 60]) + data[at + 60 :]


def lost(data: bytes, at: int, draw: random.Random) -> bytes:
    """40 bytes less, and as many behind the stream: the rest of the file lies where it lay."""
    return data[:at] + data[at + 40 :] + bytes(40)


def emptied(data: bytes, at: int, draw: random.Random) -> bytes:
    return data[:at] + bytes(512) + data[at + 512 :]


def noticed(data: bytes, whole: Pixels16, limits: IngestConfig) -> bool:
    """Whether the file is refused or has a finding that stops approval; if not, hardly any of it may be changed."""
    try:
        pixels, findings = read(data, limits)
    except UnreadableError:
        return True
    if not findings:
        differs = np.abs(pixels.astype(int) - whole).max(axis=2) > NOTICEABLE
        assert differs.mean() <= 0.01
        return False
    assert [(one.code, one.gate) for one in findings] == [("codes_out_of_step", True)]
    assert findings[0].message.endswith("bytes were lost or changed.")
    return True


@pytest.mark.parametrize("damage", [changed, lost, emptied])
@pytest.mark.parametrize(
    ("tile_px", "predictor", "components"), [(0, 1, 1), (64, 1, 2), (0, 6, 1), (64, 7, 2), (64, 4, 1)]
)
def test_damage_anywhere_in_a_dng_is_noticed_or_hardly_to_be_seen(
    damage: Callable[[bytes, int, random.Random], bytes],
    tile_px: int,
    predictor: int,
    components: int,
    limits: IngestConfig,
) -> None:
    mosaic = draw_scene(128, 192)
    data, streams = draw_lossless_dng(mosaic, tile_px=tile_px, predictor=predictor, components=components)
    whole, _ = read(data, limits)
    draw, count = random.Random(7), 0
    for _ in range(PLACES):
        where = draw.choice(streams)
        stream = data[where]
        broken = damage(stream, draw.randrange(100, len(stream) - 520), draw)
        count += noticed(data[: where.start] + broken + data[where.stop :], whole, limits)
    assert count >= 0.7 * PLACES


def test_the_part_and_the_number_of_damaged_parts_are_told(limits: IngestConfig) -> None:
    data, streams = draw_lossless_dng(draw_scene(128, 192), tile_px=64)
    for number in (1, 4):
        where = streams[number]
        broken = data[where].replace(b"\x0e\0\x40", b"\x0e\0\x3f", 1)  # the last row is left over
        data = data[: where.start] + broken + data[where.stop :]
    (finding,) = read(data, limits)[1]
    assert (finding.code, finding.measured) == ("codes_out_of_step", 2)
    assert "in part 2 of 6, have data " in finding.message


def test_what_is_impossible_is_named_with_its_row() -> None:
    values = draw_scene(24, 36)
    stream = lossless_jpeg(values)
    middle = len(stream) // 2
    assert damage_in_lossless(stream[:-2] + b"\x12\x34\xff\xd9") == "data left over behind the last value in row 23"
    ends = damage_in_lossless(stream[:middle] + b"\xff\xd9")
    assert ends.startswith("data that ends before the last value in row 1")
    unknown = damage_in_lossless(stream[:middle] + b"\xff\0" * 8 + stream[middle:])
    assert unknown.startswith("a code that no table has in row 1")
    narrow = stream.replace(b"\xff\xc3\0\x0b\x0e", b"\xff\xc3\0\x0b\x0c")
    assert damage_in_lossless(narrow).startswith("a value larger than its number of bits allows in row ")


def test_a_restart_marker_that_is_missing_or_has_another_number_is_damage() -> None:
    stream = lossless_jpeg(draw_scene(24, 36), restart_rows=8)
    marker = stream.index(b"\xff\xd1")
    for other in (b"", b"\xff\xd3"):
        found = damage_in_lossless(stream[:marker] + other + stream[marker + 2 :])
        assert found in (
            "a restart marker that is not there in row 16",
            "data left over behind the last value in row 16",
        )


def test_what_is_no_lossless_jpeg_is_not_looked_at() -> None:
    stream = lossless_jpeg(draw_scene(24, 36))
    others = (b"", b"\xff\xd8", photograph(64, 64), stream[: stream.index(b"\xff\xda")], stream[2:])
    assert [damage_in_lossless(one) for one in others] == [""] * 5
    assert [is_lossless(one) for one in others] == [False, False, False, True, False]


def test_the_oldest_dngs_are_not_looked_at(limits: IngestConfig) -> None:
    """Before version 1.1, further bits followed the largest differences."""
    data, (where,) = draw_lossless_dng(draw_scene(64, 96), version=(1, 0, 0, 0))
    stream = data[where]
    broken = data[: where.start] + stream[:-40] + b"\x12\x34" * 19 + b"\xff\xd9" + data[where.stop :]
    assert damage_in_lossless(stream[:-40] + b"\x12\x34" * 19 + b"\xff\xd9")
    assert "codes_out_of_step" not in {one.code for one in read(broken, limits)[1]}


def test_without_the_compiled_loop_a_camera_raw_opens_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch, limits: IngestConfig
) -> None:
    def missing() -> None:
        raise NotCompiledError("ImportError: no numba")

    monkeypatch.setattr(room, "load_lossless_walk", missing)
    (finding,) = read(draw_lossless_dng(draw_scene(64, 96))[0], limits)[1]
    assert (finding.code, finding.gate) == ("damage_not_looked_for", False)
    assert "numba can't be used here (ImportError: no numba)" in finding.message


def test_streams_that_overlap_are_read_for_no_more_bytes_than_the_file_has(
    monkeypatch: pytest.MonkeyPatch, limits: IngestConfig
) -> None:
    """A file of a few megabytes could otherwise state a million tiles of a megabyte each."""
    data, streams = draw_lossless_dng(draw_scene(128, 192), tile_px=32)
    count = len(streams)
    starts, lengths = [one.start for one in streams], [one.stop - one.start for one in streams]
    for kind, stated, other in (("I", starts, starts[0]), ("H", lengths, len(data) // 3)):
        table = struct.pack(f"<{count}{kind}", *stated)
        assert data.count(table) == 1
        data = data.replace(table, struct.pack(f"<{count}{kind}", *[other] * count))
    looked_at: list[int] = []

    def counted(stream: bytes) -> str:
        looked_at.append(len(stream))
        return damage_in_lossless(stream)

    monkeypatch.setattr(camera_raw, "damage_in_lossless", counted)
    read(data, limits)
    assert 0 < sum(looked_at) <= len(data)
    assert len(looked_at) == 3 < count
