"""The findings on a delivered file: verdict, value, limit and words, one table for each function.

Kind of test that was missing: one that reads the whole finding. Others look at its status alone, of files that break a
rule in one way.
"""

from __future__ import annotations

import io

import pytest
from PIL import Image

from packshot.colour.profile import ColourModel
from packshot.export.decoded import Decoded, decode_delivered
from packshot.export.findings import (
    background_finding,
    depth_finding,
    fill_findings,
    location_finding,
    orientation_finding,
    perimeter_finding,
    resolution_findings,
    size_findings,
)
from packshot.qc.white import OffWhite, QuickCheck
from packshot.specs.models import Background, Platform
from packshot.types import Box, Finding, Size, Status
from tests.configs import shipped_configs

AMAZON = shipped_configs().platforms["amazon_main"]
PASSED, WARNING, FAILED = Status.PASSED, Status.WARNING, Status.FAILED


def picture(mode: str = "RGB", kind: str = "PNG", **options: object) -> Decoded:
    """A small grey picture, written as a file of that kind and decoded again."""
    return decode_delivered(written(mode, kind, **options))


def written(mode: str = "RGB", kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    colour = (90,) * len(mode)
    Image.new(mode, (40, 30), colour if len(mode) > 1 else 90).save(stream, kind, **options)
    return stream.getvalue()


def exif(**tags: object) -> bytes:
    block = Image.Exif()
    if "orientation" in tags:
        block[0x0112] = tags["orientation"]
    if "place" in tags:
        block.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 0.0), 3: "E", 4: (13.0, 24.0, 0.0)})
    return block.tobytes()


def said(finding: Finding) -> tuple[object, ...]:
    return finding.status, finding.measured, finding.limit, finding.unit, finding.gate


@pytest.mark.parametrize("background", Background)
def test_off_white_pixels_are_counted_and_the_platform_says_how_much_that_weighs(background: Background) -> None:
    place = Box(3, 4, 5, 6)
    off = OffWhite(count=7, background=1_200, worst_levels=3.0, box=place, largest_box=place, largest_count=7)
    found = background_finding(off, background, ring_distance_px=12)
    weight = WARNING if background is Background.ANY else FAILED
    assert said(found) == (weight, 7, 0, "px", background is Background.PURE_WHITE)
    assert found.box == place
    assert found.message.startswith("7 of 1,200 background pixels farther than 12 px from the product are not")
    white = OffWhite(count=0, background=1_200, worst_levels=0.0, box=None, largest_box=None, largest_count=0)
    found = background_finding(white, background, ring_distance_px=12)
    assert said(found) == (PASSED, 0, 0, "px", background is Background.PURE_WHITE)
    assert found.message == "All 1,200 background pixels farther than 12 px are exactly white."


def test_the_border_is_told_by_the_share_of_its_points_that_are_white() -> None:
    quick = QuickCheck(status="fail", compliance_rate=0.75, failures=((0, 0),), action="correct_background_and_recheck")
    assert said(perimeter_finding(quick, Background.PURE_WHITE)) == (FAILED, 0.75, 1.0, "ratio", False)
    assert perimeter_finding(quick, Background.ANY).status is WARNING
    whole = QuickCheck(status="pass", compliance_rate=1.0, failures=(), action="none")
    assert said(perimeter_finding(whole, Background.PURE_WHITE)) == (PASSED, 1.0, 1.0, "ratio", False)


@pytest.mark.parametrize(
    ("mode", "ordered", "status", "words"),
    [
        ("RGB", 8, PASSED, "The file is RGB with 8 bits per channel; RGB with 8 was ordered."),
        ("RGBA", 8, FAILED, "The file is RGB with 8 bits per channel and transparency; RGB with 8 was ordered."),
        ("RGB", 16, FAILED, "The file is RGB with 8 bits per channel; RGB with 16 was ordered."),
        ("L", 8, FAILED, "The file is grey with 8 bits per channel; RGB with 8 was ordered."),
    ],
)
def test_a_file_has_the_ordered_model_and_depth_and_no_transparency(
    mode: str, ordered: int, status: Status, words: str
) -> None:
    found = depth_finding(picture(mode), ordered)
    assert found.code == "file_bit_depth"
    assert said(found) == (status, 8, ordered, "bit", True)
    assert found.message == words


