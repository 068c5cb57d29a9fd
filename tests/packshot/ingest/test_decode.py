import contextlib
import io
import struct
import zlib
from functools import cache

import imagecodecs
import numpy as np
import pillow_heif
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from packshot.colour.profile import ColourModel
from packshot.colour.spaces import display_p3_profile, srgb_profile, working_profile
from packshot.errors import BadProfileError, RefusedInputError, TooLargeError, TooSmallError, UnreadableError
from packshot.formats.sniff import FileKind
from packshot.ingest.decode import open_photo, upright
from packshot.ingest.master import develop
from packshot.specs.models import IngestConfig, ProfilePolicy
from tests.shared_data import shared_data


def saved(image, format_, **options):
    stream = io.BytesIO()
    image.save(stream, format_, **options)
    return stream.getvalue()


def codes(photo):
    return [finding.code for finding in photo.findings]


def exif(tags, *, space=None, interoperability=""):
    block = Image.Exif()
    for tag, value in tags.items():
        block[tag] = value
    if space is not None:
        block.get_ifd(0x8769)[0xA001] = space
    if interoperability:
        block.get_ifd(0x8769)[0xA005] = {1: interoperability}
    return block.tobytes()


# --- kinds and depths --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format_", ["PNG", "WEBP", "TIFF", "BMP"])
def test_8_bit_pixels_come_out_as_they_went_in(picture, limits, format_):
    options = {"lossless": True} if format_ == "WEBP" else {}
    photo = open_photo(saved(Image.fromarray(picture), format_, **options), name="a", limits=limits)
    assert (photo.pixels == picture).all()
    assert photo.pixels.dtype == np.uint8


def test_the_name_says_nothing(picture, limits):
    photo = open_photo(saved(Image.fromarray(picture), "PNG"), name="a.jpg", limits=limits)
    assert photo.kind is FileKind.PNG


def test_jpeg_opens_close_to_the_original(picture, limits):
    photo = open_photo(saved(Image.fromarray(picture), "JPEG", quality=98, subsampling=0), name="a", limits=limits)
    assert photo.kind is FileKind.JPEG
    assert np.abs(photo.pixels.astype(int) - picture).mean() < 1.5


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "lzw", "predictor": 2},
        {"compression": "adobe_deflate"},
        {"compression": "zstd"},
        {"tile": (32, 32)},
        {"byteorder": ">"},
        {"bigtiff": True},
        {"planarconfig": "separate"},
        {"byteorder": ">", "bigtiff": True, "compression": "lzw", "tile": (16, 48)},
    ],
    ids=lambda options: "-".join(map(str, options)) or "plain",
)
def test_16_bit_tiffs_keep_all_16_bits(picture16, limits, tiff, options):
    pixels = picture16.transpose(2, 0, 1) if options.get("planarconfig") == "separate" else picture16
    photo = open_photo(tiff(np.ascontiguousarray(pixels), **options), name="a", limits=limits)
    assert photo.bit_depth == 16
    assert (photo.pixels == picture16).all()


def test_16_bit_png_keeps_all_16_bits(picture16, limits):
    photo = open_photo(imagecodecs.png_encode(picture16), name="a", limits=limits)
    assert (photo.pixels == picture16).all()


def test_deep_avif_and_jpeg_xl_keep_their_depth(picture16, limits):
    ten_bits = (picture16 >> 6).astype(np.uint16)
    photo = open_photo(imagecodecs.avif_encode(ten_bits, level=100, bitspersample=10), name="a", limits=limits)
    assert photo.bit_depth == 10
    assert np.abs(photo.pixels.astype(int) - picture16).mean() < 2 * 257
    photo = open_photo(imagecodecs.jpegxl_encode(picture16, lossless=True), name="a", limits=limits)
    assert photo.bit_depth == 16
    assert (photo.pixels == picture16).all()


def test_jpeg_in_tiff_is_read_as_rgb(picture, limits, tiff):
    photo = open_photo(
        tiff(picture, compression="jpeg", compressionargs={"level": 98}, photometric="rgb"), name="a", limits=limits
    )
    assert np.abs(photo.pixels.astype(int) - picture).mean() < 2


def test_the_first_page_of_several_is_taken_and_noted(picture, limits):
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as writer:
        writer.write(picture, photometric="rgb")
        writer.write(picture[::2, ::2], photometric="rgb")
    photo = open_photo(stream.getvalue(), name="a", limits=limits)
    assert (photo.pixels == picture).all()
    assert "first_frame_only" in codes(photo)


