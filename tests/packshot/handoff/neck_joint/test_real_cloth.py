"""Real shirts on a drawn mannequin: mask, alignment, and what the checks say of the hollow original when returned."""

from __future__ import annotations

import numpy as np
import pytest

from packshot.handoff.neck_joint.joint import join_neck
from packshot.handoff.neck_joint.placing import Side
from packshot.returned.neck_joint import JointDraft, check_neck_joint
from packshot.returned.read import read_returned
from packshot.types import Status
from tests.drawn_mannequins import BLACK, GREY, SKIN, WHITE, similarity
from tests.often import few_often
from tests.packshot.handoff.neck_joint.shirts import as_master, overlap
from tests.packshot.handoff.neck_joint.worn import WornShirt
from tests.packshot.returned import works
from tests.shared_data import shared_data

NECKLINES = {
    "00151_00": (231, 535, 169, 222),  # striped
    "03032_00": (284, 484, 147, 210),  # black, with a print
    "049805_1": (288, 440, 134, 211),  # purple, with a print
    "050191_1": (297, 441, 170, 236),  # green
}
CASES = [
    (name, colour)
    for name in NECKLINES
    for colour in (WHITE, GREY, BLACK, SKIN)
    if (name, colour) != ("03032_00", BLACK)
]


def shirt_on(name: str, colour: tuple[int, int, int]) -> WornShirt:
    return WornShirt(shared_data("products", "vton-garments", f"{name}.jpg"), NECKLINES[name], colour)


@pytest.mark.parametrize(("name", "colour"), few_often(CASES))
def test_the_joint_of_real_cloth_is_prepared_and_the_good_one_is_not_sent_back(
    name: str, colour: tuple[int, int, int]
) -> None:
    shirt = shirt_on(name, colour)
    moved = similarity(scale=1.2, degrees=3, shift=(10, 25), about=(384, 200))
    picture, matte = shirt.neck(moved)
    pixels = as_master(shirt.worn())
    joint = join_neck(Side(pixels, shirt.matte), Side(as_master(picture), matte))
    assert joint.proof.mannequin, joint.proof.mannequin_why_not
    assert overlap(joint.mannequin > 0.5, shirt.mannequin_seen > 0.5) > 0.94
    assert joint.proof.how == "aligned"
    assert joint.proof.scale == pytest.approx(1 / 1.2, rel=0.003)
    assert joint.proof.degrees == pytest.approx(3, abs=0.2)
    draft = JointDraft(joint.mannequin, joint.opening, shirt.matte)
    good = read_returned(works.png(shirt.hollow, shirt.hollow_matte), name="good", limits=works.limits())
    assert not [one for one in check_neck_joint(good, pixels, draft) if one.status is Status.FAILED]
    bad = read_returned(works.png(shirt.worn(), shirt.matte), name="bad", limits=works.limits())
    failed = {one.code for one in check_neck_joint(bad, pixels, draft) if one.status is Status.FAILED}
    assert "mannequin_left" in failed


def test_a_black_shirt_on_a_black_mannequin_is_said_not_to_be_told_apart() -> None:
    shirt = shirt_on("03032_00", BLACK)
    joint = join_neck(Side(as_master(shirt.worn()), shirt.matte), None)
    assert not joint.proof.mannequin
    assert not np.any(joint.mannequin)
