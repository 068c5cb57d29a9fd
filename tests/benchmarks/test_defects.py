from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from benchmarks.defect_injection import examine, table
from benchmarks.defects import DEFECTS, Edit, punched_hole
from benchmarks.scenes import Scene
from packshot.types import Verdict
from tests.drawn_products import coverage

SEEDS = range(4)


def same(first: Edit, second: Edit) -> bool:
    """Whether two edits are the same to the last bit."""
    pairs = zip(vars(first).values(), vars(second).values(), strict=True)
    return all(np.array_equal(one, other) for one, other in pairs)


def copied(edit: Edit) -> Edit:
    return dataclasses.replace(
        edit,
        master=edit.master.copy(),
        matte=edit.matte.copy(),
        network=edit.network.copy(),
        composite=edit.composite.copy(),
    )


@pytest.mark.parametrize("label", DEFECTS)
def test_a_defect_is_in_the_edit_that_comes_back_and_not_in_the_one_given(label: str, edit: Edit) -> None:
    make, before = DEFECTS[label][0], copied(edit)
    made = [make(edit, np.random.default_rng(seed)) for seed in SEEDS]
    changed = [one for one in made if one is not None]
    assert changed
    assert not any(same(one, before) for one in changed)
    assert same(edit, before)


@pytest.mark.parametrize("label", DEFECTS)
def test_the_same_chance_makes_the_same_defect(label: str, edit: Edit) -> None:
    first, again = (DEFECTS[label][0](edit, np.random.default_rng(1)) for _ in range(2))
    assert first is not None
    assert again is not None
    assert same(first, again)


@pytest.mark.parametrize("label", [label for label in DEFECTS if "composite only" in label])
def test_of_a_defect_in_the_composite_only_the_matte_knows_nothing(label: str, edit: Edit) -> None:
    changed = DEFECTS[label][0](edit, np.random.default_rng(0))
    assert changed is not None
    assert np.array_equal(changed.matte, edit.matte)
    assert not np.array_equal(changed.composite, edit.composite)


def test_a_product_without_room_for_a_hole_gets_none(scene: Scene, edit: Edit) -> None:
    side = len(scene.matte)
    wire = coverage(side, side, radius_ratio=0.36) * (1 - coverage(side, side, radius_ratio=0.35))
    thin = dataclasses.replace(edit, matte=wire, network=wire)
    assert [punched_hole(thin, np.random.default_rng(seed)) for seed in SEEDS] == [None] * len(SEEDS)


def test_the_good_edit_is_approved_and_with_any_defect_kept_back(known_name: str) -> None:
    untouched, *injected = examine(known_name, 1, tuple(DEFECTS))
    assert untouched.verdict == Verdict.AUTO_APPROVE
    assert [outcome.defect for outcome in injected] == list(DEFECTS)
    assert [outcome.defect for outcome in injected if outcome.verdict == Verdict.AUTO_APPROVE] == []
    text = table([untouched, *injected])
    assert f"| all | {len(DEFECTS)} | 100.0% |" in text
    assert "False alarms, hard-edged opaque: 0 of 1." in text
