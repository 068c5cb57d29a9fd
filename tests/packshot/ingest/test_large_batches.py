"""Grouping a batch and taking stock of it take time in proportion to its shots. Work is counted, at n and at 4n."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import timedelta

import numpy as np
import pytest

from packshot.ingest import light_outliers
from packshot.ingest.grouping import ShotLight
from packshot.ingest.manifest import read_manifest
from packshot.ingest.shoot_groups import state_groups
from packshot.ingest.stock import StockedFile, take_stock
from packshot.specs.models import GroupLimits, IngestConfig
from tests.packshot.ingest.lights import START, backdrop, shot

_N = 60
_GROWTH = 4 * 1.3


def _work(function: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> int:
    """Steps of Python in this project's code, and colour differences that are computed."""
    lines = compared = 0
    real = light_outliers.delta_e_2000

    def counted(first, second):
        nonlocal compared
        result = real(first, second)
        compared += result.size
        return result

    def trace(frame, event, argument):
        nonlocal lines
        if frame.f_globals.get("__name__", "").startswith("packshot."):
            frame.f_trace_opcodes = True
            lines += 1
            return trace
        return None

    monkeypatch.setattr(light_outliers, "delta_e_2000", counted)
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(before)
    return lines + compared


def _one_light(n: int) -> list[ShotLight]:
    return [shot(f"a{k:05}", minute=k / 100, backdrop=backdrop(0.01 * (k % 7))) for k in range(n)]


def _two_lights(n: int) -> list[ShotLight]:
    return [shot(f"a{k:05}", minute=k / 100, backdrop=backdrop(-1.0 * (k % 2))) for k in range(n)]


def _strays(n: int) -> list[ShotLight]:
    """Two lights, and every fifth shot without a backdrop."""
    return [
        shot(f"a{k:05}", minute=k / 100, backdrop=None if k % 5 == 0 else backdrop(-1.0 * (k % 2))) for k in range(n)
    ]


def _a_pause_after_each(n: int) -> list[ShotLight]:
    lights = [shot(f"a{k:05}", minute=0, backdrop=backdrop(0)) for k in range(n)]
    return [one.model_copy(update={"taken_at": START + timedelta(hours=k)}) for k, one in enumerate(lights)]


_BATCHES = {"one light": _one_light, "two lights": _two_lights, "strays": _strays, "a pause each": _a_pause_after_each}


@pytest.mark.parametrize("name", _BATCHES)
def test_grouping_is_linear_in_the_shots(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def grouped(lights: Sequence[ShotLight]) -> object:
        decisions, statements = state_groups(lights, config=IngestConfig())
        before = {one: (stated.group, stated.part) for stated in statements.values() for one in stated.shots}
        return state_groups(lights, config=IngestConfig(), before=before), decisions

    few, many = (_work(lambda n=n: grouped(_BATCHES[name](n)), monkeypatch) for n in (_N, 4 * _N))
    assert many <= _GROWTH * few


def test_taking_stock_is_linear_in_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    def stocked(n: int) -> object:
        names = [f"shoot/B{k:05}_MAIN.{kind}" for k in range(n) for kind in ("nef", "xmp")]
        files = {name: StockedFile(sha256=f"{name:>064}", size_bytes=1) for name in names}
        rows = "\n".join(f"B{k:05}_MAIN.nef,B{k:05}" for k in range(n))
        found = take_stock(files, read_manifest(f"file,sku\n{rows}\n".encode(), name="manifest.csv"))
        assert (len(found.shots), len(found.sidecars), len(found.rows)) == (n, n, n)
        return found

    few, many = (_work(lambda n=n: stocked(n), monkeypatch) for n in (_N, 4 * _N))
    assert many <= _GROWTH * few


def test_a_drift_of_many_steps_is_compared_by_its_colours_and_not_by_its_shots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many shots of few backdrops: the differences computed do not grow with the shots at all."""
    sizes = []
    real = light_outliers.delta_e_2000
    monkeypatch.setattr(light_outliers, "delta_e_2000", lambda a, b: sizes.append(np.size(b) // 3) or real(a, b))
    counts = []
    for n in (100, 400):
        sizes.clear()
        drifting = [shot(f"a{k:04}", backdrop=backdrop(-0.04 * (k % 50))) for k in range(n)]
        assert len(light_outliers.clusters(drifting, GroupLimits())) == 1
        counts.append(sum(sizes))
    assert counts[0] == counts[1]
