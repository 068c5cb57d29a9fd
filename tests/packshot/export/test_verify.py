from __future__ import annotations

import dataclasses
import io

import cv2
import numpy as np
import pytest
from PIL import Image

from packshot.colour.spaces import srgb_profile
from packshot.export.codecs import EncoderSettings, write
from packshot.export.encode import delivered_pixels, encode
from packshot.export.labels import Labels
from packshot.export.render import render
from packshot.export.verify import verify, verify_file
from packshot.framing.place import Framed
from packshot.framing.subject import subject_box
from packshot.specs.models import Background, Encoding, Fill, Format, Profile, QcConfig, RenditionPlan
from packshot.types import Finding, Pixels8, Status
from tests.packshot.export.conftest import FramedFor, Ordered

Delivered = tuple[RenditionPlan, Framed, Pixels8]


def failed(findings: tuple[Finding, ...]) -> set[str]:
    return {finding.code for finding in findings if finding.status is Status.FAILED}


def small(ordered: Ordered, platform: str = "amazon_main", **changes: object) -> RenditionPlan:
    """The platform, content with the small canvases of these tests."""
    rendition = ordered(platform, **changes)
    canvas = rendition.platform.canvas.model_copy(update={"min_px": 100})
    return ordered(platform, canvas=canvas, **changes)


@pytest.fixture
def delivered(ordered: Ordered, framed_for: FramedFor) -> Delivered:
    rendition = small(ordered)
    framed = framed_for(rendition)
    pixels: Pixels8 = delivered_pixels(framed.pixels, profile=Profile.SRGB, bit_depth=8)
    return rendition, framed, pixels


def jpeg(pixels: Pixels8, *, quality: int = 95, icc: bytes | None = None) -> bytes:
    settings = EncoderSettings(format=Format.JPEG, quality=quality)
    return write(pixels, settings, icc=srgb_profile() if icc is None else icc, dpi=None, labels=Labels())


@pytest.mark.parametrize("platform", ["amazon_main", "shopify", "print_catalog", "google_shopping"])
def test_what_the_line_makes_passes_on_every_platform(
    platform: str, ordered: Ordered, framed_for: FramedFor, qc: QcConfig
) -> None:
    rendition = small(ordered, platform)
    framed = framed_for(rendition)
    proof = render(framed, rendition, qc=qc).verification
    assert proof.failures == ()
    assert proof.passed
    assert proof.white is not None
    assert proof.white.beyond.background > 50_000
    assert proof.fill_ratio == pytest.approx(rendition.rules.fill_ratio, abs=0.005)
    assert proof.colour is not None
    assert proof.colour.mean_delta_e < 1.5


def test_an_off_white_patch_of_one_level_is_found(delivered: Delivered, qc: QcConfig) -> None:
    rendition, framed, pixels = delivered
    spoiled = pixels.copy()
    spoiled[8:24, 8:24] = 254
    findings = verify(jpeg(spoiled, quality=100), framed=framed, rendition=rendition, qc=qc)
    finding = next(finding for finding in findings if finding.code == "non_white_background")
    assert finding.stops_approval
    assert finding.box is not None
    assert finding.box.left <= 8
    assert finding.box.right >= 24


def test_a_shifted_colour_is_found(delivered: Delivered, qc: QcConfig) -> None:
    rendition, framed, pixels = delivered
    product = framed.matte[..., None] > 0
    shifted = np.where(product, np.clip(pixels.astype(int) + np.array([18, 0, -18]), 0, 255), 255).astype(np.uint8)
    assert failed(verify(jpeg(shifted), framed=framed, rendition=rendition, qc=qc)) == {"colour_shift"}


def test_another_profile_is_found_even_if_it_looks_the_same(delivered: Delivered, qc: QcConfig) -> None:
    rendition, framed, pixels = delivered
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=95, subsampling=0)
    assert "file_profile" in failed(verify(stream.getvalue(), framed=framed, rendition=rendition, qc=qc))


def test_content_of_another_format_is_found(delivered: Delivered, qc: QcConfig) -> None:
    rendition, framed, pixels = delivered
    data = write(pixels, EncoderSettings(format=Format.PNG), icc=srgb_profile(), dpi=None, labels=Labels())
    assert failed(verify(data, framed=framed, rendition=rendition, qc=qc)) == {"file_format"}


def test_an_orientation_and_a_place_are_found(delivered: Delivered, qc: QcConfig) -> None:
    rendition, framed, pixels = delivered
    exif = Image.Exif()
    exif[0x0112] = 3
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (52.0, 1.0, 2.0)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=95, subsampling=0, icc_profile=srgb_profile(), exif=exif)
    found = failed(verify(stream.getvalue(), framed=framed, rendition=rendition, qc=qc))
    assert {"file_orientation", "file_location"} <= found