@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
def test_grey_tiffs_are_read_the_right_way_round(picture, limits, tiff, photometric):
    grey = np.ascontiguousarray(picture[..., 0])
    photo = open_photo(tiff(grey, photometric=photometric), name="a", limits=limits)
    assert photo.model is ColourModel.GREY
    assert (photo.pixels == (grey if photometric == "minisblack" else 255 - grey)).all()


def test_palette_with_transparency_keeps_colours_and_alpha(picture, limits):
    image = Image.fromarray(picture).quantize(8)
    photo = open_photo(saved(image, "PNG", transparency=3), name="a", limits=limits)
    expected = np.asarray(Image.open(io.BytesIO(saved(image, "PNG", transparency=3))).convert("RGBA"))
    assert (photo.pixels == expected[..., :3]).all()
    assert photo.alpha is not None
    assert (photo.alpha == expected[..., 3] / 255).all()
    assert "transparency" in codes(photo)


def test_opaque_alpha_is_no_transparency(picture, limits):
    photo = open_photo(saved(Image.fromarray(picture).convert("RGBA"), "PNG"), name="a", limits=limits)
    assert photo.alpha is None
    assert "transparency" not in codes(photo)


def test_multiplied_colours_are_divided_again(picture, limits, tiff):
    alpha = np.full(picture.shape[:2], 128, np.uint8)
    multiplied = (picture.astype(float) * 128 / 255 + 0.5).astype(np.uint8)
    photo = open_photo(tiff(np.dstack([multiplied, alpha]), extrasamples=["assocalpha"]), name="a", limits=limits)
    assert np.abs(photo.pixels.astype(int) - picture).max() <= 2


def test_a_saved_selection_is_not_transparency(picture, limits, tiff):
    selection = np.zeros(picture.shape[:2], np.uint8)
    photo = open_photo(tiff(np.dstack([picture, selection]), extrasamples=["unspecified"]), name="a", limits=limits)
    assert photo.alpha is None
    assert "extra_channels_ignored" in codes(photo)


def test_heic_opens_in_8_and_10_bits(picture, picture16, limits):
    shallow, deep = io.BytesIO(), io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(picture)).save(shallow, quality=95)
    size = (picture16.shape[1], picture16.shape[0])
    pillow_heif.encode("RGB;16", size, picture16.tobytes(), deep, quality=95)
    photo = open_photo(shallow.getvalue(), name="a", limits=limits)
    assert photo.kind is FileKind.HEIC
    assert np.abs(photo.pixels.astype(int) - picture).mean() < 4
    photo = open_photo(deep.getvalue(), name="a", limits=limits)
    assert photo.pixels.dtype == np.uint16
    assert photo.bit_depth > 8
    assert np.abs(photo.pixels.astype(int) - picture16).mean() < 4 * 257


def test_white_of_a_deep_heic_is_white(limits):
    stream = io.BytesIO()
    pillow_heif.encode("RGB;16", (64, 64), b"\xff" * (64 * 64 * 6), stream, quality=100, chroma=444)
    photo = open_photo(stream.getvalue(), name="a", limits=limits)
    assert photo.pixels.min() == 65535


def test_avif_and_jpeg_xl_open(picture, limits):
    for data, kind in (
        (imagecodecs.avif_encode(picture, level=100), FileKind.AVIF),
        (imagecodecs.jpegxl_encode(picture, lossless=True), FileKind.JPEG_XL),
    ):
        photo = open_photo(data, name="a", limits=limits)
        assert photo.kind is kind
        assert np.abs(photo.pixels.astype(int) - picture).mean() < 2


def test_cmyk_jpeg_of_adobe_programs_is_not_inverted(limits):
    ink = np.zeros((40, 40, 4), np.uint8)
    ink[..., 0] = 250  # much cyan
    photo = open_photo(saved(Image.fromarray(ink, "CMYK"), "JPEG", quality=98), name="a", limits=limits)
    assert photo.model is ColourModel.CMYK
    assert np.abs(photo.pixels.astype(int) - ink).max() <= 3
    assert "cmyk_profile_missing" in codes(photo)


# --- orientation ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_comes_out_upright(picture, limits, orientation):
    inverse = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}[orientation]
    stored = upright(picture, inverse)
    for format_, options in (("PNG", {}), ("TIFF", {}), ("WEBP", {"lossless": True})):
        data = saved(Image.fromarray(stored), format_, exif=exif({274: orientation}), **options)
        photo = open_photo(data, name="a", limits=limits)
        assert photo.orientation == orientation
        assert photo.size == (90, 60)
        assert (photo.pixels == picture).all(), format_


