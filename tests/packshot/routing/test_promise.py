from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from packshot.routing.promise import least_shots, limit_for, lower_bound, promise_curve, upper_bound
from packshot.specs.models import Promise

pairs = st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=400)
TWO_PERCENT = Promise(ratio=0.02, confidence=0.95)


@given(st.integers(0, 60), st.integers(1, 400))
def test_the_bounds_are_those_of_the_exact_binomial_test(refused: int, shots: int) -> None:
    refused = min(refused, shots)
    upper, lower = (bound(refused, shots, confidence=0.95) for bound in (upper_bound, lower_bound))
    assert lower <= refused / shots <= upper
    if refused < shots:
        assert stats.binom.cdf(refused, shots, upper) == pytest.approx(0.05, abs=1e-6)
    if refused:
        assert stats.binom.sf(refused - 1, shots, lower) == pytest.approx(0.05, abs=1e-6)


def test_without_refusals_the_least_number_of_shots_is_just_enough() -> None:
    least = least_shots(TWO_PERCENT)
    assert least == 149
    assert upper_bound(0, least, confidence=0.95) <= 0.02 < upper_bound(0, least - 1, confidence=0.95)


@given(pairs, st.floats(0.01, 0.3))
def test_a_limit_keeps_its_promise_on_the_labelled_shots(shots: list[tuple[float, bool]], ratio: float) -> None:
    limit = limit_for(shots, Promise(ratio=ratio))
    if limit.probability is None:
        assert (limit.accepted, limit.bound) == (0, 1.0)
        return
    accepted = [refused for probability, refused in shots if probability <= limit.probability]
    assert (len(accepted), sum(accepted)) == (limit.accepted, limit.refused)
    assert limit.bound <= ratio


@given(pairs)
def test_a_milder_promise_never_trusts_the_machine_less_at_the_same_shots(shots: list[tuple[float, bool]]) -> None:
    strict, mild = (limit_for([(p, False) for p, _ in shots], Promise(ratio=ratio)) for ratio in (0.02, 0.1))
    assert strict.accepted <= mild.accepted


def test_too_few_shots_promise_nothing_and_say_how_many_it_takes() -> None:
    limit = limit_for([(0.01, False)] * 100, TWO_PERCENT)
    assert limit.probability is None
    assert "100 labelled shots, 149 are the least" in limit.sentence


def test_refusals_among_the_safest_promise_nothing() -> None:
    limit = limit_for([(0.01, True)] * 20 + [(0.5, False)] * 400, TWO_PERCENT)
    assert limit.probability is None
    assert "not kept" in limit.sentence


def test_shots_of_equal_probability_go_together() -> None:
    limit = limit_for([(0.1, False)] * 200 + [(0.4, True)] * 50, TWO_PERCENT)
    assert (limit.probability, limit.accepted) == (0.1, 200)


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_a_promise_is_seldom_broken_whatever_the_model_is_worth(seed: int) -> None:
    """The chance to break it is at most 5 %; of 200 worlds at most 20 may do so (chance of more: below 1 in 1000)."""
    rng = np.random.default_rng(seed)
    broken = 0
    for _ in range(200):
        said = rng.random(300)
        truly = 0.3 * said**2
        limit = limit_for(
            [(float(p), bool(r)) for p, r in zip(said, rng.random(300) < truly, strict=True)], TWO_PERCENT
        )
        broken += limit.probability is not None and 0.3 * limit.probability**2 / 3 > 0.02
    assert broken <= 22


@given(pairs)
def test_the_curve_goes_from_the_safest_to_all(shots: list[tuple[float, bool]]) -> None:
    curve = promise_curve(shots, confidence=0.95)
    assert [point.automated_ratio for point in curve] == sorted(point.automated_ratio for point in curve)
    assert all(point.refused_ratio <= point.bound for point in curve)
    assert not shots or curve[-1].automated_ratio == 1
