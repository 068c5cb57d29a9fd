"""Files that say two things at once, or that hold what nobody can read: refused or told in words about the file."""

from __future__ import annotations

import dataclasses
import io
import re
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
import tifffile
from PIL import Image

from packshot.errors import RefusedInputError
from packshot.ingest.decode import Photo, open_photo
from packshot.specs.models import IngestConfig
from tests.fuzz import files
from tests.packshot.formats import isobmff as bmff

LIMITS = IngestConfig(min_px=1)
PIXELS = np.random.default_rng(3).integers(0, 256, (64, 64, 3), np.uint8)
KINDS = pytest.mark.parametrize("kind", [b"hvc1", b"av01"])


def opened(data: bytes) -> Photo:
    return open_photo(data, name="A1", limits=LIMITS)


def refusal(data: bytes) -> str:
    with pytest.raises(RefusedInputError) as caught:
        opened(data)
    return str(caught.value)


def codes(data: bytes) -> list[str]:
    return [one.code for one in opened(data).findings]


def two_main_pictures(kind: bytes) -> bytes:
    """Two pictures, and a second box that names the main one."""
    whole = bmff.written([bmff.picture(kind, PIXELS), bmff.picture(kind, PIXELS[::-1].copy())])
    more, at = bmff.full(b"pitm", struct.pack(">H", 2)), whole.index(b"pitm") - 4
    start = whole.index(b"meta") - 4
    length = struct.unpack_from(">I", whole, start)[0] + len(more)
    grown = bytearray(whole[:at] + more + whole[at:])
    grown[start : start + 4] = struct.pack(">I", length)
    places = grown.index(b"iloc") + 12  # behind the names of the box and its fields, and the number of items
    for item in range(2):
        (place,) = struct.unpack_from(">I", grown, places + 14 * item + 6)
        struct.pack_into(">I", grown, places + 14 * item + 6, place + len(more))
    return bytes(grown)


@KINDS
def test_a_file_that_names_two_main_pictures_is_refused(kind: bytes) -> None:
    assert "names two main pictures" in refusal(two_main_pictures(kind))


@KINDS
def test_a_grid_without_all_its_parts_is_refused_and_no_other_picture_taken(kind: bytes) -> None:
    size = bmff.ispe(128, 128)
    grid = bmff.Item(b"grid", struct.pack(">BBBBHH", 0, 0, 1, 1, 128, 128), (size,), links=((b"dimg", 2),))
    assert "a picture of 4 parts, of which 1 are there" in refusal(bmff.written([grid, bmff.picture(kind, PIXELS)]))


@KINDS
def test_a_size_that_is_not_that_of_the_stream_is_refused_and_nothing_enlarged(kind: bytes) -> None:
    item = bmff.picture(kind, PIXELS)
    larger = tuple(bmff.ispe(192, 192) if one[4:8] == b"ispe" else one for one in item.properties)
    said = refusal(bmff.written([dataclasses.replace(item, properties=larger)]))
    assert "size" in said or "192 x 192" in said


@KINDS
@pytest.mark.parametrize("twice", [(bmff.irot(1), bmff.irot(2)), (bmff.imir(0), bmff.imir(1))])
def test_a_picture_that_is_turned_or_mirrored_twice_is_told(kind: bytes, twice: tuple[bytes, bytes]) -> None:
    assert "metadata_damaged" in codes(bmff.written([bmff.picture(kind, PIXELS, *twice)]))
    assert "metadata_damaged" not in codes(bmff.written([bmff.picture(kind, PIXELS, twice[0])]))


@pytest.mark.parametrize(
    "changed",
    [
        lambda png: png.replace(b"\r\n", b"\n"),
        lambda png: png.replace(b"\n", b"\r\n"),
        lambda png: png.replace(b"\r\n", b"\r"),
        lambda png: bytes(one & 127 for one in png),
    ],
    ids=["to LF", "to CR LF", "to CR", "seven bits"],
)
def test_a_png_that_was_sent_as_text_is_known_as_one(changed: Callable[[bytes], bytes]) -> None:
    """Its signature is made to show that."""
    said = refusal(changed(files.pngs()[0]))
    assert "sent as text" in said
    assert "binary mode" in said


def test_a_picture_behind_a_jpeg_is_told() -> None:
    whole = files.jpegs()[1]
    assert "first_frame_only" in codes(whole + files.jpegs()[2])
    for harmless in (b"", bytes(100), b"PK\3\4" + bytes(100)):
        assert "first_frame_only" not in codes(whole + harmless)


def floating(pixels: np.ndarray, photometric: str = "rgb") -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, pixels, photometric=photometric, metadata=None)
    return stream.getvalue()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_values_that_are_no_numbers_are_no_black_pixels(dtype: type) -> None:
    values = (PIXELS / 255).astype(dtype)
    assert opened(floating(values)).pixels.dtype == np.uint16
    values[5, 7, 1] = np.nan
    assert "0.1% of them no numbers" in refusal(floating(values))


def test_complex_numbers_are_not_called_damage() -> None:
    said = refusal(floating(PIXELS[..., 0].astype(np.complex64), "minisblack"))
    assert "complex numbers, which is not read" in said
    assert "damaged" not in said


def two_headers() -> bytes:
    png = files.pngs()[1]
    return png[:33] + png[8:]


def resources_beyond_the_end() -> bytes:
    return files.psd_head(3) + struct.pack(">I", 2**31) + bytes(100)


def palette_missing() -> bytes:
    head = files.chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 3, 0, 0, 0))
    rows = files.chunk(b"IDAT", zlib.compress(bytes(65 * 64)))
    return b"\x89PNG\r\n\x1a\n" + head + rows + files.chunk(b"IEND", b"")


PROGRAM = re.compile(r"codec|buffer|unpack|ufunc|NoneType|object|index|subscript|Error\b|positional|0x[0-9a-f]{6}")
"""What Python says about the program, and not about a file."""


@pytest.mark.parametrize("made", [two_headers, resources_beyond_the_end, palette_missing])
def test_a_refusal_speaks_of_the_file_and_not_of_the_program(made: Callable[[], bytes]) -> None:
    said = refusal(made())
    assert not PROGRAM.search(said), said
    assert "whole" in said


def test_a_few_transparent_pixels_are_not_nought() -> None:
    picture = Image.fromarray(np.dstack([np.tile(PIXELS, (2, 2, 1)), np.full((128, 128), 255, np.uint8)]))
    picture.putpixel((3, 4), (1, 2, 3, 0))
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    (told,) = [one.message for one in opened(stream.getvalue()).findings if one.code == "transparency"]
    assert told.startswith("Less than 0.1%")