@given(st.integers(1, 8))
def test_turning_agrees_with_the_definition(orientation):
    # EXIF 2.32: where row 0 and column 0 of the stored picture lie in the visible one.
    stored = np.arange(6).reshape(2, 3)
    seen = upright(stored, orientation)
    corner = {1: (0, 0), 2: (0, -1), 3: (-1, -1), 4: (-1, 0), 5: (0, 0), 6: (0, -1), 7: (-1, -1), 8: (-1, 0)}
    assert seen[corner[orientation]] == stored[0, 0]
    assert seen.shape == ((3, 2) if orientation >= 5 else (2, 3))


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_impossible_orientations_count_as_upright(picture, limits, orientation):
    data = saved(Image.fromarray(picture), "PNG", exif=exif({274: orientation}))
    assert (open_photo(data, name="a", limits=limits).pixels == picture).all()


def test_all_orientations_of_real_pictures_look_the_same(limits):
    folder = shared_data("hostile", "exif-orientation", "exif-orientation-examples")
    for stem in ("Landscape", "Portrait"):
        thumbs = []
        for path in sorted(folder.glob(f"{stem}_*.jpg")):
            photo = open_photo(path.read_bytes(), name=path.name, limits=limits)
            thumbs.append(np.asarray(Image.fromarray(photo.pixels).resize((48, 48), Image.Resampling.BOX)).astype(int))
        assert len(thumbs) >= 3
        assert all(np.abs(thumb - thumbs[0]).mean() < 3 for thumb in thumbs)


# --- profiles ------------------------------------------------------------------------------------------------------


def test_an_embedded_profile_is_used(picture, limits):
    data = saved(Image.fromarray(picture), "PNG", icc_profile=display_p3_profile())
    photo = open_photo(data, name="a", limits=limits)
    assert photo.icc == display_p3_profile()
    assert not photo.profile_assumed


def test_without_a_word_srgb_is_assumed_and_noted(picture, limits):
    photo = open_photo(saved(Image.fromarray(picture), "PNG"), name="a", limits=limits)
    assert photo.icc == srgb_profile()
    assert photo.profile_assumed
    assert codes(photo) == ["profile_assumed"]


@pytest.mark.parametrize(
    ("space", "interoperability", "expected"),
    [
        (1, "", srgb_profile()),
        (2, "", working_profile()),
        (65535, "R03", working_profile()),
        (1, "R98", srgb_profile()),
    ],
)
def test_exif_colour_space_is_honoured(picture, limits, space, interoperability, expected):
    block = exif({}, space=space, interoperability=interoperability)
    data = saved(Image.fromarray(picture), "JPEG", exif=block)
    photo = open_photo(data, name="a", limits=limits)
    assert photo.icc == expected
    assert not photo.profile_assumed


@pytest.mark.parametrize(
    "broken",
    [b"x" * 200, working_profile()[:300], working_profile()[:36] + b"xxxx" + working_profile()[40:]],
    ids=["noise", "cut off", "no signature"],
)
def test_a_broken_profile_gives_way_to_srgb_with_a_finding(picture, limits, broken):
    photo = open_photo(saved(Image.fromarray(picture), "PNG", icc_profile=broken), name="a", limits=limits)
    assert photo.icc == srgb_profile()
    assert codes(photo) == ["profile_broken", "profile_assumed"]


# --- limits --------------------------------------------------------------------------------------------------------


def png_header(width, height):
    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def test_six_million_megapixels_are_refused_before_decoding(limits):
    with pytest.raises(TooLargeError, match="3000000 x 2000000"):
        open_photo(png_header(3_000_000, 2_000_000), name="bomb.png", limits=limits)


def test_too_many_pixels_with_short_sides_are_refused(limits):
    with pytest.raises(TooLargeError, match="250,000,000 pixels"):
        open_photo(png_header(30_000, 30_000), name="bomb.png", limits=limits)


def test_too_many_bytes_are_refused(picture):
    with pytest.raises(TooLargeError, match="bytes"):
        open_photo(saved(Image.fromarray(picture), "PNG"), name="a", limits=IngestConfig(min_px=1, max_bytes=100))


