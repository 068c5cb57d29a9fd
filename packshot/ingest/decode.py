"""Open a client's file as a photo, or refuse it with the reason.

The steps are: detect the kind by content, check the limits, decode, find the profile, turn upright.
"""

from __future__ import annotations

import dataclasses
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from packshot.colour.profile import ColourModel, profile_name
from packshot.errors import UnreadableError
from packshot.formats import sniff
from packshot.formats.container import NOTHING, Container, DamagedError, Raster
from packshot.formats.decoders import decode
from packshot.formats.headers import identify, read_container
from packshot.formats.sniff import FileKind
from packshot.ingest.colours import check_policy, find_profile, refuse_hdr
from packshot.ingest.limits import check_bytes, check_header, check_least
from packshot.ingest.metadata import Metadata, metadata_findings, orientation_findings, read_metadata
from packshot.specs.models import IngestConfig, ProfilePolicy
from packshot.types import Finding, Matte, Size, Status, size_of

_TURNED_BY_DECODER = frozenset({FileKind.HEIC, FileKind.AVIF, FileKind.JPEG_XL, FileKind.RAW})
_ADVICE = {
    FileKind.JPEG_2000: "Save it as a TIFF.",
    FileKind.ANYMAP: "Save it as a TIFF.",
    FileKind.SGI: "Save it as a TIFF.",
    FileKind.OPEN_EXR: "Save it as a 16-bit TIFF.",
    FileKind.RADIANCE: "Save it as a 16-bit TIFF.",
    FileKind.ARCHIVE: "Unpack it and send the pictures in it.",
}


_OF_THE_PROGRAM = (
    *(UnicodeError, struct.error, TypeError, LookupError, AttributeError),
    *(ArithmeticError, AssertionError, RecursionError, NotImplementedError),
)
_LEAST_SHARE_TOLD = 0.001
"""Smaller shares are not told in figures, where they would read as nought."""


@dataclasses.dataclass(frozen=True)
class Photo:
    """A client's picture after decoding, with its colours as they were sent. `open_photo` makes it.

    Attributes:
        name: the file's name, for messages.
        pixels: upright, uint8 or uint16: (rows, columns, 3) RGB or Lab, (rows, columns) grey, (rows, columns, 4) CMYK.
        model: the colour model of the pixels.
        icc: the ICC profile of the pixels; empty for CMYK and Lab without a profile.
        profile_name: the profile's description; empty if it has none.
        profile_assumed: True where the file did not define its colours with certainty.
        bit_depth: bits per channel in the file.
        kind: the kind of file, such as JPEG or a camera RAW, by its content.
        size: width and height of the upright picture, in pixels.
        orientation: EXIF orientation, already applied; 1 where the decoder itself turns the picture.
        frames: number of pictures in the file.
        alpha: transparency: (rows, columns) float32 in 0..1, 1 is opaque, upright. The pixels are not premultiplied.
            None where the whole picture is opaque.
        metadata: what EXIF, IPTC and XMP say.
        findings: what was assumed, repaired or left out.
        developed: how the decoder changed the colours of a camera RAW, in words; empty where they are as stored.
        profiles: how pictures without a certain colour profile are treated, from the configs.
    """

    name: str
    pixels: NDArray[Any]
    model: ColourModel
    icc: bytes
    profile_name: str
    profile_assumed: bool
    bit_depth: int
    kind: FileKind
    size: Size
    orientation: int
    frames: int
    alpha: Matte | None
    metadata: Metadata
    findings: tuple[Finding, ...]
    developed: str = ""
    profiles: ProfilePolicy = dataclasses.field(default_factory=ProfilePolicy)


