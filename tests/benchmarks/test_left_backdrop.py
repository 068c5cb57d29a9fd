"""Training the forests of left backdrop: what each one learns from and judges by."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.left_backdrop import RECIPES, Right, Table, asked, tables, write
from packshot.qc.closer_look import NAMES
from packshot.qc.left_backdrop import SECOND, shipped_forest
from packshot.routing.forest import Forest

SIDE = 300


@pytest.fixture(scope="module")
def made() -> list[Table]:
    """A ring on grey: with its right matte, and with wrong ones."""
    rng = np.random.default_rng(2)
    matte = np.zeros((SIDE, SIDE), np.float32)
    cv2.circle(matte, (150, 150), 90, 1, 14)
    matte = np.asarray(cv2.GaussianBlur(matte, (0, 0), 0.7), np.float32)
    own, behind = np.array([150, 70, 40], np.float32), np.array([170, 170, 170], np.float32)
    photo = own * matte[..., None] + behind * (1 - matte[..., None]) + rng.normal(0, 1.5, (SIDE, SIDE, 3))
    photo8 = np.clip(np.rint(photo), 0, 255).astype(np.uint8)
    return tables(Right("comp", "ring#0", "ring", photo8, matte, 6))


def test_a_wrong_matte_s_table_has_backdrop_and_the_figures_of_the_closer_look(made: list[Table]) -> None:
    wrong = [one for one in made if not one.right]
    assert any((one.backdrop > 0.8).any() for one in wrong)
    for one in wrong:
        assert one.names[-len(NAMES) :] == NAMES
        assert one.figures.shape == (len(one.area), len(one.names))


def test_only_the_second_forest_judges_by_the_closer_look(made: list[Table]) -> None:
    one = made[-1]
    assert asked(one, RECIPES["second"]).shape[1] - asked(one, RECIPES["first"]).shape[1] == len(NAMES)
    assert np.array_equal(asked(one, RECIPES["first"]), one.figures[:, : -len(NAMES)])


def test_the_second_forest_learns_from_one_backdrop_of_each_cut_out_and_the_first_from_three(made: list[Table]) -> None:
    turns = [dataclasses.replace(made[-1], name=f"ring#{turn}") for turn in range(3)]
    assert [RECIPES["first"].learns_from(one) for one in turns] == [True, True, True]
    assert [RECIPES["second"].learns_from(one) for one in turns] == [True, False, False]
    varied = dataclasses.replace(made[-1], source="varied")
    assert not RECIPES["first"].learns_from(varied)
    assert RECIPES["second"].learns_from(varied)


def test_a_trained_forest_is_written_with_the_names_that_the_shipped_one_has(made: list[Table], tmp_path: Path) -> None:
    part = dataclasses.replace(made[-1], right=True, backdrop=np.zeros(len(made[-1].area)))
    both = [made[-1], dataclasses.replace(part, own=np.ones(len(part.area)))]
    write(both * 20, RECIPES["second"]._replace(trees=2), tmp_path)
    forest = Forest.model_validate_json((tmp_path / SECOND).read_text(encoding="utf-8"))
    assert forest.names == shipped_forest(SECOND).names
    assert len(forest.trees) == 2
