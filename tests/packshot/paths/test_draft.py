"""Draft paths from mattes, and the file an editor takes."""

from __future__ import annotations

import io
import math
import pathlib
import shutil
import subprocess

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from psd_tools.psd import PSD
from psd_tools.psd.vector import Path

from packshot.errors import EmptySubjectError
from packshot.paths.draft import draft_path
from packshot.paths.draft_file import CHANNEL_NAME, write_draft
from packshot.paths.fit import find_corners, fit_closed
from packshot.paths.model import SavedPath
from packshot.paths.outline import evenly_spaced, outlines
from packshot.paths.rasterise import rasterise
from packshot.paths.read import read_paths
from packshot.paths.write import photoshop_resources
from packshot.types import Matte
from tests.packshot.paths.containers import psd
from tests.packshot.paths.drawn_paths import circle, polygon, rectangle, saved
from tests.shared_data import shared_data


def overlap(a: Matte, b: Matte) -> float:
    return float(((a > 0.5) & (b > 0.5)).sum() / ((a > 0.5) | (b > 0.5)).sum())


def drawn(path: SavedPath, size: int = 400) -> Matte:
    return rasterise(path, size, size)


def test_a_circle_needs_few_knots_and_no_corner() -> None:
    draft = draft_path(drawn(saved(circle(0.5, 0.5, 0.4))))
    assert draft.knots <= 6
    assert all(knot.smooth for knot in draft.subpaths[0].knots)


def test_a_rectangle_has_its_four_corners_and_straight_sides() -> None:
    (part,) = draft_path(drawn(saved(rectangle(0.1, 0.2, 0.8, 0.9)))).subpaths
    assert len(part.knots) == 4
    assert not any(knot.smooth for knot in part.knots)
    for knot, (x, y) in zip(
        sorted(part.knots, key=lambda one: (round(one.anchor.x, 1), round(one.anchor.y, 1))),
        [(0.1, 0.2), (0.1, 0.9), (0.8, 0.2), (0.8, 0.9)],
        strict=True,
    ):
        assert knot.anchor == pytest.approx((x, y), abs=1 / 400)
        assert knot.before == knot.anchor == knot.after


def test_holes_are_holes() -> None:
    matte = drawn(saved(circle(0.5, 0.5, 0.4), circle(0.4, 0.5, 0.1), rectangle(0.55, 0.45, 0.7, 0.6)))
    draft = draft_path(matte)
    assert len(draft.subpaths) == 3
    assert overlap(drawn(draft), matte) > 0.995


def test_small_parts_and_holes_are_left_out() -> None:
    matte = drawn(saved(circle(0.5, 0.5, 0.3), rectangle(0.5, 0.5, 0.51, 0.51), rectangle(0.9, 0.9, 0.91, 0.91)))
    assert len(draft_path(matte).subpaths) == 1
    assert len(draft_path(matte, min_area_px=4).subpaths) == 3


def test_a_product_cut_off_by_the_frame_is_closed_along_it() -> None:
    matte = drawn(saved(circle(0.0, 0.5, 0.4)))
    draft = draft_path(matte)
    assert min(knot.anchor.x for knot in draft.subpaths[0].knots) == pytest.approx(0, abs=1e-3)
    assert overlap(drawn(draft), matte) > 0.995


def test_an_empty_matte_is_said_so() -> None:
    with pytest.raises(EmptySubjectError, match="no outline"):
        draft_path(np.zeros((50, 50), np.float32))


@given(
    st.integers(0, 10_000),
    st.sampled_from([0.3, 0.5, 1.0, 2.0]),
    st.integers(2, 7),
)
@settings(deadline=None, max_examples=15)
def test_the_path_keeps_its_tolerance_to_the_outline(seed: int, tolerance_px: float, waves: int) -> None:
    """A wavy blob: every place on the outline is that near to the path, and the path nowhere leaves it."""
    rng = np.random.default_rng(seed)
    angle = np.linspace(0, 2 * math.pi, 200, endpoint=False)
    radius = 0.28 + 0.1 * rng.random() * np.sin(waves * angle + rng.random() * 6)
    matte = rasterise(
        saved(polygon(*zip(0.5 + radius * np.cos(angle), 0.5 + radius * np.sin(angle), strict=True))), 220, 180
    )
    (line,) = outlines(matte, min_area_px=64)
    fitted = fit_closed(evenly_spaced(line), tolerance_px=tolerance_px)
    assert fitted.deviation_px <= tolerance_px
    again = rasterise(draft_path(matte, tolerance_px=tolerance_px), 220, 180)
    (other,) = outlines(again, min_area_px=64)
    for one, two in ((line, other), (other, line)):
        apart = np.linalg.norm(one[:, None] - two[None], axis=2).min(axis=1)
        assert apart.max() <= tolerance_px + 0.8  # half the points' spacing, and what a pixel rounds off


