"""The parts that readers and decoders pass on."""

from __future__ import annotations

import dataclasses
from typing import Any

from numpy.typing import NDArray

from packshot.colour.profile import ColourModel
from packshot.types import Finding, Size


class DamagedError(ValueError):
    """A reader's word for a file it can't read; `decode.open_photo` turns it into a refusal that names the file."""


NOTHING = Size(0, 0)


@dataclasses.dataclass(frozen=True)
class Container:
    """What a file says of itself before a pixel is decoded.

    Attributes:
        size: as stored, before orientation.
        tile: of a tiled TIFF.
        bit_depth: per channel.
        channels: where the header says so, else 0.
        scans: passes over the picture that its pixels are stored in.
        exif: a TIFF stream; of a TIFF, the file itself.
        exif_shot: a TIFF stream of EXIF's own directory, where the container keeps it apart.
        icc_named, xmp_named: one was announced, though it may turn out empty; of several the first counts.
        adobe_transform: of a JPEG's Adobe segment; None without one.
        cicp: primaries and transfer by ITU-T H.273.
        gamma: of a PNG's gAMA chunk.
        chromaticities: of a PNG's cHRM chunk: x, y of white, red, green, blue.
        turns, mirror: rotation by quarter turns anticlockwise, then mirroring, that an AVIF asks for.
    """

    size: Size = NOTHING
    tile: Size = NOTHING
    frames: int = 1
    bit_depth: int = 8
    channels: int = 0
    scans: int = 1
    icc: bytes = b""
    icc_named: bool = False
    exif: bytes = b""
    exif_shot: bytes = b""
    xmp: bytes = b""
    xmp_named: bool = False
    iptc: bytes = b""
    declared_srgb: bool = False
    adobe_transform: int | None = None
    cicp: tuple[int, int] | None = None
    gamma: float | None = None
    chromaticities: tuple[float, ...] = ()
    turns: int = 0
    mirror: int | None = None
    coding: str = ""


@dataclasses.dataclass(frozen=True)
class Raster:
    """Decoded pixels, as stored.

    Attributes:
        pixels: (rows, columns) grey or (rows, columns, 3 or 4) of `model`, uint8 or uint16, full range.
        alpha: (rows, columns) of the same type; None where the file has none.
        premultiplied: whether the colours were multiplied by alpha.
        findings: what the decoder noticed.
        developed: what the decoder itself did to the colours; empty where they are as stored.
    """

    pixels: NDArray[Any]
    model: ColourModel
    alpha: NDArray[Any] | None = None
    premultiplied: bool = False
    findings: tuple[Finding, ...] = ()
    developed: str = ""
