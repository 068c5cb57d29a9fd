"""A refusal names its cause, and its next step fits: a whole file of an unread kind need not be uploaded again."""

from __future__ import annotations

import io
import struct

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from packshot.errors import UnreadableError
from packshot.formats.headers import identify
from packshot.formats.sniff import FileKind, detect
from packshot.ingest.decode import open_photo
from packshot.specs.models import IngestConfig
from tests.drawn_raw import D65, draw_dng

LIMITS = IngestConfig(min_px=1)
GREY = np.full((32, 48), 90, np.uint8)


def tiff(pixels: np.ndarray, **options: object) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, pixels, metadata=None, **options)
    return stream.getvalue()


def with_tag(data: bytes, name: str, value: int, *, photometric: int | None = None) -> bytes:
    """The file with another value of a tag in the directory of the picture."""
    changed = bytearray(data)
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        pages = [page for first in file.pages for page in (first, *(first.pages or ()))]
        page = next(one for one in pages if photometric is None or int(one.photometric) == photometric)
        changed[page.tags[name].valueoffset : page.tags[name].valueoffset + 2] = struct.pack("<H", value)
    return bytes(changed)


def psd(*, mode: int = 3, depth: int = 8, flattened: bool = True) -> bytes:
    head = b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, 32, 48, depth, mode)
    version = b"8BIM" + struct.pack(">HHI", 0x0421, 0, 6) + b"\0\0\0\1" + bytes([flattened, 0])
    return head + bytes(4) + struct.pack(">I", len(version)) + version + bytes(4)


def jpeg(*, components: int = 1, height: int = 32) -> bytes:
    """A grey JPEG whose header has more components, or another height."""
    data = bytes(imagecodecs.jpeg_encode(GREY))
    at = data.index(b"\xff\xc0")
    listed = b"".join(bytes([number, 0x11, 0]) for number in range(1, components + 1))
    frame = b"\x08" + struct.pack(">HHB", height, 48, components) + listed
    return data[:at] + b"\xff\xc0" + struct.pack(">H", 2 + len(frame)) + frame + data[at + 13 :]


def xcode_png() -> bytes:
    data = bytes(imagecodecs.png_encode(GREY))
    return data[:8] + struct.pack(">I4sII", 4, b"CgBI", 0x50002002, 0) + data[8:]


def packed(bits: int, order: str) -> bytes:
    """A TIFF of numbers of so many bits."""
    rows = np.unpackbits(GREY.astype(">u4").view(np.uint8).reshape(32, 48, 4), axis=2)[..., 32 - bits :].reshape(32, -1)
    stored = np.packbits(rows, axis=1).tobytes()
    if order == "<" and bits in (16, 24, 32):
        stored = np.frombuffer(stored, np.uint8).reshape(-1, bits // 8)[:, ::-1].tobytes()
    tags = ((256, 48), (257, 32), (258, bits), (259, 1), (262, 1), (273, 122), (277, 1), (278, 32), (279, len(stored)))
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, len(tags))
    entries = b"".join(struct.pack(f"{order}HHII", tag, 4, 1, value) for tag, value in tags)
    return head + entries + bytes(4) + stored


