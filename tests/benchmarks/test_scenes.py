from __future__ import annotations

import numpy as np
import pytest

from benchmarks.routing_scenes import load_variation
from benchmarks.scenes import Scene, load_scene, studio_names, with_border
from tests.shared_data import shared_data


def test_a_border_carries_the_colours_on_and_the_coverage_not() -> None:
    own = np.random.default_rng(1).uniform(0, 1, (3, 4, 3)).astype(np.float32)
    wide, matte = with_border(own, np.ones((3, 4), np.float32), [1, 0, 2, 5])
    assert wide.shape == (4, 11, 3)
    assert wide.dtype == matte.dtype == np.float32
    assert (wide[1:, 2:6] == own).all()
    assert (wide[1:, :2] == own[:, :1]).all()
    assert (wide[1:, 6:] == own[:, -1:]).all()
    assert (wide[0] == wide[1]).all()
    assert matte.sum() == matte[1:, 2:6].sum() == 12


@pytest.mark.parametrize("name", ["drawn/2#0", "drawn/6#1"])
def test_a_drawn_product_s_name_always_gives_the_same_photograph(name: str) -> None:
    first, again = load_variation(name), load_variation(name)
    assert (first.photo == again.photo).all()
    assert (first.matte == again.matte).all()
    _assert_truth_is_on_white(first)


def test_a_rendered_scene_comes_with_its_truth() -> None:
    shared_data("studio", "image")
    _assert_truth_is_on_white(load_scene(studio_names()[0]))


def _assert_truth_is_on_white(scene: Scene) -> None:
    assert scene.photo.shape == scene.truth.shape == (*scene.matte.shape, 3)
    assert 0 == scene.matte.min() < scene.matte.max() <= 1
    assert (scene.truth[scene.matte == 0] == 255).all()
    assert (scene.photo[scene.matte == 0] < 255).any()
