"""One table over all formats: the same picture with the same colours, rights, time, place, label is read the same."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from datetime import datetime

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from packshot.colour.spaces import display_p3_profile
from packshot.export.labels import Labels
from packshot.formats.headers import identify
from packshot.formats.sniff import FileKind
from packshot.ingest.decode import Photo, open_photo
from packshot.specs.models import IngestConfig
from tests.drawn_raw import D65, draw_dng
from tests.packshot.formats import isobmff as bmff

LIMITS = IngestConfig(min_px=1)
UPRIGHT = np.zeros((96, 64, 3), np.uint8)
UPRIGHT[:48], UPRIGHT[48:] = (200, 90, 60), (40, 80, 160)
STORED = np.ascontiguousarray(np.rot90(UPRIGHT))
"""What a camera stores that was held upright; EXIF orientation 6 turns it back."""
ICC = display_p3_profile()
RIGHTS = Labels(copyright="© Ada 2026", creator="Ada; Bob", ai_provenance="compositeWithTrainedAlgorithmicMedia")
XMP = RIGHTS.xmp()
IPTC = RIGHTS.iptc()


def exif(*, turned: bool = True) -> bytes:
    block = Image.Exif()
    block[274] = 6 if turned else 1
    block[33432], block[315], block[271] = "(c) Ada 2026", "Ada; Bob", "Drawn"
    block.get_ifd(34665)[36867] = "2026:05:04 03:02:01"
    block.get_ifd(34853)[1], block.get_ifd(34853)[2] = "N", (52.0, 31.0, 12.0)
    return block.tobytes()


def by_pillow(name: str, pixels: np.ndarray = STORED, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, name, **options)
    return stream.getvalue()


def jpeg() -> bytes:
    return by_pillow("JPEG", quality=95, subsampling=0, exif=exif(), xmp=XMP, icc_profile=ICC)


def jpeg_by_iptc() -> bytes:
    block = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(IPTC)) + IPTC + bytes(len(IPTC) % 2)
    data = by_pillow("JPEG", quality=95, subsampling=0, icc_profile=ICC, exif=_without_rights())
    segment = b"Photoshop 3.0\0" + block
    return data[:2] + b"\xff\xed" + struct.pack(">H", 2 + len(segment)) + segment + data[2:]


def _without_rights() -> bytes:
    block = Image.Exif()
    block[274] = 6
    block.get_ifd(34665)[36867] = "2026:05:04 03:02:01"
    block.get_ifd(34853)[1], block.get_ifd(34853)[2] = "N", (52.0, 31.0, 12.0)
    return block.tobytes()


def png() -> bytes:
    info = _itxt(XMP)
    data = by_pillow("PNG", exif=exif(), icc_profile=ICC)
    return data[:33] + info + data[33:]


def png_by_raw_profiles() -> bytes:
    data = by_pillow("PNG", icc_profile=ICC)
    parts = b""
    for name, content in ((b"exif", exif()), (b"xmp", XMP), (b"iptc", IPTC)):
        text = b"\n" + name + f"\n{len(content):8}\n{content.hex()}\n".encode()
        parts += _chunk(b"zTXt", b"Raw profile type " + name + b"\0\0" + zlib.compress(text))
    return data[:33] + parts + data[33:]


def _itxt(xmp: bytes) -> bytes:
    return _chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def webp() -> bytes:
    return by_pillow("WEBP", lossless=True, exif=exif(), xmp=XMP, icc_profile=ICC)


def tiff() -> bytes:
    block = Image.Exif()
    block.load(exif())
    stream = io.BytesIO()
    block[700] = XMP
    Image.fromarray(STORED).save(stream, "TIFF", exif=block, icc_profile=ICC)
    return stream.getvalue()


def heic() -> bytes:
    return _heif(b"hvc1")


def avif() -> bytes:
    return _heif(b"av01")


def _heif(kind: bytes) -> bytes:
    block = exif().removeprefix(b"Exif\0\0")
    picture = bmff.picture(kind, STORED, bmff.prof(ICC), bmff.irot(3))
    return bmff.written([picture, bmff.exif(block), bmff.xmp(XMP)])


def jpeg_xl() -> bytes:
    stream = bytes(imagecodecs.jpegxl_encode(UPRIGHT, lossless=True, usecontainer=False))
    start = b"\0\0\0\x0cJXL \r\n\x87\n" + bmff.box(b"ftyp", b"jxl \0\0\0\0jxl ")
    block = bmff.box(b"Exif", bytes(4) + exif(turned=False).removeprefix(b"Exif\0\0"))
    return start + block + bmff.box(b"xml ", XMP) + bmff.box(b"jxlc", stream)


def photoshop() -> bytes:
    resources = b""
    for number, content in ((0x040F, ICC), (0x0422, exif().removeprefix(b"Exif\0\0")), (0x0424, XMP), (0x0404, IPTC)):
        resources += b"8BIM" + struct.pack(">H", number) + bytes(2) + struct.pack(">I", len(content)) + content
        resources += bytes(len(content) % 2)
    head = b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, STORED.shape[0], STORED.shape[1], 8, 3) + bytes(4)
    planes = np.moveaxis(STORED, 2, 0).tobytes()
    return head + struct.pack(">I", len(resources)) + resources + bytes(4) + b"\0\0" + planes


FILES: dict[str, tuple[FileKind, Callable[[], bytes]]] = {
    "JPEG": (FileKind.JPEG, jpeg),
    "JPEG, rights in IPTC": (FileKind.JPEG, jpeg_by_iptc),
    "PNG": (FileKind.PNG, png),
    "PNG, raw profiles": (FileKind.PNG, png_by_raw_profiles),
    "WebP": (FileKind.WEBP, webp),
    "TIFF": (FileKind.TIFF, tiff),
    "HEIC": (FileKind.HEIC, heic),
    "AVIF": (FileKind.AVIF, avif),
    "JPEG XL": (FileKind.JPEG_XL, jpeg_xl),
    "Photoshop": (FileKind.PSD, photoshop),
}
every = pytest.mark.parametrize("name", FILES)


def opened(name: str) -> Photo:
    kind, make = FILES[name]
    data = make()
    assert identify(data) is kind
    return open_photo(data, name="A1", limits=LIMITS)


@every
def test_the_picture_stands_upright(name):
    photo = opened(name)
    assert photo.size == (64, 96)
    assert float(np.median(np.abs(photo.pixels.astype(int) - UPRIGHT))) <= 4


@every
def test_its_colours_are_those_of_its_profile(name):
    photo = opened(name)
    if name != "JPEG XL":  # the codestream names the colour space by itself
        assert photo.icc == ICC
        assert not photo.profile_assumed


@every
def test_rights_time_and_place_are_known(name):
    metadata = opened(name).metadata
    assert metadata.copyright in ("© Ada 2026", "(c) Ada 2026")
    assert metadata.creator == "Ada; Bob"
    assert metadata.taken_at == datetime(2026, 5, 4, 3, 2, 1)
    assert metadata.has_gps


@every
def test_the_label_of_a_generated_picture_is_known(name):
    if name == "JPEG, rights in IPTC":
        assert opened(name).metadata.ai_provenance == ""  # IPTC-IIM has no such field
    else:
        assert opened(name).metadata.ai_provenance == "compositeWithTrainedAlgorithmicMedia"


def test_a_camera_raw_has_its_xmp_read():
    dng = draw_dng(np.array([D65, D65 * 0.5]))
    with tifffile.TiffFile(io.BytesIO(dng)) as file:
        software = file.pages.first.tags[271]
        places = software.offset
    assert identify(dng) is FileKind.RAW
    changed = bytearray(dng)
    changed[places : places + 12] = struct.pack("<HHII", 700, 1, len(XMP), len(dng))
    metadata = open_photo(bytes(changed) + XMP, name="A1.dng", limits=LIMITS).metadata
    assert metadata.creator == "Ada; Bob"
    assert metadata.copyright == "© Ada 2026"


def test_a_gif_has_its_xmp_and_profile_read():
    data = by_pillow("GIF", UPRIGHT)
    at = 13 + (3 << (data[10] & 7) + 1)
    blocks = b"".join(bytes([len(part)]) + part for part in (ICC[i : i + 255] for i in range(0, len(ICC), 255)))
    trailer = b"\1" + bytes(range(255, -1, -1)) + b"\0"
    extra = b"!\xff\x0bICCRGBG1012" + blocks + b"\0" + b"!\xff\x0bXMP DataXMP" + XMP + trailer
    photo = open_photo(data[:at] + extra + data[at:], name="A1.gif", limits=LIMITS)
    assert photo.metadata.creator == "Ada; Bob"
    assert photo.icc == ICC


def test_a_bmp_has_its_profile_read():
    head = struct.pack("<IiiHHIIiiII", 124, 64, -96, 1, 24, 0, 0, 0, 0, 0, 0)
    head += bytes(16) + b"DEBM" + bytes(36 + 12) + bytes(4) + struct.pack("<III", 124 + UPRIGHT.nbytes, len(ICC), 0)
    data = b"BM" + struct.pack("<IHHI", 0, 0, 0, 138) + head + UPRIGHT[..., ::-1].tobytes() + ICC
    photo = open_photo(data, name="A1.bmp", limits=LIMITS)
    assert np.array_equal(photo.pixels, UPRIGHT)
    assert photo.icc == ICC


def mpo(*kinds: int, mark: bytes = b"") -> bytes:
    """A JPEG with an index of these pictures behind it (CIPA DC-007)."""
    first = by_pillow("JPEG", UPRIGHT)
    other = by_pillow("JPEG", UPRIGHT[::2, ::2])
    other = other[:2] + b"\xff\xe1" + struct.pack(">H", 2 + len(mark)) + mark + other[2:]
    index = struct.pack("<4sIH", b"II*\0", 8, 2) + struct.pack("<HHII", 0xB001, 4, 1, 1 + len(kinds))
    index += struct.pack("<HHII", 0xB002, 7, 16 * (1 + len(kinds)), 38) + bytes(4)
    whole = len(first) + 8 + len(index) + 16 * (1 + len(kinds))
    entries = struct.pack("<IIIHH", 0x030000, whole, 0, 0, 0)
    for number, kind in enumerate(kinds):
        entries += struct.pack("<IIIHH", kind, len(other), whole - 10 + 2 + number * len(other), 0, 0)
    segment = b"MPF\0" + index + entries
    return first[:2] + b"\xff\xe2" + struct.pack(">H", 2 + len(segment)) + segment + first[2:] + other * len(kinds)


@pytest.mark.parametrize(
    ("kinds", "mark", "frames", "codes"),
    [
        ((0x010001,), b"", 1, []),
        ((0x020002, 0x020002), b"", 3, ["first_frame_only"]),
        ((0x000000,), b"http://ns.adobe.com/xap/1.0/\0<x hdrgm:Version='1.0'/>", 1, ["gain_map_left_out"]),
        ((0x020003, 0x010001), b"", 2, ["first_frame_only"]),
    ],
)
def test_what_a_jpeg_holds_beside_its_picture_is_told(kinds, mark, frames, codes):
    photo = open_photo(mpo(*kinds, mark=mark), name="A1.jpg", limits=LIMITS)
    assert photo.frames == frames
    assert photo.size == (64, 96)
    assert [one.code for one in photo.findings if one.code != "profile_assumed"] == codes
