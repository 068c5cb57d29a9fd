"""Check a file of unknown origin against a platform's rules, from the file alone: without matte and master."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
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
    failure_status,
    fill_findings,
    location_finding,
    model_of,
    orientation_finding,
    perimeter_finding,
    resolution_findings,
    size_findings,
)
from packshot.export.measure import measure_white
from packshot.export.names import name_fits
from packshot.figures import counted
from packshot.formats.sniff import FileKind
from packshot.qc.white import OffWhite, find_off_white
from packshot.specs.models import Background, Platform, Profile, QcConfig, Rule
from packshot.types import Box, Finding, Mask, Pixels8, Size, Status

WHITE_8 = 255
CLEAR_LEVELS = 12
"""A pixel is clearly product if it differs from the border's colour by more than this, in 8-bit levels. It is more than
a codec's ringing."""
LOOSE_PX = 8
"""Fine hair or lace may be separated from what is clearly product by this distance, even without a codec's ringing."""
LEAST_PRODUCT_RATIO = 1e-4
"""Patches smaller than this share of the picture are dirt, not product."""
FRAME_PX, FRAME_RATIO = 8, 0.95
"""A frame is looked for within this distance of the border; so much of a row or column of it is clearly not white."""
LIGHT_GREY, NEUTRAL_LEVELS = 211, 8
"""A background is light grey from this level (`lightgrey` in CSS), if its channels differ by no more than that."""
_EXTENSIONS = {
    FileKind.JPEG: ("jpg", "jpeg"),
    FileKind.WEBP: ("webp",),
    FileKind.PNG: ("png",),
    FileKind.TIFF: ("tif", "tiff"),
    FileKind.GIF: ("gif",),
    FileKind.BMP: ("bmp",),
    FileKind.PSD: ("psd", "psb"),
    FileKind.HEIC: ("heic", "heif", "hif"),
    FileKind.AVIF: ("avif",),
    FileKind.JPEG_XL: ("jxl",),
}


def check_file(
    data: bytes, *, platform: Platform, qc: QcConfig, name: str = "", on: datetime.date | None = None
) -> tuple[Finding, ...]:
    """Return one finding for each rule of a platform that can be checked on a file alone, passed or not.

    A file of unknown origin comes without its photograph and without a matte, so the product must be found in the file:
    it is everything that clearly differs from the border. Off-white pixels that touch the product belong to it too,
    unless they reach the border. A pale rim cannot be told from a left-over shadow. Files of 16 bits are checked in 8
    bits.

    A file that cannot be read gives the single finding `file_unreadable`. No error is raised.

    Args:
        data: the whole file.
        platform: the platform whose rules are checked.
        qc: limits of the checks.
        name: the file's name. Without it the extension and the name are not checked.
        on: the day whose rules apply; None leaves out rules that are announced for later.
    """
    platform = platform.on(on) if on else platform
    try:
        decoded = decode_delivered(data, name=name or "the file")
    except RefusedInputError as error:
        return (check("file_unreadable", False, str(error), gate=True),)
    findings = [*_file_findings(data, decoded, platform, name)]
    found = as_8_bit(decoded)
    pixels = _light_grey_as_white(found, platform.background)
    clear, zone = find_product(pixels)
    ring_distance_px = max(qc.ring_distance_px.get(decoded.codec, 0), LOOSE_PX)
    about_white = _white_findings(pixels, zone, platform, ring_distance_px=ring_distance_px)
    findings += about_white if pixels is found else map(_counted_as_white, about_white)
    findings += _fill_findings(clear, zone, decoded, platform)
    findings.append(
        Finding(
            code="colour_shift",
            status=Status.SKIPPED,
            message="The colours were not verified, because the master is not available.",
            unit="dE2000",
        )
    )
    return tuple(findings)


def refused_codes(findings: Iterable[Finding], platform: Platform) -> tuple[str, ...]:
    """Return the codes of failed findings for which the marketplace itself refuses the picture, each once.

    They are in the order of the findings. The result is empty if the marketplace refuses the picture for none of them.

    Args:
        findings: as `check_file` returns them.
        platform: the platform; its `refused_by_marketplace` names the codes.
    """
    failed = (finding.code for finding in findings if finding.status is Status.FAILED)
    return tuple(code for code in dict.fromkeys(failed) if code in platform.refused_by_marketplace)