def test_a_file_for_print_may_be_cmyk_where_that_was_ordered() -> None:
    press = picture("CMYK", "JPEG")
    assert depth_finding(press, 8, model=ColourModel.CMYK).status is PASSED
    found = depth_finding(press, 8)
    assert (found.status, found.message[:45]) == (FAILED, "The file is CMYK with 8 bits per channel; RGB")


@pytest.mark.parametrize(("stated", "status"), [(300, PASSED), (301, FAILED), (72, FAILED), (None, FAILED)])
def test_a_file_for_print_states_the_ordered_resolution(stated: int | None, status: Status) -> None:
    wanted = AMAZON.model_copy(update={"canvas": AMAZON.canvas.model_copy(update={"dpi": 300})})
    data = written(kind="JPEG", **({} if stated is None else {"dpi": (stated, stated)}))
    (found,) = resolution_findings(data, decode_delivered(data), wanted)
    assert said(found) == (status, stated, 300, "dpi", True)
    assert ("no resolution" in found.message) is (stated is None)
    assert list(resolution_findings(data, decode_delivered(data), AMAZON)) == []


def test_a_size_at_its_limits_passes_and_a_pixel_beyond_them_fails() -> None:
    canvas = AMAZON.canvas.model_copy(update={"min_px": 1000, "max_px": 3000, "aspect": "1:1"})
    platform: Platform = AMAZON.model_copy(update={"canvas": canvas})
    for side, low, large in (
        (1000, PASSED, PASSED),
        (999, FAILED, PASSED),
        (3000, PASSED, PASSED),
        (3001, PASSED, FAILED),
    ):
        found = {one.code: one for one in size_findings(Size(side, side), platform)}
        assert said(found["resolution_too_low"]) == (low, side, 1000, "px", True)
        assert said(found["canvas_too_large"]) == (large, side, 3000, "px", True)
        assert said(found["canvas_aspect"]) == (PASSED, 0, 1, "px", False)
        assert "canvas_size" not in found
    for width, status in ((1001, PASSED), (1002, FAILED)):
        (aspect,) = (one for one in size_findings(Size(width, 1000), platform) if one.code == "canvas_aspect")
        assert said(aspect) == (status, width - 1000, 1, "px", False)
    for ordered, status in ((Size(1000, 1000), PASSED), (Size(1000, 999), FAILED)):
        first, *_ = size_findings(Size(1000, 1000), platform, ordered=ordered)
        assert (first.code, *said(first)) == ("canvas_size", status, 1000, 1000, "px", True)


@pytest.mark.parametrize(
    ("aspect", "size", "off", "status"),
    [
        ("4:5", Size(800, 1000), 0, PASSED),
        ("4:5", Size(801, 1000), 1, PASSED),
        ("4:5", Size(798, 1000), 2, FAILED),
        ("3:2", Size(1500, 1000), 0, PASSED),
        ("3:2", Size(1500, 999), 1, PASSED),
        ("3:2", Size(1500, 1002), 2, FAILED),
        ("3:2", Size(1501, 1000), 0.67, PASSED),
        ("4:5", Size(1000, 800), 360, FAILED),
    ],
)
def test_an_aspect_ratio_is_off_by_pixels_of_the_shorter_side(
    aspect: str, size: Size, off: float, status: Status
) -> None:
    canvas = AMAZON.canvas.model_copy(update={"aspect": aspect})
    *_, found = size_findings(size, AMAZON.model_copy(update={"canvas": canvas}))
    assert (found.code, *said(found)) == ("canvas_aspect", status, off, 1, "px", False)
    assert found.message == f"The canvas differs by {off:.1f} px from the aspect ratio {aspect}."


