from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.cutout_quality import (
    FIGURES,
    MAKERS,
    PEERS,
    Quality,
    Result,
    by_network,
    by_packshot,
    examine,
    measure,
    table,
)
from benchmarks.scenes import Scene
from packshot.cutout import Method
from packshot.types import Matte, Pixels8
from tests.benchmarks.conftest import SoftNetwork

USED = {
    "packshot": "refined",
    "packshot refined": "refined",
    "packshot matting": "matting",
    "packshot network_only": "network_only",
    "rembg": "network",
    "rembg alpha_matting": "alpha_matting",
    "rembg decontaminate": "decontaminate",
    "GrabCut": "grabcut",
}
FAULTLESS = Quality(
    sad=0, mse=0, gradient=0, iou=1, bf1=1, bf2=1, ring_delta_e=0, ring_delta_e_p95=0, halo=0, white_ratio=1
)
LARGE_PX = 2600
"""The line reduces such a photograph in two steps before the network sees it."""


@pytest.mark.parametrize(
    "method",
    [pytest.param(name, marks=[pytest.mark.slow] if "rembg" in name else []) for name in MAKERS],
)  # on a new machine rembg compiles the kernels of all of pymatting's methods first: 50 s of processor time
def test_each_way_finds_the_product_by_what_it_is_named_after(method: str, scene: Scene, network: SoftNetwork) -> None:
    composite, matte, used = MAKERS[method](scene, network)
    assert used == USED[method]
    assert (composite.dtype, matte.dtype) == (scene.photo.dtype, scene.matte.dtype)
    assert (composite.shape, matte.shape) == (scene.photo.shape, scene.matte.shape)
    assert 0 <= matte.min() <= matte.max() <= 1
    quality = measure(composite, matte, scene)
    assert quality.iou > 0.98
    assert quality.bf2 > 0.95
    assert quality.white_ratio > 0.9


@dataclasses.dataclass(frozen=True)
class WatchedNetwork(SoftNetwork):
    """It keeps what it was shown."""

    shown: list[Pixels8] = dataclasses.field(default_factory=list)

    def predict(self, rgb: Pixels8) -> Matte:
        self.shown.append(rgb)
        return super().predict(rgb)


def test_a_peer_shows_the_network_the_very_picture_that_the_line_shows_it(scene: Scene) -> None:
    large = dataclasses.replace(scene, photo=np.asarray(cv2.resize(scene.photo, (LARGE_PX, LARGE_PX)), np.uint8))
    network = WatchedNetwork(scene.matte)
    by_packshot(large, network, method=Method.NETWORK_ONLY)
    by_network(large, network)
    first, *others = network.shown
    assert max(first.shape) < LARGE_PX
    assert others
    assert all((other == first).all() for other in others)


def test_truth_itself_is_faultless(scene: Scene) -> None:
    assert measure(scene.truth, scene.matte, scene) == FAULTLESS


def test_what_lies_beside_the_truth_is_measurably_worse(scene: Scene) -> None:
    shifted = measure(np.roll(scene.truth, 4, axis=1), np.roll(scene.matte, 4, axis=1), scene)
    for figure in ("sad", "mse", "gradient", "ring_delta_e", "ring_delta_e_p95"):
        assert getattr(shifted, figure) > getattr(FAULTLESS, figure)
    for figure in ("iou", "bf1", "bf2", "white_ratio"):
        assert getattr(shifted, figure) < getattr(FAULTLESS, figure)


def test_a_scene_s_results_and_pictures_are_those_of_the_methods_asked_for(
    known_name: str, network: SoftNetwork, tmp_path: Path
) -> None:
    results = examine(known_name, network.model, ["rembg", "packshot"], show=tmp_path)
    assert [(result.scene, result.method, result.used) for result in results] == [
        (known_name, "rembg", "network"),
        (known_name, "packshot", "refined"),
    ]
    assert results[1].quality.ring_delta_e < results[0].quality.ring_delta_e
    methods = ("rembg", "packshot")
    wanted = {f"{known_name}.{method}{end}.png" for method in methods for end in ("", ".matte")}
    assert {path.name for path in tmp_path.iterdir()} == wanted


def test_the_table_has_a_row_for_each_group_and_method_and_every_figure() -> None:
    results = [
        Result(f"{kind}-white", kind, kind, "white", method, "", 1.0, FAULTLESS)
        for kind in ("hard", "pale")
        for method in ("packshot", *PEERS)
    ]
    head, rule, *rows = table(results, by="kind").splitlines()
    assert [row.split(" | ")[:3] for row in rows] == [
        [f"| {kind}", method, "1"] for kind in ("hard", "pale") for method in ("packshot", *PEERS)
    ]
    assert {line.count("|") for line in (head, rule, *rows)} == {len(FIGURES) + 6}
