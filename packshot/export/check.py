"""A file of unknown origin against a platform's rules: no matte, no master, only what is seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

import cv2
import numpy as np

from packshot.colour.profile import ColourModel, matrix_profile
from packshot.colour.spaces import srgb_to_pcs, working_to_pcs
from packshot.errors import RefusedInputError
from packshot.export.decoded import Decoded, as_8_bit, decode_delivered
from packshot.export.findings import (
    background_finding,
    byte_findings,
    check,
    depth_finding,
    fill_findings,
    location_finding,
    model_of,
    orientation_finding,
    perimeter_finding,
    size_findings,
)
from packshot.export.measure import measure_white
from packshot.qc.white import find_off_white
from packshot.specs.models import Platform, Profile, QcConfig
from packshot.types import Box, Finding, Mask, Pixels8, Status

WHITE_8 = 255
CLEAR_LEVELS = 12
"""How far a pixel is from the border's colour where it is clearly product, in 8-bit levels: above a codec's ringing."""
LOOSE_PX = 8
"""How far the faintest pixels of hair or lace may hang loose from what is clearly product, even without a codec."""
LEAST_PRODUCT_RATIO = 1e-4
"""Smaller patches than this share of the picture are dirt, not product."""
_EXTENSIONS = {"jpeg": ("jpg", "jpeg"), "webp": ("webp",), "png": ("png",), "tiff": ("tif", "tiff")}


def check_file(data: bytes, *, platform: Platform, qc: QcConfig, name: str = "") -> tuple[Finding, ...]:
    """Return one finding for each of the platform's rules that can be checked on the file alone.

    The product is what clearly differs from the border, with everything off-white that hangs together with it without
    reaching the border: a pale rim cannot be told from a leftover shadow without a matte. Files of 16 bits are looked
    at in 8.

    Args:
        name: the file's name, if its extension shall be checked against its content.
    """
    try:
        decoded = decode_delivered(data, name=name or "the file")
    except RefusedInputError as error:
        return (check("file_unreadable", False, str(error), gate=True),)
    findings = [*_file_findings(data, decoded, platform, name)]
    pixels = as_8_bit(decoded)
    clear, zone = find_product(pixels)
    ring_distance_px = max(qc.ring_distance_px.get(decoded.codec, 0), LOOSE_PX)
    findings += _white_findings(pixels, zone, platform, ring_distance_px=ring_distance_px)
    findings += _fill_findings(clear, zone, decoded, platform)
    findings.append(
        Finding(
            code="colour_shift",
            status=Status.SKIPPED,
            message="Colours not verified: the master is not at hand.",
            unit="dE2000",
        )
    )
    return tuple(findings)


def _file_findings(data: bytes, decoded: Decoded, platform: Platform, name: str) -> Iterator[Finding]:
    photo = decoded.photo
    formats = [encoding.format for encoding in (platform.encoding, platform.fallback) if encoding]
    yield check(
        "file_format",
        decoded.format in formats,
        f"The content is {photo.kind.value}; {' or '.join(formats)} is delivered to {platform.title}.",
        failed=Status.WARNING,
    )
    if name:
        extension = PurePath(name).suffix.lower().lstrip(".")
        fits = decoded.format is not None and extension in _EXTENSIONS[decoded.format]
        yield check(
            "file_extension", fits, f"The name ends in {extension!r}, the content is {photo.kind.value}.", gate=True
        )
    yield _profile_finding(decoded, platform.profile)
    yield depth_finding(decoded, platform.encoding.bit_depth, model=model_of(platform.profile))
    yield from byte_findings(len(data), platform)
    yield from size_findings(decoded.size, platform)
    yield orientation_finding(decoded)
    yield location_finding(decoded)


def _profile_finding(decoded: Decoded, wanted: Profile) -> Finding:
    """Profiles of one space differ in their bytes from maker to maker; their colorants are the same."""
    photo = decoded.photo
    if wanted is Profile.CMYK:
        fits = photo.model is ColourModel.CMYK and bool(photo.icc)
        return check(
            "file_profile", fits, f"The profile is {photo.profile_name or 'missing'!r}, CMYK is asked for.", gate=True
        )
    colorants = srgb_to_pcs() if wanted is Profile.SRGB else working_to_pcs()
    found = matrix_profile(photo.icc) if photo.icc else None
    fits = found is not None and bool(np.allclose(found.to_pcs, colorants, atol=0.003))
    if fits and photo.profile_assumed:
        message = f"No profile is embedded; readers will take it for {photo.profile_name}."
        return check("file_profile", False, message, failed=Status.WARNING)
    message = f"The profile is {photo.profile_name or 'missing'!r}, {_word(wanted)} is asked for."
    return check("file_profile", fits, message, gate=True)


def _word(profile: Profile) -> str:
    return "sRGB" if profile is Profile.SRGB else "Adobe RGB (1998)"


def find_product(pixels: Pixels8) -> tuple[Mask, Mask]:
    """Return what is clearly product, and what may be: the same with its faint surroundings.

    Where the border is white, faint means off-white and hanging together with the product, yet not with the border.
    Where it has another colour, everything near that colour is backdrop.

    Args:
        pixels: (rows, columns, 3) uint8.
    """
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    colour = np.median(border, axis=0)
    low = np.clip(np.floor(colour - CLEAR_LEVELS), 0, 255)
    high = np.clip(np.ceil(colour + CLEAR_LEVELS), 0, 255)
    clear = _without_dirt(cv2.inRange(pixels, low, high) == 0)
    if (colour < WHITE_8).any():
        return clear, clear
    off_white = (cv2.inRange(pixels, (WHITE_8,) * 3, (WHITE_8,) * 3) == 0).view(np.uint8)
    count, labels = cv2.connectedComponents(off_white, connectivity=8)
    belongs = np.zeros(count, np.bool_)
    belongs[labels[clear]] = True
    belongs[np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])] = False
    belongs[0] = False
    return clear, clear | belongs[labels]


def _white_findings(pixels: Pixels8, zone: Mask, platform: Platform, *, ring_distance_px: int) -> Iterator[Finding]:
    """Outside the product's box off-white is background for certain; inside it may be a pale part of the product."""
    box = _box_of(zone) or Box(0, 0, 0, 0)
    boxed = np.zeros_like(zone)
    boxed[box.top : box.bottom, box.left : box.right] = True
    outside = measure_white(pixels, zone | boxed, ring_distance_px=ring_distance_px)
    inside = find_off_white(pixels, boxed & ~_grown(zone, ring_distance_px))
    yield background_finding(outside.beyond, platform.background, ring_distance_px=ring_distance_px)
    yield check(
        "near_white_beside_product",
        inside.count == 0,
        f"{inside.count:,} pixels between the product's parts are nearly white: a pale part, or leftover backdrop.",
        measured=inside.count,
        limit=0,
        unit="px",
        box=inside.largest_box,
        failed=Status.WARNING,
    )
    yield perimeter_finding(outside.quick, platform.background)


