"""The draft of what is mannequin, on drawn shirts with exact truth and on real garments without any mannequin."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import binary_fill_holes

from packshot.handoff.neck_joint.mannequin import LEAST_SURE, find_mannequin
from packshot.ingest.decode import open_photo
from packshot.ingest.master import develop
from tests.drawn_mannequins import BLACK, CREAM, GREY, NAVY, RED, SKIN, TEAL, WHITE, Garment
from tests.often import few_often
from tests.packshot.handoff.neck_joint.shirts import as_master, draft, overlap
from tests.packshot.returned import works
from tests.shared_data import shared_data

SHIRTS = [
    Garment(mannequin, cloth, arms=arms, pointed=arms, depth=220 if arms else 130)
    for mannequin, arms in ((WHITE, False), (GREY, True), (BLACK, True), (SKIN, False))
    for cloth in (NAVY, RED, TEAL, CREAM)
    if (mannequin, cloth) != (WHITE, CREAM)
]
STRIPED = [Garment(one, TEAL, striped=True) for one in (WHITE, GREY, BLACK, SKIN)]


def named(shirt: Garment) -> str:
    return f"{shirt.mannequin[0]}-{shirt.cloth[0]}{'-arms' * shirt.arms}{'-striped' * shirt.striped}"


@pytest.mark.parametrize(
    "shirt", few_often([SHIRTS[0], SHIRTS[6], STRIPED[0], *SHIRTS[1:6], *SHIRTS[7:], *STRIPED[1:]], 3), ids=named
)
def test_neck_and_arms_are_found_and_the_garment_is_left_alone(shirt: Garment) -> None:
    found = draft(shirt)
    assert found.recognised, found.why_not
    assert found.seam
    assert found.seam.visible_ratio >= LEAST_SURE
    assert overlap(found.mask > 0.5, shirt.mannequin_seen > 0.5) > 0.98
    assert np.abs(found.mask - shirt.mannequin_seen)[shirt.matte > 0.99].mean() < 0.003


@pytest.mark.parametrize("shirt", few_often(SHIRTS[:4], 1), ids=named)
def test_the_opening_lies_inside_the_neckline(shirt: Garment) -> None:
    found = draft(shirt).opening
    assert (found & ~shirt.opening).sum() < 0.02 * shirt.opening.sum()
    assert (found & shirt.opening).sum() > 0.85 * shirt.opening.sum()


@pytest.mark.slow
def test_a_larger_photograph_is_found_as_exactly() -> None:
    shirt = Garment(SKIN, NAVY, width=1800, height=2400)
    found = draft(shirt)
    assert overlap(found.mask > 0.5, shirt.mannequin_seen > 0.5) > 0.99


def test_a_garment_of_the_mannequin_s_colour_is_said_not_to_be_told_apart() -> None:
    found = draft(Garment(WHITE, CREAM))
    assert not found.recognised
    assert "colour" in found.why_not
    assert not found.mask.any()
    assert not found.opening.any()


def test_without_a_mannequin_none_is_found() -> None:
    shirt = Garment()
    found = find_mannequin(as_master(shirt.neck()[0]), shirt.joined_matte)
    assert not found.recognised
    assert found.why_not.endswith(".")


def test_a_neck_with_a_pattern_is_no_mannequin() -> None:
    shirt = Garment()
    pixels = as_master(shirt.worn()).copy()
    pixels[:, np.arange(900) // 15 % 2 == 0] //= 2
    assert not find_mannequin(pixels, shirt.matte).recognised


@pytest.mark.slow
def test_of_real_garments_without_a_mannequin_few_are_mistaken() -> None:
    """Hoods with a light lining and light collars are: 3 of 42."""
    files = [
        *shared_data("products", "vton-garments").glob("*.jpg"),
        *shared_data("products", "smartstore").glob("ladies_jacket_*.jpg"),
        *shared_data("garments", "snowdevil").glob("*.jpeg"),
    ]
    mistaken = []
    for file in sorted(files):
        limits = works.limits().model_copy(update={"min_px": 1})
        pixels = develop(open_photo(file.read_bytes(), name=file.name, limits=limits)).pixels16
        border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
        off = np.abs(pixels - np.median(border, axis=0)).max(axis=2) > 6 * 257
        if find_mannequin(pixels, binary_fill_holes(off).astype(np.float32)).recognised:
            mistaken.append(file.name)
    assert len(files) >= 40
    assert len(mistaken) <= 4, mistaken