def test_a_cut_product_and_a_small_one_are_found(delivered: Delivered, ordered: Ordered, qc: QcConfig) -> None:
    rendition, framed, pixels = delivered
    asked_for_more = small(ordered, fill=Fill(least_ratio=0.95))
    assert "product_too_small" in failed(verify(jpeg(pixels), framed=framed, rendition=asked_for_more, qc=qc))
    matte = framed.matte.copy()
    matte[:, 200:600] = 1
    cut = dataclasses.replace(framed, matte=matte)
    assert "cropped_product" in failed(verify(jpeg(np.full_like(pixels, 90)), framed=cut, rendition=rendition, qc=qc))


def test_another_size_is_found(delivered: Delivered, qc: QcConfig) -> None:
    rendition, framed, pixels = delivered
    proof = verify_file(jpeg(pixels[:-1]), framed=framed, rendition=rendition, qc=qc)
    assert "canvas_size" in failed(proof.findings)
    assert proof.white is None


def test_limits_on_bytes_hold_both_ways(delivered: Delivered, ordered: Ordered, qc: QcConfig) -> None:
    _, framed, pixels = delivered
    data = jpeg(pixels)
    for changes in ({"max_bytes": len(data) - 1}, {"min_bytes": len(data) + 1}):
        assert failed(verify(data, framed=framed, rendition=small(ordered, **changes), qc=qc)) == {"file_bytes"}
    exact = small(ordered, max_bytes=len(data), min_bytes=len(data))
    assert not failed(verify(data, framed=framed, rendition=exact, qc=qc))


def test_bytes_that_are_no_picture_are_one_finding(delivered: Delivered, qc: QcConfig) -> None:
    rendition, framed, _ = delivered
    for data in (b"", b"\xff\xd8\xff\xe0 not a picture", b"plain text"):
        findings = verify(data, framed=framed, rendition=rendition, qc=qc)
        assert [finding.code for finding in findings] == ["file_unreadable"]
        assert findings[0].stops_approval


def test_where_any_background_is_welcome_off_white_is_a_warning(
    delivered: Delivered, ordered: Ordered, qc: QcConfig
) -> None:
    _, framed, pixels = delivered
    spoiled = pixels.copy()
    spoiled[8:24, 8:24] = 200
    rendition = small(ordered, background=Background.ANY)
    findings = verify(jpeg(spoiled, quality=100), framed=framed, rendition=rendition, qc=qc)
    assert not failed(findings)
    assert {f.code for f in findings if f.status is Status.WARNING} >= {"non_white_background"}


def test_a_composite_that_was_never_white_is_not_blamed_on_the_encoder(delivered: Delivered, qc: QcConfig) -> None:
    rendition, framed, _ = delivered
    grey = framed.pixels.copy()
    grey[10:40, 10:40] = 60_000
    spoiled = dataclasses.replace(framed, pixels=grey)
    found = failed(verify(encode(spoiled, rendition).data, framed=spoiled, rendition=rendition, qc=qc))
    assert {"composite_not_white", "non_white_background"} <= found


