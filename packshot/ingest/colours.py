"""Find the colour space of a client's picture from what its file says, so that the master gets the right colours.

A file can name its colour space in several places. They are tried in the order of the format; the first usable one
counts.

| format | order |
|---|---|
| PNG (third edition, 4.3) | cICP, iCCP, sRGB, gAMA with cHRM |
| HEIC, AVIF (ISO/IEC 23000-22) | ICC profile, codes (nclx) |
| all | ICC profile; then the colour space that EXIF names; then sRGB, as an assumption |

Codes (cICP, nclx) name the primaries and the transfer curve by numbers. If both numbers mean "unspecified", the codes
are ignored. If only one of them does, the one of sRGB is used instead, with a finding.
"""

from __future__ import annotations

from packshot.colour.profile import ColourModel, check_profile, transfer_code
from packshot.colour.spaces import (
    SRGB_CHROMATICITIES,
    profile_of_codes,
    profile_of_figures,
    srgb_profile,
    working_profile,
)
from packshot.errors import BadProfileError
from packshot.formats.container import Codes, Container
from packshot.ingest.metadata import Metadata
from packshot.specs.models import ProfilePolicy, WithoutProfile
from packshot.types import Finding, Status

_PNG_SRGB_GAMMA = 0.45455
_NEAR_SRGB, _ROUNDED = 0.03, 0.0006
_LEAST_GAMMA, _MOST_GAMMA = 0.9, 3.5
_UNSPECIFIED = 2


def refuse_hdr(container: Container, name: str) -> None:
    """Raise an error if a picture is HDR: read as sRGB, it would look pale and far too dark. Otherwise nothing happens.

    Args:
        container: the file's header.
        name: the file's name, for the message.
    Raises:
        BadProfileError: the picture or its ICC profile names an HDR curve (PQ or HLG), or a PNG says that its values
            use the narrow range of video.
    """
    in_profile = Codes(_UNSPECIFIED, transfer_code(container.icc))
    hdr = (container.codes.hdr if container.codes else "") or in_profile.hdr
    narrow = container.codes_first and container.codes is not None and not container.codes.full_range
    if hdr or narrow:
        raise BadProfileError(
            "it is an HDR picture" if hdr else "its values use the range of video",
            name,
            found=f"the transfer function {hdr}" if hdr else "the narrow range of video",
            allowed="a picture for screens or print, such as sRGB, Display P3 or Adobe RGB",
            next_step="Export it without HDR, best as a 16-bit TIFF with its profile.",
        )


def find_profile(
    model: ColourModel, container: Container, metadata: Metadata, name: str
) -> tuple[bytes, bool, tuple[Finding, ...]]:
    """Return (bytes of the ICC profile that says what the picture's colours mean, True if it was assumed, findings).

    The profile is the embedded one, or is made from other statements of the file: its codes, EXIF, or a PNG's gamma. If
    an RGB or grey file says nothing usable, sRGB is assumed.

    A Lab or CMYK picture without a usable profile gives empty bytes. For Lab the second value is then False, because
    Lab needs no profile; for CMYK it is True.

    There is a warning among the findings for each assumption, and for an embedded profile that was not used.

    Args:
        model: the colour model of the pixels.
        container: the file's header.
        metadata: the file's metadata; the colour space that its EXIF names counts.
        name: the file's name, for messages.
    """
    findings: tuple[Finding, ...] = ()
    in_colour = model in (ColourModel.RGB, ColourModel.GREY)
    by_codes = _by_codes(container.codes) if in_colour else b""
    half = _half_stated(container.codes) if by_codes else ()
    if by_codes and container.codes_first:
        return by_codes, bool(half), half
    if container.icc or container.icc_named:
        try:
            check_profile(container.icc, model=_profile_model(model, container.icc), subject=name)
            return container.icc, False, _codes_unread(container) if container.codes_first else ()
        except BadProfileError as error:
            findings = (_warning("profile_broken", f"The embedded profile was not used: {error.found}."),)
    if model is ColourModel.LAB:
        return b"", False, findings
    if model is ColourModel.CMYK:
        message = "A CMYK picture without a usable profile: its inks were mixed by a plain formula. Check its colours."
        return b"", True, (*findings, _warning("cmyk_profile_missing", message))
    if by_codes:
        return by_codes, bool(half), (*findings, *half)
    declared = _declared_profile(container, metadata)
    if declared:
        return declared, False, (*findings, *_codes_unread(container))
    by_figures = _profile_by_figures(container)
    if by_figures:
        message = "The file has no profile; one was made of the gamma and the primaries that it names."
        return by_figures, True, (*findings, _warning("profile_assumed", message))
    return srgb_profile(), True, (*findings, *_assumption(container))


