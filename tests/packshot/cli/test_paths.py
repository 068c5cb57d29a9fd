"""The commands on clipping paths, on drawn files."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from packshot.cli.ending import Exit
from packshot.cli.paths import _TOLERANCE_PX
from packshot.paths.draft import TOLERANCE_PX
from packshot.paths.rasterise import rasterise
from packshot.paths.write import photoshop_resources
from tests import drawn_products
from tests.packshot.cli.test_cli import packshot
from tests.packshot.paths.containers import tiff
from tests.packshot.paths.drawn_paths import circle, rectangle, saved

TWO = (saved(circle(0.5, 0.5, 0.25), name="[bold] é"), saved(rectangle(0, 0, 0.5, 1), name="Path 2", record_id=2001))


@pytest.fixture
def work(tmp_path: Path) -> Path:
    file = tmp_path / "work.tif"
    file.write_bytes(tiff(photoshop_resources(TWO, clipping="[bold] é")))
    return file


def test_paths_are_listed_with_the_clipping_path_marked(work: Path) -> None:
    said = packshot("paths", work, "--json")
    assert said.status == Exit.OK
    assert (said.json["kind"], said.json["size"], said.json["used"]) == ("TIFF", [80, 60], "[bold] é")
    listed = [
        (one["name"], one["record_id"], one["subpaths"], one["knots"], one["is_clipping"]) for one in said.json["paths"]
    ]
    assert listed == [("[bold] é", 2000, 1, 4, True), ("Path 2", 2001, 1, 4, False)]


def test_names_are_shown_as_they_are(work: Path) -> None:
    said = packshot("paths", work)
    assert "[bold] é" in said.words
    assert "clipping path" in said.words


@pytest.mark.parametrize(("option", "index"), [((), 0), (("--path", "path 2"), 1)])
def test_the_chosen_path_is_filled(work: Path, tmp_path: Path, option: tuple[str, ...], index: int) -> None:
    out = tmp_path / "matte.png"
    assert packshot("paths", work, "--matte", out, *option).status == Exit.OK
    levels = cv2.imread(str(out), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(levels, np.rint(rasterise(TWO[index], 80, 60) * 255))


def test_a_name_that_is_not_there_is_said_with_those_that_are(work: Path) -> None:
    said = packshot("paths", work, "--path", "other")
    assert said.status == Exit.ERROR
    assert "[bold] é, Path 2" in said.words


def test_a_file_without_a_usable_path_is_listed_but_gives_no_matte(tmp_path: Path) -> None:
    file, out = tmp_path / "work.tif", tmp_path / "matte.png"
    file.write_bytes(tiff(photoshop_resources(TWO)))
    assert packshot("paths", file).status == Exit.OK
    said = packshot("paths", file, "--matte", out)
    assert said.status == Exit.NOT_ALL_WELL
    assert "none is marked as the clipping path" in said.words
    assert not out.exists()


def test_a_draft_holds_a_path_along_the_product(tmp_path: Path) -> None:
    photo, out, matte = tmp_path / "box.png", tmp_path / "draft.tif", tmp_path / "matte.png"
    photo.write_bytes(drawn_products.photograph())
    said = packshot("path", "draft", photo, "--out", out, "--json")
    assert said.status == Exit.OK
    assert said.json["knots"] >= 3
    assert packshot("paths", out, "--matte", matte).status == Exit.OK
    levels = cv2.imread(str(matte), cv2.IMREAD_UNCHANGED)
    truth = drawn_products.coverage(1000, 1000)
    assert np.count_nonzero((levels > 127) != (truth > 0.5)) < 0.005 * np.count_nonzero(truth > 0.5)


def test_nothing_is_written_over_the_photograph(tmp_path: Path) -> None:
    photo = tmp_path / "box.png"
    photo.write_bytes(drawn_products.photograph())
    before = photo.read_bytes()
    assert "over the photograph" in packshot("path", "draft", photo, "--out", photo).words
    assert photo.read_bytes() == before


def test_the_tolerance_is_the_rooms_own() -> None:
    assert _TOLERANCE_PX == TOLERANCE_PX
