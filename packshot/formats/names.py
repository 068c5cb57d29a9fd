"""Read and write the names that Photoshop stores, such as that of a clipping path.

A name has at most 255 bytes, in an encoding that the file does not state. Photoshop writes names in the encoding of the
operating system: Mac Roman in western countries, Shift-JIS in Japan, GBK in China, EUC-KR in Korea. Newer programs
write UTF-8.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST_NAME_BYTES = 255
_ENCODINGS = ("utf-8", "mac_roman", "cp1252", "cp932", "gbk", "cp949", "big5", "mac_cyrillic", "cp1251")
_UNREADABLE = "\N{REPLACEMENT CHARACTER}"
_KANA = re.compile("[\u3040-\u30ff]")


def decode_name(raw: bytes) -> str:
    """Return the most probable text of a stored name, for people to read. Control characters become U+FFFD.

    Valid UTF-8 is read as UTF-8. Text with kana is read as Shift-JIS. If all non-ASCII bytes come in pairs and are
    valid GBK, it is read as GBK. Everything else is read as Mac Roman. To look for a given name, use `is_named`, which
    does not guess.

    Args:
        raw: the bytes of the name.
    """
    text = _decoded(raw, "utf-8")
    if text is not None:
        return _printable(text)
    text = _decoded(raw, "cp932")
    if text is not None and _KANA.search(text):
        return _printable(text)
    text = _decoded(raw, "gbk")
    pairs_only = all(len(run) % 2 == 0 for run in re.findall(rb"[\x80-\xff]+", raw))
    if text is not None and pairs_only:
        return _printable(text)
    return _printable(raw.decode("mac_roman"))


def encode_name(name: str) -> bytes:
    """Return the bytes of a name, at most 255: in Mac Roman or in UTF-8.

    They are in Mac Roman if that has all letters of the name, takes at most 255 bytes, and is read back by
    `decode_name` as the same text. Otherwise they are in UTF-8, cut between characters if they are more than 255.

    Args:
        name: the name, for example of a clipping path.
    """
    try:
        raw = name.encode("mac_roman")
        if len(raw) <= LONGEST_NAME_BYTES and decode_name(raw) == _printable(name):
            return raw
    except UnicodeEncodeError:
        pass
    return name.encode("utf-8", "replace")[:LONGEST_NAME_BYTES].decode("utf-8", "ignore").encode()


def is_named(raw: bytes, name: str) -> bool:
    """Return whether stored bytes spell a name in one of the encodings in which Photoshop writes names.

    Upper and lower case, and spaces at both ends, do not matter.

    Args:
        raw: the bytes of a stored name, in an encoding that the file does not state.
        name: the name that is looked for.
    """
    wanted = _plain(name)
    return any(text is not None and _plain(text) == wanted for text in (_decoded(raw, one) for one in _ENCODINGS))


def _decoded(raw: bytes, encoding: str) -> str | None:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return None


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip().casefold()


def _printable(text: str) -> str:
    """Return the text with control characters replaced, because they would reach terminals and logs."""
    return "".join(one if one.isprintable() or unicodedata.category(one) == "Zs" else _UNREADABLE for one in text)
