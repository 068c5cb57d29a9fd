"""The head start as a whole: mask, neck shot and layered file, and what is said of them."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
import pytest
from psd_tools import PSDImage

from packshot.handoff.neck_joint.joint import EXTERIOR_LAYER, FINDINGS, NECK_LAYER, JointProof, NeckJoint, join_neck
from packshot.types import Status
from tests.drawn_mannequins import CREAM, RED, SKIN, WHITE, Garment, similarity
from tests.packshot.handoff.neck_joint.shirts import as_master, exterior, inside_out, neck, overlap

SHIRT = Garment(SKIN, RED, arms=True, pointed=True, depth=220)
MOVED = similarity(scale=1.3, degrees=4, shift=(20, 60), about=(450, 300))


@cache
def joined() -> NeckJoint:
    """The shirt and its neck shot, prepared once for the tests that look at it."""
    return join_neck(exterior(SHIRT), neck(SHIRT, MOVED))


@cache
def bare() -> NeckJoint:
    """The same without a neck shot."""
    return join_neck(exterior(SHIRT), None)


@cache
def placed() -> NeckJoint:
    """A shirt and its neck shot turned inside out."""
    return join_neck(exterior(Garment()), inside_out(Garment()))


@cache
def unrecognised() -> NeckJoint:
    """A shirt on a mannequin of its own colour."""
    shirt = Garment(WHITE, CREAM)
    return join_neck(exterior(shirt), neck(shirt))


def test_the_layers_are_the_two_photographs_and_show_no_mannequin() -> None:
    joint = joined()
    document = PSDImage.open(io.BytesIO(joint.layered_psd))
    assert [one.name for one in document] == [NECK_LAYER, EXTERIOR_LAYER]
    upper = document[1].numpy("color")
    assert upper is not None
    assert np.array_equal(np.rint(upper * 65535), exterior(SHIRT).pixels)  # nothing painted, nothing lost
    flat = document.numpy()
    shown = flat[..., 3] > 0.5
    assert overlap(shown, SHIRT.joined_matte > 0.5) > 0.99
    true = as_master(SHIRT.joined())
    off = np.abs(flat[..., :3] * 65535 - true.astype(np.float64)).max(axis=2)
    garment = (SHIRT.front > 0.99) & (SHIRT.mannequin_seen == 0)
    assert np.median(off[garment]) < 600
    assert joint.findings == ()


def test_the_ticket_s_words_hold_the_figures() -> None:
    words = joined().proof.words()
    assert "A draft" in words["mannequin mask"]
    assert "Aligned by" in words["neck shot"]
    assert "76.9% of its size" in words["neck shot"]


def test_what_is_only_placed_is_said_to_be_placed() -> None:
    joint = placed()
    assert [(one.code, one.status) for one in joint.findings] == [("neck_not_aligned", Status.WARNING)]
    assert joint.proof.words()["neck shot"].startswith("Placed, not aligned")


def test_an_unrecognised_mannequin_is_said_and_nothing_is_masked() -> None:
    shirt = Garment(WHITE, CREAM)
    joint = unrecognised()
    assert ("mannequin_not_recognised", Status.SKIPPED) in [(one.code, one.status) for one in joint.findings]
    assert "Nothing is hidden" in joint.proof.words()["mannequin mask"]
    assert not joint.mannequin.any()
    document = PSDImage.open(io.BytesIO(joint.layered_psd))
    mask = document[1].numpy("mask")
    assert mask is not None
    assert np.abs(mask[..., 0] - shirt.matte).max() < 1e-4


def test_without_a_neck_shot_there_is_a_mask_but_no_layered_file() -> None:
    joint = bare()
    assert joint.layered_psd == b""
    assert [one.code for one in joint.findings] == ["neck_joint_missing"]
    assert joint.mannequin.any()
    assert joint.proof.words()["neck shot"] == "There is none."


def test_every_finding_s_code_is_known_for_replacing_it() -> None:
    found = {one.code for joint in (unrecognised(), placed(), bare()) for one in joint.findings}
    assert found <= FINDINGS


def test_proof_survives_json() -> None:
    proof = joined().proof
    assert JointProof.model_validate_json(proof.model_dump_json()) == proof


@pytest.mark.parametrize("lacking", ["laid in", ""])
def test_every_way_has_its_words(lacking: str) -> None:
    assert JointProof(mannequin=False, mannequin_why_not="No neck.", how=lacking).words()["neck shot"]
