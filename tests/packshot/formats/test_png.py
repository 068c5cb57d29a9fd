"""PNG: colours in the standard's order, metadata wherever programs put it, damage at any byte."""

from __future__ import annotations

import io
import itertools
import logging
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from packshot.colour.spaces import display_p3_profile, profile_of_figures, srgb_profile, working_profile
from packshot.errors import BadProfileError, RefusedInputError, UnreadableError
from packshot.formats.png import chunks
from packshot.formats.warned import decoders_words, words_findings
from packshot.ingest.decode import Photo, open_photo
from packshot.specs.models import IngestConfig

LIMITS = IngestConfig(min_px=1)
PIXELS = np.random.default_rng(1).integers(0, 256, (40, 60, 3), np.uint8)
P3 = (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
STATEMENTS = {
    "cICP": ([(b"cICP", bytes([12, 13, 0, 1]))], display_p3_profile()),
    "iCCP": ([(b"iCCP", b"icc\0\0" + zlib.compress(working_profile()))], working_profile()),
    "sRGB": ([(b"sRGB", b"\0")], srgb_profile()),
    "figures": (
        [(b"gAMA", struct.pack(">I", 100_000)), (b"cHRM", struct.pack(">8I", *(round(v * 100_000) for v in P3)))],
        profile_of_figures(P3, gamma=1.0),
    ),
}
"""What a PNG may say about its colours, in the standard's order, and the profile that it means."""


def png(*parts: tuple[bytes, bytes], mode: str = "RGB", interlaced: bool = False) -> bytes:
    """A PNG with these chunks behind its header."""
    stream = io.BytesIO()
    Image.fromarray(PIXELS).convert(mode).save(stream, "PNG")
    data = stream.getvalue()
    if interlaced:
        data = _interlaced(data)
    return data[:33] + b"".join(chunk(*part) for part in parts) + data[33:]


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _interlaced(data: bytes) -> bytes:
    """The same picture by Adam7: seven reduced pictures, each unfiltered."""
    head = data[16:28] + b"\1"
    passes = ((0, 8, 0, 8), (0, 8, 4, 8), (4, 8, 0, 4), (0, 4, 2, 4), (2, 4, 0, 2), (0, 2, 1, 2), (1, 2, 0, 1))
    reduced = [PIXELS[top::down, left::right] for top, down, left, right in passes]
    rows = b"".join(b"\0" + row.tobytes() for one in reduced if one.size for row in one)
    return data[:8] + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


SRGB = (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)


def figures(gamma: int, chromaticities: tuple[float, ...] = ()) -> bytes:
    """A PNG that names a gamma, and primaries if there are any, in the standard's hundred-thousandths."""
    primaries = struct.pack(">8I", *(round(value * 100_000) for value in chromaticities)) if chromaticities else b""
    return png((b"gAMA", struct.pack(">I", gamma)), *([(b"cHRM", primaries)] if primaries else []))


@pytest.mark.parametrize("gamma", [45_455, 45_450, 45_500])
@pytest.mark.parametrize("primaries", [(), SRGB, tuple(value + 0.0001 for value in SRGB)])
def test_the_figures_that_the_standard_gives_for_srgb_mean_srgb_and_it_is_said(gamma, primaries):
    photo = opened(figures(gamma, primaries))
    assert photo.icc == srgb_profile()
    (said,) = (one for one in photo.findings if one.code == "profile_assumed")
    assert "the gamma that PNG's standard gives for sRGB" in said.message
    assert "profile_assumed" not in codes(opened(png((b"sRGB", b"\0"), (b"gAMA", struct.pack(">I", gamma)))))


@pytest.mark.parametrize(("gamma", "primaries"), [(100_000, SRGB), (55_556, SRGB), (45_455, P3), (45_000, SRGB)])
def test_other_figures_are_read_as_they_stand(gamma, primaries):
    photo = opened(figures(gamma, primaries))
    assert photo.icc == profile_of_figures(primaries, gamma=100_000 / gamma)
    assert "one was made of the gamma" in next(one.message for one in photo.findings if one.code == "profile_assumed")


def test_what_libpng_says_is_a_finding_and_never_printed(capfd: pytest.CaptureFixture[str]) -> None:
    wrong = png((b"tRNS", b"\0\1\0\1\0\1\0\1"), (b"bKGD", b"\0"), (b"sBIT", b"\7\7\7\7\7"))
    said = [one for one in opened(wrong).findings if one.code == "decoder_warned"]
    assert len(said) == 1
    assert "tRNS" in said[0].message
    for plain in (png(), png(interlaced=True), png(mode="L"), png(mode="P"), png(mode="1")):
        assert "decoder_warned" not in codes(opened(plain))
    with pytest.raises(UnreadableError):
        opened(png()[:26] + b"\1" + png()[27:])
    assert capfd.readouterr() == ("", "")


def test_a_decoder_that_speaks_in_another_thread_is_not_heard_here() -> None:
    log = logging.getLogger("imagecodecs")
    with decoders_words() as words, ThreadPoolExecutor(1) as others:
        others.submit(log.warning, "there").result()
        log.warning("here")
    assert words == ["here"]
    assert words_findings(words)[0].message.endswith("says: here.")
    assert not words_findings([])


def opened(data: bytes) -> Photo:
    return open_photo(data, name="A1.png", limits=LIMITS)


def codes(photo: Photo) -> list[str]:
    return [finding.code for finding in photo.findings]


@pytest.mark.parametrize("named", [c for n in range(1, 5) for c in itertools.combinations(STATEMENTS, n)])
@pytest.mark.parametrize("turned_round", [False, True])
def test_of_several_statements_on_colour_the_first_of_the_standard_counts(named, turned_round):
    order = reversed(named) if turned_round else named
    photo = opened(png(*(part for name in order for part in STATEMENTS[name][0])))
    assert photo.icc == STATEMENTS[named[0]][1]


@pytest.mark.parametrize("transfer", [16, 18])
@pytest.mark.parametrize("others", [(), ("iCCP",), ("sRGB",), ("iCCP", "sRGB", "figures")])
def test_an_hdr_picture_is_refused_by_name_whatever_else_it_says(transfer, others):
    parts = [part for name in others for part in STATEMENTS[name][0]]
    with pytest.raises(BadProfileError, match=r"HDR picture.*(PQ|HLG).*without HDR"):
        opened(png((b"cICP", bytes([9, transfer, 0, 1])), *parts))


@pytest.mark.parametrize("transfer", [16, 18])
def test_an_hdr_profile_is_refused_by_the_codes_in_it(transfer):
    tag = b"cicp" + bytes(4) + bytes([9, transfer, 0, 1])
    icc = bytearray(working_profile() + tag)
    (count,) = struct.unpack_from(">I", icc, 128)
    entry = struct.pack(">4sII", b"cicp", len(icc) - len(tag), len(tag))
    struct.pack_into(">I", icc, 128, count)  # the last entry is replaced: the table keeps its length
    icc[132 + 12 * (count - 1) : 132 + 12 * count] = entry
    struct.pack_into(">I", icc, 0, len(icc))
    with pytest.raises(BadProfileError, match="HDR picture"):
        opened(png((b"iCCP", b"icc\0\0" + zlib.compress(bytes(icc)))))


def test_the_narrow_range_of_video_is_refused():
    with pytest.raises(BadProfileError, match="the narrow range of video"):
        opened(png((b"cICP", bytes([1, 1, 0, 0]))))


def test_codes_that_are_not_known_give_way_with_a_finding():
    photo = opened(png((b"cICP", bytes([200, 13, 0, 1])), *STATEMENTS["iCCP"][0]))
    assert photo.icc == working_profile()
    assert "profile_assumed" in codes(photo)


@pytest.mark.parametrize("name", [None, "iCCP", "sRGB", "figures"])
def test_codes_that_are_unspecified_say_nothing(name):
    parts, icc = STATEMENTS[name] if name else ([], srgb_profile())
    with_codes, without = opened(png((b"cICP", bytes([2, 2, 0, 1])), *parts)), opened(png(*parts))
    assert with_codes.icc == without.icc == icc
    assert codes(with_codes) == codes(without)
    assert with_codes.profile_assumed == without.profile_assumed == (name not in ("iCCP", "sRGB"))


def test_a_half_stated_colour_space_is_an_assumption():
    photo = opened(png((b"cICP", bytes([12, 2, 0, 1]))))
    assert photo.icc == display_p3_profile()
    assert photo.profile_assumed
    assert codes(photo) == ["profile_assumed"]


def test_colour_behind_the_picture_counts_for_nothing():
    data = png()
    photo = opened(data[:-12] + chunk(*STATEMENTS["cICP"][0][0]) + data[-12:])
    assert photo.icc == srgb_profile()
    assert "metadata_damaged" in codes(photo)


def exif(orientation: int = 6) -> bytes:
    block = Image.Exif()
    block[274], block[33432] = orientation, "Ada"
    return block.tobytes().removeprefix(b"Exif\0\0")


def raw_profile(name: str, content: bytes, *, packed: bool) -> tuple[bytes, bytes]:
    text = f"\n{name}\n{len(content):8}\n{content.hex()}\n".encode()
    keyword = f"Raw profile type {name}".encode() + b"\0"
    return (b"zTXt", keyword + b"\0" + zlib.compress(text)) if packed else (b"tEXt", keyword + text)


@pytest.mark.parametrize(
    "part",
    [
        (b"eXIf", exif()),
        (b"eXIf", b"Exif\0\0" + exif()),
        *(
            raw_profile(name, start + exif(), packed=packed)
            for name in ("exif", "APP1")
            for start in (b"", b"Exif\0\0")
            for packed in (False, True)
        ),
    ],
)
def test_exif_is_found_wherever_programs_put_it(part):
    photo = opened(png(part))
    assert photo.orientation == 6
    assert photo.size == (40, 60)
    assert photo.metadata.copyright == "Ada"


def test_exif_of_the_standard_wins_over_a_raw_profile():
    for parts in itertools.permutations([(b"eXIf", exif(3)), raw_profile("exif", exif(6), packed=False)]):
        assert opened(png(*parts)).orientation == 3


@pytest.mark.parametrize("interlaced", [False, True])
def test_a_changed_byte_of_the_picture_is_refused(interlaced):
    data = png(interlaced=interlaced)
    assert np.array_equal(opened(data).pixels, PIXELS)
    first = next(one for one in chunks(data) if one.name == b"IDAT")
    for at in np.linspace(first.start + 8, first.end - 1, 40).astype(int):
        with pytest.raises(UnreadableError):
            opened(data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :])


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_picture_that_ends_early_is_refused_though_its_checksums_fit(interlaced, share):
    data = png(interlaced=interlaced)
    first = next(one for one in chunks(data) if one.name == b"IDAT")
    body = first.body[: int(len(first.body) * share)]
    with pytest.raises(UnreadableError):
        opened(data[: first.start] + chunk(b"IDAT", body) + data[first.end :])


