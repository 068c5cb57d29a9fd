"""The colours that an AV1 stream names, where an AVIF leaves out the box that names them."""

from __future__ import annotations

from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from packshot.errors import BadProfileError
from packshot.formats.av1 import stream_codes
from packshot.formats.boxes import boxes
from packshot.ingest.decode import open_photo
from packshot.specs.models import IngestConfig

FAULTS = Path(__file__).resolve().parents[2] / "fixtures" / "faults"


def stream_of(data: bytes) -> bytes:
    return next(body for name, body in boxes(data) if name == b"mdat")


def test_an_hdr_picture_is_refused_also_without_the_box_that_says_so():
    data = (FAULTS / "avif_pq.avif").read_bytes()
    hidden = data.replace(b"colrnclx", b"freenclx")
    assert hidden != data
    with pytest.raises(BadProfileError, match="HDR picture"):
        open_photo(hidden, name="A1.avif", limits=IngestConfig())


@pytest.mark.parametrize("speed", [4, 9])
@pytest.mark.parametrize("level", [50, 100])
@pytest.mark.parametrize("shape", [(64, 64, 3), (65, 130), (40, 600, 3)])
@pytest.mark.parametrize("bits", [8, 10])
def test_codes_of_the_stream_are_those_of_its_box(speed, level, shape, bits):
    pixels = np.zeros(shape, np.uint8 if bits == 8 else np.uint16)
    data = bytes(imagecodecs.avif_encode(pixels, level=level, speed=speed, bitspersample=bits))
    at = data.index(b"colrnclx") + 8
    found = stream_codes(stream_of(data))
    named = int.from_bytes(data[at : at + 2], "big"), int.from_bytes(data[at + 2 : at + 4], "big")
    assert found is None or found[:2] == named


def test_codes_of_several_frames_are_read(tmp_path):
    frames = [Image.fromarray(np.full((64, 64, 3), value, np.uint8)) for value in (10, 200)]
    frames[0].save(tmp_path / "two.avif", save_all=True, append_images=frames[1:])
    found = stream_codes(stream_of((tmp_path / "two.avif").read_bytes()))
    assert found is not None
    assert found[:2] == (1, 13)


@given(st.binary(max_size=60))
def test_any_bytes_name_codes_or_none(data):
    for stream in (data, b"\x0a\x30" + data):
        found = stream_codes(stream)
        assert found is None or (0 <= found.primaries < 256 and 0 <= found.transfer < 256)