@given(st.integers(0, 1000))
@settings(deadline=None, max_examples=8)
def test_any_matte_gives_a_path_or_says_why_not(seed: int) -> None:
    rng = np.random.default_rng(seed)
    matte = cv2.GaussianBlur(rng.random((60, 70)).astype(np.float32), (0, 0), rng.uniform(0.5, 4))
    matte = (matte - matte.min()) / (matte.max() - matte.min())
    try:
        draft = draft_path(matte, min_area_px=10)
    except EmptySubjectError:
        return
    assert np.isfinite([at for part in draft.subpaths for knot in part.knots for at in knot.anchor]).all()


def test_a_looser_tolerance_never_needs_more_knots_on_real_outlines() -> None:
    file = shared_data("ground_truth", "editor-path", "alpha", "10627101505_1_1705x2100_300_RGB.png")
    matte = (cv2.imread(str(file), cv2.IMREAD_GRAYSCALE) / 255).astype(np.float32)
    counts = [draft_path(matte, tolerance_px=tolerance).knots for tolerance in (0.35, 0.5, 1, 2)]
    assert counts == sorted(counts, reverse=True)
    assert counts[1] < 322, "the retoucher's own path has so many"


def test_corners_are_found_where_they_are() -> None:
    (line,) = outlines(drawn(saved(polygon((0.1, 0.9), (0.5, 0.1), (0.9, 0.9)))), min_area_px=64)
    points = evenly_spaced(line)
    found = points[find_corners(points)]
    for corner in ((40, 360), (200, 40), (360, 360)):
        assert np.linalg.norm(found - corner, axis=1).min() < 3
    assert len(found) == 3


PIXELS = np.full((120, 160, 3), 40_000, np.uint16)
MATTE = rasterise(saved(circle(0.5, 0.5, 0.3), rectangle(0.45, 0.45, 0.55, 0.55)), 160, 120)


def draft_file() -> bytes:
    return write_draft(PIXELS, MATTE, draft_path(MATTE))


def test_the_draft_holds_master_matte_and_path() -> None:
    data = draft_file()
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        page = tiff.pages.first
        assert isinstance(page, tifffile.TiffPage)
        pixels = page.asarray()
        assert [int(one) for one in page.extrasamples] == [0]
        assert 34675 in page.tags
    np.testing.assert_array_equal(pixels[..., :3], PIXELS)
    np.testing.assert_allclose(pixels[..., 3] / 65535, MATTE, atol=1e-4)
    found = read_paths(data, name="draft.tif")
    assert found.clipping is not None
    assert overlap(rasterise(found.clipping, 160, 120), MATTE) > 0.98
    assert data == draft_file()


def test_psd_tools_reads_our_paths_as_we_do() -> None:
    draft = draft_path(MATTE)
    document = PSD.read(io.BytesIO(psd(photoshop_resources([draft]))))
    resources = {int(number): block for number, block in document.image_resources.items()}
    assert resources[2000].name == draft.name
    assert resources[2999].data == "Packshot draft"
    theirs = [record for record in Path.frombytes(resources[2000].data) if hasattr(record, "operation")]
    assert [(one.operation, len(one)) for one in theirs] == [(0, len(part.knots)) for part in draft.subpaths]
    for one, part in zip(theirs, draft.subpaths, strict=True):
        for knot, ours in zip(one, part.knots, strict=True):
            read = [place[::-1] for place in (knot.preceding, knot.anchor, knot.leaving)]
            np.testing.assert_allclose(read, [ours.before, ours.anchor, ours.after], atol=2**-24)


def test_exiftool_names_our_clipping_path_and_channel(tmp_path: pathlib.Path) -> None:
    said = _told("exiftool", "-s", "-G", "-a", file=tmp_path / "draft.tif")
    assert "ClippingPathName                : Packshot draft" in said
    assert f"AlphaChannelsNames              : {CHANNEL_NAME}" in said
    assert "BitsPerSample                   : 16 16 16 16" in said
    assert "Warning" not in said


def test_libtiff_finds_nothing_wrong_with_the_draft(tmp_path: pathlib.Path) -> None:
    said = _told("tiffinfo", file=tmp_path / "draft.tif")
    assert "Photoshop Data: <present>" in said
    assert "Extra Samples: 1<unspecified>" in said
    assert "Warning" not in said


def test_imagemagick_fills_our_clipping_path_as_we_do(tmp_path: pathlib.Path) -> None:
    """It knows paths by number, and by the clipping path's own number 1."""
    _told("identify", file=tmp_path / "draft.tif")
    svg = subprocess.run(
        ["identify", "-format", "%[8BIM:2000,2000:Packshot draft]", tmp_path / "draft.tif"],
        capture_output=True,
        check=True,
    ).stdout.decode()
    draft = draft_path(MATTE)
    assert svg.count("M ") == len(draft.subpaths)
    first = draft.subpaths[0].knots[0].anchor
    x, y = svg.split("M ")[1].split("\n")[0].split()[:2]
    assert (float(x), float(y)) == pytest.approx((first.x * 160, first.y * 120), abs=0.01)


def _told(program: str, *options: str, file: pathlib.Path) -> str:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    file.write_bytes(draft_file())
    done = subprocess.run([program, *options, file], capture_output=True, check=True, text=True)
    return done.stdout + done.stderr
