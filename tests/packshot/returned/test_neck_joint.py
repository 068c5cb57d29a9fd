"""What the checks of a returned neck joint say of good work and of every way it goes wrong.

The first shirts show every kind of fault with `make test`; `make test-all` tries others too, one of them larger.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from packshot.handoff.neck_joint.mannequin import find_mannequin
from packshot.ingest.decode import open_photo
from packshot.ingest.master import develop
from packshot.returned.neck_joint import JointDraft, check_neck_joint
from packshot.returned.read import read_returned
from packshot.types import Box, Finding, Matte, Pixels16, Status
from tests.drawn_mannequins import BLACK, CREAM, GREY, RED, SKIN, TEAL, WHITE, Garment
from tests.often import few_often
from tests.packshot.returned import works

SHIRTS = {
    "white on navy": Garment(),
    "skin on red, with arms": Garment(SKIN, RED, arms=True, pointed=True, depth=220),
    "black on stripes": Garment(BLACK, TEAL, striped=True),
    "white on white stripes": Garment(WHITE, RED, striped=True),
    "grey on cream": Garment(GREY, CREAM),
    "skin on navy, larger": Garment(SKIN, width=1800, height=2400),
}
CODES = ("neck_filled", "mannequin_left", "joint_outline", "joint_line")


@cache
def master(shirt: Garment) -> Pixels16:
    return develop(open_photo(works.png(shirt.worn()), name="worn", limits=works.limits())).pixels16


@cache
def draft(shirt: Garment) -> JointDraft:
    found = find_mannequin(master(shirt), shirt.matte)
    return JointDraft(mannequin=found.mask, opening=found.opening, garment=shirt.matte)


@cache
def joined(shirt: Garment) -> NDArray[np.float64]:
    return shirt.joined().astype(np.float64)


def checked(shirt: Garment, picture: NDArray[np.float64], matte: Matte) -> dict[str, Finding]:
    levels = np.rint(np.clip(picture, 0, 255)).astype(np.uint8)
    work = read_returned(works.png(levels, matte.astype(np.float32)), name="work", limits=works.limits())
    found = check_neck_joint(work, master(shirt), draft(shirt))
    assert tuple(one.code for one in found) == CODES
    return {one.code: one for one in found}


def failed(found: dict[str, Finding]) -> set[str]:
    return {code for code, one in found.items() if one.status is Status.FAILED}


def places(shirt: Garment) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """x and y of every pixel, in units of a picture of 900 x 1200."""
    y, x = np.mgrid[: shirt.height, : shirt.width].astype(np.float64)
    return x * 900 / shirt.width, y * 1200 / shirt.height


def along_the_neckline(shirt: Garment, width_px: int) -> Matte:
    """A soft line where the front's edge meets the opening."""
    inside = shirt.opening.astype(np.uint8)
    kernel = np.ones((3, 3), np.uint8)
    line = (cv2.dilate(inside, kernel) - cv2.erode(inside, kernel)) * (places(shirt)[1] > 205)
    wide = cv2.dilate(line.astype(np.float32), np.ones((width_px, width_px), np.uint8))
    return np.asarray(cv2.GaussianBlur(wide, (0, 0), 0.7), np.float32)


@pytest.mark.parametrize("name", few_often(SHIRTS))
def test_good_work_passes_every_check(name: str) -> None:
    shirt = SHIRTS[name]
    found = checked(shirt, joined(shirt), shirt.joined_matte)
    assert {one.status for one in found.values()} == {Status.PASSED}
    assert all(one.gate and one.measured is not None and one.limit is not None for one in found.values())


@pytest.mark.parametrize("gain", [0.9, 1.1])
def test_good_work_whose_colours_were_corrected_passes(gain: float) -> None:
    shirt = SHIRTS["grey on cream"]
    assert not failed(checked(shirt, joined(shirt) * gain, shirt.joined_matte))


@pytest.mark.parametrize(
    ("name", "part"),
    few_often(
        [
            ("white on navy", "all of it"),
            ("skin on red, with arms", "the arms"),
            ("black on stripes", "one half"),
            *((name, "one half") for name in SHIRTS if name != "black on stripes"),
            *((name, "all of it") for name in SHIRTS if name != "white on navy"),
        ],
        3,
    ),
)
def test_a_mannequin_left_in_is_seen(name: str, part: str) -> None:
    shirt = SHIRTS[name]
    x, y = places(shirt)
    where = {"all of it": x >= 0, "one half": x < 450, "the arms": y > 420}[part]
    share = np.asarray(shirt.mannequin_seen * where, np.float32)
    picture = share[..., None] * shirt.worn() + (1 - share[..., None]) * joined(shirt)
    found = checked(shirt, picture, np.maximum(shirt.joined_matte, share))
    assert "mannequin_left" in failed(found)
    truth = share.sum() / shirt.mannequin_seen.sum()
    assert found["mannequin_left"].measured == pytest.approx(truth, abs=0.1)


def test_a_mannequin_left_in_is_seen_although_the_colours_were_corrected() -> None:
    shirt = SHIRTS["skin on red, with arms"]
    share = shirt.mannequin_seen[..., None]
    picture = (share * shirt.worn() + (1 - share) * joined(shirt)) * 0.93
    assert "mannequin_left" in failed(checked(shirt, picture, shirt.matte))


