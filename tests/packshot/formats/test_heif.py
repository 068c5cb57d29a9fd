"""HEIC and AVIF: the primary picture, its own steps, colours and metadata; others are told of; gaps are refused."""

from __future__ import annotations

import itertools
import struct

import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from packshot.colour.spaces import display_p3_profile, profile_of_codes, srgb_profile, working_profile
from packshot.errors import BadProfileError, UnreadableError
from packshot.formats.boxes import boxes
from packshot.formats.container import DamagedError
from packshot.formats.heif import clean_aperture, read_heif, without_film
from packshot.ingest.decode import Photo, open_photo
from packshot.specs.models import IngestConfig
from packshot.types import Size
from tests.packshot.formats import isobmff as bmff

LIMITS = IngestConfig(min_px=1)
KINDS = [b"hvc1", b"av01"]
both = pytest.mark.parametrize("kind", KINDS)


def drawn(seed: int = 1) -> NDArray[np.uint8]:
    """Four quarters of different colours, so that each corner tells where it came from."""
    pixels = np.zeros((64, 96, 3), np.uint8)
    colours = np.random.default_rng(seed).integers(40, 220, (2, 2, 3))
    for row, column in itertools.product((0, 1), (0, 1)):
        pixels[32 * row : 32 * row + 32, 48 * column : 48 * column + 48] = colours[row, column]
    return pixels


def opened(data: bytes) -> Photo:
    return open_photo(data, name="A1.heic", limits=LIMITS)


def codes(photo: Photo) -> list[str]:
    return [finding.code for finding in photo.findings]


def shows(photo: Photo, expected: NDArray[np.uint8]) -> bool:
    same_shape = photo.pixels.shape == expected.shape
    return same_shape and float(np.median(np.abs(photo.pixels.astype(int) - expected))) <= 4


@both
@pytest.mark.parametrize("primary", [1, 2, 3])
def test_the_primary_picture_is_taken_and_the_others_are_told_of(kind, primary):
    pictures = [drawn(seed) for seed in (1, 2, 3)]
    photo = opened(bmff.written([bmff.picture(kind, one) for one in pictures], primary=primary))
    assert shows(photo, pictures[primary - 1])
    (finding,) = [one for one in photo.findings if one.code == "first_frame_only"]
    assert finding.measured == 3
    assert "its main picture" in finding.message


@both
def test_thumbnails_and_helpers_are_no_other_pictures(kind):
    small = bmff.picture(kind, drawn(2)[:32, :32], links=((b"thmb", 1),))
    depth = bmff.full(b"auxC", b"urn:mpeg:hevc:2015:auxid:2\0")
    helper = bmff.picture(kind, drawn(3)[:32, :32], depth, links=((b"auxl", 1),))
    hidden = bmff.picture(kind, drawn(4)[:32, :32], hidden=True)
    photo = opened(bmff.written([bmff.picture(kind, drawn()), small, helper, hidden]))
    assert "first_frame_only" not in codes(photo)


STEPS = {
    "crop": (bmff.clap(64, 32, across=-16, down=8), lambda pixels: pixels[20:52, 8:72]),
    "turn": (bmff.irot(1), lambda pixels: np.rot90(pixels, 1)),
    "turn twice": (bmff.irot(2), lambda pixels: np.rot90(pixels, 2)),
    "turn back": (bmff.irot(3), lambda pixels: np.rot90(pixels, 3)),
    "mirror": (bmff.imir(1), lambda pixels: pixels[:, ::-1]),
    "flip": (bmff.imir(0), lambda pixels: pixels[::-1]),
}


@both
@pytest.mark.parametrize(
    "steps",
    [
        (),
        *((one,) for one in STEPS),
        *(("crop", *two) for two in itertools.product(("turn", "turn back"), ("mirror", "flip"))),
        ("mirror", "turn"),
        ("turn", "mirror"),
    ],
)
def test_a_picture_is_cropped_turned_and_mirrored_in_the_order_of_its_own_steps(kind, steps):
    expected = drawn()
    for name in steps:
        expected = STEPS[name][1](expected)
    of_another = bmff.picture(kind, drawn(2), bmff.irot(1), bmff.imir(0))
    own = bmff.picture(kind, drawn(), *(STEPS[name][0] for name in steps))
    assert shows(opened(bmff.written([of_another, own], primary=2)), expected)


@both
def test_exif_orientation_does_not_turn_it_again(kind):
    block = Image.Exif()
    block[274] = 6
    items = [bmff.picture(kind, drawn(), bmff.irot(3)), bmff.exif(block.tobytes().removeprefix(b"Exif\0\0"))]
    assert shows(opened(bmff.written(items)), np.rot90(drawn(), 3))


@given(st.binary(max_size=40) | st.tuples(*[st.integers(0, 2**31 - 1)] * 8).map(lambda n: struct.pack(">8I", *n)))
def test_a_clean_aperture_lies_in_the_picture_or_is_none(body):
    box = clean_aperture(body, Size(90, 60))
    assert box is None or (0 <= box.left < box.right <= 90 and 0 <= box.top < box.bottom <= 60)


