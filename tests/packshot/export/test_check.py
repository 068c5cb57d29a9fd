from __future__ import annotations

import numpy as np
import pytest

from packshot.colour.spaces import srgb_profile
from packshot.export.check import check_file, find_product
from packshot.export.codecs import Settings, write
from packshot.export.encode import encode
from packshot.export.labels import Labels
from packshot.specs.models import Format, QcConfig, RenditionPlan
from packshot.types import Finding, Pixels8, Status
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
    settings = Settings(format=Format.JPEG, quality=quality)
    return write(pixels, settings, icc=srgb_profile(), dpi=None, labels=Labels())


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
    assert "file_extension" in failed(check_file(data, platform=platform, qc=qc, name="A.MAIN.png"))
    assert not failed(check_file(data, platform=platform, qc=qc, name="A.MAIN.JPG"))


def test_colours_are_said_to_be_unverified(ordered: Ordered, qc: QcConfig) -> None:
    findings = check_file(jpeg(drawn()), platform=amazon(ordered).platform, qc=qc)
    assert by_code(findings)["colour_shift"].status is Status.SKIPPED


def test_an_empty_file_and_an_empty_picture_are_findings(ordered: Ordered, qc: QcConfig) -> None:
    platform = amazon(ordered).platform
    assert failed(check_file(b"", platform=platform, qc=qc)) == {"file_unreadable"}
    blank = jpeg(np.full((400, 400, 3), 255, np.uint8))
    assert failed(check_file(blank, platform=platform, qc=qc)) == {"empty_subject"}


def test_grey_pictures_can_be_checked(ordered: Ordered, qc: QcConfig) -> None:
    import io

    from PIL import Image

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
