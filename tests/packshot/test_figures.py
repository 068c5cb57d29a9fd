from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot.figures import in_figures


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((0, "0"), (1000.0, "1,000"), (999.96, "1,000"), (12.34567, "12.35"), (0.5, "0.5"), (-2500.4, "-2,500")),
        *((0.00012345, "0.0001234"), (1234567, "1,234,567"), (1e-5, "0.00001"), (-1e-5, "-0.00001")),
    ],
)
def test_a_number_is_written_as_people_write_it(value: float, text: str) -> None:
    assert in_figures(value) == text


@given(st.floats(1e-9, 1e12) | st.floats(-1e12, -1e-9))
def test_no_number_has_an_exponent_and_each_reads_back(value: float) -> None:
    text = in_figures(value)
    assert "e" not in text.lower()
    assert math.isclose(float(text.replace(",", "")), value, rel_tol=6e-4, abs_tol=1e-12)
