from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks import defect_injection, escape
from benchmarks.fit_qc import Labelled, fit_rule, held_out, read_labelled, table
from packshot.qc.score import badness
from packshot.specs.models import RuleLimits
from tests.benchmarks.conftest import SoftNetwork

LESS = RuleLimits(weight=0.5, good=0.0, bad=9.0, gate=True)
MORE = RuleLimits(weight=0.5, good=1.0, bad=0.5)
GOOD = [0.10 + 0.01 * place for place in range(12)]
BAD = [0.80 + 0.05 * place for place in range(6)]


def rows(code: str, good: Sequence[float], defect: str, bad: Sequence[float]) -> list[Labelled]:
    """One product for each figure."""
    fine = [Labelled(f"good-{place}", True, "", {code: figure}) for place, figure in enumerate(good)]
    return fine + [Labelled(f"bad-{place}", True, defect, {code: figure}) for place, figure in enumerate(bad)]


def test_fitted_limits_take_nothing_from_the_good_and_all_from_the_bad() -> None:
    fitted = fit_rule(rows("fringe", GOOD, "halo 1-3 px", BAD), "fringe", LESS)
    assert fitted.good < fitted.bad
    assert [badness(figure, fitted) for figure in GOOD] == [0] * len(GOOD)
    assert [badness(figure, fitted) for figure in BAD] == [1] * len(BAD)
    assert (fitted.weight, fitted.gate) == (LESS.weight, LESS.gate)


def test_where_more_is_better_the_limits_lie_the_other_way_round() -> None:
    good, bad = [1 - figure for figure in GOOD], [1 - figure for figure in BAD]
    fitted = fit_rule(rows("fringe", good, "halo 1-3 px", bad), "fringe", MORE)
    assert fitted.good > fitted.bad
    assert [badness(figure, fitted) for figure in good] == [0] * len(good)
    assert [badness(figure, fitted) for figure in bad] == [1] * len(bad)


@pytest.mark.parametrize(
    ("good", "bad"),
    [(GOOD[:9], BAD), (GOOD, BAD[:4]), (BAD * 2, GOOD)],
    ids=["too few good", "too few bad", "no limit is better than none"],
)
def test_where_nothing_can_be_fitted_the_old_limits_stay(good: list[float], bad: list[float]) -> None:
    assert fit_rule(rows("fringe", good, "halo 1-3 px", bad), "fringe", LESS) is LESS


def test_defects_that_a_rule_is_not_to_name_do_not_count() -> None:
    assert fit_rule(rows("fringe", GOOD, "blur", BAD), "fringe", LESS) is LESS


def test_products_left_out_of_the_fit_are_told_apart_too() -> None:
    labelled = rows("fringe", GOOD, "halo 1-3 px", BAD)
    good, bad = held_out(labelled, "fringe", LESS)
    assert good == [0] * len(GOOD)
    assert bad == pytest.approx([1] * len(BAD), abs=0.15)
    assert f"| 0.0% of {len(GOOD)} | 0.0% of {len(GOOD)} |" in table(labelled, {"fringe": LESS})


def test_what_the_other_benchmarks_write_is_read(known_name: str, network: SoftNetwork, tmp_path: Path) -> None:
    injected = [dataclasses.asdict(one) for one in defect_injection.examine(known_name, 1, ("blur",))]
    judged = [dataclasses.asdict(escape.examine(known_name, network.model))]
    files = tmp_path / "defects.json", tmp_path / "escape.json"
    for file, written in zip(files, (injected, judged), strict=True):
        file.write_text(json.dumps(written))
    labelled = read_labelled(files)
    assert [(row.product, row.hard, row.defect) for row in labelled] == [
        ("disc", True, ""),
        ("disc", True, "blur"),
        ("disc", True, ""),
    ]
    assert all(row.measured["blurred"] is not None for row in labelled)
