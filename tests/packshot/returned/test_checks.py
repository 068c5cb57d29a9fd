"""What the checks of returned work say of what editors do to a photograph."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from packshot.colour.transform import working_to_srgb8
from packshot.ingest.master import lay_on_white
from packshot.paths.write import photoshop_resources
from packshot.returned.checks import Permits, check_returned
from packshot.returned.read import read_returned
from packshot.types import Finding, Matte, Pixels8, Status
from tests.packshot.returned import works

PASSED, WARNING, FAILED, SKIPPED = Status.PASSED, Status.WARNING, Status.FAILED, Status.SKIPPED


def checked(data: bytes, **more: Any) -> dict[str, Finding]:
    """Code -> finding; the machine's matte is a little smaller than the editor's."""
    work = read_returned(data, name="work", limits=works.limits())
    kernel = np.ones((5, 5), np.uint8)
    options = {"draft": np.asarray(cv2.erode(works.matte(), kernel), np.float32), **more}
    found = check_returned(work, works.master(), **options)
    assert len({one.code for one in found}) == len(found)
    return {one.code: one for one in found}


def statuses(data: bytes, **more: Any) -> dict[str, Status]:
    return {code: one.status for code, one in checked(data, **more).items()}


def failures(data: bytes, **more: Any) -> set[str]:
    return {code for code, status in statuses(data, **more).items() if status is FAILED}


def laid_out(change: np.ndarray[Any, Any], *, border: int = 255) -> Pixels8:
    """The picture on white after an affine map from its places to new ones."""
    size = (works.SIZE, works.SIZE)
    moved = cv2.warpAffine(
        works.on_white(), change.astype(np.float32), size, flags=cv2.INTER_AREA, borderValue=(border,) * 3
    )
    return np.asarray(moved, np.uint8)


GOOD = {
    "transparent PNG": lambda: works.png(works.plain(), works.matte()),
    "TIFF with a path": lambda: works.tiff(works.master(), resources=photoshop_resources([works.PATH])),
    "TIFF with a channel": lambda: works.tiff(works.master(), works.matte()),
    "flat PNG on white": lambda: works.png(works.on_white()),
    "flat JPEG on white": lambda: works.jpeg(works.on_white()),
    "flat TIFF of JPEG strips on white": lambda: works.tiff_of_jpeg(works.on_white()),
    "JPEG with a path": lambda: works.jpeg(works.plain(), resources=photoshop_resources([works.PATH])),
}


@pytest.mark.parametrize("kind", GOOD)
def test_honest_work_passes_every_check(kind: str) -> None:
    found = statuses(GOOD[kind]())
    assert set(found.values()) <= {PASSED, SKIPPED, WARNING}
    assert [code for code, status in found.items() if status is WARNING] in ([], ["returned_depth"])
    wanted = (
        "returned_size",
        "returned_matte",
        "returned_like_draft",
        "returned_profile",
        "same_shot",
        "product_moved",
    )
    assert {found[code] for code in (*wanted, "returned_colour", "product_repainted")} == {PASSED}


def test_another_photograph_is_recognised() -> None:
    found = checked(works.png(works.on_white(works.master(2))))
    assert found["same_shot"].status is FAILED
    assert found["same_shot"].gate
    assert {found[code].status for code in ("product_moved", "returned_colour", "product_repainted")} == {SKIPPED}


@pytest.mark.parametrize("turn", ["left to right", "top to bottom"])
def test_a_mirrored_picture_is_recognised(turn: str) -> None:
    mirrored = works.on_white()[:, ::-1] if turn == "left to right" else works.on_white()[::-1]
    found = checked(works.png(np.ascontiguousarray(mirrored)))
    assert found["same_shot"].status is FAILED
    assert f"mirrored {turn}" in found["same_shot"].message


def test_a_turned_picture_is_recognised() -> None:
    found = checked(works.png(np.ascontiguousarray(np.rot90(works.on_white()))))
    assert FAILED in (found["same_shot"].status, found["product_moved"].status)
    assert any(
        word in found["same_shot"].message + found["product_moved"].message for word in ("90 degrees", "quarter")
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (np.array([[1, 0, 4], [0, 1, -3]]), "moved by"),
        (np.array([[1, 0, 130], [0, 1, 60]]), "moved by"),
        (np.array([[1.02, 0, -10], [0, 1.02, -10]]), "102.0% of its size"),
        (np.array([[0.7, 0, 150], [0, 0.7, 150]]), "70.0% of its size"),
        (np.array([[0.9962, -0.0872, 45], [0.0872, 0.9962, -42]]), "turned by 5 degrees"),
    ],
)
def test_a_product_that_does_not_stand_where_it_stood_is_recognised(change: np.ndarray[Any, Any], said: str) -> None:
    found = checked(works.png(laid_out(change)))
    assert found["same_shot"].status is PASSED
    assert found["product_moved"].status is FAILED
    assert said in found["product_moved"].message


def test_drifted_colours_are_measured_and_allowed_only_if_ordered() -> None:
    warm = works.on_white().astype(np.float64) * (1, 0.94, 0.9)
    data = works.png(np.where(works.matte()[..., None] > 0, warm, 255).astype(np.uint8))
    found = checked(data)
    assert found["returned_colour"].status is FAILED
    assert found["returned_colour"].measured is not None
    assert 3 < found["returned_colour"].measured < 12
    assert failures(data, permits=Permits(colour=True)) == set()


def test_a_painted_over_place_is_found_where_it_is() -> None:
    painted = works.on_white().copy()
    cv2.circle(painted, (600, 620), 45, (20, 160, 60), -1)
    data = works.png(painted)
    finding = checked(data)["product_repainted"]
    assert finding.status is FAILED
    assert finding.box is not None
    for found, true in zip(finding.box, (555, 575, 645, 665), strict=True):
        assert abs(found - true) <= 6
    assert failures(data) == {"product_repainted"}
    assert failures(data, permits=Permits(retouch=True)) == set()


def test_a_removed_dust_spot_is_no_painting() -> None:
    spot = works.on_white().copy()
    cv2.circle(spot, (600, 620), 6, (20, 160, 60), -1)
    assert failures(works.png(spot)) == set()


@pytest.mark.parametrize("level", [250, 253, 254])
def test_a_background_that_is_not_exactly_white_is_recognised(level: int) -> None:
    grey = works.on_white().copy()
    grey[works.matte() == 0] = level
    finding = checked(works.png(grey))["returned_white"]
    assert finding.status is FAILED
    assert f"by up to {255 - level}" in finding.message


def test_one_grey_pixel_in_the_white_is_found() -> None:
    grey = works.on_white().copy()
    grey[20, 30] = 254
    finding = checked(works.png(grey))["returned_white"]
    assert (finding.status, finding.box) == (FAILED, (30, 20, 31, 21))


def test_without_the_machines_matte_grey_in_the_white_is_only_a_warning() -> None:
    grey = works.on_white().copy()
    grey[works.matte() == 0] = 253
    found = checked(works.png(grey), draft=None)
    assert found["returned_white"].status is WARNING
    assert found["returned_like_draft"].status is SKIPPED


def test_a_shadow_may_stay_if_it_was_ordered() -> None:
    grey = works.on_white().copy()
    grey[880:900, 300:700] = 249
    assert "returned_white" in failures(works.png(grey))
    assert "returned_white" not in failures(works.png(grey), permits=Permits(shadow=True))


@pytest.mark.parametrize(
    ("matte", "said"),
    [
        (1 - works.matte(), "inverted"),
        (np.pad(np.ones((3, 3), np.float32), (0, works.SIZE - 3)), "no product"),
    ],
)
def test_a_matte_that_is_none_is_recognised(matte: Matte, said: str) -> None:
    finding = checked(works.png(works.plain(), matte))["returned_matte"]
    assert finding.status is FAILED
    assert said in finding.message


def test_a_missing_matte_is_recognised_and_nothing_else_is_claimed() -> None:
    found = checked(works.jpeg(works.plain()))
    assert found["returned_matte"].status is FAILED
    assert {found[code].status for code in ("same_shot", "product_moved", "returned_colour")} == {SKIPPED}


def test_the_machines_draft_put_back_unchanged_is_said() -> None:
    found = statuses(works.tiff(works.master(), works.matte()), draft=works.matte())
    assert found["draft_unchanged"] is WARNING


def test_another_outline_than_the_machines_is_said_but_not_refused() -> None:
    half = works.matte().copy()
    half[:500] = 0
    found = statuses(works.png(works.plain(), half))
    assert found["returned_like_draft"] is WARNING
    assert found["returned_matte"] is PASSED


def test_a_lost_profile_sends_work_back() -> None:
    assert failures(works.png(works.on_white(), profile=False)) == {"returned_profile"}


def test_a_smaller_picture_gives_only_its_path() -> None:
    small = cv2.resize(works.plain(), (500, 500), interpolation=cv2.INTER_AREA)
    found = statuses(works.jpeg(small, resources=photoshop_resources([works.PATH])))
    assert found["returned_size"] is WARNING
    assert {found[code] for code in ("returned_profile", "returned_depth", "returned_colour")} == {SKIPPED}
    assert found["same_shot"] is PASSED
    assert FAILED not in found.values()


def test_a_smaller_or_cropped_flat_picture_is_sent_back() -> None:
    small = cv2.resize(works.on_white(), (500, 500), interpolation=cv2.INTER_AREA)
    assert "returned_size" in failures(works.png(small))
    cropped = np.ascontiguousarray(works.on_white()[100:900, 100:960])
    found = checked(works.png(cropped))
    assert found["returned_size"].status is FAILED
    assert found["product_moved"].status is not PASSED


def test_a_product_without_detail_is_not_claimed_to_be_the_same() -> None:
    even = np.full_like(works.master(), 30_000)
    work = read_returned(
        works.png(working_to_srgb8(lay_on_white(even, works.matte()))), name="work", limits=works.limits()
    )
    found = {one.code: one.status for one in check_returned(work, even, draft=works.matte())}
    assert (found["same_shot"], found["product_moved"]) == (SKIPPED, SKIPPED)
    assert (found["returned_colour"], found["product_repainted"]) == (PASSED, PASSED)
