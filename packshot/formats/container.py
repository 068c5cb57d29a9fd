"""Define what the readers of file headers return, and the errors that readers and decoders raise."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

from numpy.typing import NDArray

from packshot.colour.profile import ColourModel
from packshot.types import Box, Finding, Size


class DamagedError(ValueError):
    """A reader or decoder cannot read a file, because it is damaged, cut off, or of a variety that is not supported.

    The message says what the file is: "a damaged BMP (...)". Code that knows the file's name turns this error into a
    refusal.

    Attributes:
        next_step: what the sender can do; empty for a damaged file.
    """

    next_step = ""


class SentAsTextError(DamagedError):
    """A file was damaged on the way, because a program took it for a text and changed its line ends."""

    next_step = "Send it again in binary mode, or in a zip."


class NotReadError(DamagedError):
    """A file is not damaged, but this variety of its format is not supported.

    Args:
        variety: the unsupported variety, for example ``a lossless JPEG``.
        next_step: what the sender can do instead.
    """

    def __init__(self, variety: str, next_step: str) -> None:
        super().__init__(f"{variety}, which is not read")
        self.next_step = next_step


NOTHING = Size(0, 0)
_MOST_EXIF_BLOCKS = 8
_PQ, _HLG = 16, 18


class Codes(NamedTuple):
    """A colour space, given by the codes of ITU-T H.273, as PNG, HEIC and AVIF files state it.

    Attributes:
        primaries: code of the primaries (table 2), for example 12 for Display P3; 2 is unspecified.
        transfer: code of the transfer function (table 3), for example 13 for sRGB; 2 is unspecified.
        full_range: False if the values use the narrow range of video.
    """

    primaries: int
    transfer: int
    full_range: bool = True

    @property
    def hdr(self) -> str:
        """The name of the transfer function if it is one for HDR, for example "PQ (SMPTE ST 2084)"; otherwise empty."""
        return {_PQ: "PQ (SMPTE ST 2084)", _HLG: "HLG (ARIB STD-B67)"}.get(self.transfer, "")


@dataclasses.dataclass(frozen=True)
class Rearrangement:
    """One operation that a HEIC or AVIF prescribes for its decoded pixels: a crop, a mirroring, or else a rotation.

    Attributes:
        crop: the part to keep, in pixels of the picture before this operation; None if the operation is no crop.
        turns: quarter turns, anticlockwise.
        mirror: 0 exchanges top and bottom, 1 exchanges left and right; None if the operation is no mirroring.
    """

    crop: Box | None = None
    turns: int = 0
    mirror: int | None = None


@dataclasses.dataclass(frozen=True)
class Container:
    """The contents of a file header, read before any pixel is decoded. `read_container` makes it.

    Attributes:
        size: size of the picture as stored, before orientation is applied.
        tile: size of the largest tile that is decoded, where a picture consists of tiles; otherwise 0 x 0 (`NOTHING`).
        frames: number of pictures in the file.
        bit_depth: bits per channel.
        channels: number of channels; 0 where the header does not say.
        scans: number of passes over the picture in which its pixels are stored (progressive JPEG).
        icc: the ICC profile; empty if there is none.
        exif: the EXIF data, in the form of a TIFF file; empty if there are none. For a TIFF it is the file itself.
        exif_pages: offsets of the directories in `exif` to read. The first one that has a value counts. Empty: only the
            first directory is read.
        exif_shot: a second block of EXIF data (exposure, lens and the like), where the file keeps these apart;
            otherwise empty.
        exif_others: further blocks of EXIF data in the file, each in the form of a TIFF file. They are not read, but
            their orientation is compared with that in `exif`.
        xmp: the XMP packet; empty if there is none.
        icc_named, xmp_named: True if the file has an ICC or XMP block, even an empty one. If there are several
            blocks, the first counts.
        iptc: the IPTC records; empty if there are none.
        resources: Photoshop's image resources, as stored: paths and names of channels among them; empty if there are
            none.
        declared_srgb: True where the format itself says that the colours are sRGB.
        adobe_transform: colour transform in the Adobe segment of a JPEG; None without one.
        codes: the colour space by codes (PNG: cICP; HEIF: nclx, or the coded stream); None where there are none.
        codes_first: True where the format ranks the codes above an ICC profile.
        gamma: value of the gAMA chunk of a PNG; None without one.
        chromaticities: values of the cHRM chunk of a PNG: x, y of white, red, green, blue; empty without one.
        steps: crops, rotations and mirrorings that a HEIC or AVIF prescribes for its decoded pixels, in order.
        chosen: which of several pictures is taken, in words, such as "its main picture".
        texts: "copyright", "creator" and "title" as the format's own text fields have them.
        findings: remarks on the header that people should see, such as that an HDR gain map was left out; empty if
            there are none.
        coding: how the pixels are coded, in words of the format, for example ``SOF0`` for a baseline JPEG.
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
    exif_pages: tuple[int, ...] = ()
    exif_shot: bytes = b""
    exif_others: tuple[bytes, ...] = ()
    xmp: bytes = b""
    xmp_named: bool = False
    iptc: bytes = b""
    resources: bytes = b""
    declared_srgb: bool = False
    adobe_transform: int | None = None
    codes: Codes | None = None
    codes_first: bool = False
    gamma: float | None = None
    chromaticities: tuple[float, ...] = ()
    steps: tuple[Rearrangement, ...] = ()
    chosen: str = "the first"
    texts: Mapping[str, str] = dataclasses.field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    coding: str = ""


@dataclasses.dataclass(frozen=True)
class Raster:
    """A picture's decoded pixels, as stored: not yet turned upright, nor converted. `decode` makes it.

    Attributes:
        pixels: (rows, columns) or (rows, columns, 3 or 4), uint8 or uint16, full range, in the colour model `model`.
        model: the colour model of `pixels`.
        alpha: (rows, columns) with the dtype of `pixels`, the greatest value is opaque; None where the file has none.
        premultiplied: True if the colours are premultiplied by alpha.
        findings: the decoder's warnings; empty if there are none.
        developed: for a camera RAW, how the decoder made colours from the sensor values, in words; otherwise empty.
    """

    pixels: NDArray[Any]
    model: ColourModel
    alpha: NDArray[Any] | None = None
    premultiplied: bool = False
    findings: tuple[Finding, ...] = ()
    developed: str = ""


def with_exif(found: Container, block: bytes, *, wins: bool = False) -> Container:
    """Return a header with one more block of EXIF. The first block that has content is `exif`; others are kept apart.

    Args:
        found: what was read of the file before.
        block: the block. It may start with ``Exif`` and two more bytes, which are left out.
        wins: True if it becomes `exif` although it is not the first.
    """
    stream = plain_exif(block)
    blocks = [one for one in (found.exif, *found.exif_others) if one]
    if not stream or (stream in blocks and not wins):
        return found
    blocks = [stream, *(one for one in blocks if one != stream)] if wins else [*blocks, stream]
    return dataclasses.replace(found, exif=blocks[0], exif_others=tuple(blocks[1:_MOST_EXIF_BLOCKS]))


def plain_exif(block: bytes) -> bytes:
    """Return the TIFF stream of an EXIF block: the block without the word "Exif" before it, if it has one.

    Args:
        block: the EXIF block of a file. It may start with ``Exif`` and two more bytes, which are left out.
    """
    return block[6:] if block[:4] == b"Exif" else block
