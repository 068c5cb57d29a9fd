from __future__ import annotations

import numpy as np
import pytest

from benchmarks.escape import compare_with_truth, examine, table, upper_bound
from benchmarks.scenes import Scene
from packshot.types import Verdict
from tests.benchmarks.conftest import SoftNetwork


def test_a_perfect_edit_has_no_faults(scene: Scene) -> None:
    truth = compare_with_truth(scene.truth, scene.matte, scene)
    assert (truth.ring_delta_e, truth.boundary_f, truth.iou, truth.off_white_ratio) == (0, 1, 1, 0)
    assert (truth.worst_stretch_delta_e, truth.worst_area_ratio) == (0, 0)
    assert truth.faults == ()


def test_an_edit_beside_its_product_has_every_fault(scene: Scene) -> None:
    truth = compare_with_truth(np.roll(scene.truth, 12, axis=1), np.roll(scene.matte, 12, axis=1), scene)
    assert truth.faults == (
        "ring dE > 5",
        "BF2 < 0.9",
        "IoU < 0.97",
        "background not exact",
        "a stretch > 12",
        "an area > 0.05%",
    )


@pytest.mark.parametrize("lost", [True, False])
def test_one_bad_place_makes_an_edit_unacceptable_whatever_the_average_is(scene: Scene, lost: bool) -> None:
    """A bite, or a wedge of shadow that was kept: 12 px wide on an outline of a thousand."""
    edge = int(np.flatnonzero(scene.matte[240] >= 0.5)[-1])
    place = np.s_[228:240, edge - 9 : edge + 1] if lost else np.s_[228:240, edge + 1 : edge + 11]
    matte, composite = scene.matte.copy(), scene.truth.copy()
    matte[place], composite[place] = (0, 255) if lost else (1, 60)
    truth = compare_with_truth(composite, matte, scene)
    assert truth.average_faults == (() if lost else ("background not exact",)), "the outline's averages see nothing"
    assert truth.faults[-2:] == ("a stretch > 12", "an area > 0.05%")


def test_a_line_that_is_a_pixel_off_has_no_area_of_its_own(scene: Scene) -> None:
    truth = compare_with_truth(scene.truth, np.roll(scene.matte, 1, axis=1), scene)
    assert truth.worst_area_ratio == 0


def test_a_background_a_hair_off_white_is_the_only_fault_named(scene: Scene) -> None:
    composite = scene.truth.copy()
    composite[:20, :20] = 254
    assert compare_with_truth(composite, scene.matte, scene).faults == ("background not exact",)


@pytest.mark.parametrize("approved", [1, 20, 299])
def test_without_an_escape_the_bound_is_the_share_that_would_show_one_in_95_of_100(approved: int) -> None:
    assert upper_bound(0, approved) == pytest.approx(1 - 0.05 ** (1 / approved))


def test_the_bound_grows_with_the_escapes_up_to_everything() -> None:
    bounds = [upper_bound(escapes, 20) for escapes in range(21)]
    assert bounds == sorted(bounds)
    assert all(bound > escapes / 20 for escapes, bound in enumerate(bounds[:-1]))
    assert bounds[-1] == 1
    assert upper_bound(0, 0) == 1


def test_a_well_cut_scene_is_approved_and_acceptable(known_name: str, network: SoftNetwork) -> None:
    judged = examine(known_name, network.model)
    assert (judged.scene, judged.whole, judged.faults) == (known_name, True, ())
    assert judged.verdict == Verdict.AUTO_APPROVE
    assert judged.quick_agrees
    text = table([judged])
    assert "| hard-edged opaque | 1 | 1 | 1 (100%) | 0 (0) | 0.0% | 95.0% | 0 of 1 |" in text
    assert "agree on 1 of 1" in text
