"""Damage in a JPEG is never silent: a file that the decoder repairs is refused, wherever bytes are lost or changed."""

from __future__ import annotations

import io

import numpy as np
import pytest
import tifffile
from PIL import Image

from packshot.errors import UnreadableError
from packshot.ingest.decode import Photo, open_photo
from packshot.specs.models import IngestConfig

LIMITS = IngestConfig(min_px=1)
LOST, PLACES = 2048, 16
"""Bytes that are lost, and how many places they are lost at, one after the other."""


def drawn() -> Image.Image:
    """Tones that change everywhere, with grain, as a photograph has them."""
    y, x = np.mgrid[0:320, 0:400]
    grain = np.random.default_rng(1).normal(0, 6, x.shape)
    bands = [x / 2 + grain, y / 2 + 20 + grain, 128 + 100 * np.sin(x / 20) * np.cos(y / 30)]
    return Image.fromarray(np.stack(bands, -1).clip(0, 255).astype(np.uint8))


def jpeg(mode: str = "RGB", *, progressive: bool = False, subsampling: int = 2) -> bytes:
    stream = io.BytesIO()
    drawn().convert(mode).save(stream, "JPEG", quality=95, progressive=progressive, subsampling=subsampling)
    return stream.getvalue()


def jpeg_in_tiff() -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, np.asarray(drawn()), photometric="rgb", compression="jpeg", rowsperstrip=320)
    return stream.getvalue()


FILES = {
    "baseline": jpeg(),
    "full colour": jpeg(subsampling=0),
    "progressive": jpeg(progressive=True),
    "grey": jpeg("L"),
    "CMYK": jpeg("CMYK", subsampling=0),
    "in a TIFF": jpeg_in_tiff(),
}


def opened(data: bytes) -> Photo:
    return open_photo(data, name="A1.jpg", limits=LIMITS)


@pytest.mark.parametrize("name", FILES)
def test_a_whole_file_opens_without_a_word(name: str) -> None:
    assert not [finding.code for finding in opened(FILES[name]).findings if "damage" in finding.code]


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_lost_bytes_in_its_picture_is_refused(name: str) -> None:
    """The codes can fall into step again behind a gap, by chance; then no decoder can tell."""
    found = [_is_refused(_with_a_gap(FILES[name], place / PLACES)) for place in range(PLACES)]
    assert sum(found) >= PLACES * 0.8, found


def _with_a_gap(whole: bytes, place: float) -> bytes:
    """Take bytes away; in a TIFF, where that would move what follows, make them zero."""
    is_tiff = whole[:2] == b"II"
    begin = 2000 if is_tiff else whole.index(b"\xff\xda") + 100
    at = begin + int(place * (len(whole) - LOST - 1000 - begin))
    return whole[:at] + (bytes(LOST) if is_tiff else b"") + whole[at + LOST :]


def _is_refused(data: bytes) -> bool:
    try:
        opened(data)
    except UnreadableError:
        return True
    return False


@pytest.mark.parametrize("name", ["baseline", "progressive", "grey"])
def test_a_file_cut_off_whose_end_marker_was_put_back_is_refused(name: str) -> None:
    whole = FILES[name]
    with pytest.raises(UnreadableError, match="damaged JPEG"):
        opened(whole[: len(whole) * 6 // 10] + b"\xff\xd9")


def test_a_file_sent_as_text_is_refused() -> None:
    """Old programs for file transfer turn each line feed into two bytes."""
    with pytest.raises(UnreadableError, match="damaged JPEG"):
        opened(jpeg().replace(b"\n", b"\r\n"))


def test_an_unusual_file_opens_and_says_that_damage_was_not_looked_for() -> None:
    """Its version of JFIF is one that nobody has written down."""
    at = jpeg().index(b"JFIF\0") + 5
    photo = opened(jpeg()[:at] + b"\xff" + jpeg()[at + 1 :])
    assert [finding.code for finding in photo.findings if "damage" in finding.code] == ["damage_not_looked_for"]
    assert np.array_equal(photo.pixels, opened(jpeg()).pixels)


def test_a_tiff_with_a_strip_missing_is_refused() -> None:
    stream = io.BytesIO()
    tifffile.imwrite(stream, np.asarray(drawn()), photometric="rgb", rowsperstrip=64, compression="zlib")
    data = bytearray(stream.getvalue())
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        place = tiff.pages.first.tags["StripByteCounts"].valueoffset
        length = {3: 2, 4: 4}[int(tiff.pages.first.tags["StripByteCounts"].dtype)]
    data[place : place + length] = bytes(length)
    with pytest.raises(UnreadableError, match="1 of 5 parts missing"):
        opened(bytes(data))
