from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot.routing.forest import Forest, Tree

STUMP = Tree(figures=(0, -1, -1), limits=(0.5, 0, 0), lefts=(1, 0, 0), rights=(2, 0, 0), shares=(0.4, 0.1, 0.9))


def forest(*trees: Tree) -> Forest:
    return Forest(names=("a",), usual=(0.2,), trees=trees or (STUMP,), slope=1.0, intercept=0.0)


def test_a_figure_leads_to_the_share_of_its_leaf() -> None:
    assert forest().probability({"a": 0.5}) == pytest.approx(0.1)
    assert forest().probability({"a": 0.51}) == pytest.approx(0.9)


def test_a_figure_that_was_not_measured_counts_as_usual() -> None:
    assert forest().probability({}) == forest().probability({"a": 0.2})


def test_the_reasons_are_what_raised_the_share() -> None:
    assert forest().reasons({"a": 0.9}) == ("a",)
    assert forest().reasons({"a": 0.1}) == ()


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_whatever_is_measured_the_probability_lies_between_0_and_1(figure: float) -> None:
    assert 0 < forest().probability({"a": figure}) < 1


def test_a_tree_that_would_never_end_is_refused() -> None:
    with pytest.raises(ValueError, match="downwards"):
        STUMP.model_validate({**STUMP.model_dump(), "lefts": (0, 0, 0)})


def test_trees_whose_lists_differ_in_length_or_that_ask_for_the_unknown_are_refused() -> None:
    with pytest.raises(ValueError, match="one length"):
        STUMP.model_validate({**STUMP.model_dump(), "shares": (0.4,)})
    with pytest.raises(ValueError, match="no name"):
        forest(STUMP.model_copy(update={"figures": (3, -1, -1)}))
