"""Verify a delivered file: decode its bytes again and measure every promised property.

Each check gives one finding, passed or not, with the measured value and the limit. If marketplaces have a code for a
fault, its finding has that code: non_white_background, cropped_product, product_too_small, blurry_or_pixelated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from packshot.errors import RefusedInputError
from packshot.export.check import check_file
from packshot.export.codecs import settings_of
from packshot.export.decoded import FORMATS, Decoded, decode_delivered, light_of
from packshot.export.encode import profile_bytes, rendition_pixels
from packshot.export.findings import (
    FILL_TOLERANCE_PX,
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
from packshot.export.measure import (
    ColourFigures,
    WhiteFigures,
    measure_colour,
    measure_white,
    product_zone,
    visible_product_box,
)
from packshot.framing.fit import fill_ratio_of
from packshot.framing.place import Framed
from packshot.framing.subject import subject_box
from packshot.qc.white import find_off_white
from packshot.specs.models import Background, Encoding, QcConfig, RenditionPlan, Shadow
from packshot.types import Box, Finding, Status

__all__ = ["Verification", "check_file", "verify", "verify_file"]


@dataclass(frozen=True, eq=False)
class Verification:
    """Result of checking a rendition's decoded bytes. `verify_file` makes it.

    Attributes:
        findings: one for each check, passed or not.
        white: measurements of the background; None if the file could not be decoded at the right size and colour model.
        colour: how much the colours differ from the picture before encoding; None if `white` is None, or there was no
            product to compare.
        fill_ratio: measured on the decoded pixels; 0 if nothing could be measured.
    """

    findings: tuple[Finding, ...]
    white: WhiteFigures | None = None
    colour: ColourFigures | None = None
    fill_ratio: float = 0.0

    @property
    def passed(self) -> bool:
        """True if nothing failed. Warnings and skipped checks are not failures."""
        return not self.failures

    @property
    def failures(self) -> tuple[Finding, ...]:
        """The findings that failed, in the order of the checks; empty if none did."""
        return tuple(finding for finding in self.findings if finding.status is Status.FAILED)


def verify(
    data: bytes, *, framed: Framed, rendition: RenditionPlan, qc: QcConfig, encoding: Encoding | None = None
) -> tuple[Finding, ...]:
    """Return one finding for each promised property of a delivered file, passed or not.

    A file that cannot be decoded gives the single finding `file_unreadable`.

    Args:
        data: the file as delivered.
        framed: the picture from which the file was made; its matte shows where the product is.
        rendition: all settings of the shot's file for this platform.
        qc: limits of the checks.
        encoding: what was ordered: format, quality, bit depth. None means the platform's first encoding, not its
            fallback format.
    Raises:
        EmptySubjectError: the matte of `framed` has no product.
        ConfigError: CMYK is ordered, and the client's profile is missing.
    """
    return verify_file(data, framed=framed, rendition=rendition, qc=qc, encoding=encoding).findings


def verify_file(
    data: bytes,
    *,
    framed: Framed,
    rendition: RenditionPlan,
    qc: QcConfig,
    encoding: Encoding | None = None,
    before: NDArray[Any] | None = None,
) -> Verification:
    """Return the findings on a delivered file's decoded bytes, with the measurements for the certificate.

    A file that cannot be decoded gives the single finding `file_unreadable`. If its size or its colour model is not as
    ordered, the pixels are not measured. No error is raised for a bad file.

    Args:
        data: the file as delivered.
        framed: the picture from which the file was made; its matte shows where the product is.
        rendition: all settings of the shot's file for this platform.
        qc: limits of the checks.
        encoding: what was ordered: format, quality, bit depth. None means the platform's first encoding, not its
            fallback format.
        before: the encoder's input, as `rendition_pixels` returns it. None means that it is computed again from
            `framed`.
    Raises:
        EmptySubjectError: the matte has no product.
        ConfigError: CMYK is ordered, and the client's profile is missing.
    """
    encoding = encoding or rendition.platform.encoding
    try:
        decoded = decode_delivered(data, name=rendition.platform.name)
    except RefusedInputError as error:
        return Verification((check("file_unreadable", False, str(error), gate=True),))
    findings = [*_file_findings(data, decoded, framed, rendition, encoding)]
    wanted = model_of(rendition.platform.profile)
    if decoded.size != framed.placement.canvas or decoded.photo.model is not wanted:
        return Verification(tuple(findings))
    if before is None:
        before = rendition_pixels(framed.pixels, rendition, bit_depth=encoding.bit_depth)
    return _with_picture(findings, decoded, framed, rendition, qc, before)


def _file_findings(
    data: bytes, decoded: Decoded, framed: Framed, rendition: RenditionPlan, encoding: Encoding
) -> Iterator[Finding]:
    """Yield the findings on everything but the picture: format, profile, depth, sizes, metadata, enlargement."""
    platform = rendition.platform
    found = FORMATS.get(decoded.photo.kind)
    yield check(
        "file_format",
        found is settings_of(encoding).format,
        f"The file is {decoded.photo.kind.value}; {encoding.format.value} was ordered.",
        gate=True,
    )
    yield check(
        "file_profile",
        decoded.photo.icc == profile_bytes(rendition) and not decoded.photo.profile_assumed,
        f"The embedded profile is {decoded.photo.profile_name or 'missing'!r}; {platform.profile.value} was ordered.",
        gate=True,
    )
    yield depth_finding(decoded, encoding.bit_depth, model=model_of(platform.profile))
    yield from resolution_findings(data, decoded, platform)
    yield from byte_findings(len(data), platform)
    yield from size_findings(decoded.size, platform, ordered=framed.placement.canvas)
    yield orientation_finding(decoded)
    yield location_finding(decoded)
    scale, limit = framed.placement.scale, rendition.rules.max_upscale_ratio
    yield check(
        "blurry_or_pixelated",
        scale <= limit + 1e-6,
        f"The product was enlarged to {scale:.0%} of its photographed size; at most {limit:.0%} is allowed.",
        measured=scale,
        limit=limit,
        unit="ratio",
        gate=True,
    )


def _with_picture(
    findings: list[Finding],
    decoded: Decoded,
    framed: Framed,
    rendition: RenditionPlan,
    qc: QcConfig,
    before: NDArray[Any],
) -> Verification:
    """Return the verification with the findings on the pixels added."""
    pixels, before = light_of(decoded.photo.pixels), light_of(before)
    shadow_kept = rendition.rules.shadow is Shadow.KEEP
    zone = product_zone(framed.matte, before, shadow_kept=shadow_kept)
    white = measure_white(pixels, zone, ring_distance_px=qc.ring_distance_px.get(decoded.codec, 0))
    findings += _white_findings(white, rendition.platform.background, qc, decoded.codec)
    source = find_off_white(before, np.logical_not(zone))
    if source.count:
        findings.append(_composite_finding(source.count, rendition.platform.background))
    box = visible_product_box(pixels, framed.matte)
    findings += _lost_edge_findings(box, subject_box(framed.matte))
    target = min(rendition.rules.fill_ratio, framed.placement.fill_ratio)
    findings += fill_findings(box, decoded.size, rendition.platform, target_ratio=target)
    colour = measure_colour(decoded.photo.pixels, framed, icc=decoded.photo.icc)
    findings.append(_colour_finding(colour, rendition))
    fill = fill_ratio_of(box.size, decoded.size) if box else 0.0
    return Verification(tuple(findings), white=white, colour=colour, fill_ratio=fill)


def _white_findings(white: WhiteFigures, background: Background, qc: QcConfig, codec: str) -> Iterator[Finding]:
    """Yield the findings on the white background and the codec's ringing."""
    yield background_finding(white.beyond, background, ring_distance_px=white.ring_distance_px)
    floor = qc.ring_floor.get(codec, 255)
    yield check(
        "codec_ringing",
        white.ring_floor >= floor,
        f"The encoder darkened the white around the product to {white.ring_floor} at worst; at least {floor} is "
        f"required. All pixels at least {white.white_from_px} px away are exactly white.",
        measured=white.ring_floor,
        limit=floor,
        unit="level",
        failed=failure_status(background),
    )
    yield perimeter_finding(white.quick, background)


