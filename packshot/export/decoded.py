"""Decode the bytes of a delivered file again as a marketplace would, so that they can be measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from packshot.colour.profile import ColourModel
from packshot.formats.headers import webp_loses
from packshot.formats.jpeg_header import has_full_colour
from packshot.formats.sniff import FileKind
from packshot.ingest.decode import Photo, open_photo
from packshot.specs.models import Format, IngestConfig
from packshot.types import Pixels8, Size

FORMATS = {FileKind.JPEG: Format.JPEG, FileKind.WEBP: Format.WEBP, FileKind.PNG: Format.PNG, FileKind.TIFF: Format.TIFF}


@dataclass(frozen=True, eq=False)
class Decoded:
    """The content of a file, decoded as a marketplace would. `decode_delivered` makes it.

    Attributes:
        photo: pixels, profile, depth and metadata.
        codec: the codec's name in ``qc.yaml``, such as ``jpeg-420``; ``lossless`` for formats without loss. ``qc.yaml``
            has its limits for ringing (faint ripples around the product).
    """

    photo: Photo
    codec: str

    @property
    def format(self) -> Format | None:
        """The file's format; None if it is not one of the formats that can be delivered."""
        return FORMATS.get(self.photo.kind)

    @property
    def size(self) -> Size:
        return self.photo.size

    @property
    def is_rgb(self) -> bool:
        """True if the picture's colour model is RGB."""
        return self.photo.model is ColourModel.RGB


def decode_delivered(data: bytes, *, name: str = "delivered file") -> Decoded:
    """Return the content of a file, decoded again from its bytes. The file may also come from another program.

    Args:
        data: the whole file.
        name: the file's name, for the message.
    Raises:
        RefusedInputError: the file is not a picture, is damaged, or exceeds the limits on size.
    """
    photo = open_photo(data, name=name, limits=IngestConfig(min_px=1))
    return Decoded(photo, _codec(data, photo))


def _codec(data: bytes, photo: Photo) -> str:
    """Return the codec's key in ``qc.yaml``."""
    if photo.kind is FileKind.JPEG:
        return "jpeg-444" if has_full_colour(data) else "jpeg-420"
    if photo.kind is FileKind.WEBP:
        return "webp" if webp_loses(data) else "lossless"
    return "lossless"


def light_of(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return three channels in which white, and only white, has the greatest value of the type.

    So the white of RGB files and of CMYK files can be checked alike. The result is (rows, columns, 3), of the dtype of
    `pixels`.

    Args:
        pixels: (rows, columns, 3) uint8 or uint16 RGB, returned unchanged; or (rows, columns, 4) inks, where white is
            paper without ink.
    """
    if pixels.shape[2] == 3:
        return pixels
    light = np.iinfo(pixels.dtype).max - pixels
    return np.ascontiguousarray(np.minimum(light[..., :3], light[..., 3:]))


def as_8_bit(decoded: Decoded) -> Pixels8:
    """Return a file's pixels as (rows, columns, 3) uint8 in its own colour space; white stays exactly white.

    Grey is repeated to three channels. Inks become light, with paper as white.

    Args:
        decoded: the file's content.
    """
    pixels = decoded.photo.pixels
    if pixels.dtype == "uint16":
        pixels = ((pixels.astype("uint32") + 128) // 257).astype("uint8")
    if pixels.ndim == 2:
        pixels = pixels[:, :, None].repeat(3, axis=2)
    return light_of(pixels)
