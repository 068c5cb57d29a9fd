"""Drawn pictures and limits for the tests of reading and ingest."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from packshot.specs.models import IngestConfig


@pytest.fixture
def limits() -> IngestConfig:
    """The usual limits, but small pictures are let in."""
    return IngestConfig(min_px=1)


@pytest.fixture(scope="session")
def picture() -> NDArray[np.uint8]:
    """(60, 90, 3) uint8: smooth, colourful, different in every corner."""
    rows, columns = np.mgrid[0:60, 0:90]
    return np.stack([columns * 255 // 89, rows * 255 // 59, (rows + columns) * 255 // 148], axis=2).astype(np.uint8)


@pytest.fixture(scope="session")
def picture16(picture: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """The picture in 16 bits, with low bits that an 8-bit path would lose."""
    return (picture.astype(np.uint16) * 256 + 113).astype(np.uint16)


Encode = Callable[..., bytes]


@pytest.fixture(scope="session")
def tiff() -> Encode:
    """Return a function that writes a TIFF."""
    import io

    import tifffile

    def write(pixels: NDArray[np.generic], **options: object) -> bytes:
        stream = io.BytesIO()
        tifffile.imwrite(stream, pixels, **({"photometric": "rgb", "metadata": None} | options))
        return stream.getvalue()

    return write
