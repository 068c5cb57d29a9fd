from __future__ import annotations

import datetime
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from packshot.colour.spaces import srgb_profile
from packshot.export.check import check_file, find_product, refused_codes
from packshot.export.codecs import EncoderSettings, write
from packshot.export.encode import encode
from packshot.export.labels import Labels
from packshot.specs.models import AcceptedFormat, Background, Configs, Format, QcConfig, RenditionPlan, Rule
from packshot.specs.resolve import resolve
from packshot.types import Finding, Pixels8, Status
from tests.configs import shipped_configs
from tests.packshot.export.conftest import FramedFor, Ordered


def by_code(findings: tuple[Finding, ...]) -> dict[str, Finding]:
    return {finding.code: finding for finding in findings}


def failed(findings: tuple[Finding, ...]) -> set[str]:
    return {finding.code for finding in findings if finding.status is Status.FAILED}


def amazon(ordered: Ordered) -> RenditionPlan:
    canvas = ordered().platform.canvas.model_copy(update={"min_px": 300})
    return ordered(canvas=canvas)


def drawn(*, backdrop: int = 255, product: int = 60, size: int = 400) -> Pixels8:
    pixels = np.full((size, size, 3), backdrop, np.uint8)
    margin = int(size * 0.07)
    pixels[margin:-margin, size // 3 : -size // 3] = product
    return pixels


def jpeg(pixels: Pixels8, quality: int = 95) -> bytes:
    settings = EncoderSettings(format=Format.JPEG, quality=quality)
    return write(pixels, settings, icc=srgb_profile(), dpi=None, labels=Labels())


def png(pixels: Pixels8) -> bytes:
    return write(pixels, EncoderSettings(format=Format.PNG), icc=srgb_profile(), dpi=None, labels=Labels())


def webp(pixels: Pixels8) -> bytes:
    return write(pixels, EncoderSettings(format=Format.WEBP), icc=srgb_profile(), dpi=None, labels=Labels())


def by_pillow(pixels: Pixels8, kind: str) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind)
    return stream.getvalue()


def test_a_file_of_the_line_passes_without_its_matte(ordered: Ordered, framed_for: FramedFor, qc: QcConfig) -> None:
    rendition = amazon(ordered)
    data = encode(framed_for(rendition), rendition).data
    findings = check_file(data, platform=rendition.platform, qc=qc, name="B0PACK0101.MAIN.jpg")
    assert not failed(findings)


@pytest.mark.parametrize("backdrop", [254, 250, 230, 0])
def test_a_backdrop_that_is_not_white_fails(backdrop: int, ordered: Ordered, qc: QcConfig) -> None:
    findings = check_file(jpeg(drawn(backdrop=backdrop, product=120)), platform=amazon(ordered).platform, qc=qc)
    assert {"non_white_background", "perimeter_sample"} <= failed(findings)


def test_a_faint_patch_beside_the_product_fails(ordered: Ordered, qc: QcConfig) -> None:
    pixels = drawn()
    pixels[40:80, 20:60] = 253
    findings = check_file(jpeg(pixels), platform=amazon(ordered).platform, qc=qc)
    assert failed(findings) == {"non_white_background"}
    box = by_code(findings)["non_white_background"].box
    assert box is not None
    assert box.left <= 24


def test_a_faint_patch_between_the_product_s_parts_is_a_warning(ordered: Ordered, qc: QcConfig) -> None:
    pixels = drawn()
    pixels[100:300, 150:250] = 255
    pixels[180:220, 180:220] = 253
    findings = check_file(jpeg(pixels), platform=amazon(ordered).platform, qc=qc)
    assert by_code(findings)["near_white_beside_product"].status is Status.WARNING


def test_a_cut_product_fails(ordered: Ordered, qc: QcConfig) -> None:
    pixels = drawn()
    pixels[:60, 150:250] = 60
    assert "cropped_product" in failed(check_file(jpeg(pixels), platform=amazon(ordered).platform, qc=qc))


def test_a_small_product_and_a_small_file_fail(ordered: Ordered, qc: QcConfig) -> None:
    pixels = np.full((400, 400, 3), 255, np.uint8)
    pixels[150:250, 150:250] = 60
    findings = check_file(jpeg(pixels), platform=ordered().platform, qc=qc)
    assert {"product_too_small", "resolution_too_low"} <= failed(findings)


def test_a_name_that_lies_about_its_content_fails(ordered: Ordered, qc: QcConfig) -> None:
    data = jpeg(drawn())
    platform = amazon(ordered).platform
    told = by_code(check_file(data, platform=platform, qc=qc, name="B0PACK0101.MAIN.png"))["file_extension"]
    assert (told.status, " but the content is JPEG" in told.message) == (Status.FAILED, True)
    findings = check_file(data, platform=platform, qc=qc, name="B0PACK0101.MAIN.JPG")
    assert not failed(findings)
    assert " and the content is JPEG" in by_code(findings)["file_extension"].message


def test_colours_are_said_to_be_unverified(ordered: Ordered, qc: QcConfig) -> None:
    findings = check_file(jpeg(drawn()), platform=amazon(ordered).platform, qc=qc)
    assert by_code(findings)["colour_shift"].status is Status.SKIPPED