WHITE_DNG = draw_dng(np.array([D65, D65 * 0.5]))
CASES = {
    "lossless JPEG": (bytes(imagecodecs.ljpeg_encode(GREY)), "lossless JPEG", "Save it as a TIFF"),
    "JPEG-LS": (bytes(imagecodecs.jpegls_encode(GREY)), "a JPEG-LS", "Save it as a TIFF"),
    "floating point up to 255": (tiff(GREY.astype(np.float32)), "floating-point values up to 90", "white at 1"),
    "floating point of an HDR picture": (
        tiff(np.where(np.arange(48) < 40, 0.5, 4.0).astype(np.float16) * np.ones((32, 1), np.float16)),
        "17% of them above 1",
        "Save it with 16 bits",
    ),
    "JPEG 2000 in a TIFF": (with_tag(tiff(GREY), "Compression", 34712), "JPEG 2000 compression", "LZW or ZIP"),
    "JPEG XL in a TIFF": (with_tag(tiff(GREY), "Compression", 50002), "JPEG XL compression", "LZW or ZIP"),
    "an unknown compression": (with_tag(tiff(GREY), "Compression", 60000), "compression 60000", "LZW or ZIP"),
    "LogLuv": (with_tag(tiff(GREY), "PhotometricInterpretation", 32845), "photometric", "Convert it to RGB"),
    "JPEG XL in a DNG": (
        with_tag(WHITE_DNG, "Compression", 52546, photometric=32803),
        "a DNG with JPEG XL compression",
        "or develop it to a 16-bit TIFF",
    ),
    "a JPEG of two components": (jpeg(components=2), "a JPEG of 2 components", "Convert it to RGB"),
    "a JPEG of five components": (jpeg(components=5), "a JPEG of 5 components", "Convert it to RGB"),
    "a JPEG whose height comes last": (jpeg(height=0), "DNL", "Save it again"),
    "a PNG of Xcode": (xcode_png(), "CgBI", "Export it again"),
    "signed bytes": (tiff(GREY.view(np.int8)), "signed numbers", "Convert it to RGB"),
    "signed numbers": (tiff(GREY.astype(np.int16)), "signed numbers", "Convert it to RGB"),
    "long signed numbers": (tiff(GREY.astype(np.int32)), "signed numbers", "Convert it to RGB"),
    "three bytes": (packed(24, ">"), "24 bits", "Convert it to RGB"),
    "indexed Photoshop": (psd(mode=2), "indexed", "Convert it to RGB"),
    "Photoshop of 32 bits": (psd(depth=32), "32 bits", "Convert it to RGB"),
    "Photoshop without a picture": (psd(flattened=False), "without a flattened picture", "Maximize compatibility"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_whole_file_of_an_unread_kind_is_refused_with_what_helps(name):
    data, cause, next_step = CASES[name]
    with pytest.raises(UnreadableError) as refusal:
        open_photo(data, name="A1", limits=LIMITS)
    assert cause in str(refusal.value)
    assert next_step in str(refusal.value)
    assert "again, whole" not in str(refusal.value)
    assert "damaged" not in str(refusal.value)


@pytest.mark.parametrize("start", [b"II*\0\x40\0\0\0IIIICwaR", b"MM\0*\0\0\0\x40MMMMRawT"])
def test_a_phase_one_raw_is_known_by_its_second_header(start):
    data = start + bytes(20_000)
    assert detect(data) is FileKind.RAW
    with pytest.raises(UnreadableError, match=r"camera RAW.*16-bit TIFF"):
        open_photo(data, name="A1.iiq", limits=LIMITS)


def sensor_values(count: int) -> bytes:
    """Sensor values of a camera that writes no header. They begin with bytes that could be a text."""
    values = np.random.default_rng(4).integers(0, 256, count, np.uint8)
    values[:4096] = ord("A")
    return values.tobytes()


def test_libraw_is_asked_about_bytes_that_look_like_nothing_known():
    """614,400 bytes are what one early camera writes, without any header."""
    data = sensor_values(614_400)
    assert detect(data) is FileKind.UNKNOWN
    assert identify(data) is FileKind.RAW
    assert open_photo(data, name="A1.raw", limits=LIMITS).size.longest == 640


def test_a_text_is_no_camera_raw_however_long_it_is():
    assert identify((b"sku;price\n" * 61_440)[:614_400]) is FileKind.TEXT


def test_bytes_that_nobody_knows_are_refused_as_such():
    with pytest.raises(UnreadableError, match="this is not a picture"):
        open_photo(sensor_values(614_401), name="A1.bin", limits=LIMITS)


@given(
    share=st.floats(0, 0.5),
    beyond=st.floats(1.02, 1e6),
    dtype=st.sampled_from((np.float16, np.float32, np.float64)),
    planar=st.booleans(),
)
@settings(deadline=None)
def test_floating_point_values_above_white_are_highlights_or_refused(share, beyond, dtype, planar) -> None:
    values = np.linspace(0, 1, 30 * 40 * 3)
    values[: int(share * values.size)] = min(beyond, 60_000)
    pixels = values.reshape(3, 30, 40).astype(dtype)
    data = tiff(
        pixels if planar else np.ascontiguousarray(np.moveaxis(pixels, 0, 2)),
        photometric="rgb",
        planarconfig="separate" if planar else "contig",
    )
    if share > 0.011:
        with pytest.raises(UnreadableError, match="floating-point values up to"):
            open_photo(data, name="a", limits=LIMITS)
    elif share < 0.009:
        photo = open_photo(data, name="a", limits=LIMITS)
        assert np.abs(photo.pixels / 65535 - np.moveaxis(np.clip(pixels, 0, 1), 0, 2)).max() < 1e-3


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("bits", range(8, 33))
def test_numbers_of_any_length_are_read_rightly_or_refused(bits: int, order: str) -> None:
    """tifffile turns the bytes of some round."""
    try:
        photo = open_photo(packed(bits, order), name="A1", limits=LIMITS)
    except UnreadableError:
        return
    assert photo.bit_depth == bits
    wanted = 90 / ((1 << bits) - 1)
    top = np.iinfo(photo.pixels.dtype).max
    assert np.abs(photo.pixels / top - wanted).max() <= 1 / top


def test_usual_lengths_of_numbers_are_read() -> None:
    for bits in (8, 10, 12, 14, 16):
        assert open_photo(packed(bits, "<"), name="A1", limits=LIMITS).bit_depth == bits
