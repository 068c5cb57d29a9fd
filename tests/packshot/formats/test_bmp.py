"""BMP: run-length codes that end early, and numbers beyond the palette, are refused; whole files open."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packshot.errors import UnreadableError
from packshot.ingest.decode import Photo, open_photo
from packshot.specs.models import IngestConfig

LIMITS = IngestConfig(min_px=1)
ROWS = np.random.default_rng(1).integers(0, 16, (12, 20), np.uint8)
PALETTE = np.random.default_rng(2).integers(0, 256, (16, 3), np.uint8)


def opened(data: bytes) -> Photo:
    return open_photo(data, name="A1.bmp", limits=LIMITS)


def bmp(codes: bytes, *, compression: int, bits: int, colours: int = 16) -> bytes:
    palette = b"".join(bytes([*colour[::-1], 0]) for colour in PALETTE.tolist()[:colours])
    start = 54 + len(palette)
    head = struct.pack("<IiiHHIIiiII", 40, 20, 12, 1, bits, compression, len(codes), 0, 0, colours, 0)
    return b"BM" + struct.pack("<IHHI", start + len(codes), 0, 0, start) + head + palette + codes


def codes_of(rows: np.ndarray, *, bits: int, absolute: bool) -> list[bytes]:
    """Run-length codes, from the lowest row up; the last of each row is its end."""
    codes = []
    for row in rows[::-1].tolist():
        if absolute:
            packed = bytes(row) if bits == 8 else bytes(a << 4 | b for a, b in zip(row[::2], row[1::2], strict=True))
            codes.append(bytes([0, len(row)]) + packed + bytes(len(packed) % 2))
        else:
            codes += [bytes([1, value if bits == 8 else value << 4]) for value in row]
        codes.append(b"\0\0")
    return codes


@pytest.mark.parametrize("absolute", [False, True])
@pytest.mark.parametrize(("compression", "bits"), [(1, 8), (2, 4)])
def test_run_length_codes_open_whole_and_are_refused_without_one_of_them(compression, bits, absolute):
    codes = codes_of(ROWS, bits=bits, absolute=absolute)
    whole = bmp(b"".join(codes) + b"\0\1", compression=compression, bits=bits)
    assert np.array_equal(opened(whole).pixels, PALETTE[ROWS])
    for index in range(0, len(codes), max(1, len(codes) // 30)):
        if codes[index] == b"\0\0":
            continue
        fewer = b"".join(codes[:index] + codes[index + 1 :]) + b"\0\1"
        with pytest.raises(UnreadableError, match="damaged BMP"):
            opened(bmp(fewer, compression=compression, bits=bits))


@settings(max_examples=40, deadline=None)
@given(end=st.integers(0, 400))
def test_codes_that_end_early_are_refused(end):
    codes = b"".join(codes_of(ROWS, bits=8, absolute=False))
    with pytest.raises(UnreadableError):
        opened(bmp(codes[: min(end, len(codes) - 24) // 2 * 2] + b"\0\1", compression=1, bits=8))


@pytest.mark.parametrize("colours", [1, 9, 15])
def test_a_number_beyond_the_palette_is_refused(colours):
    plain = ROWS[::-1].tobytes()
    assert np.array_equal(opened(bmp(plain, compression=0, bits=8)).pixels, PALETTE[ROWS])
    with pytest.raises(UnreadableError, match="of a palette of"):
        opened(bmp(plain, compression=0, bits=8, colours=colours))


def test_a_rare_kind_is_refused_with_what_helps():
    with pytest.raises(UnreadableError, match=r"a BMP of a rare kind.*as a PNG"):
        opened(bmp(ROWS.tobytes(), compression=0, bits=2))