@both
def test_a_crop_outside_of_the_picture_is_left_out_with_a_finding_or_refused(kind):
    try:
        photo = opened(bmff.written([bmff.picture(kind, drawn(), bmff.clap(400, 10))]))
    except UnreadableError:
        return
    assert "metadata_damaged" in codes(photo)


@both
@pytest.mark.parametrize(
    ("said", "icc"),
    [
        ((bmff.prof(working_profile()),), working_profile()),
        ((bmff.nclx(12, 13), bmff.prof(working_profile())), working_profile()),
        ((bmff.prof(working_profile()), bmff.nclx(12, 13)), working_profile()),
        ((bmff.nclx(12, 13),), display_p3_profile()),
        ((bmff.nclx(1, 13),), srgb_profile()),
        ((bmff.nclx(9, 13),), profile_of_codes(9, 13)),
    ],
)
def test_colours_are_those_of_the_profile_else_of_the_codes(kind, said, icc):
    other = bmff.picture(kind, drawn(2), bmff.prof(srgb_profile()))
    assert opened(bmff.written([other, bmff.picture(kind, drawn(), *said)], primary=2)).icc == icc


@both
@pytest.mark.parametrize(
    ("said", "icc", "assumed"),
    [
        ((bmff.nclx(2, 2),), srgb_profile(), True),
        ((bmff.nclx(2, 13),), srgb_profile(), True),
        ((bmff.nclx(12, 2),), display_p3_profile(), True),
        ((bmff.nclx(1, 13),), srgb_profile(), False),
        ((bmff.nclx(2, 2), bmff.prof(working_profile())), working_profile(), False),
    ],
)
def test_a_colour_space_is_assumed_only_with_a_finding(kind, said, icc, assumed):
    photo = opened(bmff.written([bmff.picture(kind, drawn(), *said)]))
    assert photo.icc == icc
    assert photo.profile_assumed == assumed == ("profile_assumed" in codes(photo))


@both
@pytest.mark.parametrize("transfer", [16, 18])
@pytest.mark.parametrize("profile", [(), (bmff.prof(srgb_profile()),)])
def test_an_hdr_picture_is_refused_by_name(kind, transfer, profile):
    with pytest.raises(BadProfileError, match="HDR picture"):
        opened(bmff.written([bmff.picture(kind, drawn(), bmff.nclx(9, transfer), *profile)]))


@both
def test_a_gain_map_is_told_of(kind):
    named = bmff.full(b"auxC", b"urn:com:apple:photo:2020:aux:hdrgainmap\0")
    gain = bmff.picture(kind, drawn(2)[:32, :32], named, links=((b"auxl", 1),))
    photo = opened(bmff.written([bmff.picture(kind, drawn()), gain]))
    assert codes(photo).count("gain_map_left_out") == 1
    assert shows(photo, drawn())


@both
def test_metadata_of_the_primary_picture_counts(kind):
    def of(name: str, number: int) -> bmff.Item:
        block = Image.Exif()
        block[33432] = name
        return bmff.exif(block.tobytes().removeprefix(b"Exif\0\0"), of=number)

    packet = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
    packet += b' xmlns:dc="http://purl.org/dc/elements/1.1/"><rdf:Description><dc:title>Shoe</dc:title>'
    packet += b"</rdf:Description></rdf:RDF></x:xmpmeta>"
    pictures = [bmff.picture(kind, drawn(1)), bmff.picture(kind, drawn(2))]
    photo = opened(bmff.written([*pictures, of("Bob", 1), of("Ada", 2), bmff.xmp(packet, 2)], primary=2))
    assert photo.metadata.copyright == "Ada"
    assert photo.metadata.title == "Shoe"


def noisy(kind: bytes, *, in_idat: bool = False) -> bytes:
    pixels = np.random.default_rng(5).integers(0, 256, (160, 240, 3), np.uint8)
    return bmff.written([bmff.picture(kind, pixels)], in_idat=in_idat)


@both
@pytest.mark.parametrize("share", [0.2, 0.5, 0.95])
def test_a_file_that_is_cut_off_is_refused(kind, share):
    data = noisy(kind)
    with pytest.raises(UnreadableError):
        opened(data[: int(len(data) * share)])


@both
@pytest.mark.parametrize("share", [0.05, 0.2, 0.5, 0.8])
@pytest.mark.parametrize("box", ["mdat", "idat"])
def test_a_gap_of_zeros_in_the_picture_is_refused(kind, share, box):
    data = noisy(kind, in_idat=box == "idat")
    assert read_heif(data).size == Size(240, 160)
    start = data.index(box.encode()) + 4
    at = start + 40 + int((len(data) - start - 2000) * share)
    with pytest.raises(UnreadableError, match=r"damaged (HEIC|AVIF)"):
        opened(data[:at] + bytes(1024) + data[at + 1024 :])


