from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from packshot.export.decoded import decode_delivered
from packshot.export.encode import encode
from packshot.export.render import MOST_CORRECTIONS, render, render_all
from packshot.framing.frame import frame
from packshot.specs.models import Encoding, Format, QcConfig, RenditionPlan
from packshot.types import Status
from tests.packshot.export.conftest import FramedFor, Ordered, Scene


def small(ordered: Ordered, platform: str, **changes: object) -> RenditionPlan:
    canvas = ordered(platform).platform.canvas.model_copy(update={"min_px": 100})
    return ordered(platform, canvas=canvas, **changes)


def test_a_webp_platform_gets_its_jpeg_fallback_too(ordered: Ordered, framed_for: FramedFor, qc: QcConfig) -> None:
    rendition = small(ordered, "shopify")
    rendered = render_all(framed_for(rendition), rendition, qc=qc)
    assert [one.encoded.extension for one in rendered] == ["webp", "jpg"]
    assert all(one.passed for one in rendered)


@pytest.mark.parametrize("platform", ["shopify", "google_shopping", "amazon_main", "ebay"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_white_holds_at_one_distance_for_every_lossy_codec(
    platform: str, seed: int, ordered: Ordered, scene: Scene, qc: QcConfig
) -> None:
    rendition = small(ordered, platform)
    composite, matte = scene(500, darkness=0.0, seed=seed)
    framed = frame(composite, matte, rendition)
    rendered = render(framed, rendition, qc=qc)
    beyond = cv2.distanceTransform((framed.matte == 0).astype(np.uint8), cv2.DIST_C, 3) > 12
    assert (decode_delivered(rendered.encoded.data).photo.pixels[beyond] == 255).all()


def test_off_white_from_a_webp_of_high_quality_is_mended(ordered: Ordered, framed_for: FramedFor, qc: QcConfig) -> None:
    """Quality 98 leaves faint noise anywhere; the file that comes out has none beyond the ring."""
    rendition = small(ordered, "shopify", encoding=Encoding(format=Format.WEBP, quality=98, quality_floor=70))
    framed = framed_for(rendition)
    strict = qc.model_copy(update={"ring_distance_px": {**qc.ring_distance_px, "webp": 2}})
    rendered = render(framed, rendition, qc=strict)
    corrections = [finding for finding in rendered.findings if finding.code == "background_corrected"]
    assert 1 <= len(corrections) <= MOST_CORRECTIONS
    assert rendered.passed
    pixels = decode_delivered(rendered.encoded.data).photo.pixels
    assert (pixels[framed.matte == 0] == 255).all()


def test_strong_ringing_is_mended_by_quality_and_never_by_giving_up_compression(
    ordered: Ordered, framed_for: FramedFor, qc: QcConfig
) -> None:
    rendition = small(ordered, "shopify")
    far = {**qc.ring_distance_px, "webp": 64}
    strict = qc.model_copy(update={"ring_floor": {**qc.ring_floor, "webp": 254}, "ring_distance_px": far})
    rendered = render(framed_for(rendition), rendition, qc=strict)
    assert rendered.encoded.settings.quality == 92
    assert not rendered.passed


def test_colours_that_a_low_quality_moved_are_mended(ordered: Ordered, framed_for: FramedFor, qc: QcConfig) -> None:
    encoding = Encoding(format=Format.JPEG, quality=30, quality_floor=30)
    rendition = small(ordered, "amazon_main", encoding=encoding, rules={"colour_mean_delta_e": 0.5})
    any_ringing = qc.model_copy(update={"ring_floor": dict.fromkeys(qc.ring_floor, 0)})
    rendered = render(framed_for(rendition), rendition, qc=any_ringing)
    assert rendered.passed
    assert "colour_corrected" in {finding.code for finding in rendered.findings}
    assert rendered.encoded.settings.quality == 95


def test_a_jpeg_s_colour_ringing_is_mended_by_full_colour(
    ordered: Ordered, framed_for: FramedFor, qc: QcConfig
) -> None:
    encoding = Encoding(format=Format.JPEG, quality=90, quality_floor=75, chroma="4:2:0")
    rendition = small(ordered, "amazon_main", encoding=encoding)
    strict = qc.model_copy(update={"ring_distance_px": {**qc.ring_distance_px, "jpeg-420": 4}})
    rendered = render(framed_for(rendition), rendition, qc=strict)
    assert rendered.encoded.settings.codec == "jpeg-444"
    assert rendered.passed


def test_a_bad_composite_is_not_encoded_again_and_again(ordered: Ordered, framed_for: FramedFor, qc: QcConfig) -> None:
    rendition = small(ordered, "amazon_main")
    framed = framed_for(rendition)
    pixels = framed.pixels.copy()
    pixels[0:30, 0:30] = 60_000
    rendered = render(dataclasses.replace(framed, pixels=pixels), rendition, qc=qc)
    codes = [finding.code for finding in rendered.findings]
    assert "background_corrected" not in codes
    assert "composite_not_white" in codes
    assert not rendered.passed


def test_a_correction_that_fits_no_byte_limit_is_not_said_to_be_made(
    ordered: Ordered, framed_for: FramedFor, qc: QcConfig
) -> None:
    encoding = Encoding(format=Format.JPEG, quality=30, quality_floor=30, chroma="4:2:0")
    changes = {"encoding": encoding, "rules": {"colour_mean_delta_e": 0.01}}
    rendition = small(ordered, "amazon_main", **changes)
    without_limit = render(framed_for(rendition), rendition, qc=qc)
    assert without_limit.encoded.settings.chroma == "4:4:4"
    first = encode(framed_for(rendition), rendition)
    tight = small(ordered, "amazon_main", **changes, max_bytes=len(first.data))
    rendered = render(framed_for(tight), tight, qc=qc)
    assert rendered.encoded.data == first.data
    assert not [one for one in rendered.findings if one.code in ("background_corrected", "colour_corrected")]
    assert not rendered.passed


def test_a_lowered_quality_is_said(ordered: Ordered, framed_for: FramedFor, qc: QcConfig) -> None:
    whole = render(framed_for(ordered()), small(ordered, "amazon_main"), qc=qc)
    rendition = small(ordered, "amazon_main", max_bytes=int(len(whole.encoded.data) * 0.8))
    rendered = render(framed_for(rendition), rendition, qc=qc)
    finding = next(finding for finding in rendered.findings if finding.code == "quality_lowered")
    assert finding.status is Status.WARNING
    assert finding.measured == rendered.encoded.settings.quality


@pytest.mark.parametrize("platform", ["amazon_main", "shopify", "print_catalog"])
def test_the_same_edit_gives_the_same_bytes(
    platform: str, ordered: Ordered, framed_for: FramedFor, qc: QcConfig
) -> None:
    rendition = small(ordered, platform)
    first, second = (render(framed_for(rendition), rendition, qc=qc).encoded for _ in "ab")
    assert first.sha256 == second.sha256
    assert np.array_equal(first.pixels, second.pixels)
