"""Make the findings that apply to our own delivered files and to files of unknown origin alike."""

from __future__ import annotations

from collections.abc import Iterator

from packshot.colour.profile import ColourModel
from packshot.export.decoded import Decoded
from packshot.formats.headers import read_container
from packshot.formats.resolution import dots_per_inch
from packshot.framing.fit import fill_ratio_of
from packshot.qc.white import OffWhite, QuickCheck
from packshot.specs.models import Background, Platform, Profile
from packshot.types import Box, Finding, Size, Status

FILL_TOLERANCE_PX = 2
"""Tolerance of a measured length: resampling may take a pixel at each end of the product."""
_MODELS = {ColourModel.RGB: "RGB", ColourModel.GREY: "grey", ColourModel.CMYK: "CMYK", ColourModel.LAB: "L*a*b*"}


def check(
    code: str,
    passed: bool,
    message: str,
    *,
    measured: float | None = None,
    limit: float | None = None,
    unit: str = "",
    box: Box | None = None,
    gate: bool = False,
    failed: Status = Status.FAILED,
) -> Finding:
    """Return the finding that states the result of a check. Its status is passed, or else the one given as `failed`.

    Args:
        code: the finding's code, for example "file_format".
        passed: whether the check passed.
        message: the result in words, for people.
        measured, limit: the measured value and its limit; None if there is none.
        unit: unit of both; empty if they have none.
        box: the place to look at, in pixels of the delivered file; None if there is none.
        gate: True if a failure forbids the machine to approve the picture.
        failed: the status if the check did not pass.
    """
    return Finding(
        code=code,
        status=Status.PASSED if passed else failed,
        message=message,
        measured=measured,
        limit=limit,
        unit=unit,
        box=box,
        gate=gate,
    )


def failure_status(background: Background) -> Status:
    """Return the status of a finding on a background that is not exactly white.

    It is a warning if the platform accepts any background, else failed.

    Args:
        background: the platform's rule for the background.
    """
    return Status.WARNING if background is Background.ANY else Status.FAILED


def background_finding(beyond: OffWhite, background: Background, *, ring_distance_px: int) -> Finding:
    """Return the finding `non_white_background`: is every pixel far enough from the product exactly white?

    "Far enough" means farther than `ring_distance_px`. The finding passes if all these pixels are exactly white, and is
    skipped if there are none. Otherwise it is a warning if the platform accepts any background, else failed. Its value
    is the number of these pixels that are not exactly white. The finding is a gate, which forbids automatic approval,
    only if the platform asks for pure white.

    Args:
        beyond: number and place of the pixels that are farther than `ring_distance_px` and not white.
        background: the platform's rule for the background.
        ring_distance_px: distance from the product within which the codec may leave ripples.
    """
    if beyond.background == 0:
        return Finding(
            code="non_white_background",
            status=Status.SKIPPED,
            message=f"No pixel is farther than {ring_distance_px} px from the product: there is nothing to check.",
        )
    message = f"All {beyond.background:,} background pixels farther than {ring_distance_px} px are exactly white."
    if beyond.count:
        message = (
            f"{beyond.count:,} of {beyond.background:,} background pixels farther than {ring_distance_px} px from the "
            f"product are not exactly white; the worst is off by {beyond.worst_levels:.0f} of 255 levels."
        )
    return check(
        "non_white_background",
        beyond.count == 0,
        message,
        measured=beyond.count,
        limit=0,
        unit="px",
        box=beyond.largest_box,
        gate=background is Background.PURE_WHITE,
        failed=failure_status(background),
    )


def perimeter_finding(quick: QuickCheck, background: Background) -> Finding:
    """Return the finding `perimeter_sample`: are the checked points along the picture's border exactly white?

    Its value is the share of the points that are exactly white, 0..1. It passes if the share is 1.

    Args:
        quick: the result of checking the points.
        background: the platform's rule for the background. If any is accepted, a failure is only a warning.
    """
    return check(
        "perimeter_sample",
        quick.status == "pass",
        f"{quick.compliance_rate:.0%} of the points sampled along the border are exactly white.",
        measured=quick.compliance_rate,
        limit=1.0,
        unit="ratio",
        failed=failure_status(background),
    )


