import io
import struct

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from packshot.formats.ifd import open_tiff


@pytest.mark.parametrize("options", [{}, {"byteorder": ">"}, {"bigtiff": True}, {"bigtiff": True, "byteorder": ">"}])
def test_directories_are_read_in_every_byte_order(options):
    stream = io.BytesIO()
    tifffile.imwrite(stream, np.zeros((5, 7, 3), np.uint8), photometric="rgb", software="Studio 5", **options)
    tiff = open_tiff(stream.getvalue())
    (directory,) = tiff.directories()
    assert directory.whole(256) == 7
    assert directory.whole(257) == 5
    assert directory.wholes(258) == (8, 8, 8)
    assert directory.text(305) == "Studio 5"
    assert directory.number(282) is not None


def test_what_is_missing_has_its_default():
    stream = io.BytesIO()
    tifffile.imwrite(stream, np.zeros((5, 7), np.uint8))
    (directory,) = open_tiff(stream.getvalue()).directories()
    assert directory.whole(9999, 42) == 42
    assert directory.text(9999) == ""
    assert directory.number(9999) is None
    assert directory.bytes_of(9999) == b""
    assert 9999 not in directory


def test_a_loop_of_directories_ends():
    entry = struct.pack("<HHII", 256, 4, 1, 1)
    loop = struct.pack("<2sHI", b"II", 42, 8) + struct.pack("<H", 1) + entry + struct.pack("<I", 8)
    assert len(list(open_tiff(loop).directories())) == 1


def test_values_that_claim_more_than_the_file_are_left_out():
    entry = struct.pack("<HHII", 270, 2, 2**31, 8)
    data = struct.pack("<2sHI", b"II", 42, 8) + struct.pack("<H", 1) + entry + struct.pack("<I", 0)
    (directory,) = open_tiff(data).directories()
    assert directory.get(270) is None


def test_a_division_by_zero_gives_zero():
    entry = struct.pack("<HHII", 33434, 5, 1, 26)
    data = struct.pack("<2sHIH", b"II", 42, 8, 1) + entry + struct.pack("<III", 0, 1, 0)
    (directory,) = open_tiff(data).directories()
    assert directory.number(33434) == 0


@given(
    st.binary(max_size=300),
    st.sampled_from([b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b"II+\0\x08\0\0\0\x10" + bytes(7)]),
)
def test_any_bytes_are_read_without_an_error(body, start):
    tiff = open_tiff(start + body)
    assert tiff is not None
    for directory in tiff.directories(most=5):
        for tag in directory.places:
            directory.get(tag)
            directory.text(tag)
            directory.whole(tag)
            directory.wholes(tag)
            directory.number(tag)
            directory.bytes_of(tag)