def _file_findings(data: bytes, decoded: Decoded, platform: Platform, name: str) -> Iterator[Finding]:
    """Yield the findings on everything but the picture: format, profile, depth, size, metadata."""
    photo = decoded.photo
    yield from (one for one in photo.findings if one.gate and one.status is Status.FAILED)  # damage that was read over
    yield _format_finding(photo.kind, platform)
    if name:
        extension = PurePath(name).suffix.lower().lstrip(".")
        fits = extension in _EXTENSIONS.get(photo.kind, ())
        joined = "and" if fits else "but"
        yield check(
            "file_extension",
            fits,
            f"The file name ends in {extension!r}, {joined} the content is {photo.kind.value}.",
            gate=True,
        )
        yield _name_finding(PurePath(name).stem, platform)
    yield _profile_finding(decoded, platform.profile)
    yield depth_finding(decoded, platform.encoding.bit_depth, model=model_of(platform.profile))
    yield from resolution_findings(data, decoded, platform)
    yield from byte_findings(len(data), platform)
    yield from size_findings(decoded.size, platform)
    yield from _recommended_finding(decoded.size, platform)
    yield orientation_finding(decoded)
    yield location_finding(decoded)


def _name_finding(stem: str, platform: Platform) -> Finding:
    """Return the finding on the file name without its extension, by the platform's template.

    It fails where the marketplace itself refuses other names. Else the template is the studio's choice, which a
    client's style guide may change: a warning.
    """
    if stem.endswith(f".{platform.name}"):
        message = "This is a name of `packshot edit`. The delivery gives the file its name."
        return Finding(code="file_name", status=Status.SKIPPED, message=message)
    refused = Rule.NAME in platform.refused_by_marketplace
    return check(
        "file_name",
        name_fits(stem, platform),
        f"The file name {stem!r} is compared with {platform.naming!r}, views {', '.join(platform.views)}.",
        gate=refused,
        failed=Status.FAILED if refused else Status.WARNING,
    )


def _recommended_finding(size: Size, platform: Platform) -> Iterator[Finding]:
    """Yield a warning about a picture that is accepted, but smaller than recommended."""
    wanted = platform.canvas.recommended_px
    if wanted is not None and size.longest >= platform.canvas.min_px:
        yield check(
            "below_recommended_size",
            size.longest >= wanted,
            f"The longest side is {size.longest} px; {wanted} px are recommended.",
            measured=size.longest,
            limit=wanted,
            unit="px",
            failed=Status.WARNING,
        )


def _format_finding(kind: FileKind, platform: Platform) -> Finding:
    """Return the finding on the format: a warning where the platform accepts it, though another one is delivered."""
    found, delivered = kind.value.lower(), platform.delivered_formats
    accepted = platform.accepts or delivered
    message = f"The file is {kind.value}; Packshot delivers {' or '.join(delivered)} to {platform.title}."
    if found not in accepted:
        message += f" The platform is known to accept only {', '.join(accepted)}."
        return check("file_format", False, message, gate=True)
    return check("file_format", found in delivered, message, failed=Status.WARNING)


def _profile_finding(decoded: Decoded, wanted: Profile) -> Finding:
    """Return the finding on the embedded profile.

    The colorants are compared instead of the bytes, because each maker's profile of a colour space has different bytes.
    """
    photo = decoded.photo
    if wanted is Profile.CMYK:
        fits = photo.model is ColourModel.CMYK and bool(photo.icc)
        return check(
            "file_profile", fits, f"The profile is {photo.profile_name or 'missing'!r}, CMYK is required.", gate=True
        )
    colorants = srgb_to_pcs() if wanted is Profile.SRGB else working_to_pcs()
    found = matrix_profile(photo.icc) if photo.icc else None
    fits = found is not None and bool(np.allclose(found.to_pcs, colorants, atol=0.003))
    if fits and photo.profile_assumed:
        message = f"No profile is embedded; readers will assume {photo.profile_name}."
        return check("file_profile", False, message, failed=Status.WARNING)
    message = f"The profile is {photo.profile_name or 'missing'!r}, {_word(wanted)} is required."
    return check("file_profile", fits, message, gate=True)


def _word(profile: Profile) -> str:
    """Return a profile's name for a message."""
    return "sRGB" if profile is Profile.SRGB else "Adobe RGB (1998)"


