"""What counts as a jagged outline: jumps all along, where the photograph tells where its edge is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from packshot.qc.edge_rules import jagged_edge
from packshot.qc.scene import Scene
from packshot.specs.models import RuleLimits
from packshot.types import Finding, Status

LIMITS = RuleLimits(weight=0.5, good=100, bad=200, gate=False)
POINTS = 1000


def _found(jitter: Any, contrast: Any) -> Finding:
    edges = SimpleNamespace(jitter=np.asarray(jitter, np.float32), contrast=np.asarray(contrast, np.float32))
    return jagged_edge(cast(Scene, SimpleNamespace(edges=edges)), LIMITS)


def _at(points: slice, value: float, *, elsewhere: float) -> Any:
    values = np.full(POINTS, elsewhere)
    values[points] = value
    return values


def test_jumps_all_along_are_measured() -> None:
    found = _found(np.where(np.arange(POINTS) % 2, 0.5, -0.5), np.full(POINTS, 60))

    assert found.measured == 0.5


def test_edges_side_by_side_in_one_place_do_not_make_an_outline_jagged() -> None:
    assert _found(_at(np.s_[:90], 3.0, elsewhere=0.05), np.full(POINTS, 60)).measured == 0.05


def test_where_contrast_is_low_jumps_are_noise() -> None:
    found = _found(_at(np.s_[:400], 2.0, elsewhere=0.05), _at(np.s_[:400], 12.0, elsewhere=60.0))

    assert found.measured == 0.05


def test_a_pale_outline_is_measured_all_the_same_and_one_without_any_edge_is_not() -> None:
    pale = _found(np.where(np.arange(POINTS) % 2, 0.5, -0.5), np.full(POINTS, 12))
    nothing = _found(np.full(POINTS, np.nan), np.full(POINTS, 3))

    assert pale.measured == 0.5
    assert nothing.status is Status.SKIPPED