def open_photo(data: bytes, *, name: str, limits: IngestConfig) -> Photo:
    """Return the picture that a file holds, decoded and upright, with its profile, metadata and findings.

    Args:
        data: the whole file.
        name: the file's name, used in messages only. The kind of file is detected from its content.
        limits: the greatest and smallest picture, and which assumptions about colours are allowed.
    Raises:
        UnreadableError: the file is not a picture, is damaged or cut off, or is of a kind that is not read.
        TooLargeError: its length or its header is beyond the limits. No pixel was decoded.
        TooSmallError: its longest side is under the minimum.
        BadProfileError: the picture is HDR; or its colours are uncertain, and the configuration refuses such pictures.
    """
    kind, container = read_header(data, name=name, limits=limits)
    try:
        with np.errstate(all="ignore"):
            raster = decode(data, kind, container)
        _check_decoded(raster, container, kind)
    except DamagedError as error:
        raise unreadable(name, str(error), kind, error.next_step) from error
    except MemoryError as error:
        raise unreadable(name, f"a {kind} that does not fit the memory", kind) from error
    except Exception as error:  # decoders raise anything for hostile bytes; here it becomes a refusal
        reason = _words_of(error)
        raise unreadable(name, f"a damaged {kind} ({reason})" if reason else f"a damaged {kind}", kind) from error
    check_least(size_of(raster.pixels), name=name, limits=limits)
    return _photo(name, kind, container, raster, limits.profiles)


def read_header(data: bytes, *, name: str, limits: IngestConfig) -> tuple[FileKind, Container]:
    """Return (the kind of a file, its header), checked against the limits. No pixel is decoded.

    Args:
        data: the whole file.
        name: the file's name, used in messages only.
        limits: the greatest and smallest picture.
    Raises:
        UnreadableError: the file is not a picture, or its header is damaged or of a kind that is not read.
        TooLargeError: its length, or a number in its header, is beyond the limits.
        TooSmallError: its longest side is under the minimum.
        BadProfileError: the picture is HDR.
    """
    check_bytes(len(data), name=name, limits=limits)
    kind = identify(data)
    if kind not in sniff.PICTURES:
        readable = ", ".join(sorted(kind.value for kind in sniff.PICTURES))
        found = kind.value if kind is not FileKind.UNKNOWN else f"unknown content starting with {data[:8].hex(' ')}"
        raise UnreadableError(
            "this is not a picture that can be read",
            name,
            found=found,
            allowed=readable,
            next_step=_ADVICE.get(kind, "Send the photograph itself."),
        )
    try:
        container = read_container(data, kind)
    except DamagedError as error:
        raise unreadable(name, str(error), kind, error.next_step) from error
    check_header(container, name=name, limits=limits)
    refuse_hdr(container, name)
    return kind, container


def unreadable(name: str, found: str, kind: FileKind, next_step: str = "") -> UnreadableError:
    """Return the error for a picture that cannot be read, with advice for the sender. The error is not raised here.

    Args:
        name: the file's name.
        found: the damage or the problem, in words.
        kind: the file's kind.
        next_step: what the sender can do; empty: send the whole file again.
    """
    whole = "Upload it again, whole, or develop it to a 16-bit TIFF."
    next_step = next_step or (whole if kind is FileKind.RAW else "Export or upload it again, whole.")
    return UnreadableError("the picture cannot be read", name, found=found, next_step=next_step)


def _words_of(error: Exception) -> str:
    """Return what a decoder says about a file, on one line; empty if it broke without a word about the file.

    Python's own errors tell of the program, such as a codec, a buffer or an index, and help nobody who sent a picture.
    """
    if isinstance(error, _OF_THE_PROGRAM):
        return ""
    return " ".join(str(error).split())[:200]


def _check_decoded(raster: Raster, container: Container, kind: FileKind) -> None:
    """Check that the decoded size agrees with the header. Otherwise the check of the limits would mean nothing.

    HEIF stores pictures padded to whole blocks and names the part to show, so the decoded picture may be smaller.
    """
    size = size_of(raster.pixels)
    promised = container.size if kind in _TURNED_BY_DECODER or size == container.size else NOTHING
    longer, shorter = size.longest > promised.longest, size.shortest > promised.shortest
    if longer or shorter:
        raise DamagedError(f"a header of {container.size} pixels on a picture of {size}")


