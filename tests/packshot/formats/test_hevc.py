"""The colours that an HEVC stream names, where a HEIC leaves out the box that names them."""

from __future__ import annotations

import io
from contextlib import suppress

import numpy as np
import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from packshot.errors import BadProfileError
from packshot.formats.boxes import boxes
from packshot.formats.hevc import configured_codes
from packshot.ingest.decode import open_photo
from packshot.specs.models import IngestConfig

LIMITS = IngestConfig(min_px=1)


def heic(primaries: int, transfer: int, *, side: int = 64, deep: bool = False, chroma: int = 420) -> bytes:
    """A HEIC by x265, with these codes in its box and in its stream."""
    stream = io.BytesIO()
    pixels = np.random.default_rng(1).integers(0, 255, (side, side + 2, 3), np.uint8)
    picture = pillow_heif.from_pillow(Image.fromarray(pixels))
    if deep:
        wide = pixels.astype(np.uint16) << 8
        picture = pillow_heif.from_bytes("RGB;16", (side + 2, side), wide.tobytes())
    named = {"color_primaries": primaries, "transfer_characteristics": transfer, "matrix_coefficients": 9}
    picture.save(stream, quality=90, chroma=chroma, full_range_flag=0, **named)
    return stream.getvalue()


def configuration(data: bytes) -> bytes:
    meta = next(body[4:] for name, body in boxes(data) if name == b"meta")
    return dict(boxes(dict(boxes(dict(boxes(meta))[b"iprp"]))[b"ipco"]))[b"hvcC"]


@pytest.mark.parametrize("codes", [(1, 1), (1, 13), (12, 13), (9, 16), (9, 18)])
@pytest.mark.parametrize("side", [64, 130])
@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("chroma", [420, 444])
def test_codes_of_the_stream_are_those_of_its_box(codes: tuple[int, int], side: int, deep: bool, chroma: int) -> None:
    data = heic(*codes, side=side, deep=deep, chroma=chroma)
    found = configured_codes(configuration(data))
    assert found is not None
    assert found[:2] == codes


@pytest.mark.parametrize("transfer", [16, 18])
def test_an_hdr_picture_is_refused_also_without_the_box_that_says_so(transfer: int) -> None:
    hidden = heic(9, transfer).replace(b"colrnclx", b"freenclx")
    with pytest.raises(BadProfileError, match="HDR picture"):
        open_photo(hidden, name="A1.heic", limits=LIMITS)


def test_a_usual_picture_is_read_without_it() -> None:
    photo = open_photo(heic(1, 13).replace(b"colrnclx", b"freenclx"), name="A1.heic", limits=LIMITS)
    assert not photo.profile_assumed


@given(st.data())
@settings(deadline=None)
def test_a_changed_configuration_is_read_or_ends(data: st.DataObject) -> None:
    whole = bytearray(configuration(heic(9, 16)))
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with suppress(IndexError):
        configured_codes(bytes(whole[: data.draw(st.integers(0, len(whole)))]))
