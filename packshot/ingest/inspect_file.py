"""Report the kind of a file, and whether Packshot accepts it or for which reason not, to people who ask."""

from __future__ import annotations

from packshot.errors import RefusedInputError
from packshot.formats.container import DamagedError
from packshot.formats.headers import identify, read_container
from packshot.formats.sniff import PICTURES
from packshot.ingest.decode import open_photo
from packshot.ingest.metadata import Metadata, read_metadata
from packshot.specs.models import IngestConfig
from packshot.types import Finding, Size, Value


class Inspection(Value):
    """What was found in one file, and whether Packshot accepts it. What could not be read is None or empty.

    Attributes:
        name: the file's name.
        size_bytes: the file's length.
        kind: kind of file, detected from its content.
        accepted: True if Packshot accepts the file.
        refusal: the reason for a refusal, in words; empty for an accepted file.
        refusal_code: code of the error that refused the file; empty for an accepted file.
        size: width and height in pixels: upright if the picture opened, as stored if only the header could be read;
            None if neither.
        bit_depth: bits per channel in the file; None if it could not be read.
        colour_model: the colour model of the pixels, such as ``rgb``; empty if it could not be read.
        profile: description of the ICC profile; empty if there is none, or it could not be read.
        profile_assumed: True if the file did not define its colours with certainty.
        orientation: EXIF orientation, 1 to 8; None if it could not be read.
        frames: number of pictures in the file; None if it could not be read.
        transparent: True if parts of an accepted picture are transparent.
        metadata: what EXIF, IPTC and XMP say; None if they could not be read.
        findings: what was assumed, repaired or left out in an accepted picture; empty for a refused file.
    """

    name: str
    size_bytes: int
    kind: str
    accepted: bool
    refusal: str = ""
    refusal_code: str = ""
    size: Size | None = None
    bit_depth: int | None = None
    colour_model: str = ""
    profile: str = ""
    profile_assumed: bool = False
    orientation: int | None = None
    frames: int | None = None
    transparent: bool = False
    metadata: Metadata | None = None
    findings: tuple[Finding, ...] = ()


def inspect(data: bytes, name: str, limits: IngestConfig) -> Inspection:
    """Return the kind of a file, and whether it is accepted or why not. A refused file raises no error.

    Args:
        data: the whole file.
        name: the file's name.
        limits: the greatest and smallest picture, and which assumptions about colours are allowed.
    """
    try:
        photo = open_photo(data, name=name, limits=limits)
    except RefusedInputError as error:
        return _refused(data, name, error)
    return Inspection(
        name=name,
        size_bytes=len(data),
        kind=photo.kind,
        accepted=True,
        size=photo.size,
        bit_depth=photo.bit_depth,
        colour_model=photo.model,
        profile=photo.profile_name,
        profile_assumed=photo.profile_assumed,
        orientation=photo.orientation,
        frames=photo.frames,
        transparent=photo.alpha is not None,
        metadata=photo.metadata,
        findings=photo.findings,
    )


def _refused(data: bytes, name: str, error: RefusedInputError) -> Inspection:
    kind = identify(data)
    refused = Inspection(
        name=name,
        size_bytes=len(data),
        kind=kind,
        accepted=False,
        refusal=str(error),
        refusal_code=error.code,
    )
    if kind not in PICTURES:
        return refused
    try:
        header = read_container(data, kind)
    except DamagedError:
        return refused
    metadata = read_metadata(header)
    known = {
        "size": header.size,
        "bit_depth": header.bit_depth,
        "frames": header.frames,
        "metadata": metadata,
        "orientation": metadata.orientation,
    }
    return refused.model_copy(update=known)
