"""Points fall linearly between good and bad, a component never below zero, and a gate never makes a verdict milder."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot.errors import ConfigError
from packshot.qc.score import badness, component_points, decide_verdict, limits_of, severity, status_of, stricter
from packshot.specs.models import RuleLimits
from packshot.types import Finding, Status, Verdict

LESS = RuleLimits(weight=0.5, good=1.0, bad=3.0)
MORE = RuleLimits(weight=0.5, good=0.9, bad=0.7)
STEP = RuleLimits(weight=1, good=0, bad=0)


def finding(measured: float | None, *, status: Status = Status.FAILED, gate: bool = False) -> Finding:
    return Finding(code="fringe", status=status, message="", measured=measured, gate=gate)


@pytest.mark.parametrize(
    ("measured", "limits", "expected"),
    [
        (0.5, LESS, 0),
        (1, LESS, 0),
        (2, LESS, 0.5),
        (3, LESS, 1),
        (9, LESS, 1),
        (0.95, MORE, 0),
        (0.8, MORE, 0.5),
        (0.1, MORE, 1),
    ],
)
def test_badness_is_linear_between_good_and_bad(measured: float, limits: RuleLimits, expected: float) -> None:
    assert badness(measured, limits) == pytest.approx(expected)


def test_equal_limits_make_a_step() -> None:
    assert badness(0, STEP) == 0
    assert badness(1e-9, STEP) == 1


@given(st.floats(-10, 10), st.floats(-10, 10))
def test_more_of_a_bad_thing_never_costs_less(first: float, second: float) -> None:
    low, high = sorted((first, second))
    assert badness(low, LESS) <= badness(high, LESS)
    assert badness(low, MORE) >= badness(high, MORE)


def test_status_follows_badness() -> None:
    assert [status_of(value, LESS) for value in (1, 2, 3)] == [Status.PASSED, Status.WARNING, Status.FAILED]


def test_rules_add_up_and_a_component_never_falls_below_zero(configs: Any) -> None:
    config = configs.qc.model_copy(update={"rules": {"fringe": RuleLimits(weight=0.8, good=0, bad=1)}})
    assert component_points([finding(1.0)], config, points=25) == pytest.approx(5)
    assert component_points([finding(1.0), finding(1.0)], config, points=25) == 0
    assert component_points([finding(0.25)], config, points=25) == pytest.approx(25 * (1 - 0.8 * 0.25))


def test_skipped_and_foreign_findings_cost_nothing(configs: Any) -> None:
    skipped = finding(None, status=Status.SKIPPED)
    foreign = Finding(code="of_another_room", status=Status.FAILED, message="", measured=9)
    assert component_points([skipped, foreign], configs.qc, points=25) == 25


@pytest.mark.parametrize(
    ("score", "gate", "verdict"),
    [
        (100, False, Verdict.AUTO_APPROVE),
        (90, False, Verdict.AUTO_APPROVE),
        (89.9, False, Verdict.HUMAN_REVIEW),
        (70, False, Verdict.HUMAN_REVIEW),
        (69.9, False, Verdict.REJECT_AND_REDO),
        (100, True, Verdict.HUMAN_REVIEW),
        (69.9, True, Verdict.REJECT_AND_REDO),
    ],
)
def test_gates_override_upward_only(configs: Any, score: float, gate: bool, verdict: Verdict) -> None:
    assert decide_verdict(score, [finding(1, gate=gate)], configs.qc) is verdict


def test_passed_gate_stops_nothing(configs: Any) -> None:
    passed = finding(0, status=Status.PASSED, gate=True)
    assert decide_verdict(100, [passed], configs.qc) is Verdict.AUTO_APPROVE


@pytest.mark.parametrize(
    ("measured", "status", "verdict"),
    [
        (5.0, Status.FAILED, Verdict.AUTO_APPROVE),
        (5.1, Status.FAILED, Verdict.REJECT_AND_REDO),
        (5.1, Status.SKIPPED, Verdict.AUTO_APPROVE),
        (None, Status.FAILED, Verdict.AUTO_APPROVE),
    ],
)
def test_a_value_beyond_redo_is_redone_whatever_the_score(
    configs: Any, measured: float | None, status: Status, verdict: Verdict
) -> None:
    config = configs.qc.model_copy(update={"rules": {"fringe": LESS.model_copy(update={"redo": 5.0})}})
    assert decide_verdict(100, [finding(measured, status=status)], config) is verdict


@pytest.mark.parametrize(
    ("measured", "verdict"),
    [(0.95, Verdict.AUTO_APPROVE), (0.5, Verdict.AUTO_APPROVE), (0.4, Verdict.REJECT_AND_REDO)],
)
def test_beyond_redo_is_below_it_where_less_is_worse(configs: Any, measured: float, verdict: Verdict) -> None:
    config = configs.qc.model_copy(update={"rules": {"fringe": MORE.model_copy(update={"redo": 0.5})}})
    assert decide_verdict(100, [finding(measured)], config) is verdict


def test_the_strictest_of_several_verdicts_counts_in_any_order() -> None:
    mildest_first = [Verdict.AUTO_APPROVE, Verdict.HUMAN_REVIEW, Verdict.REJECT_AND_REDO]
    for several in itertools.permutations(mildest_first):
        assert stricter(*several) is Verdict.REJECT_AND_REDO
    assert stricter(*mildest_first[:2]) is Verdict.HUMAN_REVIEW


@pytest.mark.parametrize(("limits", "near", "far"), [(LESS, 9.0, 10.0), (MORE, 0.6, 0.5), (STEP, 5.0, 6.0)])
def test_of_a_rule_s_findings_the_one_farther_beyond_its_limit_is_worse(
    limits: RuleLimits, near: float, far: float
) -> None:
    assert severity(finding(near), limits) < severity(finding(far), limits)
    assert severity(finding(near), limits) < severity(finding(near, gate=True), limits)
    assert severity(finding(far, status=Status.WARNING), limits) < severity(finding(near), limits)


def test_a_finding_without_a_value_is_weighed_by_its_status() -> None:
    passed, failed = (severity(finding(None, status=status), LESS) for status in (Status.PASSED, Status.FAILED))
    assert passed < failed


def test_missing_limits_name_the_rule_and_the_way_to_switch_it_off(configs: Any) -> None:
    with pytest.raises(ConfigError, match=r"rules\.no_such_rule.*weight to 0"):
        limits_of("no_such_rule", configs.qc)