def model_of(profile: Profile) -> ColourModel:
    """Return the colour model of a delivered profile: CMYK for CMYK, RGB for all others.

    Args:
        profile: the profile that the platform asks for.
    """
    return ColourModel.CMYK if profile is Profile.CMYK else ColourModel.RGB


def depth_finding(decoded: Decoded, bit_depth: int, *, model: ColourModel = ColourModel.RGB) -> Finding:
    """Return the finding `file_bit_depth`: are a file's colour model, bit depth and transparency as ordered?

    It passes if model and depth are as ordered and the file has no transparency; else it fails, and forbids automatic
    approval. Its value is the bit depth.

    Args:
        decoded: the file's content.
        bit_depth: the ordered bits per channel.
        model: the ordered colour model.
    """
    photo = decoded.photo
    return check(
        "file_bit_depth",
        photo.model is model and photo.bit_depth == bit_depth and photo.alpha is None,
        f"The file is {_MODELS[photo.model]} with {photo.bit_depth} bits per channel"
        f"{' and transparency' if photo.alpha is not None else ''}; {_MODELS[model]} with {bit_depth} was ordered.",
        measured=photo.bit_depth,
        limit=bit_depth,
        unit="bit",
        gate=True,
    )


def resolution_findings(data: bytes, decoded: Decoded, platform: Platform) -> Iterator[Finding]:
    """Yield the finding `file_dpi` on the resolution for print, if the platform asks for one; else nothing.

    The finding passes if the file states the resolution to within 1 dpi. It fails, and forbids automatic approval, if
    the file states another one or none. Its value is the file's resolution, in dpi.

    Args:
        data: the whole file.
        decoded: its content.
        platform: its canvas may name a resolution.
    """
    wanted = platform.canvas.dpi
    if wanted is None:
        return
    kind = decoded.photo.kind
    found = dots_per_inch(data, kind, read_container(data, kind))
    said = "The file states no resolution" if found is None else f"The file states {found:.0f} dpi"
    holds = found is not None and abs(found - wanted) < 1
    yield check(
        "file_dpi", holds, f"{said}; {wanted} dpi was ordered.", measured=found, limit=wanted, unit="dpi", gate=True
    )


def byte_findings(n_bytes: int, platform: Platform) -> Iterator[Finding]:
    """Yield a finding `file_bytes` for each byte limit of the platform: first the greatest size, then the least.

    A file beyond a limit fails, and may not be approved automatically. A length equal to the limit passes. Nothing
    comes if the platform has no limits.

    Args:
        n_bytes: length of the file.
        platform: its `max_bytes` and `min_bytes` are the limits.
    """
    for limit, holds, word in (
        (platform.max_bytes, n_bytes <= (platform.max_bytes or n_bytes), "at most"),
        (platform.min_bytes, n_bytes >= (platform.min_bytes or 0), "at least"),
    ):
        if limit is not None:
            message = f"The file has {n_bytes:,} bytes; {word} {limit:,} are allowed."
            yield check("file_bytes", holds, message, measured=n_bytes, limit=limit, unit="bytes", gate=True)


def size_findings(size: Size, platform: Platform, *, ordered: Size | None = None) -> Iterator[Finding]:
    """Yield the findings on the size in pixels, passed or failed, in this order.

    `canvas_size`: is it as ordered? `resolution_too_low`, `canvas_too_large`: is the longest side within the platform's
    limits, the limits included? `canvas_aspect`: is the aspect ratio right, to within 1 px? There is no finding for a
    limit that the platform does not set, and none on the ordered size if it is not known.

    Args:
        size: size of the picture.
        platform: its canvas has the limits.
        ordered: size of the canvas that was ordered, in pixels; None if it is not known.
    """
    canvas = platform.canvas
    if ordered is not None:
        message = f"The picture is {size}; a canvas of {ordered} was ordered."
        yield check(
            "canvas_size", size == ordered, message, measured=size.longest, limit=ordered.longest, unit="px", gate=True
        )
    yield check(
        "resolution_too_low",
        size.longest >= canvas.min_px,
        f"The longest side is {size.longest} px; {platform.title} requires at least {canvas.min_px} px.",
        measured=size.longest,
        limit=canvas.min_px,
        unit="px",
        gate=True,
    )
    if canvas.max_px is not None:
        message = f"The longest side is {size.longest} px; {platform.title} accepts at most {canvas.max_px} px."
        yield check(
            "canvas_too_large",
            size.longest <= canvas.max_px,
            message,
            measured=size.longest,
            limit=canvas.max_px,
            unit="px",
            gate=True,
        )
    if (aspect := canvas.width_over_height) is not None:
        off = abs(size.width - size.height * aspect) if aspect < 1 else abs(size.width / aspect - size.height)
        message = f"The canvas differs by {off:.1f} px from the aspect ratio {canvas.aspect}."
        yield check("canvas_aspect", off <= 1, message, measured=round(off, 2), limit=1, unit="px")