@pytest.mark.parametrize("name", few_often(SHIRTS))
def test_a_hole_in_the_neck_is_seen_where_it_is(name: str) -> None:
    shirt = SHIRTS[name]
    rows, columns = np.nonzero(shirt.opening)
    x, y = places(shirt)
    middle = (columns.mean() * 900 / shirt.width, rows.mean() * 1200 / shirt.height)
    hole = np.hypot(x - middle[0], y - middle[1]) < 12
    found = checked(shirt, joined(shirt), np.where(hole, 0, shirt.joined_matte))
    assert "neck_filled" in failed(found)
    box = found["neck_filled"].box
    assert isinstance(box, Box)
    assert box.left <= columns.mean() <= box.right
    assert box.top <= rows.mean() <= box.bottom


@pytest.mark.parametrize("name", few_often(SHIRTS))
def test_an_empty_neck_is_seen(name: str) -> None:
    shirt = SHIRTS[name]
    found = checked(shirt, joined(shirt), np.where(shirt.opening, 0, shirt.joined_matte))
    assert "neck_filled" in failed(found)
    assert found["neck_filled"].measured == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize(
    "name", few_often(["white on navy", "skin on red, with arms", "black on stripes", "skin on navy, larger"])
)
def test_a_bright_line_along_the_joint_is_seen(name: str) -> None:
    shirt = SHIRTS[name]
    line = along_the_neckline(shirt, shirt.width // 900)[..., None]
    assert "joint_line" in failed(checked(shirt, (1 - line) * joined(shirt) + line * 235, shirt.joined_matte))


@pytest.mark.parametrize("name", few_often(["skin on red, with arms", "black on stripes", "grey on cream"]))
def test_a_dark_line_along_the_joint_is_seen(name: str) -> None:
    shirt = SHIRTS[name]
    line = along_the_neckline(shirt, 1)[..., None]
    assert "joint_line" in failed(checked(shirt, (1 - line) * joined(shirt) + line * 5, shirt.joined_matte))


def test_a_shorter_dark_line_may_be_a_shadow_unless_it_has_the_mannequin_s_colour() -> None:
    for name, wanted in (("grey on cream", Status.WARNING), ("black on stripes", Status.FAILED)):
        shirt = SHIRTS[name]
        line = (along_the_neckline(shirt, 1) * (places(shirt)[0] < 425))[..., None]
        found = checked(shirt, (1 - line) * joined(shirt) + line * 33, shirt.joined_matte)["joint_line"]
        assert found.status is wanted
        assert ("shadow" in found.message) is (wanted is Status.WARNING)


@pytest.mark.parametrize("name", few_often(SHIRTS))
def test_a_gap_between_neck_and_garment_is_seen(name: str) -> None:
    shirt = SHIRTS[name]
    gap = along_the_neckline(shirt, 3 * (shirt.width // 900)) > 0.3
    assert "joint_outline" in failed(checked(shirt, joined(shirt), np.where(gap, 0, shirt.joined_matte)))


@pytest.mark.parametrize("name", few_often(SHIRTS))
def test_a_notch_a_spike_and_a_cut_at_the_collar_are_seen(name: str) -> None:
    shirt = SHIRTS[name]
    x, y = places(shirt)
    matte, line = shirt.joined_matte, np.abs(x - 360) < 3
    notch = np.where(line & (y < 225), 0, matte)
    spike = np.where(line & (y > 155) & (y < 195), 1, matte)
    reach = np.ones((31 * (shirt.width // 900),) * 2, np.uint8)
    near = cv2.dilate(shirt.opening.astype(np.uint8), reach) * (shirt.front > 0.5)
    cut = np.where((near > 0) & (x < 450), 0, matte)
    for broken in (notch, spike, cut):
        found = checked(shirt, joined(shirt), broken)
        assert "joint_outline" in failed(found)
        assert found["joint_outline"].box is not None


def test_without_a_recognised_mannequin_every_check_is_shown_as_skipped() -> None:
    shirt = SHIRTS["white on navy"]
    work = read_returned(works.png(shirt.joined(), shirt.joined_matte), name="work", limits=works.limits())
    nothing = JointDraft(np.zeros_like(shirt.matte), np.zeros(shirt.matte.shape, bool), shirt.matte)
    for lacking in (None, nothing):
        found = check_neck_joint(work, master(shirt), lacking)
        assert [(one.code, one.status) for one in found] == [(code, Status.SKIPPED) for code in CODES]
        assert all("No mannequin was recognised" in one.message for one in found)


def test_work_without_a_matte_skips_them_too() -> None:
    shirt = SHIRTS["white on navy"]
    work = read_returned(works.png(shirt.worn()), name="work", limits=works.limits())
    found = check_neck_joint(work, master(shirt), draft(shirt))
    assert {one.status for one in found} == {Status.SKIPPED}


def test_only_a_path_over_the_mannequin_leaves_the_mannequin_in() -> None:
    """Work of another size lends its matte only: the pixels are then the master's, mannequin and all."""
    shirt = SHIRTS["white on navy"]
    small = cv2.resize(np.rint(joined(shirt)).astype(np.uint8), (450, 600))
    matte = cv2.resize(shirt.joined_matte, (450, 600))
    work = read_returned(works.png(small, matte), name="work", limits=works.limits())
    assert "mannequin_left" in {
        one.code for one in check_neck_joint(work, master(shirt), draft(shirt)) if one.status is Status.FAILED
    }


def test_the_draft_s_garment_is_the_cut_out_without_the_mannequin_but_with_its_opening() -> None:
    shirt = SHIRTS["skin on red, with arms"]
    whole = draft(shirt).without_mannequin() > 0.5
    wanted = shirt.joined_matte > 0.5
    assert (whole & wanted).sum() / (whole | wanted).sum() > 0.97