def test_an_empty_file_and_an_empty_picture_are_findings(ordered: Ordered, qc: QcConfig) -> None:
    platform = amazon(ordered).platform
    assert failed(check_file(b"", platform=platform, qc=qc)) == {"file_unreadable"}
    blank = jpeg(np.full((400, 400, 3), 255, np.uint8))
    assert failed(check_file(blank, platform=platform, qc=qc)) == {"empty_subject"}


def test_damage_that_the_decoder_reads_over_fails(ordered: Ordered, qc: QcConfig) -> None:
    stream = io.BytesIO()
    Image.fromarray(drawn()).save(stream, "PNG")
    whole, body = stream.getvalue(), b"tRNS\0\1\0\1\0\1\0\1"
    warned = whole[:33] + struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body)) + whole[33:]
    platform = amazon(ordered).platform
    assert "decoder_warned" not in by_code(check_file(whole, platform=platform, qc=qc))
    assert by_code(check_file(warned, platform=platform, qc=qc))["decoder_warned"].status is Status.FAILED


def test_grey_pictures_can_be_checked(ordered: Ordered, qc: QcConfig) -> None:
    stream = io.BytesIO()
    Image.fromarray(drawn()[..., 0]).save(stream, "PNG")
    findings = check_file(stream.getvalue(), platform=amazon(ordered).platform, qc=qc)
    assert "file_bit_depth" in failed(findings)


def test_a_pale_rim_belongs_to_the_product_dirt_does_not() -> None:
    pixels = drawn()
    pixels[28:372, 266:275] = 250
    pixels[5, 5] = 0
    clear, zone = find_product(pixels)
    assert not clear[100, 270]
    assert zone[100, 270]
    assert not zone[5, 5]


@pytest.mark.parametrize("thickness", [1, 2, 3, 6])
@pytest.mark.parametrize("inset", [0, 2])
@pytest.mark.parametrize("colour", [0, 90, 200])
@pytest.mark.parametrize("sides", ["all", "left", "bottom"])
def test_a_frame_at_the_border_fails(
    thickness: int, inset: int, colour: int, sides: str, ordered: Ordered, qc: QcConfig
) -> None:
    pixels = drawn()
    end = inset + thickness
    lines = {"left": np.s_[:, inset:end], "bottom": np.s_[-end : len(pixels) - inset, :]}
    lines |= {"right": np.s_[:, -end : len(pixels) - inset], "top": np.s_[inset:end, :]}
    for side in lines if sides == "all" else (sides,):
        pixels[lines[side]] = colour
    assert "frame_at_border" in failed(check_file(jpeg(pixels), platform=amazon(ordered).platform, qc=qc))


def test_a_picture_without_any_white_fails_where_white_is_asked_for(ordered: Ordered, qc: QcConfig) -> None:
    pixels = np.random.default_rng(1).integers(0, 200, (400, 400, 3), np.uint8)
    findings = check_file(jpeg(pixels), platform=amazon(ordered).platform, qc=qc)
    assert {"non_white_background", "frame_at_border"} <= failed(findings)
    assert by_code(findings)["non_white_background"].gate


WHITE_PLATFORMS = sorted(
    name
    for name, platform in shipped_configs().platforms.items()
    if platform.enabled and platform.background is not Background.ANY
)


@pytest.mark.parametrize("name", WHITE_PLATFORMS)
@pytest.mark.parametrize("thickness", [1, 2, 3])
def test_a_thin_frame_fails_on_every_platform_with_a_white_background(
    name: str, thickness: int, configs: Configs
) -> None:
    pixels = drawn()
    for side in (np.s_[:thickness], np.s_[-thickness:], np.s_[:, :thickness], np.s_[:, -thickness:]):
        pixels[side] = 0
    platform = configs.platforms[name]
    data = png(pixels) if Format.PNG in platform.accepts else jpeg(pixels)
    assert {"frame_at_border", "non_white_background"} & failed(check_file(data, platform=platform, qc=configs.qc))
    assert "frame_at_border" in failed(check_file(data, platform=platform, qc=configs.qc))


@pytest.mark.parametrize("name", WHITE_PLATFORMS)
def test_nothing_to_check_fails_on_every_platform_with_a_white_background(name: str, configs: Configs) -> None:
    pixels = np.random.default_rng(1).integers(0, 200, (400, 400, 3), np.uint8)
    findings = check_file(jpeg(pixels), platform=configs.platforms[name], qc=configs.qc)
    assert "non_white_background" in failed(findings)


