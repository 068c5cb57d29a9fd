"""Files that say two things at once, or that hold what nobody can read: refused or told in words about the file."""

from __future__ import annotations

import dataclasses
import io
import re
import struct
import zlib
from collections.abc import Callable

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from packshot.errors import RefusedInputError
from packshot.formats.container import DamagedError
from packshot.formats.headers import read_container
from packshot.formats.sniff import PICTURES, FileKind
from packshot.ingest.decode import Photo, open_photo
from packshot.specs.models import IngestConfig
from tests.fuzz import files
from tests.fuzz.targets import FORMATS
from tests.packshot.formats import isobmff as bmff
from tests.packshot.formats.test_psd import psd

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


def exif_of(orientation: int) -> bytes:
    block = Image.Exif()
    block[274] = orientation
    return block.tobytes()


def xmp_of_orientation(orientation: int) -> bytes:
    return (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="%d"/></rdf:RDF></x:xmpmeta>'
        % orientation
    )


def _saved(kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(PIXELS[:32]).save(stream, kind, **options)
    return stream.getvalue()


def _jpeg(exifs: list[int], xmp: int) -> bytes:
    whole = _saved("JPEG")
    bodies = [b"Exif\0\0" + exif_of(one).removeprefix(b"Exif\0\0") for one in exifs]
    bodies += [b"http://ns.adobe.com/xap/1.0/\0" + xmp_of_orientation(xmp)] if xmp else []
    return whole[:2] + b"".join(b"\xff\xe1" + struct.pack(">H", 2 + len(one)) + one for one in bodies) + whole[2:]


def _png(exifs: list[int], xmp: int) -> bytes:
    whole, parts = _saved("PNG"), b""
    for number, one in enumerate(exifs):
        block = exif_of(one).removeprefix(b"Exif\0\0")
        raw = b"\nexif\n%8d\n" % len(block) + block.hex().encode()
        name, body = (b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(raw)) if number else (b"eXIf", block)
        parts += files.chunk(name, body)
    parts += files.chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp_of_orientation(xmp)) if xmp else b""
    return whole[:33] + parts + whole[33:]


def _webp(exifs: list[int], xmp: int) -> bytes:
    picture = _saved("WEBP", lossless=True)[12:]
    head = struct.pack("<IHBHB", 0x0C, 63, 0, 31, 0)
    body = b"VP8X" + struct.pack("<I", len(head)) + head + picture
    parts = [(b"EXIF", exif_of(one)) for one in exifs] + ([(b"XMP ", xmp_of_orientation(xmp))] if xmp else [])
    for name, content in parts:
        body += name + struct.pack("<I", len(content)) + content + bytes(len(content) & 1)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def _tiff(exifs: list[int], xmp: int) -> bytes:
    stream, packet = io.BytesIO(), xmp_of_orientation(xmp)
    more = [(274, 3, 1, exifs[0], True)] if exifs else []
    more += [(700, 1, len(packet), packet, True)] if xmp else []
    tifffile.imwrite(stream, PIXELS[:32], photometric="rgb", metadata=None, extratags=more)
    return stream.getvalue()


TURNED = {"JPEG": _jpeg, "PNG": _png, "WebP": _webp, "TIFF": _tiff}


@pytest.mark.parametrize("kind", TURNED)
@pytest.mark.parametrize(
    ("exifs", "xmp", "followed", "told"),
    [
        ([6], 0, 6, ""),
        ([6], 6, 6, ""),
        ([6], 1, 6, "XMP says 1"),
        ([1], 8, 1, "XMP says 8"),
        ([], 6, 1, "XMP says 6"),
        ([6, 6], 6, 6, ""),
        ([6, 3], 0, 6, "another block of EXIF says 3"),
        ([6, 3], 1, 6, "another block of EXIF says 3 and XMP says 1"),
    ],
)
def test_two_orientations_in_one_file_are_told_and_the_first_of_exif_is_followed(
    kind: str, exifs: list[int], xmp: int, followed: int, told: str
) -> None:
    if kind == "TIFF" and len(exifs) > 1:
        exifs, told = exifs[:1], told.partition(" and ")[2]  # a directory has a tag once
    photo = opened(TURNED[kind](exifs, xmp))
    assert photo.orientation == followed
    assert photo.size == ((32, 64) if followed == 6 else (64, 32))
    found = [one for one in photo.findings if one.code == "file_contradictory"]
    assert [one.stops_approval for one in found] == [True] * bool(told)
    assert all(told in one.message and f"{followed} was followed" in one.message for one in found)


@KINDS
def test_an_orientation_beside_that_of_the_format_is_no_contradiction(kind: bytes) -> None:
    """HEIC and AVIF turn by their own boxes; EXIF's orientation only repeats it (ISO/IEC 23008-12, A.4)."""
    block = exif_of(6).removeprefix(b"Exif\0\0")
    whole = bmff.written([bmff.picture(kind, PIXELS, bmff.irot(3)), bmff.exif(block), bmff.xmp(xmp_of_orientation(1))])
    assert "file_contradictory" not in codes(whole)