def find_product(pixels: Pixels8) -> tuple[Mask, Mask]:
    """Return two masks, (rows, columns) bool: (pixels that are surely product, pixels that may be product).

    The second mask is the first one with its faint surroundings. If the border is white, faint pixels are off-white,
    connected to the product, and not connected to the border. If the border has another colour, everything close to
    that colour is backdrop, and both masks are equal. Patches smaller than 0.01 % of the picture are taken for dirt.

    Args:
        pixels: (rows, columns, 3) uint8, in the file's own colour space.
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


def _light_grey_as_white(pixels: Pixels8, background: Background) -> Pixels8:
    """Return the pixels with a background of even light grey made white, where the platform accepts light grey.

    The colour is looked for just inside of where a frame may be.
    """
    inset = min(FRAME_PX, *((side - 1) // 2 for side in pixels.shape[:2]))
    inner = pixels[inset : len(pixels) - inset, inset : pixels.shape[1] - inset]
    colour = np.median(np.concatenate([inner[0], inner[-1], inner[:, 0], inner[:, -1]]), axis=0)
    grey = LIGHT_GREY <= colour.min() < WHITE_8 and np.ptp(colour) <= NEUTRAL_LEVELS
    if background is not Background.WHITE_OR_LIGHT_GREY or not grey:
        return pixels
    low = np.clip(np.floor(colour - CLEAR_LEVELS), 0, 255)
    high = np.clip(np.ceil(colour + CLEAR_LEVELS), 0, 255)
    whitened = pixels.copy()
    whitened[cv2.inRange(pixels, low, high) > 0] = WHITE_8
    return whitened


def _counted_as_white(finding: Finding) -> Finding:
    """Return a finding on white that says what counts as white."""
    return finding.model_copy(update={"message": f"{finding.message} Its even light grey counts as white."})


def _white_findings(pixels: Pixels8, zone: Mask, platform: Platform, *, ring_distance_px: int) -> Iterator[Finding]:
    """Yield the findings on the white background.

    Outside the product's box every off-white pixel is background for certain. Inside it may be a pale part of the
    product, which gives a warning only.
    """
    box = _box_of(zone) or Box(0, 0, 0, 0)
    boxed = np.zeros_like(zone)
    boxed[box.top : box.bottom, box.left : box.right] = True
    outside = measure_white(pixels, zone | boxed, ring_distance_px=ring_distance_px)
    inside = find_off_white(pixels, boxed & ~_grown(zone, ring_distance_px))
    yield _background(outside.beyond, platform.background, ring_distance_px=ring_distance_px)
    yield _frame_finding(pixels, platform.background)
    yield check(
        "near_white_beside_product",
        inside.count == 0,
        f"{counted(inside.count, 'pixel')} between the product's parts "
        f"{'is' if inside.count == 1 else 'are'} nearly white: a pale part of the product, or leftover backdrop."
        if inside.count
        else "Nothing between the product's parts is nearly white.",
        measured=inside.count,
        limit=0,
        unit="px",
        box=inside.largest_box,
        failed=Status.WARNING,
    )
    yield perimeter_finding(outside.quick, platform.background)


def _background(beyond: OffWhite, background: Background, *, ring_distance_px: int) -> Finding:
    """Return the finding on the background; where white is asked for, a picture that shows none fails."""
    finding = background_finding(beyond, background, ring_distance_px=ring_distance_px)
    if finding.status is not Status.SKIPPED or background is Background.ANY:
        return finding
    gate = background is Background.PURE_WHITE
    message = f"{finding.message} A white background is required, and the picture shows none."
    return finding.model_copy(update={"status": Status.FAILED, "gate": gate, "message": message})


def _frame_finding(pixels: Pixels8, background: Background) -> Finding:
    """Return the finding on lines along the border, such as a frame: rows or columns that are clearly not white."""
    dark = np.any(pixels < WHITE_8 - CLEAR_LEVELS, axis=2)
    deepest = min(FRAME_PX, *(side // 2 for side in dark.shape))
    lines = [line for at in range(deepest) for line in (dark[at], dark[-1 - at], dark[:, at], dark[:, -1 - at])]
    found = sum(float(line.mean()) >= FRAME_RATIO for line in lines)
    return check(
        "frame_at_border",
        found == 0,
        f"{found} rows or columns within {FRAME_PX} px of the border are not white from end to end: a frame, or a "
        "background that is not white."
        if found
        else "No line along the border is dark from end to end.",
        measured=found,
        limit=0,
        unit="lines",
        gate=background is Background.PURE_WHITE,
        failed=failure_status(background),
    )


def _grown(zone: Mask, distance_px: int) -> Mask:
    """Return the mask dilated by a square of this half width."""
    side = 2 * distance_px + 1
    return np.asarray(cv2.dilate(zone.view(np.uint8), np.ones((side, side), np.uint8)) > 0, np.bool_)


def _without_dirt(foreground: Mask) -> Mask:
    """Return the mask without small patches."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(foreground.view(np.uint8), connectivity=8)
    large = stats[:count, cv2.CC_STAT_AREA] >= max(16, LEAST_PRODUCT_RATIO * foreground.size)
    large[0] = False
    return np.asarray(large[labels], np.bool_)


def _fill_findings(clear: Mask, zone: Mask, decoded: Decoded, platform: Platform) -> Iterator[Finding]:
    """Yield the findings on the fill ratio, measured on what is clearly product.

    "Too small" fails only if the product is also too small with its faint surroundings; else it is a warning.
    """
    rim = {finding.code: finding for finding in fill_findings(_box_of(zone), decoded.size, platform)}
    for finding in fill_findings(_box_of(clear), decoded.size, platform):
        doubtful = finding.code == "product_too_small" and rim[finding.code].status is Status.PASSED
        if finding.status is Status.FAILED and doubtful:
            yield finding.model_copy(update={"status": Status.WARNING, "gate": False})
        else:
            yield finding


def _box_of(mask: Mask) -> Box | None:
    """Return the bounding box of a mask; None if it is empty."""
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    return Box(left, top, left + width, top + height) if width and height else None