def test_a_white_product_s_lost_edge_is_said(delivered: Delivered, qc: QcConfig) -> None:
    rendition, framed, pixels = delivered
    blown = pixels.copy()
    blown[: blown.shape[0] // 4] = 255
    findings = verify(jpeg(blown), framed=framed, rendition=rendition, qc=qc)
    assert "edge_lost_in_white" in {finding.code for finding in findings}


def with_rules(rendition: RenditionPlan, **limits: float) -> RenditionPlan:
    return rendition.model_copy(update={"rules": rendition.rules.model_copy(update=limits)})


def test_a_product_that_was_enlarged_beyond_its_limit_is_found(delivered: Delivered, qc: QcConfig) -> None:
    rendition, framed, pixels = delivered
    scale = framed.placement.scale
    just, over = (with_rules(rendition, max_upscale_ratio=limit) for limit in (scale, scale * 0.99))
    assert failed(verify(jpeg(pixels), framed=framed, rendition=just, qc=qc)) == set()
    findings = verify(jpeg(pixels), framed=framed, rendition=over, qc=qc)
    assert failed(findings) == {"blurry_or_pixelated"}
    assert [one.measured for one in findings if one.code == "blurry_or_pixelated"] == [scale]


def test_both_the_mean_and_the_95th_percentile_of_the_colour_difference_count(
    delivered: Delivered, qc: QcConfig
) -> None:
    rendition, framed, pixels = delivered
    data = jpeg(pixels)
    seen = verify_file(data, framed=framed, rendition=rendition, qc=qc).colour
    assert seen
    mean, p95 = seen.mean_delta_e, seen.p95_delta_e
    for limits, expected in (
        ((mean, p95), set()),
        ((mean * 0.99, p95), {"colour_shift"}),
        ((mean, p95 * 0.99), {"colour_shift"}),
    ):
        plan = with_rules(rendition, colour_mean_delta_e=limits[0], colour_p95_delta_e=limits[1])
        assert failed(verify(data, framed=framed, rendition=plan, qc=qc)) == expected


def test_white_that_the_encoder_darkened_beside_the_product_is_found(delivered: Delivered, qc: QcConfig) -> None:
    rendition, framed, pixels = delivered
    away = cv2.distanceTransform((framed.matte == 0).astype(np.uint8), cv2.DIST_C, 3)
    ringing = pixels.copy()
    ringing[(away > 2) & (away < 5)] = 190
    assert "codec_ringing" in failed(verify(jpeg(ringing, quality=100), framed=framed, rendition=rendition, qc=qc))
    floor = dict.fromkeys(qc.ring_floor, 180)
    lenient = qc.model_copy(update={"ring_floor": floor})
    assert "codec_ringing" not in failed(
        verify(jpeg(ringing, quality=100), framed=framed, rendition=rendition, qc=lenient)
    )


def test_the_encoder_s_input_may_be_handed_in_and_changes_nothing(delivered: Delivered, qc: QcConfig) -> None:
    rendition, framed, pixels = delivered
    data = jpeg(pixels)
    proof = verify_file(data, framed=framed, rendition=rendition, qc=qc)
    assert verify_file(data, framed=framed, rendition=rendition, qc=qc, before=pixels).findings == proof.findings


def test_a_file_of_another_colour_model_is_not_measured(delivered: Delivered, qc: QcConfig) -> None:
    rendition, framed, pixels = delivered
    stream = io.BytesIO()
    Image.fromarray(pixels).convert("L").save(stream, "JPEG", quality=95)
    proof = verify_file(stream.getvalue(), framed=framed, rendition=rendition, qc=qc)
    assert (proof.white, proof.colour, proof.fill_ratio, proof.passed) == (None, None, 0.0, False)


PROMISED = {
    "file_format": (True, ""),
    "file_profile": (True, ""),
    "file_bit_depth": (True, "bit"),
    "canvas_size": (True, "px"),
    "resolution_too_low": (True, "px"),
    "canvas_too_large": (True, "px"),
    "canvas_aspect": (False, "px"),
    "file_bytes": (True, "bytes"),
    "file_orientation": (True, ""),
    "file_location": (True, ""),
    "blurry_or_pixelated": (True, "ratio"),
    "non_white_background": (True, "px"),
    "codec_ringing": (False, "level"),
    "perimeter_sample": (False, "ratio"),
    "product_too_small": (True, "ratio"),
    "product_too_large": (False, "ratio"),
    "fill_off_target": (False, "ratio"),
    "cropped_product": (True, ""),
    "colour_shift": (True, "dE2000"),
}
"""Code -> whether a failure forbids approval, and the unit."""


def test_every_promised_property_of_a_file_has_its_finding_with_gate_and_unit(
    delivered: Delivered, qc: QcConfig
) -> None:
    rendition, framed, pixels = delivered
    findings = verify(jpeg(pixels), framed=framed, rendition=rendition, qc=qc)
    assert {one.code: (one.gate, one.unit) for one in findings} == PROMISED


def by_code(findings: tuple[Finding, ...]) -> dict[str, Finding]:
    return {one.code: one for one in findings}


def test_the_fill_is_held_to_what_the_photograph_allowed_and_never_to_more_than_was_ordered(
    delivered: Delivered, qc: QcConfig
) -> None:
    rendition, framed, pixels = delivered
    reached = framed.placement.fill_ratio
    for ordered_ratio, status, limit in (
        (reached + 0.1, Status.PASSED, reached),
        (reached - 0.1, Status.WARNING, reached - 0.1),
    ):
        plan = with_rules(rendition, fill_ratio=ordered_ratio)
        told = by_code(verify(jpeg(pixels), framed=framed, rendition=plan, qc=qc))["fill_off_target"]
        assert (told.status, told.limit) == (status, pytest.approx(limit, abs=1e-4))


def test_what_was_ordered_counts_and_not_the_platform_s_first_encoding(delivered: Delivered, qc: QcConfig) -> None:
    rendition, framed, pixels = delivered
    data = write(pixels, EncoderSettings(format=Format.PNG), icc=srgb_profile(), dpi=None, labels=Labels())
    assert rendition.platform.encoding.format is Format.JPEG
    png = Encoding(format=Format.PNG)
    assert failed(verify(data, framed=framed, rendition=rendition, qc=qc, encoding=png)) == set()
    assert failed(verify(jpeg(pixels), framed=framed, rendition=rendition, qc=qc, encoding=png)) == {"file_format"}


def test_an_unreadable_file_is_named_by_its_platform(delivered: Delivered, qc: QcConfig) -> None:
    rendition, framed, _ = delivered
    proof = verify_file(b"plain text", framed=framed, rendition=rendition, qc=qc)
    assert "amazon_main" in proof.findings[0].message
    assert (proof.fill_ratio, proof.passed) == (0.0, False)


@pytest.mark.parametrize(("background", "gate"), [(Background.PURE_WHITE, True), (Background.ANY, False)])
def test_a_composite_that_was_not_white_tells_how_many_pixels_and_is_a_gate_where_white_is_asked_for(
    background: Background, gate: bool, delivered: Delivered, qc: QcConfig
) -> None:
    rendition, framed, pixels = delivered
    platform = rendition.platform.model_copy(update={"background": background})
    before = pixels.copy()
    before[10:40, 10:40] = 254
    plan = rendition.model_copy(update={"platform": platform})
    told = by_code(verify_file(jpeg(pixels), framed=framed, rendition=plan, qc=qc, before=before).findings)
    found = told["composite_not_white"]
    assert (found.gate, found.measured, found.limit, found.unit) == (gate, 900, 0, "px")


def test_a_file_without_any_visible_product_is_empty_and_has_no_lost_edge(delivered: Delivered, qc: QcConfig) -> None:
    rendition, framed, pixels = delivered
    proof = verify_file(jpeg(np.full_like(pixels, 255)), framed=framed, rendition=rendition, qc=qc)
    assert {"empty_subject", "colour_shift"} <= failed(proof.findings)
    assert "edge_lost_in_white" not in by_code(proof.findings)
    assert proof.fill_ratio == 0


@pytest.mark.parametrize("side", ["left", "top", "right", "bottom"])
def test_an_edge_is_lost_from_three_pixels_on_at_each_side(side: str, delivered: Delivered, qc: QcConfig) -> None:
    rendition, framed, pixels = delivered
    product = subject_box(framed.matte)
    for lost_px in (2, 3):
        strip = {
            "left": np.s_[:, : product.left + lost_px],
            "top": np.s_[: product.top + lost_px],
            "right": np.s_[:, product.right - lost_px :],
            "bottom": np.s_[product.bottom - lost_px :],
        }[side]
        blown = pixels.copy()
        blown[strip] = 255
        data = write(blown, EncoderSettings(format=Format.PNG), icc=srgb_profile(), dpi=None, labels=Labels())
        told = by_code(verify(data, framed=framed, rendition=rendition, qc=qc)).get("edge_lost_in_white")
        if lost_px == 2:
            assert told is None
        else:
            assert told is not None
            assert (told.status, told.measured, told.limit, told.unit) == (Status.WARNING, 3, 2, "px")
            assert told.box == product


def test_the_figures_of_the_colours_and_the_ringing_stand_in_their_findings(delivered: Delivered, qc: QcConfig) -> None:
    rendition, framed, pixels = delivered
    proof = verify_file(jpeg(pixels), framed=framed, rendition=rendition, qc=qc)
    told = by_code(proof.findings)
    assert proof.colour is not None
    assert proof.white is not None
    colour, ringing = told["colour_shift"], told["codec_ringing"]
    assert (colour.measured, colour.limit) == (
        round(proof.colour.mean_delta_e, 3),
        rendition.rules.colour_mean_delta_e,
    )
    assert (ringing.measured, ringing.limit) == (proof.white.ring_floor, qc.ring_floor["jpeg-444"])


def test_a_codec_without_limits_of_its_own_is_held_to_white_everywhere(delivered: Delivered, qc: QcConfig) -> None:
    rendition, framed, pixels = delivered
    spoiled = pixels.copy()
    spoiled[8:24, 8:24] = 254
    unknown = qc.model_copy(update={"ring_floor": {}, "ring_distance_px": {}})
    data = write(spoiled, EncoderSettings(format=Format.PNG), icc=srgb_profile(), dpi=None, labels=Labels())
    told = by_code(verify(data, framed=framed, rendition=rendition, qc=unknown))
    assert (told["codec_ringing"].limit, told["codec_ringing"].status) == (255, Status.PASSED)
    assert "farther than 0 px" in told["non_white_background"].message
    assert (told["non_white_background"].measured, told["non_white_background"].status) == (256, Status.FAILED)


def test_ringing_is_only_a_warning_where_any_background_is_welcome(
    delivered: Delivered, ordered: Ordered, qc: QcConfig
) -> None:
    _, framed, pixels = delivered
    away = cv2.distanceTransform((framed.matte == 0).astype(np.uint8), cv2.DIST_C, 3)
    ringing = pixels.copy()
    ringing[(away > 2) & (away < 5)] = 190
    data, plan = jpeg(ringing, quality=100), small(ordered, background=Background.ANY)
    assert by_code(verify(data, framed=framed, rendition=plan, qc=qc))["codec_ringing"].status is Status.WARNING