@KINDS
def test_a_main_picture_that_is_marked_as_hidden_is_refused_in_words_about_the_file(kind: bytes) -> None:
    shown, other = bmff.picture(kind, PIXELS), bmff.picture(kind, PIXELS[::-1].copy())
    assert "first_frame_only" not in codes(bmff.written([shown, dataclasses.replace(other, hidden=True)]))
    assert "main picture is marked as hidden" in refusal(bmff.written([dataclasses.replace(shown, hidden=True), other]))


def test_a_tiff_of_nothing_but_reduced_copies_is_told() -> None:
    for kinds, told in (((1,), True), ((0,), False), ((1, 0), False), ((1, 1), True)):
        stream = io.BytesIO()
        with tifffile.TiffWriter(stream) as writer:
            for one in kinds:
                writer.write(PIXELS, photometric="rgb", metadata=None, subfiletype=one)
        assert ("file_contradictory" in codes(stream.getvalue())) is told


def test_a_tiff_of_other_inks_than_cmyk_is_refused() -> None:
    inks = np.dstack([PIXELS, PIXELS[..., :1]])
    for number, refused in ((1, False), (2, True)):
        stream = io.BytesIO()
        tags = [(332, 3, 1, number, True)]
        tifffile.imwrite(stream, inks, photometric="separated", metadata=None, extratags=tags)
        if refused:
            assert "other inks than CMYK" in refusal(stream.getvalue())
        else:
            assert opened(stream.getvalue()).pixels.shape == (64, 64, 4)


@pytest.mark.parametrize("deep", [False, True])
def test_a_duotone_is_its_grey_picture_and_says_so(deep: bool) -> None:
    grey = PIXELS[..., 0].astype(np.uint16) * 257 if deep else PIXELS[..., 0]
    photo = opened(psd(np.ascontiguousarray(grey), mode=8))
    assert (photo.pixels == grey).all()
    assert [one.stops_approval for one in photo.findings if one.code == "inks_left_out"] == [True]
    assert "inks_left_out" not in codes(psd(np.ascontiguousarray(grey), mode=1))


@pytest.mark.parametrize("kinds", [("lossy", "lossy"), ("lossless", "lossy"), ("lossy", "lossless")])
@pytest.mark.parametrize("extended", [False, True])
def test_a_second_picture_in_a_webp_is_told_or_refused(kinds: tuple[str, str], extended: bool) -> None:
    other = Image.fromarray(PIXELS[::-1].copy())
    parts = [_saved("WEBP", lossless=kinds[0] == "lossless")[12:]]
    stream = io.BytesIO()
    other.crop((0, 0, 64, 32)).save(stream, "WEBP", lossless=kinds[1] == "lossless")
    parts.append(stream.getvalue()[12:])
    head = struct.pack("<IHBHB", 0, 63, 0, 31, 0)
    start = b"VP8X" + struct.pack("<I", len(head)) + head if extended else b""

    def whole(pictures: list[bytes]) -> bytes:
        body = start + b"".join(pictures)
        return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body

    alone = opened(whole(parts[:1]))
    if extended:  # libwebp refuses it, too
        assert "a WebP of 2 pictures that are no frames" in refusal(whole(parts))
        return
    photo = opened(whole(parts))
    assert (photo.pixels == alone.pixels).all()
    assert [one.measured for one in photo.findings if one.code == "first_frame_only"] == [2]
    assert "first_frame_only" not in {one.code for one in alone.findings}


def test_the_first_of_two_profiles_or_texts_counts_in_a_webp_and_in_a_jpeg_xl() -> None:
    picture = _saved("WEBP", lossless=True)[12:]
    head = struct.pack("<IHBHB", 0x24, 63, 0, 31, 0)
    body = b"VP8X" + struct.pack("<I", len(head)) + head
    for number in (b"1", b"2"):
        body += b"ICCP" + struct.pack("<I", 2) + b"P" + number
    body += picture
    for number in (b"1", b"2"):
        body += b"XMP " + struct.pack("<I", 2) + b"X" + number
    found = read_container(b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body, FileKind.WEBP)
    assert (found.icc, found.xmp) == (b"P1", b"X1")
    stream = bytes(imagecodecs.jpegxl_encode(PIXELS, lossless=True, usecontainer=False))
    start = b"\0\0\0\x0cJXL \r\n\x87\n" + bmff.box(b"ftyp", b"jxl \0\0\0\0jxl ")
    data = start + bmff.box(b"xml ", b"X1") + bmff.box(b"xml ", b"X2") + bmff.box(b"jxlc", stream)
    assert read_container(data, FileKind.JPEG_XL).xmp == b"X1"


SEEDS = {
    kind: FORMATS[kind]
    for kind in (FileKind.JPEG, FileKind.PNG, FileKind.WEBP, FileKind.GIF, FileKind.BMP, FileKind.TIFF)
}


FOREIGN = [(kind, other) for kind in sorted(PICTURES - {FileKind.RAW}) for other in sorted(SEEDS) if kind is not other]


@pytest.mark.parametrize(("kind", "other"), FOREIGN)
def test_no_reader_reads_a_file_of_another_kind(kind: FileKind, other: FileKind) -> None:
    """A camera RAW is left out: LibRaw decides, and many of them are TIFFs."""
    with pytest.raises(DamagedError):
        read_container(SEEDS[other]()[0], kind)
