"""Damage is told wherever a file is read: as an original, as returned work, and by `packshot check`."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
import tifffile
from PIL import Image

from packshot.errors import UnreadableError
from packshot.export.check import check_file
from packshot.ingest.decode import open_photo
from packshot.returned.read import read_returned
from packshot.specs.models import IngestConfig
from packshot.types import Status
from tests.configs import shipped_configs
from tests.packshot.formats import isobmff as bmff
from tests.packshot.formats.test_psd import psd

LIMITS = IngestConfig(min_px=1)
ROWS, COLUMNS = np.mgrid[0:160, 0:240]
GRAIN = np.random.default_rng(1).normal(0, 6, (160, 240, 3))
TONES = np.stack([COLUMNS, ROWS, 128 + 80 * np.sin(COLUMNS / 20)], axis=2)
DRAWN = np.clip(TONES + GRAIN, 0, 255).astype(np.uint8)


def saved(name: str, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(DRAWN).save(stream, name, **options)
    return stream.getvalue()


def tiff(compression: str) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, DRAWN, photometric="rgb", compression=compression, metadata=None)
    return stream.getvalue()


FILES: dict[str, Callable[[], bytes]] = {
    "JPEG": lambda: saved("JPEG", quality=95),
    "JPEG, progressive": lambda: saved("JPEG", quality=95, progressive=True),
    "PNG": lambda: saved("PNG"),
    "WebP": lambda: saved("WEBP", quality=95),
    "WebP, lossless": lambda: saved("WEBP", lossless=True),
    "GIF": lambda: saved("GIF"),
    "TIFF, LZW": lambda: tiff("lzw"),
    "TIFF, ZIP": lambda: tiff("zlib"),
    "Photoshop document, PackBits": lambda: psd(DRAWN, packed=True),
    "HEIC": lambda: bmff.written([bmff.picture(b"hvc1", DRAWN)]),
    "AVIF": lambda: bmff.written([bmff.picture(b"av01", DRAWN)]),
}
every = pytest.mark.parametrize("name", FILES)
PLATFORM = shipped_configs().platforms["amazon_main"]
QC = shipped_configs().qc


def damaged(name: str) -> dict[str, bytes]:
    """The file with bytes lost in its middle, and with zeros in their place."""
    data = FILES[name]()
    at = len(data) * 6 // 10
    return {"cut off": data[:at], "bytes lost": data[:at] + data[at + 1500 :], "zeros": _zeros(data, at, 1500)}


def _zeros(data: bytes, at: int, length: int) -> bytes:
    return data[:at] + bytes(length) + data[at + length :]


@every
@pytest.mark.parametrize("how", ["cut off", "bytes lost", "zeros"])
def test_damage_in_the_picture_is_refused_in_every_place(name, how):
    data = damaged(name)[how]
    with pytest.raises(UnreadableError):
        open_photo(data, name="A1", limits=LIMITS)
    with pytest.raises(UnreadableError):
        read_returned(data, name="A1", limits=LIMITS)
    (finding,) = check_file(data, platform=PLATFORM, qc=QC)
    assert (finding.code, finding.status, finding.gate) == ("file_unreadable", Status.FAILED, True)


@every
def test_a_whole_file_opens_in_every_place(name):
    data = FILES[name]()
    assert open_photo(data, name="A1", limits=LIMITS).size == (240, 160)
    assert read_returned(data, name="A1", limits=LIMITS).size == (240, 160)
    assert "file_unreadable" not in [one.code for one in check_file(data, platform=PLATFORM, qc=QC)]
