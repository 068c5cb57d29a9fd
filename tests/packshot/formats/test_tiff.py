"""TIFF: the page that is the picture, channels nobody named, L*a*b* in all its encodings, missing parts."""

from __future__ import annotations

import io
import itertools

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from packshot.colour.profile import ColourModel
from packshot.errors import UnreadableError
from packshot.ingest.decode import Photo, open_photo
from packshot.ingest.master import develop
from packshot.specs.models import IngestConfig

LIMITS = IngestConfig(min_px=1)
PICTURE = np.random.default_rng(1).integers(0, 256, (40, 60, 3), np.uint8)
SMALL = PICTURE[::4, ::4]
REDUCED, MASK = 1, 4
Page = tuple[NDArray[np.generic], dict[str, object]]


def opened(data: bytes) -> Photo:
    return open_photo(data, name="A1.tif", limits=LIMITS)


def codes(photo: Photo) -> list[str]:
    return [finding.code for finding in photo.findings]


def written(*pages: Page, big: bool = False, order: str = "<") -> bytes:
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream, bigtiff=big, byteorder=order) as tiff:
        for pixels, options in pages:
            tiff.write(pixels, **({"photometric": "rgb", "metadata": None} | options))
    return stream.getvalue()


def tag(code: int, text: str) -> tuple[int, str, int, str, bool]:
    return code, "s", 0, text, True


@pytest.mark.parametrize(("big", "order"), list(itertools.product((False, True), "<>")))
@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("kind", [REDUCED, MASK, REDUCED | MASK])
def test_the_page_that_is_no_reduced_copy_is_the_picture(place, kind, big, order):
    mask = (SMALL[..., 0] > 100, {"photometric": "mask", "subfiletype": kind})
    pages: list[Page] = [mask if kind & MASK else (SMALL, {"subfiletype": kind})] * 2
    pages.insert(place, (PICTURE, {"extratags": [tag(33432, "Ada"), (274, "H", 1, 6, True)]}))
    photo = opened(written(*pages, big=big, order=order))
    assert photo.size == (40, 60)  # turned by its own orientation
    assert np.array_equal(photo.pixels, np.rot90(PICTURE, -1))
    assert photo.metadata.copyright == "Ada"
    assert "first_frame_only" not in codes(photo)


def test_the_picture_may_be_a_sub_page():
    first = (SMALL, {"subfiletype": REDUCED, "subifds": 2, "extratags": [tag(33432, "Ada"), (274, "H", 1, 3, True)]})
    photo = opened(written(first, (SMALL[::2], {"subfiletype": REDUCED}), (PICTURE, {"subfiletype": 0})))
    assert np.array_equal(photo.pixels, np.rot90(PICTURE, 2))
    assert photo.metadata.copyright == "Ada"


def test_of_several_pictures_the_first_is_taken_with_a_finding():
    pages = [(PICTURE, {}), (PICTURE[::-1], {}), (SMALL, {"subfiletype": REDUCED})]
    photo = opened(written(*pages))
    assert np.array_equal(photo.pixels, PICTURE)
    (finding,) = [one for one in photo.findings if one.code == "first_frame_only"]
    assert finding.measured == 2


def test_a_file_of_reduced_copies_only_gives_the_largest():
    photo = opened(written((SMALL, {"subfiletype": REDUCED}), (PICTURE, {"subfiletype": REDUCED})))
    assert np.array_equal(photo.pixels, PICTURE)


@pytest.mark.parametrize("more", [1, 2])
@pytest.mark.parametrize(("photometric", "colours"), [("rgb", 3), ("minisblack", 1), ("separated", 4)])
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_channels_that_nobody_named_are_left_out_with_a_finding(photometric, colours, more, depth):
    pixels = np.random.default_rng(2).integers(0, 256, (20, 30, colours + more)).astype(depth)
    data = written((pixels, {"photometric": photometric, "planarconfig": "contig", "extrasamples": [0] * more}))
    photo = opened(_without_extra_samples(data))
    assert np.array_equal(photo.pixels, pixels[..., 0] if colours == 1 else pixels[..., :colours])
    assert photo.alpha is None
    assert "extra_channels_ignored" in codes(photo)


