"""Find the encoding of a table that a client or a shop sends, from all of its bytes."""

from __future__ import annotations

import re

from packshot.sheets.old_encodings import GUESSED, by_words

__all__ = ["GUESSED", "decoded"]

_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig", "UTF-8"), (b"\xff\xfe", "utf-16", "UTF-16"), (b"\xfe\xff", "utf-16", "UTF-16"))
_KANA = re.compile("[\u3041-\u30ff]")
_AMONG_LETTERS = re.compile("[a-z][^\x00-\x7f]+[a-z]")
_NOT_WESTERN = re.compile("[^\x00-\x7f]")
_LEAST_KANA_RATIO = 0.2
_LEAST_PLAIN_RATIO = 0.7
_SAMPLE = 4096
_NO_TEXT = (
    *((start, "a compressed archive; unpack it first") for start in (b"\x1f\x8b", b"PK\3\4", b"7z\xbc\xaf", b"Rar!")),
    (b"%PDF-", "a PDF document"),
    (b"SQLite format 3", "an SQLite database"),
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
    (b"<table", "a web page"),
    (b"<?xml", "an XML document"),
    (b"[{", "a JSON document"),
    (b'{"', "a JSON document"),
)
"""How files begin that are no table, and what they are."""
_TAGGED = (b"<!doctype html", b"<html", b"<table", b"<?xml", b"[{", b'{"')
"""Those before which blank lines and a byte-order mark may stand, in small letters or capitals."""
_LONGEST_LEAD = 4096


def decoded(data: bytes) -> tuple[str, str]:
    """Return (the text of a table, the name of the encoding that it was in), such as ``("sku;date\\n...", "UTF-8")``.

    The encoding can be UTF-8, UTF-16, Shift-JIS, Windows-1250, -1251 or -1252, Mac Roman, or DOS code page 850. A
    byte-order mark is not part of the text.

    Args:
        data: the whole table.

    Raises:
        ValueError: the bytes are another kind of file, such as an archive or a web page; they are not text in one of
            these encodings; or several encodings are possible.
    """
    begins = data[:_LONGEST_LEAD].removeprefix(_MARKS[0][0]).lstrip().lower()
    for start, what in _NO_TEXT:
        if data.startswith(start) or (start in _TAGGED and begins.startswith(start)):
            raise ValueError(what)
    for mark, encoding, name in _MARKS:
        if data.startswith(mark):
            text = _strictly(data, encoding)
            if text is None:
                raise ValueError(f"bytes that are no text in {name}, as their first ones say")
            return _without_nulls(text), name
    wide = _without_mark(data)
    if wide and (text := _strictly(data, wide)) is not None:
        return _without_nulls(text), "UTF-16"
    try:
        return _without_nulls(data.decode("utf-8")), "UTF-8"
    except UnicodeDecodeError:
        text, name = _legacy(data)
        return _without_nulls(text), name


def _without_nulls(text: str) -> str:
    if "\0" in text:
        raise ValueError("bytes that are no text")
    return text


def _without_mark(data: bytes) -> str:
    """Return the byte order of UTF-16 without a mark. There every other byte of plain letters is 0."""
    sample = data[: _SAMPLE & ~1]
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    half = max(1, len(sample) // 2)
    if odd > half * _LEAST_PLAIN_RATIO and not even:
        return "utf-16-le"
    return "utf-16-be" if even > half * _LEAST_PLAIN_RATIO and not odd else ""


def _legacy(data: bytes) -> tuple[str, str]:
    """Return the text and its encoding.

    It is read as Shift-JIS if that gives enough kana, or if no other encoding fits. Otherwise its words decide.
    """
    japanese = _strictly(data, "cp932")
    if japanese is not None:
        others = _NOT_WESTERN.findall(japanese)
        if len(_KANA.findall(japanese)) > _LEAST_KANA_RATIO * len(others):
            return japanese, "Shift-JIS"
    try:
        return by_words(data)
    except ValueError:
        if japanese is None or _AMONG_LETTERS.search(japanese):
            raise
        return japanese, "Shift-JIS"


def _strictly(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None
