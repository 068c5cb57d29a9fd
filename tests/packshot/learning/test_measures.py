from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot.learning.measures import quality_of

said = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


@given(said)
def test_the_auc_is_the_share_of_pairs_in_the_right_order(shots: list[tuple[float, bool]]) -> None:
    bad, good = ([p for p, r in shots if r is kind] for kind in (True, False))
    auc = quality_of([p for p, _ in shots], [r for _, r in shots]).auc
    if not bad or not good:
        assert auc is None
        return
    wins = sum((b > g) + 0.5 * (b == g) for b in bad for g in good)
    assert auc == pytest.approx(wins / (len(bad) * len(good)))


def test_probabilities_that_come_true_have_no_calibration_error() -> None:
    probabilities = [0.2] * 100 + [0.8] * 100
    refused = [place % 5 == 0 for place in range(100)] + [place % 5 != 0 for place in range(100)]
    assert quality_of(probabilities, refused, bins=2).calibration_error == pytest.approx(0)
    assert quality_of([0.9] * 200, refused, bins=2).calibration_error > 0.3


@given(said)
def test_every_shot_is_in_one_bin(shots: list[tuple[float, bool]]) -> None:
    quality = quality_of([p for p, _ in shots], [r for _, r in shots])
    assert sum(one.shots for one in quality.curve) == quality.shots == len(shots)
