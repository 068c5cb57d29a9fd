import dataclasses
import io
import struct

import pytest
from PIL import Image

from packshot.errors import TooLargeError, TooSmallError, UnreadableError
from packshot.formats.container import Container, DamagedError
from packshot.formats.headers import read_container
from packshot.formats.sniff import FileKind
from packshot.ingest.decode import open_photo
from packshot.ingest.limits import check_bytes, check_header, check_least, most_pixels
from packshot.specs.models import IngestConfig
from packshot.types import Size
from tests.configs import shipped_configs

LIMITS = IngestConfig(
    min_px=100,
    max_bytes=1000,
    max_pixels=1_000_000,
    max_side_px=5000,
    max_frames=3,
    max_decoded_bytes=6_000_000,
    max_scanned_pixels=20_000_000,
)
GOOD = Container(size=Size(1000, 1000), frames=3)


def test_what_is_exactly_at_the_limits_is_accepted():
    check_bytes(1000, name="a", limits=LIMITS)
    check_header(GOOD, name="a", limits=LIMITS)
    check_header(dataclasses.replace(GOOD, size=Size(5000, 200)), name="a", limits=LIMITS)
    check_least(Size(100, 1), name="a", limits=LIMITS)


@pytest.mark.parametrize(
    ("change", "error", "found"),
    [
        ({"size": Size(1000, 1001)}, TooLargeError, "1000 x 1001 pixels"),
        ({"size": Size(5001, 1)}, TooLargeError, "5001 x 1 pixels"),
        ({"tile": Size(5001, 16)}, TooLargeError, "side"),
        ({"tile": Size(4000, 4000)}, TooLargeError, "too many pixels"),
        ({"channels": 4, "bit_depth": 16}, TooLargeError, "4 channels of 16 bits"),
        ({"scans": 160}, TooLargeError, "160 scans"),
        ({"frames": 4}, TooLargeError, "4 frames"),
        ({"size": Size(99, 99)}, TooSmallError, "99 x 99 pixels"),
        ({"size": Size(0, 100)}, UnreadableError, "0 x 100"),
        ({"size": Size(100, -5)}, UnreadableError, "100 x -5"),
        ({"channels": 100}, UnreadableError, "100 channels"),
        ({"bit_depth": 128}, UnreadableError, "128 bits"),
    ],
)
def test_what_is_beyond_names_what_was_found(change, error, found):
    with pytest.raises(error, match=found):
        check_header(dataclasses.replace(GOOD, **change), name="a.tif", limits=LIMITS)


def test_a_header_that_claims_more_than_its_bytes_can_hold_is_refused():
    stream = io.BytesIO()
    Image.new("RGB", (64, 64), "white").save(stream, "JPEG")
    data = bytearray(stream.getvalue())
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", 15_800, 15_800)
    with pytest.raises(DamagedError, match="a header of 15800 x 15800 pixels"):
        read_container(bytes(data), FileKind.JPEG)


def test_scans_and_channels_are_read_from_the_header():
    jpeg, png = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (64, 64), "white").save(jpeg, "JPEG", progressive=True)
    Image.new("RGBA", (64, 64), "white").save(png, "PNG")
    assert read_container(jpeg.getvalue(), FileKind.JPEG).scans > 5
    assert read_container(png.getvalue(), FileKind.PNG).channels == 4


def test_too_many_bytes_name_the_limit():
    with pytest.raises(TooLargeError, match="1,001 bytes; allowed at most 1,000 bytes"):
        check_bytes(1001, name="a.tif", limits=LIMITS)


DEFAULTS = shipped_configs().ingest
MEDIUM_FORMAT = Size(14204, 10652)
"""The largest sensor of today's cameras, 151 megapixels."""


@pytest.mark.parametrize("depth", [8, 16])
def test_the_largest_camera_of_today_is_accepted(depth):
    check_header(Container(size=MEDIUM_FORMAT, channels=3, bit_depth=depth), name="a.tif", limits=DEFAULTS)


@pytest.mark.parametrize(("channels", "depth"), [(1, 8), (3, 8), (3, 16), (4, 8), (4, 16)])
def test_memory_is_counted_from_the_header_and_refused_with_what_is_allowed(channels, depth):
    most = most_pixels(DEFAULTS, channels=channels, depth=depth)
    header = Container(size=Size(10_000, most // 10_000), channels=channels, bit_depth=depth)
    check_header(header, name="a.tif", limits=DEFAULTS)
    larger = dataclasses.replace(header, size=Size(10_000, most // 10_000 + 1))
    with pytest.raises(TooLargeError, match="allowed at most") as refused:
        check_header(larger, name="a.tif", limits=DEFAULTS)
    assert str(larger.size) in refused.value.found
    assert refused.value.next_step


@pytest.mark.slow
def test_a_real_picture_of_250_megapixels_is_refused_from_its_header():
    stream = io.BytesIO()
    Image.new("RGB", (16_000, 15_625), "white").save(stream, "JPEG", quality=60)
    data = stream.getvalue()
    assert len(data) < 10_000_000
    with pytest.raises(TooLargeError, match="16000 x 15625 pixels"):
        open_photo(data, name="a.jpg", limits=DEFAULTS)