def _grown(zone: Mask, distance_px: int) -> Mask:
    side = 2 * distance_px + 1
    return np.asarray(cv2.dilate(zone.view(np.uint8), np.ones((side, side), np.uint8)) > 0, np.bool_)


def _without_dirt(foreground: Mask) -> Mask:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(foreground.view(np.uint8), connectivity=8)
    large = stats[:count, cv2.CC_STAT_AREA] >= max(16, LEAST_PRODUCT_RATIO * foreground.size)
    large[0] = False
    return np.asarray(large[labels], np.bool_)


def _fill_findings(clear: Mask, zone: Mask, decoded: Decoded, platform: Platform) -> Iterator[Finding]:
    """Measure on what is clearly product; say "too small" for certain only if its faint rim is too small as well."""
    rim = {finding.code: finding for finding in fill_findings(_box_of(zone), decoded.size, platform)}
    for finding in fill_findings(_box_of(clear), decoded.size, platform):
        doubtful = finding.code == "product_too_small" and rim[finding.code].status is Status.PASSED
        if finding.status is Status.FAILED and doubtful:
            yield finding.model_copy(update={"status": Status.WARNING, "gate": False})
        else:
            yield finding


def _box_of(mask: Mask) -> Box | None:
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    return Box(left, top, left + width, top + height) if width and height else None