def check_policy(codes: set[str], policy: ProfilePolicy, name: str) -> None:
    """Raise an error if assumptions were made about a picture's colours, and the configuration forbids one of them.

    Args:
        codes: codes of the findings on the picture. Three of them stand for assumptions: `profile_broken`,
            `cmyk_profile_missing` and `profile_assumed`.
        policy: which assumptions are allowed.
        name: the file's name, for the message.
    Raises:
        BadProfileError: an assumption was made that is not allowed.
    """
    rules = (
        ("profile_broken", policy.broken, "its ICC profile is implausible"),
        ("cmyk_profile_missing", policy.cmyk_missing, "its inks have no profile"),
        ("profile_assumed", policy.missing, "nothing in it says what its colours mean"),
    )
    for code, rule, what in rules:
        if code in codes and rule is WithoutProfile.REFUSE:
            raise BadProfileError(
                what,
                name,
                allowed="pictures with a profile (`profiles` in ingest.yaml)",
                next_step="Assign the right profile and export the picture again.",
            )


def _by_codes(codes: Codes | None) -> bytes:
    """Return the profile of a file's codes; empty if they say nothing, or are not known."""
    return profile_of_codes(codes.primaries, codes.transfer) if codes and not _says_nothing(codes) else b""


def _says_nothing(codes: Codes) -> bool:
    return codes.primaries == codes.transfer == _UNSPECIFIED


def _half_stated(codes: Codes | None) -> tuple[Finding, ...]:
    """Return the finding on codes of which one is unspecified, so that half of the colour space is an assumption."""
    if codes is None or _UNSPECIFIED not in codes[:2]:
        return ()
    what = "primaries" if codes.primaries == _UNSPECIFIED else "curve"
    message = f"The file names only half of its colour space, by the codes {codes.primaries}, {codes.transfer}; "
    return (
        _warning("profile_assumed", f"{message}the {what} of sRGB {'were' if what[-1] == 's' else 'was'} assumed."),
    )


def _codes_unread(container: Container) -> tuple[Finding, ...]:
    """Return a finding on codes for which there is no profile, where another statement was used in their place."""
    codes = container.codes
    if codes is None or _says_nothing(codes):
        return ()
    message = f"The colour space with the codes {codes.primaries}, {codes.transfer} is not read; "
    return (_warning("profile_assumed", message + "the file's next statement about its colours was used."),)


def _profile_model(model: ColourModel, icc: bytes) -> ColourModel:
    """Return the colour model that the profile must have.

    A grey picture with an RGB profile is common and is accepted.
    """
    grey_in_rgb = model is ColourModel.GREY and icc[16:20] == b"RGB "
    return ColourModel.RGB if grey_in_rgb else model


def _declared_profile(container: Container, metadata: Metadata) -> bytes:
    if container.declared_srgb:
        return srgb_profile()
    return {"adobe_rgb": working_profile(), "srgb": srgb_profile()}.get(metadata.colour_space, b"")


def _profile_by_figures(container: Container) -> bytes:
    """Return a profile made from a PNG's gAMA and cHRM chunks (third edition, 11.3.2); empty where they are of no use.

    A gamma near that of sRGB, without primaries, adds nothing to the default sRGB. A gamma outside the plausible range
    is a mistake of the program that wrote it.
    """
    if not container.gamma or not _LEAST_GAMMA <= 1 / container.gamma <= _MOST_GAMMA:
        return b""
    if _means_srgb(container):
        return b""
    return profile_of_figures(container.chromaticities or SRGB_CHROMATICITIES, gamma=1 / container.gamma)


def _means_srgb(container: Container) -> bool:
    """Return whether gAMA and cHRM are those that the standard gives for sRGB (third edition, 11.3.2.5), or nearly.

    It tells encoders to write them beside an sRGB chunk. Programs that write them alone, such as ImageMagick, mean sRGB
    too: a plain gamma of 2.2 would show dark tones too light.
    """
    if container.gamma is None:
        return False
    off = abs(container.gamma - _PNG_SRGB_GAMMA)
    if not container.chromaticities:
        return off <= _NEAR_SRGB
    pairs = zip(container.chromaticities, SRGB_CHROMATICITIES, strict=False)
    return off <= _ROUNDED and all(abs(one - other) <= _ROUNDED for one, other in pairs)


def _assumption(container: Container) -> tuple[Finding, ...]:
    message = "Nothing in the file says what its colours mean; sRGB was assumed."
    if container.codes and not _says_nothing(container.codes):
        named = f"{container.codes.primaries}, {container.codes.transfer}"
        message = f"The file names a colour space by the codes {named}, which are not read; sRGB was assumed."
    elif container.gamma and _means_srgb(container):
        message = "The file names the gamma that PNG's standard gives for sRGB, but not sRGB itself; sRGB was assumed."
    elif container.gamma:
        message = f"The file has no profile but names a gamma of {1 / container.gamma:.2f}; sRGB was assumed."
    return (_warning("profile_assumed", message),)


def _warning(code: str, message: str) -> Finding:
    return Finding(code=code, status=Status.WARNING, message=message)
