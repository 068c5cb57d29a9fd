from __future__ import annotations

import io
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmarks import throughput
from benchmarks.throughput import (
    JPEG_PX,
    WEBP_PX,
    Stopwatch,
    Turn,
    all_ways,
    ratios,
    take_turns,
    watched_line,
)
from tests.drawn_products import ContrastNetwork, photograph

SIZE = (2400, 2100)
"""Large enough that no way has to enlarge the product."""
WAYS = ("packshot", "rembg", "rembg bare", "floor")


class SharedNetwork(ContrastNetwork):
    """A network that rembg's session can ask, too: about a batch of (1, 3, n, n), less 0.5."""

    def _run(self, batch: np.ndarray) -> np.ndarray:
        rgb = np.rint((batch[0].transpose(1, 2, 0) + 0.5) * 255).astype(np.uint8)
        return self.predict(rgb)[None, None]


@pytest.fixture(scope="module")
def data() -> bytes:
    return photograph(*SIZE)


@pytest.mark.slow  # the whole of rembg compiles its kernels first; what the line delivers is held by tests/packshot
@pytest.mark.parametrize("way", WAYS)
def test_each_way_delivers_the_same_three_files(way: str, data: bytes) -> None:
    ways = all_ways(SharedNetwork())
    assert set(ways) == set(WAYS)
    files = [Image.open(io.BytesIO(file)) for file in ways[way](data)]
    assert [(file.format, file.size) for file in files] == [
        ("TIFF", SIZE),
        ("JPEG", (JPEG_PX, JPEG_PX)),
        ("WEBP", (WEBP_PX, WEBP_PX)),
    ]
    if way != "floor":  # it encodes what nobody touched
        for file in files[1:]:
            pixels = np.asarray(file.convert("RGB"))
            assert (pixels[:40, :40] >= 250).all()
            assert (pixels[len(pixels) // 2, len(pixels) // 2] < 200).any()


@pytest.mark.slow  # the same
def test_every_watched_stage_of_the_line_takes_its_time(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    stages = set()
    watch = Stopwatch.watch

    def watch_for_now(self: Stopwatch, owner: ModuleType | object, name: str, stage: str) -> None:
        monkeypatch.setattr(owner, name, getattr(owner, name))  # so that it is put back
        stages.add(stage)
        watch(self, owner, name, stage)

    monkeypatch.setattr(Stopwatch, "watch", watch_for_now)
    network = SharedNetwork()
    ways, stopwatch = all_ways(network), watched_line(network)
    chosen = {name: ways[name] for name in ("packshot", "floor")}
    turns = take_turns(chosen, {"disc": data}, repeats=1, watch=stopwatch)
    assert [(turn.way, turn.scene) for turn in turns] == [("packshot", "disc"), ("floor", "disc")]
    assert {stage for stage, seconds in turns[0].stages.items() if seconds > 0} == stages
    assert ratios(turns, over="floor", figure="wall_s") == [turns[0].wall_s / turns[1].wall_s]


def test_a_stage_counts_without_the_stages_that_it_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    class Line:
        def inner(self) -> None: ...

        def outer(self) -> None:
            self.inner()

    line, stopwatch = Line(), Stopwatch()
    for name in ("inner", "outer"):
        stopwatch.watch(line, name, name)
    readings = iter([0.0, 1.0, 5.0, 7.0])  # outer begins, inner begins, inner ends, outer ends
    monkeypatch.setattr(throughput, "time", SimpleNamespace(perf_counter=readings.__next__))
    line.outer()
    assert stopwatch.taken() == {"inner": 4.0, "outer": 3.0}
    assert stopwatch.taken() == {}


def test_a_ratio_is_that_of_one_round() -> None:
    turns = [
        Turn(way, "disc", wall_s, wall_s, {})
        for ours, theirs in ((2.0, 1.0), (9.0, 3.0))
        for way, wall_s in (("packshot", ours), ("floor", theirs))
    ]
    assert ratios(turns, over="floor", figure="wall_s") == [2.0, 3.0]


def test_a_way_that_delivers_too_little_is_named() -> None:
    short: dict[str, Callable[[bytes], Any]] = {"packshot": lambda data: (data,)}
    with pytest.raises(AssertionError, match="packshot delivered 1 of 3 files of disc"):
        take_turns(short, {"disc": b""}, repeats=1, watch=Stopwatch())
