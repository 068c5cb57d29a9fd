"""Decide whether two names belong to the same person. A name is typed text, because there need not be accounts.

Nobody may judge their own work. So two names count as one person if they differ only in case, accents, character width,
spaces, punctuation, word order, invisible characters, or letters that look alike. The method is that of Unicode TS 39,
with our own table for letters that look like Latin ones.

Two people with similar names then count as one. This error is safe: a third person must sign off.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_LOOKALIKES = {
    "a": "аɑαᴀꭺ",
    "b": "ьЬВвβʙᏼƅ",
    "c": "сϲᴄⅽ",
    "d": "ԁđɗⅾᏧ",
    "e": "еєҽεɛᴇ℮",
    "f": "ғƒſ",
    "g": "ɡցɢ",
    "h": "һհнћħʜ",
    "i": "іıɩιїɪᎥꙇ",
    "j": "јϳȷ",
    "k": "кκᴋ",
    "l": "1|ⅼłӏוʟ",
    "m": "мⅿᴍ",
    "n": "пηոռɴ",
    "o": "0оοօσøəᴏ๐๏ഠ௦०੦૦೦",
    "p": "рρϱᴘ",
    "q": "ԛգ",
    "r": "гꭇᴦʀ",
    "s": "ѕꜱ",
    "t": "тτᴛŧ",
    "u": "υսᴜцʋ",
    "v": "νѵᴠⅴ",
    "w": "ѡԝωᴡա",
    "x": "хχ×ⅹ",
    "y": "уүγʏ",
    "z": "ᴢʐ",
    "ae": "æ",
    "oe": "œ",
}
_CAPITALS = {
    **{"A": "АΑᎪꓮ", "B": "ВΒᏴꓐ", "C": "СϹᏟꓚ", "D": "Ꭰꓓ", "E": "ЕΕᎬꓰ", "F": "ϜꓝҒ", "G": "ԌᏀꓖ", "H": "НΗᎻꓧ", "J": "ЈᎫꓙ"},
    **{"K": "КΚᏦꓗK", "L": "ᏞꓡԼ", "M": "МΜᎷꓟ", "N": "ΝꓠИ", "O": "ОΟՕꓳ", "P": "РΡᏢꓑ", "Q": "Ԛ", "R": "ᎡꓣЯ", "S": "ЅՏᏚꓢ"},
    **{"T": "ТΤᎢꓔ", "U": "Սꓴ", "V": "ѴᏙꓦ", "W": "ԜᎳꓪ", "X": "ХΧꓫ", "Y": "ҮΥУꓬ", "Z": "ΖᏃꓜ", "l": "IІΙӀⅠ"},
}
_SMALL = str.maketrans({other: letter for letter, others in _LOOKALIKES.items() for other in others})
_LARGE = str.maketrans({other: letter for letter, others in _CAPITALS.items() for other in others})
_PAIRS = (("rn", "m"), ("vv", "w"))
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0")
"""Characters that Unicode counts as letters but that are invisible."""


def plain_name(name: str) -> str:
    """Return a person's name without case, accents, punctuation and invisible characters.

    Single spaces are between the words.

    Example: ``plain_name("José  Pérez-Díaz")`` is ``"jose perez diaz"``.
    """
    folded = unicodedata.normalize("NFKD", _visible(unicodedata.normalize("NFKC", name)).casefold())
    letters = "".join(one for one in folded if unicodedata.category(one) not in ("Mn", "Me"))
    return " ".join(re.findall(r"\w+", letters.replace("_", " ")))


def same_person(one: str, other: str) -> bool:
    """Return whether two typed names must count as the same person, so that nobody judges their own work.

    They do if they differ only in case, accents, spaces, punctuation, the order of words or letters that look alike.
    Names without letters or digits never count as the same.

    Args:
        one: a name, such as ``Ana López``.
        other: another name, such as ``lopez, ana``.
    """
    return not set(_looks(one)).isdisjoint(_looks(other))


def _visible(name: str) -> str:
    return "".join(one for one in name if unicodedata.category(one) != "Cf" and one not in _FILLERS)


def _looks(name: str) -> Iterator[tuple[str, ...]]:
    """Yield the readings of a name: its words sorted, its letters joined, and its letters sorted.

    The name is read twice, because a capital and its small letter may look like different Latin letters (Greek Ν looks
    like N, ν looks like v).
    """
    seen = unicodedata.normalize("NFKC", name)
    for reading in (seen, seen.translate(_LARGE)):
        words = [_look(word) for word in plain_name(reading).split()]
        if words:
            yield tuple(sorted(words))
            yield ("", "".join(words))
            yield ("", "".join(sorted(words)))


def _look(word: str) -> str:
    look = word.translate(_SMALL)
    for pair, letter in _PAIRS:
        look = look.replace(pair, letter)
    return look