@pytest.mark.parametrize("name", [name for name, platform in shipped_configs().platforms.items() if platform.enabled])
def test_a_format_fails_where_the_platform_does_not_accept_it(name: str, configs: Configs) -> None:
    platform = configs.platforms[name]
    files = {
        AcceptedFormat.JPEG: jpeg(drawn()),
        AcceptedFormat.PNG: png(drawn()),
        AcceptedFormat.WEBP: webp(drawn()),
        AcceptedFormat.GIF: by_pillow(drawn(), "GIF"),
        AcceptedFormat.BMP: by_pillow(drawn(), "BMP"),
        AcceptedFormat.TIFF: by_pillow(drawn(), "TIFF"),
    }
    accepted = platform.accepts or platform.delivered_formats
    for kind, data in files.items():
        finding = by_code(check_file(data, platform=platform, qc=configs.qc, name=f"a.{kind}"))["file_format"]
        expected = Status.FAILED if kind not in accepted else Status.WARNING
        assert finding.status is (Status.PASSED if kind in platform.delivered_formats else expected), kind
    assert AcceptedFormat.WEBP not in accepted or name in ("shopify", "google_shopping")


def test_an_even_light_grey_passes_where_it_is_accepted_and_only_there(configs: Configs) -> None:
    google, shopify = configs.platforms["google_shopping"], configs.platforms["shopify"]
    for backdrop, expected in ((255, set()), (240, set()), (215, set()), (180, {"non_white_background"})):
        found = failed(check_file(webp(drawn(backdrop=backdrop)), platform=google, qc=configs.qc))
        assert found & {"non_white_background", "frame_at_border"} >= expected
        assert bool(found & {"non_white_background", "frame_at_border", "perimeter_sample"}) == bool(expected)
    assert "non_white_background" in failed(check_file(webp(drawn(backdrop=240)), platform=shopify, qc=configs.qc))
    told = by_code(check_file(webp(drawn(backdrop=240)), platform=google, qc=configs.qc))["non_white_background"]
    assert "light grey counts as white" in told.message


def test_an_announced_size_counts_from_its_day(configs: Configs) -> None:
    data, google = webp(drawn()), configs.platforms["google_shopping"]

    def found(on: datetime.date | None) -> Finding:
        return by_code(check_file(data, platform=google, qc=configs.qc, on=on))["resolution_too_low"]

    before, after = found(datetime.date(2027, 1, 30)), found(datetime.date(2027, 1, 31))
    assert (before.status, before.limit, found(None)) == (Status.PASSED, 100, before)
    assert (after.status, after.limit) == (Status.FAILED, 500)
    plans = [
        resolve(configs.on(day), client="demo", platforms=("google_shopping",))
        for day in (datetime.date(2026, 12, 1), datetime.date(2027, 2, 1))
    ]
    assert [one.renditions[0].platform.canvas.min_px for one in plans] == [100, 500]
    assert plans[0].fingerprint != plans[1].fingerprint


def test_the_margin_does_not_count_where_the_platform_leaves_it_out(configs: Configs) -> None:
    bol = configs.platforms["bol"]
    for size, expected in ((700, Status.PASSED), (400, Status.FAILED)):
        pixels = np.full((800, 800, 3), 255, np.uint8)
        pixels[20 : 20 + size, 300:500] = 60
        found = by_code(check_file(jpeg(pixels), platform=bol, qc=configs.qc))["product_too_few_pixels"]
        assert (found.status, found.measured) == (expected, pytest.approx(size, abs=2))


@pytest.mark.parametrize(
    ("stem", "fits"),
    [
        ("B08N5WRWNW.MAIN", True),
        ("b08n5wrwnw.MAIN", False),
        ("4006381333931.MAIN", True),
        ("4006381333932.MAIN", False),
        ("B08N5WRWNW.PT01", False),
        ("B08N5WRWNW_MAIN", False),
        ("B08N5WRWNW.MAIN copy", False),
    ],
)
def test_a_name_that_stops_an_upload_to_amazon_fails(stem: str, fits: bool, configs: Configs) -> None:
    findings = check_file(jpeg(drawn()), platform=configs.platforms["amazon_main"], qc=configs.qc, name=f"{stem}.jpg")
    assert ("file_name" not in failed(findings)) is fits


def test_what_the_marketplace_refuses_is_told_from_what_the_studio_ordered(configs: Configs) -> None:
    amazon = configs.platforms["amazon_main"]
    findings = check_file(webp(drawn(size=900)), platform=amazon, qc=configs.qc, name="a.amazon_main.webp")
    assert failed(findings) == {"file_format", "resolution_too_low"}
    assert by_code(findings)["file_name"].status is Status.SKIPPED
    assert refused_codes(findings, amazon) == ("file_format",)


def test_every_rule_that_a_platform_may_refuse_for_is_one_that_is_checked(configs: Configs) -> None:
    canvas = configs.platforms["amazon_main"].canvas.model_copy(update={"max_px": 10_000})
    update = {"canvas": canvas, "fill": configs.platforms["bol"].fill}
    platform = configs.platforms["amazon_main"].model_copy(update=update)
    codes = {one.code for one in check_file(jpeg(drawn()), platform=platform, qc=configs.qc, name="a.jpg")}
    assert set(Rule) <= codes
    known = [one for one in configs.platforms.values() if one.enabled and one.name != "print_catalog"]
    assert len(known) == 11
    assert all(one.refused_by_marketplace for one in known)
    assert not configs.platforms["print_catalog"].refused_by_marketplace
    assert configs.platforms["print_catalog"].background is Background.ANY
