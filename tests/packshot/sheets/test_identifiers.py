"""Identifiers are text, and the same from every table."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot.escaping import table_cell
from packshot.sheets.identifiers import identifier, is_rounded


@given(st.text(alphabet=st.sampled_from("-+=@'AZ09é٣ ;|/."), max_size=12))
def test_an_identifier_is_the_same_after_our_own_guard(text: str) -> None:
    assert identifier(table_cell(text)) == identifier(" ".join(text.split()))


@pytest.mark.parametrize("sign", [*"=+-@%−＝＋－＠﹦'", "''", "'=", "=-"])
@pytest.mark.parametrize("before", ["", "\ufeff", "\u200b", "\u2060", "\ufeff\u00a0", "\u3000"])
def test_a_full_width_sign_or_a_byte_order_mark_changes_no_identifier(before: str, sign: str) -> None:
    text = f"{sign}AB-1"
    assert identifier(before + text) == identifier(table_cell(before + text)) == identifier(text)
    assert identifier(before + text).endswith("AB-1")


@pytest.mark.parametrize("text", ["-AB-1", "+49", "=A1", "@home", "0123", "00123", "1E5", "Ü-100"])
def test_every_way_of_keeping_a_cell_text_is_the_same_identifier(text: str) -> None:
    spelt = (text, f"'{text}", f'="{text}"', f" {text} ", table_cell(text), unicodedata.normalize("NFD", text))
    assert {identifier(one) for one in spelt} == {text}


@pytest.mark.parametrize(
    ("text", "rounded"), [("1.23457E+11", True), ("1,23E+12", True), ("4E12", False), ("1E5", False)]
)
def test_a_rounded_identifier_is_known(text: str, rounded: bool) -> None:
    assert is_rounded(text) is rounded
