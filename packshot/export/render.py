"""Encode, decode again, and mend what that did to white and colours, at most three times, each with a finding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from packshot.colour.gamut import out_of_gamut_ratio
from packshot.colour.profile import profile_name
from packshot.colour.spaces import working_profile
from packshot.errors import ByteLimitError
from packshot.export.clipping_path import clipping_path_blocks, clipping_path_finding
from packshot.export.codecs import Settings, TiffExtras, settings_of
from packshot.export.encode import Encoded, encode_pixels, profile_bytes, rendition_pixels
from packshot.export.labels import Labels
from packshot.export.verify import Verification, verify_file
from packshot.framing.place import Framed
from packshot.specs.models import Encoding, Format, Profile, QcConfig, RenditionPlan
from packshot.types import Finding, Status

MOST_CORRECTIONS = 3
OUT_OF_GAMUT_RATIO = 0.01
"""Share of the product from which clipped colours are said."""
HALF_COVERED = 0.5
_MENDABLE = ("non_white_background", "codec_ringing", "colour_shift")


@dataclass(frozen=True, eq=False)
class Rendered:
    """A rendition, encoded and proven.

    Attributes:
        findings: the placement's, the corrections' and the verification's.
        scale: delivered pixels for one photographed pixel.
    """

    encoded: Encoded
    verification: Verification
    findings: tuple[Finding, ...]
    scale: float

    @property
    def passed(self) -> bool:
        """Whether it may be delivered: nothing failed."""
        return not any(finding.status is Status.FAILED for finding in self.findings)


def render_all(
    framed: Framed,
    rendition: RenditionPlan,
    *,
    qc: QcConfig,
    labels: Labels | None = None,
    clipping_path: bool = False,
) -> tuple[Rendered, ...]:
    """Return the platform's file and, where it has a fallback format, that one too; see `render`."""
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
    """Return the file with the proof of its decoded bytes.

    Where the encoder spoilt the white or the colours, it is encoded again with settings that keep them.

    Args:
        encoding: the platform's first by default.
        clipping_path: whether a TIFF carries one; other formats never do.
    Raises:
        EmptySubjectError: a clipping path is ordered, and there is no outline to draw it along.
        ByteLimitError: no permitted quality meets the platform's byte limit.
        ConfigError: CMYK is asked for, and the client's profile is missing.
        BadProfileError: that profile cannot be believed.
    """
    encoding, labels = encoding or rendition.platform.encoding, labels or Labels()
    settings = settings_of(encoding)
    pixels = rendition_pixels(framed.pixels, rendition, bit_depth=encoding.bit_depth)
    with_path = clipping_path and encoding.format is Format.TIFF
    blocks = clipping_path_blocks(framed.matte) if with_path else b""
    extras = TiffExtras(resources=blocks, selection=framed.matte if encoding.selection else None)

    def attempt(tried: Settings) -> tuple[Encoded, Verification]:
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
        corrections.append(_correction_finding(encoded, proof))
        try:
            encoded, proof = attempt(better)
        except ByteLimitError:
            continue
    gamut = _gamut_finding(framed, rendition)
    path = (clipping_path_finding(encoded.data, framed.matte),) if with_path else ()
    findings = (*_searched(encoding, encoded), *framed.placement.findings, *corrections, gamut, *path, *proof.findings)
    return Rendered(encoded, proof, _without_repeats(findings), framed.placement.scale)


def _gamut_finding(framed: Framed, rendition: RenditionPlan) -> Finding:
    """What a narrower space cannot show is no fault of the edit, but the client must hear of it."""
    profile = rendition.platform.profile
    icc = profile_bytes(rendition)
    share = 0.0
    if profile is not Profile.ADOBE_RGB:  # the working space itself
        where = framed.matte > HALF_COVERED
        share = out_of_gamut_ratio(framed.pixels, source=working_profile(), target=icc, where=where)
    return Finding(
        code="out_of_gamut",
        status=Status.WARNING if share > OUT_OF_GAMUT_RATIO else Status.PASSED,
        message=f"{share:.1%} of the product has colours that {profile_name(icc)!r} cannot show; they were clipped to "
        "the nearest it can.",
        measured=round(share, 4),
        limit=OUT_OF_GAMUT_RATIO,
        unit="ratio",
    )


def _is_the_encoders_fault(proof: Verification) -> bool:
    """A composite that was not white before encoding is mended where it was made, not here."""
    failing = _failing(proof)
    return "composite_not_white" not in failing and any(code in failing for code in _MENDABLE)


def _failing(proof: Verification) -> set[str]:
    return {finding.code for finding in proof.findings if finding.status in (Status.FAILED, Status.WARNING)}


def _corrections(settings: Settings, *, off_white: bool) -> Iterator[Settings]:
    """Settings that keep white better, cheapest first.

    Args:
        off_white: white was lost beyond the ring, and not only darkened too much inside it.

    JPEG: a flat white block always decodes to white, so only the blocks that hold the product's edge ring; full colour
    resolution keeps them 8 px wide. WebP predicts blocks from their neighbours, so an error can travel: it
    travels least near quality 85 to 90 and not at all without loss.
    """
    if settings.quality is None:
        return
    if settings.format is Format.JPEG:
        yield settings.model_copy(update={"chroma": "4:4:4"})
        yield settings.model_copy(update={"chroma": "4:4:4", "quality": max(settings.quality, 95)})
        yield settings.model_copy(update={"chroma": "4:4:4", "quality": max(settings.quality, 98)})
    elif settings.format is Format.WEBP:
        yield settings.model_copy(update={"effort": 4})
        yield settings.model_copy(update={"effort": 4, "quality": 85 if settings.quality > 90 else 90})
        if off_white:
            yield settings.model_copy(update={"quality": None})


def _correction_finding(encoded: Encoded, proof: Verification) -> Finding:
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
    quality = encoded.settings.quality
    if quality is not None and encoding.quality is not None and quality < encoding.quality:
        yield Finding(
            code="quality_lowered",
            status=Status.WARNING,
            message=f"Quality {quality} instead of {encoding.quality}, so that the file meets the byte limit.",
            measured=quality,
            limit=encoding.quality_floor,
            unit="quality",
        )


def _described(settings: Settings) -> str:
    if settings.quality is None:
        return f"{settings.format.value} without loss"
    return f"{settings.format.value} quality {settings.quality}" + (
        f" {settings.chroma}" if settings.format is Format.JPEG else f" effort {settings.effort}"
    )


def _without_repeats(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The placement and the verification may both notice a small canvas; once is enough."""
    kept: dict[tuple[str, Status, str], Finding] = {}
    for finding in findings:
        same = finding.code if finding.code == "resolution_too_low" else finding.message
        kept.setdefault((finding.code, finding.status, same), finding)
    return tuple(kept.values())
