"""Bring every picture to 16 bits in Adobe RGB, on white, together with its metadata: the master of a shot."""

from __future__ import annotations

import contextlib
import dataclasses
import io
from typing import Any

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray

from packshot.colour.gamut import out_of_gamut_ratio
from packshot.colour.profile import ColourModel, colour_model, profile_name
from packshot.colour.spaces import (
    SRGB_NAME,
    WHITE_16,
    WORKING_NAME,
    decode_working,
    encode_working,
    srgb_profile,
    working_profile,
)
from packshot.colour.transform import Intent, convert
from packshot.errors import BadProfileError, UnreadableError
from packshot.ingest.colours import check_policy
from packshot.ingest.decode import Photo
from packshot.ingest.metadata import Metadata
from packshot.ingest.packet import kept_metadata
from packshot.types import Finding, Matte, Pixels16, Size, Status, Value, size_of

MASTER_DPI = 300
OUT_OF_GAMUT_RATIO = 0.001
"""Share of pixels outside the gamut of the working space above which a finding is reported."""
_ROWS_PER_STRIP = 64
_DEFLATE_LEVEL = 1
_WRITERS = 2
_STRIPS_TRIED, _ROWS_TRIED = 8, 2
_WORTH_PACKING_RATIO = 0.8


class Transform(Value):
    """How a picture's colours were converted to the working space, Adobe RGB.

    Attributes:
        source: name of the source profile; for a camera RAW, how its colours were developed.
        assumed: True if the source profile is not certain.
        target: name of the working space.
        intent: the rendering intent, or a formula if there was no profile.
        black_point_compensation: True if black was mapped to black.
    """

    source: str
    assumed: bool
    target: str = WORKING_NAME
    intent: str = "relative colorimetric"
    black_point_compensation: bool = True


@dataclasses.dataclass(frozen=True)
class Master:
    """A photograph in the one exact form that all later work starts from. `develop` makes it.

    Attributes:
        pixels16: (rows, columns, 3) uint16, Adobe RGB, upright. Transparent areas are composited on white.
        metadata: what EXIF, IPTC and XMP say.
        findings: what was assumed, repaired, left out or clipped.
        transform: how the colours were converted.
        alpha: opacity of the original's pixels, (rows, columns) float32 in 0..1, upright; None if it was opaque
            everywhere.
    """

    pixels16: Pixels16
    metadata: Metadata
    findings: tuple[Finding, ...]
    transform: Transform
    alpha: Matte | None = None

    @property
    def size(self) -> Size:
        """Width and height of the master, in pixels."""
        return size_of(self.pixels16)


def develop(photo: Photo) -> Master:
    """Return the master of a photo: its pixels in 16 bits and Adobe RGB, on white where it was transparent.

    If the profile of an RGB or grey picture cannot be used, sRGB replaces it, with the finding ``profile_broken``.
    Colours that Adobe RGB cannot hold are clipped; a warning says so if more than 0.1 % of the pixels have such
    colours.

    Args:
        photo: the client's picture after decoding.
    Raises:
        BadProfileError: the profile of a CMYK or Lab picture cannot be used. For RGB and grey pictures this is an error
            only if the photo's policy (`Photo.profiles`) refuses pictures with such a profile.
    """
    findings = photo.findings
    try:
        pixels, transform = _to_working(photo.pixels, photo.model, photo.icc, assumed=photo.profile_assumed)
        if photo.developed:
            transform = Transform(
                source=photo.developed,
                assumed=photo.profile_assumed,
                intent="matrix, highlights clipped",
                black_point_compensation=False,
            )
    except BadProfileError as error:
        if photo.model not in (ColourModel.RGB, ColourModel.GREY):
            raise
        check_policy({"profile_broken", "profile_assumed"}, photo.profiles, photo.name)
        message = f"The embedded profile was not used: {error.found}. sRGB was assumed."
        findings = (*findings, Finding(code="profile_broken", status=Status.WARNING, message=message))
        pixels, transform = _to_working(photo.pixels, photo.model, srgb_profile(), assumed=True)
    findings = (*findings, *_out_of_gamut(photo, transform))
    if photo.alpha is not None:
        pixels = lay_on_white(pixels, photo.alpha)
    return Master(pixels, photo.metadata, findings, transform, photo.alpha)


def _out_of_gamut(photo: Photo, transform: Transform) -> tuple[Finding, ...]:
    """Return a finding if too many pixels lie outside the gamut of the working space.

    The working space covers sRGB, and most colours of presses and screens. It does not cover ProPhoto or Rec. 2020.
    """
    if (
        not photo.icc
        or photo.icc == working_profile()
        or transform.source == SRGB_NAME
        or photo.model is ColourModel.GREY
    ):
        return ()
    share = out_of_gamut_ratio(photo.pixels, source=photo.icc, target=working_profile())
    if share <= OUT_OF_GAMUT_RATIO:
        return ()
    message = f"{share:.1%} of the picture has colours that the working space cannot hold; they were clipped."
    limit = OUT_OF_GAMUT_RATIO
    return (
        Finding(
            code="input_out_of_gamut",
            status=Status.WARNING,
            message=message,
            measured=round(share, 4),
            limit=limit,
            unit="ratio",
        ),
    )


