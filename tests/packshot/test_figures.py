from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot.explained import GROUPS
from packshot.figures import SHARES, in_figures, measured_in


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


UNITS = sorted({meaning.unit for group in GROUPS.values() for meaning in group.codes.values() if meaning.unit})


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        *((0.2771, "share", "27.71%"), (0.07, "probability", "7%"), (1, "overlap", "100%")),
        *((1000.0, "px", "1,000 px"), (35.12, "per mille", "35.12 per mille"), (0.85, "ratio", "0.85")),
        *((1, "level", "1 level"), (3, "level", "3 levels"), (1, "bytes", "1 byte"), (2.5, "", "2.5")),
        *((90, "quality", "quality 90"), (1.5, "dE2000", "1.5 delta E 2000")),
    ],
)
def test_a_figure_has_its_unit_as_people_write_it(value: float, unit: str, text: str) -> None:
    assert measured_in(value, unit) == text


@given(value=st.floats(1e-6, 1e9) | st.just(0.0), unit=st.sampled_from(UNITS))
def test_a_figure_of_any_rule_reads_back_without_an_exponent_or_the_name_of_a_kind_of_number(
    value: float, unit: str
) -> None:
    """Kind of test that was missing: one over the units of all rules; a share was written as "0.2771 share"."""
    text = measured_in(value, unit)
    (figure,) = re.findall(r"^(?:quality )?(-?[\d,.]+)%?(?= |$)", text.replace("delta E 2000", ""))
    figure = figure.replace(",", "")
    assert math.isclose(float(figure), value * (100 if unit in SHARES else 1), rel_tol=6e-4, abs_tol=1e-12)
    assert not text.endswith(("share", "ratio", "probability", "overlap", "correlation"))
