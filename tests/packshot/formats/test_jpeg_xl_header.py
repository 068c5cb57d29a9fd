"""A JPEG XL's depth, colours and packed metadata, from its header."""

from __future__ import annotations

import contextlib
import io
import struct

import imagecodecs
import numpy as np
import pytest
from PIL import ImageCms

from packshot.colour.profile import ColourModel, colour_model
from packshot.formats import boxes
from packshot.formats.boxes import read_jpeg_xl
from packshot.formats.container import DamagedError
from packshot.formats.jpeg_xl_header import read_jpeg_xl_header


def drawn(dtype: type = np.uint8, *, channels: int = 3, **options: object) -> bytes:
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, np.iinfo(dtype).max, (24, 40, channels), dtype=dtype).squeeze()
    return bytes(imagecodecs.jpegxl_encode(pixels, **options))


def box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), name) + body


def squeezed(body: bytes) -> bytes:
    return bytes(imagecodecs.brotli_encode(body))


def contained(stream: bytes, *others: bytes) -> bytes:
    return box(b"JXL ", b"\r\n\x87\n") + box(b"ftyp", b"jxl \0\0\0\0jxl ") + b"".join(others) + box(b"jxlc", stream)


@pytest.mark.parametrize(("dtype", "depth"), [(np.uint8, 8), (np.uint16, 16)])
@pytest.mark.parametrize("options", [{}, {"distance": 1.0}], ids=["lossless", "lossy"])
def test_depth_and_colours_are_read_bare_and_in_a_container(dtype: type, depth: int, options: dict[str, float]) -> None:
    stream = drawn(dtype, **options)
    for data in (stream, contained(stream)) if stream[:2] == b"\xff\x0a" else (stream,):
        header = read_jpeg_xl_header(data)
        assert header.bit_depth == depth
        profile = ImageCms.ImageCmsProfile(io.BytesIO(header.icc))
        assert profile.profile.xcolor_space == "RGB "
        assert read_jpeg_xl(data).size == (40, 24)


def test_grey_has_a_grey_profile() -> None:
    assert colour_model(read_jpeg_xl_header(drawn(channels=1)).icc) is ColourModel.GREY


def test_a_header_that_is_cut_off_or_damaged_is_said_wherever_it_is() -> None:
    stream = drawn()
    whole = read_jpeg_xl(stream)
    with pytest.raises(DamagedError):
        read_jpeg_xl(stream[:4])
    for at in range(2, 60):
        for damaged in (stream[:at], stream[:at] + bytes([stream[at] ^ 0xFF]) + stream[at + 1 :]):
            with contextlib.suppress(DamagedError):  # whatever else is raised fails here
                assert read_jpeg_xl(damaged).bit_depth > 0
    assert whole == read_jpeg_xl(contained(stream))


def test_packed_metadata_is_unpacked_and_too_much_of_it_left_out() -> None:
    xmp, exif = b"<x:xmpmeta/>" * 50, b"\0\0\0\0II*\0"
    packed = [
        box(b"brob", name + bytes(imagecodecs.brotli_encode(body))) for name, body in ((b"xml ", xmp), (b"Exif", exif))
    ]
    found = read_jpeg_xl(contained(drawn(), *packed))
    assert (found.xmp, found.exif) == (xmp, exif[4:])
    bomb = box(b"brob", b"xml " + squeezed(b" " * (boxes._MOST_METADATA_BYTES + 1)))
    broken = box(b"brob", b"xml \xff\xff")
    assert len(bomb) < 1000
    assert read_jpeg_xl(contained(drawn(), bomb, broken)).xmp == b""
