"""When two names are one person's. There are no accounts: a name is what somebody types.

Where nobody may judge their own work, names count as one person's although they differ by case, accents, width, blanks,
punctuation, order of words, characters that cannot be seen, or letters that look alike (the idea of Unicode TS 39, with
a table of our own for letters that look like Latin ones). Two people whose names look alike are then taken for one: the
error is on the safe side, and a third person signs.
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
"""Letters by their category, which show nothing."""


def plain_name(name: str) -> str:
    """Return a name without case, accents, punctuation and what cannot be seen: words with one blank between them."""
    folded = unicodedata.normalize("NFKD", _visible(unicodedata.normalize("NFKC", name)).casefold())
    letters = "".join(one for one in folded if unicodedata.category(one) not in ("Mn", "Me"))
    return " ".join(re.findall(r"\w+", letters.replace("_", " ")))


def same_person(one: str, other: str) -> bool:
    """Whether two names have to be taken for one person's."""
    return not set(_looks(one)).isdisjoint(_looks(other))


def _visible(name: str) -> str:
    return "".join(one for one in name if unicodedata.category(one) != "Cf" and one not in _FILLERS)


def _looks(name: str) -> Iterator[tuple[str, ...]]:
    """What a name may be read as: its words in order of the alphabet, and all its letters in one.

    Read twice, because a capital letter and its small one look like different letters (Greek Ν and ν like N and v).
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
