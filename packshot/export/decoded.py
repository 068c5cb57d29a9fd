"""A delivered file, decoded again as a marketplace would."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from packshot.colour.profile import ColourModel
from packshot.errors import UnreadableError
from packshot.ingest.decode import Photo, open_photo
from packshot.ingest.sniff import FileKind
from packshot.specs.models import Format, IngestConfig
from packshot.types import Pixels8, Size

FORMATS = {FileKind.JPEG: Format.JPEG, FileKind.WEBP: Format.WEBP, FileKind.PNG: Format.PNG, FileKind.TIFF: Format.TIFF}
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, eq=False)
class Decoded:
    """What came out of a file.

    Attributes:
        photo: its pixels, profile, depth and metadata.
        codec: under which key the limits of its ringing stand in ``qc.yaml``.
    """

    photo: Photo
    codec: str

    @property
    def format(self) -> Format | None:
        """One of the formats that are delivered; None for another."""
        return FORMATS.get(self.photo.kind)

    @property
    def size(self) -> Size:
        return self.photo.size

    @property
    def is_rgb(self) -> bool:
        return self.photo.model is ColourModel.RGB


def decode_delivered(data: bytes, *, name: str = "delivered file") -> Decoded:
    """Return what a file shows, whoever wrote it.

    Raises:
        RefusedInputError: it is not a picture, damaged, or beyond the limits on size.
    """
    photo = open_photo(data, name=name, limits=IngestConfig(min_px=1))
    return Decoded(photo, _codec(data, photo))


def _codec(data: bytes, photo: Photo) -> str:
    if photo.kind is FileKind.JPEG:
        return "jpeg-444" if jpeg_has_full_colour(data) else "jpeg-420"
    if photo.kind is FileKind.WEBP:
        return "webp" if _webp_loses(data) else "lossless"
    return "lossless"


def _webp_loses(data: bytes) -> bool:
    """Whether the picture's own chunk is of the lossy kind (RFC 9649, 2.5); other chunks may stand before it."""
    at = 12
    while at + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, at)
        if kind in (b"VP8 ", b"VP8L"):
            return bool(kind == b"VP8 ")
        at += 8 + length + length % 2
    return True


def jpeg_has_full_colour(data: bytes) -> bool:
    """Return whether all components of a JPEG have the same sampling (ITU-T T.81, B.2.2).

    Raises:
        UnreadableError: it has no frame header.
    """
    at = 2
    while at + 4 <= len(data):
        marker, length = data[at + 1], struct.unpack_from(">H", data, at + 2)[0]
        if marker in _JPEG_FRAMES:
            components = data[at + 9]
            return len({data[at + 11 + 3 * index] for index in range(components)}) == 1
        at += 2 + length
    raise UnreadableError("a JPEG without a frame header", found=f"{len(data)} bytes", allowed="a whole JPEG")


def light_of(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return three channels that are all at their greatest value exactly where the paper stays bare.

    Args:
        pixels: (rows, columns, 3) RGB, returned as it is; or (rows, columns, 4) inks.
    """
    if pixels.shape[2] == 3:
        return pixels
    light = np.iinfo(pixels.dtype).max - pixels
    return np.ascontiguousarray(np.minimum(light[..., :3], light[..., 3:]))


def as_8_bit(decoded: Decoded) -> Pixels8:
    """Return (rows, columns, 3) uint8 in the file's own colour space, of inks their light; white stays white."""
    pixels = decoded.photo.pixels
    if pixels.dtype == "uint16":
        pixels = ((pixels.astype("uint32") + 128) // 257).astype("uint8")
    if pixels.ndim == 2:
        pixels = pixels[:, :, None].repeat(3, axis=2)
    return light_of(pixels)