def lay_on_white(pixels: Pixels16, alpha: Matte) -> Pixels16:
    """Return pixels composited on white in linear light: (rows, columns, 3) uint16, Adobe RGB.

    Where alpha is 0, they are exactly white.

    Args:
        pixels: (rows, columns, 3) uint16, Adobe RGB, not premultiplied.
        alpha: opacity of each pixel, (rows, columns) float32 in 0..1.
    """
    share = alpha[..., None]
    laid = encode_working(decode_working(pixels) * share + (1 - share))
    return np.where(share == 1, pixels, np.where(share == 0, np.uint16(WHITE_16), laid))


def _to_working(pixels: NDArray[Any], model: ColourModel, icc: bytes, *, assumed: bool) -> tuple[Pixels16, Transform]:
    if model is ColourModel.CMYK and not icc:
        formula = Transform(source="CMYK without a profile", assumed=True, intent="(1 - ink) x (1 - black), as sRGB")
        return _working(_plain_rgb(pixels), srgb_profile()), formula
    if model is ColourModel.LAB:
        return _working(pixels, imagecodecs.cms_profile("lab4")), Transform(source="CIE L*a*b* (D50)", assumed=False)
    transform = Transform(source=profile_name(icc) or "profile without a name", assumed=assumed)
    if model is ColourModel.GREY and colour_model(icc) is ColourModel.RGB:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    return _working(pixels, icc), transform


def _working(pixels: NDArray[Any], icc: bytes) -> Pixels16:
    if icc == working_profile() and pixels.dtype == np.uint16:
        return pixels
    return convert(pixels, source=icc, target=working_profile(), bit_depth=16, intent=Intent.RELATIVE_COLORIMETRIC)


def _plain_rgb(ink: NDArray[Any]) -> NDArray[Any]:
    """Return RGB from CMYK without a profile: (1 - ink) x (1 - black)."""
    top = float(np.iinfo(ink.dtype).max)
    light = (top - ink[..., :3].astype(np.float32)) * ((top - ink[..., 3:].astype(np.float32)) / top)
    return (light + 0.5).astype(ink.dtype)


def write_master(master: Master) -> bytes:
    """Return the master as the bytes of a TIFF: 16 bits, Adobe RGB with its ICC profile, 300 dpi, kept metadata.

    The same master gives the same bytes. The pixels are compressed with Deflate, level 1, if that saves at least a
    fifth of the bytes. The master of a 16-bit original is usually stored uncompressed, because noise does not compress.
    Such a file can be read ten times as fast. No predictor is used: it makes masters of 8-bit originals larger, because
    they hold few different values.

    Args:
        master: the master to write.
    """
    return write_working_tiff(master.pixels16, metadata=master.metadata)


def write_working_tiff(pixels: Pixels16, *, metadata: Metadata) -> bytes:
    """Return pixels as the bytes of a TIFF: 16 bits, profile of Adobe RGB, 300 dpi, kept metadata.

    The same arguments give the same bytes. Deflate compresses the pixels if that saves at least a fifth of the bytes.

    Args:
        pixels: (rows, columns, 3) uint16, Adobe RGB.
        metadata: what the picture's original says; `kept_metadata` says what of it is written.
    """
    packet, tags = kept_metadata(metadata)
    pays = _packing_pays(pixels)
    stream = io.BytesIO()
    tifffile.imwrite(
        stream,
        pixels,
        photometric="rgb",
        compression="adobe_deflate" if pays else None,
        compressionargs={"level": _DEFLATE_LEVEL} if pays else None,
        rowsperstrip=_ROWS_PER_STRIP,
        maxworkers=_WRITERS,
        iccprofile=working_profile(),
        resolution=(MASTER_DPI, MASTER_DPI),
        resolutionunit="INCH",
        software="Packshot",
        metadata=None,
        extratags=[(700, 1, len(packet), packet, True), *((tag, 2, 0, text, True) for tag, text in tags)],
    )
    return stream.getvalue()


def _packing_pays(pixels: Pixels16) -> bool:
    """Return True if Deflate saves enough. It is tried on a few strips from all over the picture."""
    step = max(1, pixels.shape[0] // _STRIPS_TRIED)
    tried = [pixels[top : top + _ROWS_TRIED] for top in range(step // 2, pixels.shape[0], step)]
    packed = sum(len(imagecodecs.zlib_encode(strip.tobytes(), level=_DEFLATE_LEVEL)) for strip in tried)
    return packed <= _WORTH_PACKING_RATIO * sum(strip.nbytes for strip in tried)


def read_master(data: bytes) -> Pixels16:
    """Return the pixels of a master that was written as a TIFF: (rows, columns, 3) uint16, Adobe RGB.

    Args:
        data: the whole file.
    Raises:
        UnreadableError: the data is no 16-bit RGB TIFF, or is damaged.
    """
    try:
        with contextlib.closing(io.BytesIO(data)) as stream, tifffile.TiffFile(stream) as tiff:
            page = tiff.pages.first
            pixels = page.asarray(maxworkers=_WRITERS)
    except Exception as error:  # decoders raise anything for damaged bytes
        raise _no_master(f"a damaged TIFF ({error})") from error
    if pixels.dtype != np.uint16 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise _no_master(f"{pixels.shape} {pixels.dtype}")
    return np.asarray(pixels, np.uint16)


def _no_master(found: str) -> UnreadableError:
    return UnreadableError(
        "this is not a master",
        found=found,
        allowed="a 16-bit RGB TIFF in the working space",
        next_step="Develop the original again.",
    )
