from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot.errors import EmptySubjectError
from packshot.framing.subject import subject_box
from packshot.types import Box


@given(st.integers(0, 30), st.integers(0, 20), st.integers(1, 10), st.integers(1, 10))
def test_the_box_holds_the_product_and_nothing_more(left: int, top: int, width: int, height: int) -> None:
    matte = np.zeros((30, 40), np.float32)
    matte[top : top + height, left : left + width] = 0.51
    assert subject_box(matte) == Box(left, top, left + width, top + height)


def test_coverage_of_half_or_less_is_not_product() -> None:
    matte = np.full((10, 10), 0.5, np.float32)
    matte[4, 6] = 1
    assert subject_box(matte) == Box(6, 4, 7, 5)
    assert subject_box(matte, threshold=0.4) == Box(0, 0, 10, 10)


def test_a_picture_without_product_says_how_much_was_found() -> None:
    with pytest.raises(EmptySubjectError, match=r"0\.250"):
        subject_box(np.full((5, 5), 0.25, np.float32))
