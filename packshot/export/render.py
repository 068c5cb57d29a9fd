"""Encode a rendition, verify the decoded file, and encode again if the codec harmed white or colours.

There are at most three corrections, and each leaves a finding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from packshot.colour.gamut import out_of_gamut_ratio
from packshot.colour.profile import profile_name
from packshot.colour.spaces import working_profile
from packshot.errors import ByteLimitError
from packshot.export.clipping_path import clipping_path_blocks, clipping_path_finding
from packshot.export.codecs import EncoderSettings, TiffExtras, settings_of
from packshot.export.encode import Encoded, encode_pixels, profile_bytes, rendition_pixels
from packshot.export.labels import Labels
from packshot.export.verify import Verification, verify_file
from packshot.framing.place import Framed
from packshot.specs.models import Encoding, Format, Profile, QcConfig, RenditionPlan
from packshot.types import Finding, Status

MOST_CORRECTIONS = 3
OUT_OF_GAMUT_RATIO = 0.01
"""The client is warned if more than this share of the product has clipped colours."""
HALF_COVERED = 0.5
"""A pixel counts as product if its alpha exceeds this."""
_WHITEST_WEBP = (90, 92)
_MENDABLE = ("non_white_background", "codec_ringing", "colour_shift")
"""Findings that other encoder settings may correct."""


@dataclass(frozen=True, eq=False)
class Rendered:
    """A rendition, encoded and verified. `render` makes it.

    Attributes:
        encoded: the file, with the settings that were finally used.
        verification: what was measured on its decoded bytes.
        findings: the findings of placing the product on the canvas, of repeated encoding, on colours that the delivered
            space cannot show, on the clipping path if there is one, and of the verification.
        scale: canvas pixels per pixel of the photograph.
    """

    encoded: Encoded
    verification: Verification
    findings: tuple[Finding, ...]
    scale: float

    @property
    def passed(self) -> bool:
        """True if the rendition may be delivered: no finding failed."""
        return not any(finding.status is Status.FAILED for finding in self.findings)


def render_all(
    framed: Framed,
    rendition: RenditionPlan,
    *,
    qc: QcConfig,
    labels: Labels | None = None,
    clipping_path: bool = False,
) -> tuple[Rendered, ...]:
    """Return the files of one shot for one platform, each verified: one, or two if the platform has a fallback format.

    The first is in the platform's own format. The fallback is for shops that may not be able to read that one. If the
    encoder harmed white or colours, a file is encoded again, and has a warning. A file that fails a check comes back
    too: its `passed` is False, and it must not be delivered.

    Args:
        framed: the picture on the platform's canvas.
        rendition: all settings of the shot's file for this platform.
        qc: limits for the verification.
        labels: text metadata to embed; None for none.
        clipping_path: True if a TIFF gets a clipping path. Other formats never do.
    Raises:
        EmptySubjectError: a clipping path is ordered, and the matte has no outline.
        ByteLimitError: no permitted quality meets the platform's byte limit.
        ConfigError: CMYK is ordered, and the client's profile is missing.
        BadProfileError: that profile is not plausible.
    """
    encodings = [one for one in (rendition.platform.encoding, rendition.platform.fallback) if one]
    return tuple(
        render(framed, rendition, qc=qc, labels=labels, encoding=one, clipping_path=clipping_path) for one in encodings
    )


def render(
    framed: Framed,
    rendition: RenditionPlan,
    *,
    qc: QcConfig,
    labels: Labels | None = None,
    encoding: Encoding | None = None,
    clipping_path: bool = False,
) -> Rendered:
    """Return a rendition's file with the verification of its decoded bytes.

    If the encoder harmed white or colours, the picture is encoded again with settings that preserve them, at most three
    times. Each time leaves a warning. If a check still fails, no error is raised: `Rendered.passed` is then False.

    Args:
        framed: the picture on the platform's canvas.
        rendition: all settings of the shot's file for this platform.
        qc: limits for the verification.
        labels: text metadata to embed; None for none.
        encoding: format, quality and bit depth. None means the platform's first encoding, not its fallback format.
        clipping_path: True if a TIFF gets a clipping path. Other formats never do.
    Raises:
        EmptySubjectError: a clipping path is ordered, and the matte has no outline.
        ByteLimitError: no permitted quality meets the platform's byte limit.
        ConfigError: CMYK is ordered, and the client's profile is missing.
        BadProfileError: that profile is not plausible.
    """
    encoding, labels = encoding or rendition.platform.encoding, labels or Labels()
    settings = settings_of(encoding)
    pixels = rendition_pixels(framed.pixels, rendition, bit_depth=encoding.bit_depth)
    with_path = clipping_path and encoding.format is Format.TIFF
    blocks = clipping_path_blocks(framed.matte) if with_path else b""
    extras = TiffExtras(resources=blocks, selection=framed.matte if encoding.selection else None)

    def attempt(tried: EncoderSettings) -> tuple[Encoded, Verification]:
        encoded = encode_pixels(pixels, rendition, encoding, tried, labels=labels, extras=extras)
        proof = verify_file(
            encoded.data, framed=framed, rendition=rendition, qc=qc, encoding=encoding, before=encoded.pixels
        )
        return encoded, proof

    encoded, proof = attempt(settings)
    corrections: list[Finding] = []
    for better in _corrections(settings, off_white="non_white_background" in _failing(proof)):
        if not _is_the_encoders_fault(proof) or len(corrections) == MOST_CORRECTIONS:
            break
        correction = _correction_finding(encoded, proof)
        try:
            encoded, proof = attempt(better)
        except ByteLimitError:
            continue
        corrections.append(correction)
    gamut = _gamut_finding(framed, rendition)
    path = (clipping_path_finding(encoded.data, framed.matte),) if with_path else ()
    findings = (*_searched(encoding, encoded), *framed.placement.findings, *corrections, gamut, *path, *proof.findings)
    return Rendered(encoded, proof, _without_repeats(findings), framed.placement.scale)


def _gamut_finding(framed: Framed, rendition: RenditionPlan) -> Finding:
    """Return the finding on colours outside the delivered gamut.

    They are no fault of the edit, but the client must know about them.
    """
    profile = rendition.platform.profile
    icc = profile_bytes(rendition)
    share = 0.0
    if profile is not Profile.ADOBE_RGB:  # the working space itself
        where = framed.matte > HALF_COVERED
        share = out_of_gamut_ratio(framed.pixels, source=working_profile(), target=icc, where=where)
    return Finding(
        code="out_of_gamut",
        status=Status.WARNING if share > OUT_OF_GAMUT_RATIO else Status.PASSED,
        message=f"{profile_name(icc)!r} cannot show the colours of {share:.1%} of the product. They were "
        "clipped to the nearest colours that it can show.",
        measured=round(share, 4),
        limit=OUT_OF_GAMUT_RATIO,
        unit="ratio",
    )


def _is_the_encoders_fault(proof: Verification) -> bool:
    """Return whether other encoder settings may help.

    They cannot help a composite that was not white before encoding.
    """
    failing = _failing(proof)
    return "composite_not_white" not in failing and any(code in failing for code in _MENDABLE)


def _failing(proof: Verification) -> set[str]:
    """Return the codes of findings that failed or warn."""
    return {finding.code for finding in proof.findings if finding.status in (Status.FAILED, Status.WARNING)}


def _corrections(settings: EncoderSettings, *, off_white: bool) -> Iterator[EncoderSettings]:
    """Yield settings that preserve white better, the cheapest first.

    JPEG: a block of pure white always decodes to white, so ringing occurs only in blocks that contain the product's
    edge. Full chroma resolution keeps these blocks 8 px wide. WebP predicts blocks from their neighbours, so an error
    can spread. It spreads least near quality 90 to 92, and not at all in lossless mode.

    Args:
        off_white: whether white was lost beyond the ringing distance, and not only darkened too much within it.
    """
    if settings.quality is None:
        return
    if settings.format is Format.JPEG:
        yield settings.model_copy(update={"chroma": "4:4:4"})
        yield settings.model_copy(update={"chroma": "4:4:4", "quality": max(settings.quality, 95)})
        yield settings.model_copy(update={"chroma": "4:4:4", "quality": max(settings.quality, 98)})
    elif settings.format is Format.WEBP:
        for quality in _WHITEST_WEBP:
            if quality != settings.quality:
                yield settings.model_copy(update={"quality": quality})
        if off_white:
            yield settings.model_copy(update={"quality": None})


def _correction_finding(encoded: Encoded, proof: Verification) -> Finding:
    """Return the warning that a file was encoded again, with the reason."""
    reason = next(finding for finding in proof.findings if finding.code in _MENDABLE and finding.status != "passed")
    colour = reason.code == "colour_shift"
    kept = "colours" if colour else "background"
    return Finding(
        code="colour_corrected" if colour else "background_corrected",
        status=Status.WARNING,
        message=f"Encoded again, because {_described(encoded.settings)} did not keep the {kept}: {reason.message}",
        measured=reason.measured,
        limit=reason.limit,
        unit=reason.unit,
    )


def _searched(encoding: Encoding, encoded: Encoded) -> Iterator[Finding]:
    """Yield a warning if the quality was lowered to meet the byte limit."""
    quality = encoded.settings.quality
    if quality is not None and encoding.quality is not None and quality < encoding.quality:
        yield Finding(
            code="quality_lowered",
            status=Status.WARNING,
            message=f"The quality was lowered from {encoding.quality} to {quality} to meet the byte limit.",
            measured=quality,
            limit=encoding.quality_floor,
            unit="quality",
        )


def _described(settings: EncoderSettings) -> str:
    """Return the settings in words."""
    if settings.quality is None:
        return f"{settings.format.value} without loss"
    return f"{settings.format.value} quality {settings.quality}" + (
        f" {settings.chroma}" if settings.format is Format.JPEG else f" effort {settings.effort}"
    )


def _without_repeats(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return the findings without repeats: placement and verification may both report a small canvas."""
    kept: dict[tuple[str, Status, str], Finding] = {}
    for finding in findings:
        same = finding.code if finding.code == "resolution_too_low" else finding.message
        kept.setdefault((finding.code, finding.status, same), finding)
    return tuple(kept.values())