def test_too_many_frames_are_refused(picture):
    frames = [Image.fromarray(np.roll(picture, n, axis=1)) for n in range(5)]
    data = saved(frames[0], "WEBP", save_all=True, append_images=frames[1:])
    with pytest.raises(TooLargeError, match="5 frames"):
        open_photo(data, name="a", limits=IngestConfig(min_px=1, max_frames=4))


def test_too_small_names_what_was_found_and_what_is_needed(picture):
    with pytest.raises(TooSmallError, match=r"90 x 60 pixels.*at least 1000"):
        open_photo(saved(Image.fromarray(picture), "PNG"), name="a", limits=IngestConfig())


def test_the_longest_side_decides_about_too_small(picture):
    data = saved(Image.fromarray(picture), "PNG")
    assert open_photo(data, name="a", limits=IngestConfig(min_px=90)).size.longest == 90
    with pytest.raises(TooSmallError):
        open_photo(data, name="a", limits=IngestConfig(min_px=91))


def test_a_tile_far_larger_than_its_picture_is_refused(picture16, limits, tiff):
    data = bytearray(tiff(picture16, tile=(16, 16)))
    at = next(at for at in range(len(data)) if data[at : at + 2] == b"\x42\x01" and data[at + 8 : at + 10] == b"\x10\0")
    data[at : at + 12] = struct.pack("<HHII", 322, 4, 1, 2_000_000_000)
    with pytest.raises(TooLargeError):
        open_photo(bytes(data), name="a", limits=limits)


# --- damaged and foreign files ---------------------------------------------------------------------------------------


@cache
def whole_files() -> dict[str, bytes]:
    """One noisy picture in each format, by the format's name; whole."""
    noisy = np.random.default_rng(2).integers(0, 255, (80, 100, 3), dtype=np.uint8)
    heic = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(noisy)).save(heic, quality=90)
    tiff_bytes = io.BytesIO()
    tifffile.imwrite(tiff_bytes, noisy, photometric="rgb", compression="lzw")
    return {
        "jpeg": saved(Image.fromarray(noisy), "JPEG"),
        "progressive": saved(Image.fromarray(noisy), "JPEG", progressive=True),
        "png": saved(Image.fromarray(noisy), "PNG"),
        "webp": saved(Image.fromarray(noisy), "WEBP"),
        "gif": saved(Image.fromarray(noisy), "GIF"),
        "bmp": saved(Image.fromarray(noisy), "BMP"),
        "tiff": tiff_bytes.getvalue(),
        "avif": imagecodecs.avif_encode(noisy),
        "jxl": imagecodecs.jpegxl_encode(noisy),
        "heic": heic.getvalue(),
    }


