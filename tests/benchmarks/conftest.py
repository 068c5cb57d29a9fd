"""A drawn scene with exact truth, small enough to be cut out by every way, and a network that sees it softly."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from benchmarks import cutout_quality, escape, qc_edits
from benchmarks.defects import Edit
from benchmarks.scenes import BACKDROPS, Scene, draw_backdrop, photographed
from packshot.colour.spaces import encode_working
from packshot.colour.transform import working_to_srgb8
from packshot.types import Matte, Pixels8
from tests.drawn_products import coverage

SIDE = 480
CELLS = 256
PAINT = (0.45, 0.12, 0.06)
"""Linear working-space light, unlike the backdrop's."""


@dataclasses.dataclass(frozen=True)
class SoftNetwork:
    """A network that gives a known matte in coarse cells, soft at the edge, whatever it is shown."""

    matte: Matte
    model: str = "soft"
    fingerprint: str = "0" * 12
    engine: str = "none"
    precision: str = "float32"

    def predict(self, rgb: Pixels8) -> Matte:
        cells = cv2.resize(self.matte, (CELLS, CELLS), interpolation=cv2.INTER_AREA)
        return np.clip(cv2.GaussianBlur(cells, (0, 0), 1.2), 0, 1)


@pytest.fixture(scope="session")
def scene() -> Scene:
    """A striped disc with a round gap on mid grey. Nothing can write into its pictures."""
    rng = np.random.default_rng(3)
    matte = coverage(SIDE, SIDE, radius_ratio=0.36) * (1 - coverage(SIDE, SIDE, radius_ratio=0.08))
    y, x = np.mgrid[:SIDE, :SIDE]
    stripes = 0.8 + 0.2 * np.sin(x / 23) * np.cos(y / 31)
    own, share = (stripes[..., None] * PAINT).astype(np.float32), matte[..., None]
    photo = photographed(share * own + (1 - share) * draw_backdrop(matte, BACKDROPS["midgrey"], rng), rng)
    truth = working_to_srgb8(encode_working((share * own + (1 - share)).astype(np.float32)))
    truth[matte == 0] = 255
    for picture in (photo, matte, truth):
        picture.setflags(write=False)
    return Scene("disc@midgrey", "disc", "hard", "midgrey", photo, matte, truth)


@pytest.fixture(scope="session")
def network(scene: Scene) -> SoftNetwork:
    return SoftNetwork(scene.matte)


@pytest.fixture
def known_name(scene: Scene, network: SoftNetwork, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The drawn scene's name, by which the benchmarks find it and its network: no test data, no model's file."""
    for module in (cutout_quality, escape, qc_edits):
        monkeypatch.setattr(module, "load_scene", {scene.name: scene}.__getitem__)
    for module in (cutout_quality, escape):
        monkeypatch.setattr(module, "KeptSegmenter", {network.model: network}.__getitem__)
    threads = cv2.getNumThreads()  # a benchmark sets them for a process of its own
    yield scene.name
    cv2.setNumThreads(threads)


@pytest.fixture
def edit(known_name: str) -> Edit:
    """The good edit that truth makes of the scene."""
    return qc_edits.true_edit(known_name).edit
