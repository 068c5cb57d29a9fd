"""Where the neck shot is put, against the map by which it was moved."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from packshot.handoff.neck_joint.placing import How, NeckPlace, Side, place_neck
from tests.drawn_mannequins import BLACK, RED, SKIN, TEAL, Garment, similarity
from tests.often import few_often
from tests.packshot.handoff.neck_joint.shirts import draft, exterior, inside_out, mapped, neck, neckline

ABOUT = (450.0, 300.0)
MOVES = [
    (1.0, 0, (0.0, 0.0)),
    (1.25, 3, (12.3, -7.7)),
    (0.8, -6, (30.0, 10.0)),
    (1.7, 10, (-40.0, 150.0)),
    (0.6, 15, (0.0, 0.0)),
    (2.2, 2, (0.0, 300.0)),
]


def placed(shirt: Garment, side: Side) -> NeckPlace:
    found = draft(shirt)
    return place_neck(exterior(shirt), found.mask, found.opening, side)


def error_px(shirt: Garment, place: NeckPlace, moved: np.ndarray) -> float:
    """How far the farthest corner of the neckline is from where it should be."""
    corners = neckline(shirt)
    return float(np.linalg.norm(mapped(mapped(corners, moved), place.warp) - corners, axis=1).max())


@pytest.mark.parametrize(("scale", "degrees", "shift"), few_often(MOVES))
@pytest.mark.parametrize("shirt", [Garment(), Garment(SKIN, RED, pointed=True, depth=220)], ids=["round", "pointed"])
def test_points_in_common_align_it_to_a_fraction_of_a_pixel(
    shirt: Garment, scale: float, degrees: float, shift: tuple[float, float]
) -> None:
    moved = similarity(scale=scale, degrees=degrees, shift=shift, about=ABOUT)
    place = placed(shirt, neck(shirt, moved))
    assert place.how is How.ALIGNED
    assert place.points >= 16
    assert place.residual_px is not None
    assert place.residual_px < 1
    assert place.unsure_px is not None
    assert place.unsure_px < 1
    assert error_px(shirt, place, moved) < 0.5
    assert place.scale == pytest.approx(1 / scale, rel=0.002)
    assert place.degrees == pytest.approx(degrees, abs=0.1)


def test_stripes_do_not_lead_it_to_the_next_stripe() -> None:
    shirt = Garment(BLACK, TEAL, striped=True)
    moved = similarity(scale=1.1, degrees=2, shift=(5, 9), about=ABOUT)
    place = placed(shirt, neck(shirt, moved))
    assert place.how is How.ALIGNED
    assert error_px(shirt, place, moved) < 0.5


@pytest.mark.parametrize(
    ("scale", "shift"), few_often([(0.7, (40.0, 25.0)), (1.0, (0.0, 0.0)), (1.08, (-12.0, 8.0))], 1)
)
def test_a_shirt_turned_inside_out_is_placed_by_its_shoulders_and_that_is_said(
    scale: float, shift: tuple[float, float]
) -> None:
    shirt = Garment()
    moved = similarity(scale=scale, shift=shift, about=ABOUT)
    place = placed(shirt, inside_out(shirt, moved))
    assert place.how is How.PLACED
    assert place.points == 0
    assert place.residual_px is None
    assert place.outline_px is not None
    assert error_px(shirt, place, moved) < 8


def test_a_photograph_of_something_else_is_only_laid_in() -> None:
    shirt = Garment()
    disc = np.zeros((1200, 900), np.float32)
    cv2.circle(disc, (450, 600), 300, 1.0, -1)
    place = placed(shirt, Side(np.full((1200, 900, 3), 20000, np.uint16), disc))
    assert place.how is How.LAID_IN
    assert (place.points, place.residual_px, place.outline_px) == (0, None, None)


def test_another_shirt_is_never_called_aligned() -> None:
    shirt, other = Garment(), Garment(seed=44)
    assert placed(shirt, neck(other)).how is not How.ALIGNED