def fills(**rules: object) -> Platform:
    return AMAZON.model_copy(update={"fill": AMAZON.fill.model_copy(update=rules)})


@pytest.mark.parametrize(
    ("box", "touches"),
    [
        (Box(100, 100, 900, 900), False),
        (Box(1, 1, 999, 999), False),
        (Box(0, 100, 900, 900), True),
        (Box(100, 0, 900, 900), True),
        (Box(100, 100, 1000, 900), True),
        (Box(100, 100, 900, 1000), True),
    ],
)
def test_a_product_at_any_of_the_four_edges_may_be_cropped(box: Box, touches: bool) -> None:
    *_, found = fill_findings(box, Size(1000, 1000), AMAZON)
    assert (found.code, found.gate) == ("cropped_product", True)
    assert (found.status, found.box) == ((FAILED, box) if touches else (PASSED, None))
    assert found.message == (
        "The product touches the edge of the picture." if touches else "The whole product is in the picture."
    )
    *_, ordered = fill_findings(box, Size(1000, 1000), AMAZON, target_ratio=1.0)
    assert ordered.status is PASSED, "a fill of 100 % was ordered"


def test_a_fill_ratio_off_by_two_pixels_passes_and_by_three_fails() -> None:
    size, platform = Size(1000, 1000), fills(least_ratio=0.8, most_ratio=0.9, least_px=None)
    for side, small, large in (
        (798, PASSED, PASSED),
        (797, FAILED, PASSED),
        (902, PASSED, PASSED),
        (903, PASSED, FAILED),
    ):
        box = Box(40, 40, 40 + side, 40 + side)
        found = {one.code: one for one in fill_findings(box, size, platform, target_ratio=0.8)}
        assert said(found["product_too_small"]) == (small, side / 1000, 0.8, "ratio", True)
        assert said(found["product_too_large"]) == (large, side / 1000, 0.9, "ratio", False)
        off = PASSED if abs(side - 800) <= 2 else WARNING
        assert said(found["fill_off_target"]) == (off, side / 1000, 0.8, "ratio", False)
        share = f"The product fills {side / 1000:.1%} of the canvas; "
        assert found["product_too_small"].message == share + "at least 80% is required."
        assert found["product_too_large"].message == share + "at most 90% is allowed."
        assert found["fill_off_target"].message == share + "80.0% was ordered."


def test_a_fill_ratio_is_said_with_four_places() -> None:
    first, *_ = fill_findings(Box(10, 10, 12, 11), Size(30, 30), AMAZON)
    assert first.measured == 0.0667


def test_a_product_of_too_few_pixels_fails() -> None:
    platform = fills(least_px=500)
    for side, status in ((498, PASSED), (497, FAILED)):
        found = {one.code: one for one in fill_findings(Box(9, 9, 9 + side, 300), Size(1000, 1000), platform)}
        assert said(found["product_too_few_pixels"]) == (status, side, 500, "px", True)
        assert found["product_too_few_pixels"].message.startswith(
            f"The product's longest side is {side} px; at least 500"
        )


def test_an_empty_picture_has_this_finding_alone() -> None:
    (found,) = fill_findings(None, Size(1000, 1000), AMAZON)
    assert (found.code, found.status, found.gate) == ("empty_subject", FAILED, True)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_stored_upright(orientation: int) -> None:
    found = orientation_finding(picture(kind="JPEG", exif=exif(orientation=orientation)))
    assert said(found) == (PASSED if orientation == 1 else FAILED, orientation, 1, "", True)
    assert ("stored upright" in found.message) is (orientation == 1)


def test_a_file_names_no_place() -> None:
    told = location_finding(picture(kind="JPEG", exif=exif(place=True)))
    assert (told.status, told.gate, told.message) == (FAILED, True, "The file says where the photograph was taken.")
    silent = location_finding(picture(kind="JPEG"))
    assert (silent.status, silent.message) == (PASSED, "The file names no place.")