@both
def test_a_gap_counts_where_the_picture_lies_and_nowhere_else(kind):
    data = noisy(kind, in_idat=True)
    start, at = int.from_bytes(data[:4], "big"), data.index(b"idat") + 4000
    zeros, others = (bmff.box(b"free", fill * len(data)) for fill in (b"\0", b"\1"))
    assert read_heif(data[:start] + zeros + data[start:]).size == Size(240, 160)
    gone = data[:at] + bytes(1024) + data[at + 1024 :]
    with pytest.raises(DamagedError, match=r"damaged (HEIC|AVIF)"):
        read_heif(gone[:start] + others + gone[start:])


@both
def test_a_file_that_lost_bytes_is_refused(kind):
    data = noisy(kind)
    at = len(data) // 2
    with pytest.raises(UnreadableError, match="cut off"):
        opened(data[:at] + data[at + 700 :])


@given(st.binary(max_size=400))
def test_any_bytes_have_a_header_or_are_damaged(body):
    for name in (b"iloc", b"iinf", b"iref", b"ipma", b"pitm"):
        data = bmff.box(b"ftyp", b"heic") + bmff.full(b"meta", bmff.box(name, body))
        with pytest.raises((DamagedError, struct.error, IndexError)):
            read_heif(data)


@pytest.mark.parametrize("frames", [2, 3, 6])
@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("deep", [False, True])
def test_of_an_avif_with_a_film_the_main_picture_is_taken_and_that_is_told(frames, alpha, deep):
    """Asked for one picture of a film, the decoder wrote all of them where one had room, and the process died."""
    first = drawn(seed=3)
    pictures = np.stack([first, *[255 - first] * (frames - 1)])
    if alpha:
        pictures = np.concatenate([pictures, np.full_like(pictures[..., :1], 255)], axis=3)
    if deep:
        pictures = (pictures.astype(np.uint32) * 1023 // 255).astype(np.uint16)
    data = bytes(imagecodecs.avif_encode(pictures, level=95, speed=9, bitspersample=10 if deep else 8))
    assert b"avis" in data[:32]
    for _ in range(3):
        photo = opened(data)
        assert codes(photo).count("first_frame_only") == 1
        assert (
            np.median(np.abs(photo.pixels.astype(int) - first.astype(int) * (257 if deep else 1))) <= (300, 4)[not deep]
        )


@pytest.mark.parametrize("frames", [2, 5])
def test_a_film_without_a_picture_beside_it_is_refused_by_name(frames):
    film = bytes(imagecodecs.avif_encode(np.stack([drawn(one) for one in range(frames)]), level=95, speed=9))
    assert film.count(b"meta") == 1
    with pytest.raises(UnreadableError, match=r"a film \(image sequence\) without a picture beside it"):
        opened(film.replace(b"meta", b"free"))


@given(
    st.lists(st.sampled_from([b"moov", b"free", b"mdat", b"ftyp"]), max_size=4),
    st.lists(st.sampled_from([b"avis", b"avif", b"mif1", b"moov"]), max_size=6).map(b"".join),
    st.booleans(),
)
def test_a_film_is_hidden_and_no_other_byte_changes(names, body, wide):
    one = (lambda name: struct.pack(">I4sQ", 1, name, 16 + len(body)) + body) if wide else lambda n: bmff.box(n, body)
    data = b"".join(map(one, names))
    still = without_film(data)
    assert len(still) == len(data)
    assert [name for name, _ in boxes(still)] == [b"free" if name == b"moov" else name for name in names]
    for (name, before), (_, after) in zip(boxes(data), boxes(still), strict=True):
        assert after == before or (name == b"ftyp" and after == before.replace(b"avis", b"avif"))
    if not {b"moov", b"ftyp"} & set(names):
        assert still is data


UNREAD = {b"avc1": "H.264", b"jpeg": "JPEG", b"j2k1": "JPEG 2000", b"unci": "plain values", b"vvc1": "H.266"}


@pytest.mark.parametrize("kind", UNREAD)
@pytest.mark.parametrize("in_a_grid", [False, True])
def test_a_coding_that_is_not_read_is_no_damage(kind, in_a_grid):
    coded = bmff.Item(kind, b"x" * 64, (bmff.ispe(96, 64),))
    grid = bmff.Item(b"grid", struct.pack(">BBBBHH", 0, 0, 0, 0, 96, 64), (bmff.ispe(96, 64),), ((b"dimg", 2),))
    with pytest.raises(UnreadableError, match=f"coded as {UNREAD[kind]}, which is not read. Export the photograph"):
        opened(bmff.written([grid, coded] if in_a_grid else [coded]))


@pytest.mark.parametrize("derived", [b"iden", b"iovl"])
def test_an_avif_made_of_other_pictures_is_no_damage(derived):
    main = bmff.Item(derived, b"", (bmff.ispe(96, 64),), ((b"dimg", 2),))
    with pytest.raises(UnreadableError, match="made of others, which is not read"):
        opened(bmff.written([main, bmff.picture(b"av01", drawn())]))