def _composite_finding(count: int, background: Background) -> Finding:
    """Return the finding that the background was not white before encoding."""
    return Finding(
        code="composite_not_white",
        status=failure_status(background),
        gate=background is Background.PURE_WHITE,
        message=f"{count:,} background pixels were not white before encoding. Correct the composite.",
        measured=count,
        limit=0,
        unit="px",
    )


def _lost_edge_findings(seen: Box | None, product: Box) -> Iterator[Finding]:
    """Yield a warning if part of the product's edge is invisible, as with a white product on white."""
    if seen is None:
        return
    lost_px = max(
        seen.left - product.left, seen.top - product.top, product.right - seen.right, product.bottom - seen.bottom
    )
    if lost_px > FILL_TOLERANCE_PX:
        yield Finding(
            code="edge_lost_in_white",
            status=Status.WARNING,
            message=f"The product's outermost {lost_px} px are as white as the background: its edge cannot be seen.",
            measured=lost_px,
            limit=FILL_TOLERANCE_PX,
            unit="px",
            box=product,
        )


def _colour_finding(colour: ColourFigures | None, rendition: RenditionPlan) -> Finding:
    """Return the finding on the colour difference between master and delivered file."""
    if colour is None:
        return Finding(code="colour_shift", status=Status.SKIPPED, message="There is no product to compare.")
    mean, p95 = rendition.rules.colour_mean_delta_e, rendition.rules.colour_p95_delta_e
    return check(
        "colour_shift",
        colour.mean_delta_e <= mean and colour.p95_delta_e <= p95,
        f"Between master and delivered file, the product's colours differ by delta E {colour.mean_delta_e:.2f} on "
        "average "
        f"(at most {mean:g}) and {colour.p95_delta_e:.2f} at the 95th percentile (at most {p95:g}).",
        measured=round(colour.mean_delta_e, 3),
        limit=mean,
        unit="dE2000",
        gate=True,
    )
