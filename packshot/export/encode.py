"""Encode a picture on its canvas as a file for a platform, in the platform's colour space, format and byte limits."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
from numpy.typing import NDArray

from packshot.colour.profile import ColourModel, check_profile
from packshot.colour.spaces import WHITE_16, srgb_profile, working_profile
from packshot.colour.transform import convert, working_to_srgb8
from packshot.errors import ByteLimitError, ConfigError
from packshot.export.codecs import NO_EXTRAS, EncoderSettings, TiffExtras, settings_of, write
from packshot.export.labels import Labels
from packshot.framing.place import Framed
from packshot.specs.models import Encoding, Profile, RenditionPlan
from packshot.types import Pixels16, Size, size_of


@dataclass(frozen=True, eq=False)
class Encoded:
    """A rendition as a file. `encode` makes it.

    Attributes:
        data: the file's content.
        settings: the encoder settings that were finally used. The quality may differ from the ordered one, to keep to
            the byte limits.
        pixels: the encoder's input, in the delivered colour space: (rows, columns, 3), or (rows, columns, 4) inks,
            uint8 or uint16.
        icc: the embedded profile.
    """

    data: bytes
    settings: EncoderSettings
    pixels: NDArray[Any]
    icc: bytes

    @property
    def size(self) -> Size:
        return size_of(self.pixels)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @property
    def extension(self) -> str:
        return self.settings.format.extension


def encode(
    framed: Framed, rendition: RenditionPlan, *, encoding: Encoding | None = None, labels: Labels | None = None
) -> Encoded:
    """Return the rendition as a file within the platform's byte limits.

    The file has the ordered quality if that fits. If the file is too large, it has the highest lower quality that fits.
    If the file is smaller than the platform's least size, it has the lowest higher quality that reaches the size, or
    the highest there is.

    Args:
        framed: the picture on the platform's canvas.
        rendition: all settings of the shot's file for this platform.
        encoding: format, quality and bit depth. None means the platform's first encoding; for its fallback format call
            this function a second time.
        labels: text metadata to embed, such as the copyright; None for none.
    Raises:
        ByteLimitError: the file is too large even at the lowest permitted quality.
        ConfigError: CMYK is ordered without the client's profile.
        BadProfileError: that profile is not plausible.
    """
    encoding = encoding or rendition.platform.encoding
    pixels = rendition_pixels(framed.pixels, rendition, bit_depth=encoding.bit_depth)
    extras = TiffExtras(selection=framed.matte if encoding.selection else None)
    return encode_pixels(pixels, rendition, encoding, settings_of(encoding), labels=labels or Labels(), extras=extras)


def profile_bytes(rendition: RenditionPlan) -> bytes:
    """Return the ICC profile to embed in a rendition, as bytes: sRGB, Adobe RGB, or the client's profile of the press.

    Args:
        rendition: all settings of the shot's file for this platform.
    Raises:
        ConfigError: CMYK is ordered, and the client's profile is missing.
    """
    match rendition.platform.profile:
        case Profile.SRGB:
            return srgb_profile()
        case Profile.ADOBE_RGB:
            return working_profile()
        case Profile.CMYK:
            if rendition.press is None:
                raise ConfigError(
                    "CMYK was ordered, but the profile of the press is missing",
                    rendition.platform.name,
                    allowed="cmyk_profile in the client's config",
                    next_step="Ask the client for the profile. Without it the inks would be a guess.",
                )
            return rendition.press.icc


def rendition_pixels(pixels: Pixels16, rendition: RenditionPlan, *, bit_depth: int) -> NDArray[Any]:
    """Return the pixels in the rendition's colour space, uint8 or uint16.

    They are (rows, columns, 3) for RGB, and (rows, columns, 4) inks for CMYK, where 0 is no ink. White is exactly
    white.

    Args:
        pixels: (rows, columns, 3) uint16, Adobe RGB.
        rendition: all settings of the shot's file for this platform.
        bit_depth: 8 or 16.
    Raises:
        ConfigError, BadProfileError: CMYK is ordered, and the client's profile is missing or not plausible.
    """
    if rendition.platform.profile is Profile.CMYK:
        return printed_pixels(pixels, icc=profile_bytes(rendition), bit_depth=bit_depth)
    return delivered_pixels(pixels, profile=rendition.platform.profile, bit_depth=bit_depth)


def printed_pixels(pixels: Pixels16, *, icc: bytes, bit_depth: int) -> NDArray[Any]:
    """Return the inks for a press: (rows, columns, 4) uint8 or uint16: cyan, magenta, yellow, black; 0 is no ink.

    The conversion is relative colorimetric, with black-point compensation. Exactly white pixels get no ink.

    Args:
        pixels: (rows, columns, 3) uint16, Adobe RGB.
        icc: the profile of the press.
        bit_depth: 8 or 16.
    Raises:
        BadProfileError: the profile is not plausible, or the colour engine cannot use it.
    """
    check_profile(icc, model=ColourModel.CMYK, subject="the profile of the press")
    inks = convert(pixels, source=working_profile(), target=icc, bit_depth=bit_depth)
    inks[cv2.inRange(pixels, (WHITE_16,) * 3, (WHITE_16,) * 3) > 0] = 0
    return inks


def delivered_pixels(pixels: Pixels16, *, profile: Profile, bit_depth: int) -> NDArray[Any]:
    """Return the pixels in the delivered RGB space, (rows, columns, 3) uint8 or uint16.

    White is exactly the type's greatest value.

    Args:
        pixels: (rows, columns, 3) uint16, Adobe RGB.
        profile: sRGB or Adobe RGB.
        bit_depth: 8 or 16.
    """
    if profile is Profile.ADOBE_RGB:
        # 257 = 65535 / 255; both spaces are the same, so only the depth changes.
        return pixels if bit_depth == 16 else ((pixels.astype("uint32") * 255 + WHITE_16 // 2) // WHITE_16).astype("u1")
    if bit_depth == 8:
        return working_to_srgb8(pixels)
    return convert(pixels, source=working_profile(), target=srgb_profile(), bit_depth=16)


def encode_pixels(
    pixels: NDArray[Any],
    rendition: RenditionPlan,
    encoding: Encoding,
    settings: EncoderSettings,
    *,
    labels: Labels,
    extras: TiffExtras = NO_EXTRAS,
) -> Encoded:
    """Return pixels of the delivered space as a file within the byte limits.

    A file of higher quality is larger, except for a few bytes. So a binary search finds the highest quality that fits.
    A file that is too small gets the lowest quality that reaches the least size, or the highest there is.

    Args:
        pixels: pixels in the delivered space, as `rendition_pixels` returns them.
        rendition: the plan for the platform: byte limits, resolution and profile.
        encoding: the platform's encoding; its quality floor limits the search.
        settings: the settings of the first try, from which the search for a quality starts. They differ from `encoding`
            if an earlier file harmed white or colours.
        labels: text metadata to embed.
        extras: what a TIFF for print holds besides the picture, such as a clipping path; other formats ignore it.
    Raises:
        ByteLimitError: the file is too large even at the lowest permitted quality, or without loss.
        ConfigError: CMYK is ordered, and the client's profile is missing.
    """
    icc = profile_bytes(rendition)
    limit = rendition.platform.max_bytes

    def attempt(quality: int | None) -> Encoded:
        tried = settings.model_copy(update={"quality": quality})
        data = write(pixels, tried, icc=icc, dpi=rendition.platform.canvas.dpi, labels=labels, extras=extras)
        return Encoded(data, tried, pixels, icc)

    best = attempt(settings.quality)
    if settings.quality is not None and len(best.data) < (rendition.platform.min_bytes or 0):
        return _large_enough(attempt, settings.quality, rendition.platform.min_bytes or 0)
    if limit is None or len(best.data) <= limit:
        return best
    if settings.quality is None:
        raise _too_large(best, rendition)
    low, high = encoding.quality_floor or settings.quality, settings.quality - 1
    fitting: Encoded | None = None
    smallest = best
    while low <= high:
        middle = (low + high) // 2
        tried = attempt(middle)
        if len(tried.data) <= limit:
            fitting, low = tried, middle + 1
        else:
            smallest, high = tried, middle - 1
    if fitting is None:
        raise _too_large(smallest, rendition)
    return fitting


def _large_enough(attempt: Callable[[int | None], Encoded], quality: int, min_bytes: int) -> Encoded:
    """Return the file with the lowest quality that reaches the least size.

    If none does, return the one of highest quality; the verification then reports it.
    """
    low, high = quality + 1, 100
    found = attempt(high)
    while low < high:
        middle = (low + high) // 2
        tried = attempt(middle)
        if len(tried.data) >= min_bytes:
            found, high = tried, middle
        else:
            low = middle + 1
    return found


def _too_large(smallest: Encoded, rendition: RenditionPlan) -> ByteLimitError:
    """Return the error for a picture that fits at no permitted quality."""
    quality = smallest.settings.quality
    at = "lossless" if quality is None else f"quality {quality}, the lowest permitted"
    return ByteLimitError(
        f"the picture does not fit the byte limit of {rendition.platform.title} at any permitted quality",
        rendition.platform.name,
        found=f"{len(smallest.data):,} bytes at {smallest.size}, {at}",
        allowed=f"{rendition.platform.max_bytes:,} bytes",
        next_step="Lower the platform's recommended_px or quality_floor.",
    )
