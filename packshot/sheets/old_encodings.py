"""Tell encodings with one byte per letter apart, by words that have letters outside ASCII.

The encodings are Windows-1252, Mac Roman and DOS code page 850 (western European languages), Windows-1250 (Polish) and
Windows-1251 (Russian). Read in the wrong encoding, a word has symbols in its middle, capitals after small letters, or
letters that these languages do not have.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_WESTERN = frozenset("àáâãäåæçèéêëìíîïñòóôõöøùúûüýÿßœ")
_POLISH = frozenset("ąćęłńóśźż")
_RUSSIAN = frozenset(map(chr, range(ord("а"), ord("я") + 1))) | {"ё"}


class _Encoding(NamedTuple):
    """An encoding, its name for people, its letters, and whether ASCII letters stand in the same word."""

    codec: str
    name: str
    letters: frozenset[str]
    with_ascii: bool = True


_USUAL = _Encoding("cp1252", "Windows-1252", _WESTERN)
_OTHERS = (
    _Encoding("cp1250", "Windows-1250", _POLISH),
    _Encoding("mac_roman", "Mac Roman", _WESTERN),
    _Encoding("cp850", "DOS code page 850", _WESTERN),
    _Encoding("cp1251", "Windows-1251", _RUSSIAN, with_ascii=False),
)
GUESSED = frozenset(one.name for one in _OTHERS)
"""Names of the encodings that only the words of a table speak for."""

_WORD = re.compile(rb"[A-Za-z\x80-\xff']+")
_ASIDE = "'" + "".join(one for one in bytes(range(0x80, 0x100)).decode("cp1252", "ignore") if not one.isalpha())
"""Signs that may begin or end a word."""
_WITHIN = re.compile("['’]")
_STRANGE = re.compile("œ(?![uicsn])|[^\\x00-\\x7f]æ|[^\\x00-\\x7f]{3}", re.IGNORECASE)
"""Letters that are Western, but not in this place: Polish "ość" and Russian words look so."""
_LEAST_RATIO = 0.5
_FEW_WORDS = 3


def by_words(data: bytes) -> tuple[str, str]:
    """Return (the text, the name of its encoding) for a text in an encoding with one byte for each letter.

    It is Windows-1252, unless more of the words fit another encoding: Windows-1250, Mac Roman, DOS code page 850 or
    Windows-1251.

    Args:
        data: a whole text, which is not UTF-8.

    Raises:
        ValueError: the encoding is not certain. Either two encodings fit equally well and Windows-1252 does not, or
            most of at least three words with letters outside ASCII fit no encoding.
    """
    words = {word for word in _WORD.findall(data) if not word.isascii()}
    fitting = {one: sum(_fits(word, one) for word in words) for one in (_USUAL, *_OTHERS) if _text(data, one.codec)}
    if not fitting:
        raise ValueError(_cannot_tell(words))
    most = max(fitting.values())
    if len(words) >= _FEW_WORDS and most < _LEAST_RATIO * len(words):
        raise ValueError(_cannot_tell(words))
    best = [one for one, count in fitting.items() if count == most]
    if best[0] is not _USUAL and len({_text(data, one.codec) for one in best}) > 1:
        raise ValueError(_cannot_tell(words))
    return _text(data, best[0].codec), best[0].name


def _fits(word: bytes, encoding: _Encoding) -> bool:
    """Return True if a word could stand in a text of this encoding."""
    text = _text(word, encoding.codec).strip(_ASIDE)
    if not text:
        return bool(_text(word, encoding.codec))
    return all(_is_written(part, encoding) for part in _WITHIN.split(text) if part)


def _is_written(text: str, encoding: _Encoding) -> bool:
    others = [one for one in text if not one.isascii()]
    if not all(one.lower() in encoding.letters for one in others):
        return False
    if encoding.letters is _WESTERN and _STRANGE.search(text):
        return False
    if not encoding.with_ascii and 0 < len(others) < len(text):
        return False
    return text.islower() or text.isupper() or text[1:].islower()


def _text(data: bytes, codec: str) -> str:
    """Return the text; empty if the bytes are not text in this encoding."""
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        return ""


def _cannot_tell(words: set[bytes]) -> str:
    readings = (_USUAL, *_OTHERS)
    example = min(words, key=lambda word: (sum(_fits(word, one) for one in readings), word))[:40]
    texts = [f"{text!r} in {one.name}" for one in readings if (text := _text(example, one.codec))]
    return f"bytes whose encoding cannot be told (one word is {', '.join(texts) or 'no text anywhere'}); UTF-8 is safe"
