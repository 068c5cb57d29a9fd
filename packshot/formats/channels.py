"""Read a file's extra channels. They are selections that an editor saved, apart from colour and transparency."""

from __future__ import annotations

import dataclasses
import io
import struct
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from packshot.formats.blocks import read_resources
from packshot.formats.container import Container
from packshot.formats.names import decode_name
from packshot.formats.psd import extra_planes
from packshot.formats.sniff import FileKind
from packshot.types import Matte

_UNSPECIFIED = 0  # TIFF 6.0, ExtraSamples
_CHANNEL_NAMES, _UNICODE_CHANNEL_NAMES = 1006, 1045
_MOST_CHANNELS = 56


@dataclasses.dataclass(frozen=True)
class SavedChannels:
    """The extra channels of a file: selections that an editor saved beside the colours, such as a mask of the product.

    Attributes:
        found: (name, values) of each channel. The values are (rows, columns) float32 in 0..1. A channel without a name
            is called "Alpha" and its number, such as "Alpha 1".
        damage: in words, what could not be read; empty if everything could.
    """

    found: tuple[tuple[str, Matte], ...] = ()
    damage: str = ""


def saved_channels(data: bytes, kind: FileKind, container: Container) -> SavedChannels:
    """Return the extra channels of a TIFF, PSD or PSB, in the order of the file: selections that an editor saved.

    No error is raised: damage is described in the result. Files of other kinds have no extra channels.

    Args:
        data: the whole file. It was opened before, so its size is within the limits.
        kind: the file's kind.
        container: the file's header.
    """
    read = {FileKind.TIFF: _of_tiff, FileKind.PSD: _of_photoshop}.get(kind)
    if read is None:
        return SavedChannels()
    try:
        planes = read(data, container)
    except Exception as error:  # noqa: BLE001  decoders raise anything for damaged bytes
        return SavedChannels(damage=_in_words(error))
    names, damage = _names(container) if planes else ([], "")
    said = [*names[-len(planes) :], *[""] * len(planes)] if planes else []
    pairs = enumerate(zip(said, planes, strict=False))
    return SavedChannels(tuple((text or f"Alpha {index + 1}", plane) for index, (text, plane) in pairs), damage)


def flat_transparency(data: bytes, container: Container) -> Matte | None:
    """Return the transparency of the flattened picture in a PSD or PSB, as a matte; None if the picture is opaque.

    The matte is (rows, columns) float32 in 0..1, as stored: 1 is opaque. Documents without a background layer have such
    a transparency.

    Args:
        data: the whole file. It was opened before, so its size is within the limits.
        container: the file's header.
    Raises:
        DamagedError, struct.error: the transparency is damaged. `saved_channels` describes the same damage, because it
            reads the same bytes.
    """
    found = extra_planes(data, container).transparency
    return None if found is None else _shares(found)


def _in_words(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _of_tiff(data: bytes, container: Container) -> list[Matte]:
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        tiff.filehandle.seek(container.exif_pages[0])
        page = tifffile.TiffPage(tiff, (0,))
        extra = [int(one) for one in page.extrasamples]
        wanted = [index - len(extra) for index, one in enumerate(extra[:_MOST_CHANNELS]) if one == _UNSPECIFIED]
        if not wanted:
            return []
        pixels = page.asarray(maxworkers=1)
        if page.planarconfig == 2:
            pixels = np.moveaxis(pixels, 0, -1)
        return [_shares(pixels[..., index]) for index in wanted]


def _of_photoshop(data: bytes, container: Container) -> list[Matte]:
    return [_shares(plane) for plane in extra_planes(data, container).saved]


def _shares(plane: NDArray[Any]) -> Matte:
    if plane.dtype.kind == "f":
        return np.clip(np.nan_to_num(plane.astype(np.float32)), 0, 1)
    return (plane / np.float32(np.iinfo(plane.dtype).max)).astype(np.float32)


def _names(container: Container) -> tuple[list[str], str]:
    """Return the names of channels that can be read, and what is damaged about the others."""
    blocks = read_resources(container.resources)
    wide, plain = blocks.get(_UNICODE_CHANNEL_NAMES, b""), blocks.get(_CHANNEL_NAMES, b"")
    names, at = [], 0
    while at + 4 <= len(wide):
        (letters,) = struct.unpack_from(">I", wide, at)
        names.append(wide[at + 4 : at + 4 + 2 * letters].decode("utf-16-be", "replace").rstrip("\0"))
        at += 4 + 2 * letters
    while not wide and at < len(plain):
        names.append(decode_name(plain[at + 1 : at + 1 + plain[at]]))
        at += 1 + plain[at]
    return names, "the names of the channels are cut off" if at > len(wide or plain) else ""
