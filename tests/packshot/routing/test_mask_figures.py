from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from packshot.routing.mask_figures import MaskFigures, measure_masks
from packshot.types import Matte


def disc(radius: int, *, x: int = 300, blur: float = 1.0) -> Matte:
    canvas = np.zeros((600, 600), np.float32)
    cv2.circle(canvas, (x, 300), radius, 1.0, -1)
    return np.asarray(cv2.GaussianBlur(canvas, (0, 0), blur), np.float32)


def test_a_sure_mask_and_its_matte_leave_no_doubt() -> None:
    figures = measure_masks(disc(180), disc(180))
    assert max(figures.model_dump(exclude={"unsure", "softness", "entropy"}).values()) < 0.05


def test_a_vague_mask_is_unsure() -> None:
    vague, sure = measure_masks(disc(180, blur=30), disc(180)), measure_masks(disc(180), disc(180))
    assert vague.unsure > 3 * sure.unsure
    assert vague.entropy > 3 * sure.entropy


def test_a_mask_that_glows_through_the_product_is_unsure_inside() -> None:
    assert measure_masks(disc(180) * 0.7, disc(180)).unsure_inside > 0.9


def test_parts_gaps_and_disagreement_are_measured() -> None:
    plain = disc(180)
    island, holed = plain.copy(), plain.copy()
    island[20:80, 20:80] = 1
    holed[260:340, 260:340] = 0
    assert measure_masks(island, plain).islands > 0.2
    assert measure_masks(holed, holed).gaps > 0.05
    apart = measure_masks(holed, plain)
    assert apart.disagreement > 0.3
    assert apart.disagreement_patch > 0.9


def test_a_product_at_the_frames_edge_is_cut() -> None:
    assert measure_masks(disc(180, x=100), disc(180, x=100)).cut > 0.05


def test_a_network_that_finds_nothing_leaves_every_doubt() -> None:
    nothing = np.zeros((600, 600), np.float32)
    assert measure_masks(nothing, nothing).unsure == 1


@settings(max_examples=40, deadline=None)
@given(
    hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=2, max_dims=2, min_side=8, max_side=40),
        elements=st.floats(0, 1, width=32),
    ),
    hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=2, max_dims=2, min_side=8, max_side=40),
        elements=st.floats(0, 1, width=32),
    ),
)
def test_every_figure_stays_in_its_range(network: Matte, matte: Matte) -> None:
    figures = measure_masks(network, matte)
    assert all(0 <= getattr(figures, name) <= 1 for name in MaskFigures.model_fields)