@settings(max_examples=60, deadline=None)
@given(at=st.integers(8, 200), bit=st.integers(0, 7))
def test_a_changed_byte_before_the_picture_is_refused_or_told(at, bit):
    data = png(*STATEMENTS["iCCP"][0], (b"eXIf", exif()), (b"tEXt", b"Author\0Ada"))
    changed = data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]
    try:
        photo = opened(changed)
    except RefusedInputError:
        return
    assert "metadata_damaged" in codes(photo)


LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
KNOWN = ("IHDR", "PLTE", "IDAT", "IEND", "CgBI")


@given(
    st.text(LETTERS + LETTERS.lower(), min_size=4, max_size=4).filter(lambda one: one not in KNOWN),
    st.binary(max_size=9),
)
def test_an_unknown_part_is_left_out_unless_its_name_says_that_the_picture_needs_it(name: str, body: bytes) -> None:
    """The first letter says it. Such a part was left out, and the picture was taken for whole."""
    data = png((name.encode(), body))
    if name[0].isupper():
        with pytest.raises(UnreadableError, match=f"a part '{name}' that changes its picture"):
            opened(data)
    else:
        assert np.array_equal(opened(data).pixels, PIXELS)


@pytest.mark.parametrize("at", [2, 40, -2])
def test_what_stands_between_the_parts_of_the_picture_is_told(at: int) -> None:
    data = png()
    picture = next(one for one in chunks(data) if one.name == b"IDAT")
    halves = [chunk(b"IDAT", half) for half in (picture.body[:at], picture.body[at:])]
    for between, told in ((b"", False), (chunk(b"teXt", b"a"), True)):
        photo = opened(data[: picture.start] + between.join(halves) + data[picture.end :])
        assert np.array_equal(photo.pixels, PIXELS)
        assert ("metadata_damaged" in codes(photo)) is told


@given(st.sampled_from([1, 2, 4, 8]), st.data())
def test_a_number_beyond_the_palette_is_refused(depth: int, data: st.DataObject) -> None:
    """The decoder took black for such pixels, without a word."""
    colours = data.draw(st.integers(1, 1 << depth))
    greatest = data.draw(st.integers(0, (1 << depth) - 1))
    numbers = np.zeros((8, 16), np.uint8)
    numbers[3, 5] = greatest
    bits = np.unpackbits(numbers[..., None], axis=2)[..., 8 - depth :].reshape(8, -1)
    rows = b"".join(b"\0" + row.tobytes() for row in np.packbits(bits, axis=1))
    palette = bytes(range(3 * colours)) if colours < 86 else bytes(3 * colours)
    head = struct.pack(">IIBBBBB", 16, 8, depth, 3, 0, 0, 0)
    file = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"PLTE", palette)
    file += chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    if greatest < colours:
        found = open_photo(file, name="A1", limits=LIMITS).pixels[3, 5]
        assert found.tolist() == list(palette[3 * greatest : 3 * greatest + 3])
    else:
        with pytest.raises(UnreadableError, match=f"colour number {greatest} of a palette of {colours}"):
            open_photo(file, name="A1", limits=LIMITS)