@pytest.mark.parametrize("kind", ["jpeg", "progressive", "png", "webp", "gif", "bmp", "tiff", "avif", "jxl", "heic"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_file_cut_off_is_refused_not_half_delivered(limits, kind, share):
    whole = whole_files()[kind]
    open_photo(whole, name=kind, limits=limits)
    with pytest.raises(UnreadableError):
        open_photo(whole[: int(len(whole) * share)], name=kind, limits=limits)


def test_a_cut_off_jpeg_is_told_so(limits):
    data = whole_files()["jpeg"]
    with pytest.raises(UnreadableError, match="cut off"):
        open_photo(data[: len(data) // 2], name="half.jpg", limits=limits)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "empty file"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "web page"),
        (b"PK\x03\x04" + bytes(100), "archive"),
        (b"%PDF-1.7\n", "PDF document"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "SVG drawing"),
        (
            b"push graphic-context\nviewbox 0 0 640 480\nfill 'url(https://127.0.0.1/x|ls)'\npop graphic-context",
            "script",
        ),
        (b"sku,file\n1,a.jpg\n", "text"),
        (b"%!PS-Adobe-3.0", "PostScript"),
        (b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isom", "video"),
        (b"II*\0\x10\0\0\0CR\x02\0" + bytes(50), "camera RAW"),
        (bytes(range(1, 250)), "unknown content"),
    ],
)
def test_what_is_no_picture_is_refused_by_its_name(data, found, limits):
    with pytest.raises(UnreadableError, match=found):
        open_photo(data, name="a.jpg", limits=limits)


@settings(max_examples=300, deadline=None)
@given(
    kind=st.sampled_from(["jpeg", "png", "webp", "gif", "bmp", "tiff", "avif", "jxl", "heic"]),
    hits=st.lists(st.tuples(st.floats(0, 0.9999), st.integers(0, 255)), min_size=1, max_size=20),
)
def test_damaged_bytes_either_open_or_are_refused(kind, hits):
    data = bytearray(whole_files()[kind])
    for place, value in hits:
        data[int(place * len(data))] = value
    with contextlib.suppress(RefusedInputError):
        open_photo(bytes(data), name="damaged", limits=IngestConfig(min_px=1, max_pixels=1_000_000))


JPEG_XL_LINEAR_GREY = "gray_linear_lossy.jxl"


def test_a_jpeg_xl_brings_its_own_profile(limits):
    folder = shared_data("hostile", "formats-modern", "kimageformats")
    named = open_photo((folder / "orientation5.jxl").read_bytes(), name="a.jxl", limits=limits)
    assert (named.profile_name, named.profile_assumed) == ("GIMP built-in sRGB", False)
    by_codes = open_photo((folder / JPEG_XL_LINEAR_GREY).read_bytes(), name="b.jxl", limits=limits)
    assert not by_codes.profile_assumed
    assert "Lin" in by_codes.profile_name


def test_of_an_animated_jpeg_xl_the_first_picture_is_taken_and_said_so(limits):
    data = shared_data("hostile", "formats-modern", "kimageformats", "bug_496350.jxl").read_bytes()
    photo = open_photo(data, name="a.jxl", limits=limits)
    assert [finding.code for finding in photo.findings] == ["first_frame_only"]
    assert photo.pixels.reshape(-1, 3).mean(axis=0) == pytest.approx([73, 123, 240.1], abs=0.2)


def png_chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_with(pixels, *chunks):
    data = bytes(imagecodecs.png_encode(pixels))
    return data[:33] + b"".join(png_chunk(*chunk) for chunk in chunks) + data[33:]


def test_a_png_that_names_gamma_and_primaries_is_read_by_them(limits, picture):
    gamma = (b"gAMA", struct.pack(">I", round(100_000 / (563 / 256))))
    primaries = (b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000))
    photo = open_photo(png_with(picture, gamma, primaries), name="a.png", limits=limits)
    assert [finding.code for finding in photo.findings] == ["profile_assumed"]
    off = develop(photo).pixels16.astype(int) - picture.astype(int) * 257
    assert np.abs(off).max() <= 2


def test_a_png_with_linear_light_is_not_taken_for_srgb(limits, picture):
    photo = open_photo(png_with(picture, (b"gAMA", struct.pack(">I", 100_000))), name="a.png", limits=limits)
    grey = png_with(np.full((8, 8, 3), 128, np.uint8), (b"gAMA", struct.pack(">I", 100_000)))
    value = develop(open_photo(grey, name="g.png", limits=limits)).pixels16[0, 0]
    assert photo.profile_assumed
    assert (value / 65535) ** (563 / 256) == pytest.approx([128 / 255] * 3, abs=0.001)


@pytest.mark.parametrize("gamma", [1, 45455, 10_000_000])
def test_a_png_gamma_that_says_nothing_or_cannot_be_leaves_srgb(gamma, limits, picture):
    photo = open_photo(png_with(picture, (b"gAMA", struct.pack(">I", gamma))), name="a.png", limits=limits)
    assert photo.icc == srgb_profile()


@pytest.mark.parametrize(
    "start", [b"P6 20 20 255\n", b"P2\n# drawn\n3 3\n15\n", b"\x01\xda\x01\x01\0\3", b"#?RADIANCE\n"]
)
def test_pictures_of_kinds_that_are_not_read_are_refused_by_their_name(start, limits):
    with pytest.raises(UnreadableError, match=r"(PNM|SGI|Radiance).*TIFF"):
        open_photo(start + bytes(200), name="a", limits=limits)


REFUSING = IngestConfig(min_px=1, profiles=ProfilePolicy(missing="refuse", broken="refuse", cmyk_missing="refuse"))


def test_a_config_can_refuse_what_would_be_assumed(picture, tiff):
    inks = np.zeros((9, 9, 4), np.uint8)
    for data, why in (
        (tiff(picture), "nothing in it says"),
        (tiff(picture, iccprofile=b"no profile at all" * 20), "is implausible"),
        (tiff(inks, photometric="separated"), "inks have no profile"),
    ):
        assert open_photo(data, name="a", limits=IngestConfig(min_px=1)).findings
        with pytest.raises(BadProfileError, match=why):
            open_photo(data, name="a", limits=REFUSING)


def test_a_picture_with_a_profile_passes_the_strictest_config(picture, tiff):
    assert not open_photo(tiff(picture, iccprofile=working_profile()), name="a", limits=REFUSING).findings
