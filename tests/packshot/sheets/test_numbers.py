"""The decimal sign: decided from a whole column, or asked for."""

from __future__ import annotations

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from packshot.errors import UnreadableError
from packshot.sheets.numbers import DecimalSign, numbers_of

SIGNS = {DecimalSign.POINT: (".", ","), DecimalSign.COMMA: (",", ".")}


def written(number: float, sign: DecimalSign, decimals: int, *, grouped: bool) -> str:
    own, other = SIGNS[sign]
    text = f"{number:,.{decimals}f}" if grouped else f"{number:.{decimals}f}"
    return text.translate(str.maketrans({".": own, ",": other}))


@given(
    st.lists(st.integers(-2_000_000, 2_000_000), min_size=1),
    st.sampled_from(DecimalSign),
    st.integers(0, 3),
    st.booleans(),
)
def test_a_column_is_read_as_it_was_written_or_asked_back(
    hundredths: list[int], sign: DecimalSign, decimals: int, grouped: bool
) -> None:
    meant = {}
    for one in hundredths:
        number = round(one / 100, min(decimals, 2))
        meant[written(number, sign, decimals, grouped=grouped)] = number
    try:
        found, _ = numbers_of("a.csv", "quantity", meant, chosen=None)
    except UnreadableError as error:
        event("asked back" if "--decimal-sign" in str(error) else str(error))
        found, _ = numbers_of("a.csv", "quantity", meant, chosen=sign)
    assert found == pytest.approx(meant)


def test_one_whole_thing_with_decimals_is_one() -> None:
    assert numbers_of("a", "q", ["1,00", "2,00"], chosen=None) == ({"1,00": 1, "2,00": 2}, DecimalSign.COMMA)
    assert numbers_of("a", "q", ["1.0", "2"], chosen=None) == ({"1.0": 1, "2": 2}, DecimalSign.POINT)


def test_an_open_column_names_both_readings_and_the_option() -> None:
    with pytest.raises(UnreadableError, match=r"'1\.000' is 1 \(decimal point\) or 1,000 \(decimal comma\)") as caught:
        numbers_of("a.csv", "quantity", ["1.000", "7"], chosen=None)
    assert "--decimal-sign" in str(caught.value)
    assert numbers_of("a.csv", "quantity", ["1.000"], chosen=DecimalSign.POINT)[0] == {"1.000": 1}


@given(st.text(max_size=60))
def test_what_is_no_number_is_left_out(text: str) -> None:
    found, _ = numbers_of("a", "q", [text], chosen=DecimalSign.POINT)
    assert set(found) <= {text}
    assert numbers_of("a", "q", ["none", "", "1-2", "x1"], chosen=None) == ({}, None)