def _without_extra_samples(data: bytes) -> bytes:
    """The same file with another, private tag in place of ExtraSamples."""
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        at = tiff.pages.first.tags["ExtraSamples"].offset
    return data[:at] + (65001).to_bytes(2, "little") + data[at + 2 :]


LABS = np.array([[[0, 0, 0], [100, 0, 0], [50, 60, -70], [60, -128, 127], [30, 127, -128], [40, -1, 1]]], np.float64)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("with_alpha", [False, True])
def test_lab_means_the_same_in_every_encoding(bits, signed, with_alpha):
    """CIELab has signed numbers, also as a sample format of its own; ICCLab has unsigned ones."""
    step, light = (256, (65535 if signed else 65280)) if bits == 16 else (1, 255)
    wide = LABS.repeat(4, axis=0).repeat(4, axis=1)
    stored = np.concatenate([wide[..., :1] * light / 100, (wide[..., 1:] + (0 if signed else 128)) * step], axis=2)
    pixels = np.round(stored).astype(np.int64).astype(f"u{bits // 8}")
    options: dict[str, object] = {"photometric": "cielab" if signed else "icclab"}
    if with_alpha:
        pixels = np.concatenate([pixels, np.full_like(pixels[..., :1], np.iinfo(pixels.dtype).max)], axis=2)
        options["extrasamples"] = ["unassalpha"]
    photo = opened(written((pixels, options)))
    assert photo.model is ColourModel.LAB
    values = photo.pixels.astype(np.float64)
    scale = 257 if bits == 16 else 1
    lightness, colours = values[..., :1] * 100 / (65535 if bits == 16 else 255), values[..., 1:] / scale - 128
    assert np.abs(lightness - wide[..., :1]).max() <= 100 / light
    assert np.abs(colours - wide[..., 1:]).max() <= 1 / step


def test_neutral_lab_is_neutral():
    for dtype, white in ((np.uint8, 255), (np.uint16, 65535)):
        pixels = np.zeros((8, 8, 3), dtype)
        pixels[..., 0] = white
        assert develop(opened(written((pixels, {"photometric": "cielab"})))).pixels16.min() >= 65500


GRAIN = np.random.default_rng(3).normal(0, 6, (128, 128, 3))
NOISE = np.clip(np.add.outer(np.arange(128) / 2, np.arange(128))[..., None] + GRAIN, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("compression", [None, "lzw", "zlib", "packbits", "lzma", "zstd"])
@pytest.mark.parametrize("tiled", [False, True])
def test_a_part_that_is_too_short_is_refused(compression, tiled):
    parts = {"tile": (64, 64)} if tiled else {"rowsperstrip": 32}
    data = bytearray(written((NOISE, {"compression": compression, **parts})))
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        page = tiff.pages.first
        counts, width = page.tags[325 if tiled else 279], {3: 2, 4: 4}[int(page.tags[325 if tiled else 279].dtype)]
        lengths = page.databytecounts
    for index, length in enumerate(lengths):
        at = counts.valueoffset + width * index
        cut = data[:at] + (length * 3 // 4).to_bytes(width, "little") + data[at + width :]
        with pytest.raises(UnreadableError):
            opened(bytes(cut))


@pytest.mark.parametrize("compression", ["lzw", "zlib", "packbits", "lzma"])
def test_a_gap_of_zeros_in_a_compressed_part_is_refused(compression):
    data = written((NOISE, {"compression": compression, "rowsperstrip": 32}))
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        starts, lengths = tiff.pages.first.dataoffsets, tiff.pages.first.databytecounts
    for start, length in zip(starts, lengths, strict=True):
        at = start + length // 3
        with pytest.raises(UnreadableError):
            opened(data[:at] + bytes(300) + data[at + 300 :])