def _photo(name: str, kind: FileKind, container: Container, raster: Raster, policy: ProfilePolicy) -> Photo:
    metadata = read_metadata(container)
    orientation = 1 if kind in _TURNED_BY_DECODER else metadata.orientation
    icc, assumed, profile_findings = find_profile(raster.model, container, metadata, name)
    check_policy({finding.code for finding in (*raster.findings, *profile_findings)}, policy, name)
    alpha, alpha_findings = _transparency(raster)
    turned = () if kind in _TURNED_BY_DECODER else orientation_findings(container)
    of_header = (*container.findings, *metadata_findings(container), *turned, *_frame_findings(container))
    pixels = upright(_straight(raster), orientation)
    return Photo(
        name=name,
        pixels=pixels,
        model=raster.model,
        icc=icc,
        profile_name=profile_name(icc) if icc else "",
        profile_assumed=assumed,
        bit_depth=_bit_depth(raster, container),
        kind=kind,
        size=size_of(pixels),
        orientation=orientation,
        frames=container.frames,
        alpha=None if alpha is None else upright(alpha, orientation),
        metadata=metadata,
        findings=(*of_header, *raster.findings, *profile_findings, *alpha_findings),
        developed=raster.developed,
        profiles=policy,
    )


def _bit_depth(raster: Raster, container: Container) -> int:
    """Return the bit depth from the header, or that of the pixels where the two disagree.

    Some headers do not state it.
    """
    of_pixels = raster.pixels.dtype.itemsize * 8
    return container.bit_depth if (container.bit_depth > 8) == (of_pixels > 8) else of_pixels


def upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Return the pixels rotated and mirrored by the EXIF orientation. The result is contiguous in memory.

    Args:
        pixels: (rows, columns) or (rows, columns, channels), of any dtype.
        orientation: 1 to 8; 1 leaves them as they are.
    """
    turned = pixels.swapaxes(0, 1) if orientation >= 5 else pixels
    if orientation in (2, 3, 6, 7):
        turned = turned[:, ::-1]
    if orientation in (3, 4, 7, 8):
        turned = turned[::-1]
    return np.ascontiguousarray(turned)


def _frame_findings(container: Container) -> tuple[Finding, ...]:
    if container.frames <= 1:
        return ()
    return (
        Finding(
            code="first_frame_only",
            status=Status.WARNING,
            message=f"The file holds {container.frames} pictures; {container.chosen} was taken.",
            measured=container.frames,
        ),
    )


def _transparency(raster: Raster) -> tuple[Matte | None, tuple[Finding, ...]]:
    if raster.alpha is None:
        return None, ()
    top = np.iinfo(raster.alpha.dtype).max
    clear = float(np.count_nonzero(raster.alpha < top)) / raster.alpha.size
    if not clear:
        return None, ()
    share = f"{clear:.1%}" if clear >= _LEAST_SHARE_TOLD else "Less than 0.1%"
    message = f"{share} of the picture is transparent; it was laid on white."
    finding = Finding(code="transparency", status=Status.WARNING, message=message, measured=clear, unit="ratio")
    return (raster.alpha / np.float32(top)).astype(np.float32), (finding,)


def _straight(raster: Raster) -> NDArray[Any]:
    """Return pixels with straight alpha: premultiplied colours are divided by alpha.

    Where alpha is 0, colour is unknown.
    """
    if raster.alpha is None or not raster.premultiplied:
        return raster.pixels
    top = np.iinfo(raster.pixels.dtype).max
    alpha = raster.alpha.astype(np.float32) / np.iinfo(raster.alpha.dtype).max
    share = alpha[..., None] if raster.pixels.ndim == 3 else alpha
    divided = raster.pixels / np.maximum(share, 1e-6)
    return np.minimum(divided + 0.5, top).astype(raster.pixels.dtype)
