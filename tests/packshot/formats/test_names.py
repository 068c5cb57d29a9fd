"""Names of paths in the encodings that programs write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot.formats.names import LONGEST_NAME_BYTES, decode_name, encode_name, is_named

PRINTABLE = st.text(st.characters(categories=("L", "M", "N", "P", "S", "Zs")), max_size=60)


@given(PRINTABLE)
def test_a_name_that_is_written_is_read_again(name: str) -> None:
    assert decode_name(encode_name(name)) == name


@given(st.text())
def test_a_stored_name_is_never_too_long(name: str) -> None:
    assert len(encode_name(name)) <= LONGEST_NAME_BYTES


@given(st.binary(max_size=255))
def test_any_bytes_are_a_name_without_control_characters(raw: bytes) -> None:
    assert not any(ord(letter) < 32 or letter == "\x7f" for letter in decode_name(raw))


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("Path 1", "ascii"),
        ("Tracé de détourage", "mac_roman"),
        ("Freisteller für Körper", "mac_roman"),
        ("ユニコード", "cp932"),
        ("7ごみ、マスク形　平尾", "cp932"),
        ("路径 1", "gbk"),
        ("クリッピングパス 1", "utf-8"),
        ("Контур 1", "utf-8"),
    ],
)
def test_a_name_is_read_as_it_was_meant(name: str, encoding: str) -> None:
    assert decode_name(name.encode(encoding)) == name


@pytest.mark.parametrize(
    ("name", "encoding"), [("패스 1", "cp949"), ("路徑 1", "big5"), ("Контур", "cp1251"), ("Tracé", "cp1252")]
)
def test_a_clients_rule_finds_a_name_in_any_encoding(name: str, encoding: str) -> None:
    assert is_named(name.encode(encoding), name)
    assert is_named(name.encode(encoding), f" {name.upper()} ")
    assert not is_named(name.encode(encoding), "Path 1")