def fill_findings(
    box: Box | None, size: Size, platform: Platform, *, target_ratio: float | None = None
) -> Iterator[Finding]:
    """Yield the findings on how much of the canvas the product fills, and whether it touches the edge.

    They are `product_too_small`, `product_too_few_pixels` (if the platform has such a limit), `product_too_large`,
    `fill_off_target` (if a ratio was ordered; a warning if it is not met) and `cropped_product`, passed or not. The
    fill ratio is the product's share of the canvas's width or height, whichever is greater. A size that is off by at
    most 2 px still passes.

    Args:
        box: the product's box, in pixels of the decoded file; None if no product is visible. Then there is only the
            finding `empty_subject`.
        size: size of the picture.
        platform: its `fill` has the limits.
        target_ratio: the fill ratio ordered; None if it is not known.
    """
    if box is None:
        yield check("empty_subject", False, "No product was found in the file.", gate=True)
        return
    fill = fill_ratio_of(box.size, size)
    tolerance = FILL_TOLERANCE_PX / size.shortest
    measured = round(fill, 4)
    least, most = platform.fill.least_ratio, platform.fill.most_ratio
    message = f"The product fills {fill:.1%} of the canvas; at least {least:.0%} is required."
    yield check(
        "product_too_small", fill >= least - tolerance, message, measured=measured, limit=least, unit="ratio", gate=True
    )
    if platform.fill.least_px is not None:
        message = (
            f"The product's longest side is {box.size.longest} px; at least {platform.fill.least_px} are required."
        )
        yield check(
            "product_too_few_pixels",
            box.size.longest >= platform.fill.least_px - FILL_TOLERANCE_PX,
            message,
            measured=box.size.longest,
            limit=platform.fill.least_px,
            unit="px",
            gate=True,
        )
    message = f"The product fills {fill:.1%} of the canvas; at most {most:.0%} is allowed."
    yield check("product_too_large", fill <= most + tolerance, message, measured=measured, limit=most, unit="ratio")
    if target_ratio is not None:
        message = f"The product fills {fill:.1%} of the canvas; {target_ratio:.1%} was ordered."
        holds = abs(fill - target_ratio) <= tolerance + 1e-9
        yield check(
            "fill_off_target",
            holds,
            message,
            measured=measured,
            limit=round(target_ratio, 4),
            unit="ratio",
            failed=Status.WARNING,
        )
    touches = box.left == 0 or box.top == 0 or box.right == size.width or box.bottom == size.height
    message = "The product touches the edge of the picture." if touches else "The whole product is in the picture."
    yield check(
        "cropped_product", not touches or (target_ratio or 0) >= 1, message, box=box if touches else None, gate=True
    )


def orientation_finding(decoded: Decoded) -> Finding:
    """Return the finding `file_orientation`: it passes if the picture is stored upright, else it fails.

    Some readers ignore an EXIF orientation and would show the picture turned. A failure forbids automatic approval. The
    finding's value is the EXIF orientation, 1..8; 1 is upright.

    Args:
        decoded: the file's content.
    """
    orientation = decoded.photo.orientation
    message = "The picture is stored upright." if orientation == 1 else f"It relies on EXIF orientation {orientation}."
    return check("file_orientation", orientation == 1, message, measured=orientation, limit=1, gate=True)


def location_finding(decoded: Decoded) -> Finding:
    """Return the finding `file_location`: it passes if the file has no GPS data, else it fails.

    GPS data would tell where the photograph was taken. A failure forbids automatic approval.

    Args:
        decoded: the file's content.
    """
    told = decoded.photo.metadata.has_gps
    message = "The file says where the photograph was taken." if told else "The file names no place."
    return check("file_location", not told, message, gate=True)
