"""Find the shot to which a returned file belongs, by the file's name.

Editors change names a little; small changes are accepted. A name that could mean two shots is not.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from packshot.types import Value

PICTURES = frozenset({".tif", ".tiff", ".psd", ".psb", ".png", ".jpg", ".jpeg", ".webp"})
_UNFINISHED = frozenset(
    {".part", ".partial", ".tmp", ".temp", ".filepart", ".crdownload", ".download", ".uploading", ".!ut"}
)
_LITTER = frozenset({".ds_store", "thumbs.db", "desktop.ini", ".bridgesort", ".bridgecache"})
_ADDED = re.compile(
    r"^(v|ver|version|rev|r|round)\d+$|^(final|finished|edit|edited|retouch|retouched|ret|copy|kopie|copie|copia|"
    r"done|ok|clean|cutout|cut|out|masked|mask|path|paths|clipped|corrected|correction|korrigiert|fertig|neu|new|web|print|"
    r"layered|flat|flattened|srgb|rgb|adobergb|8bit|16bit|master|ready|approved|return|returned)$"
)
"""Words that editors and their programs add to a name."""
_COPY = re.compile(r"(?<!\s)\s*+\(\d+\)$| - (copy|kopie|copie)( \d+)?$", re.IGNORECASE)
"""Text that file managers add to the name of a copy."""
_ANOTHER = re.compile(
    r"^\d{1,3}$|^(main|front|back|side|left|right|top|bottom|neck|swch|swatch|inside|detail|pt\d+|in\d+)$"
)
"""Words after a shot's name that mean another shot."""


class ReturnedName(Value):
    """The shot to which a returned file belongs, or why none was found.

    Attributes:
        shot: the shot's name; empty if no shot fits, or several.
        why: why `shot` is empty, in words; empty if it is not.
    """

    shot: str = ""
    why: str = ""


def is_litter(name: str) -> bool:
    """Return whether a file is one that operating systems and programs leave behind, such as ``.DS_Store``.

    Args:
        name: name or path of the file.
    """
    last = PurePosixPath(name).name.lower()
    return last in _LITTER or last.startswith(("._", "~$", ".~"))


def is_unfinished(name: str) -> bool:
    """Return whether a file's name says that the file is still being written, such as ``A1.tif.part``.

    Args:
        name: name or path of the file.
    """
    return PurePosixPath(name).suffix.lower() in _UNFINISHED or PurePosixPath(name).name.startswith("~")


def is_picture(name: str) -> bool:
    """Return whether a file can be a picture that an editor returns, by its extension.

    TIFF, PSD, PSB, PNG, JPEG and WebP can be one (`PICTURES`). Upper and lower case do not matter.

    Args:
        name: name or path of the file.
    """
    return PurePosixPath(name).suffix.lower() in PICTURES


def shot_of(name: str, *, shots: Mapping[str, Iterable[str]]) -> ReturnedName:
    """Return the shot to which a returned file belongs, found by the file's name.

    The file's name, without its extension, is compared with the names of the shots. These rules are tried in order,
    until one fits. If it fits exactly one shot, this shot is the result. If it fits several, the result has no shot.

    1. The shot's own name is equal.
    2. One of the shot's names is equal but for case, accents and punctuation.
    3. One of the shot's names is equal as in rule 2, if words that editors add (``final``, ``v2``, ``copy`` ...) are
       left out of the file's name.
    4. The file's name begins with one of the shot's names and goes on with further words, none of which is a view or a
       short number (such as ``back`` or ``2``), because these mean another shot. The longest such name counts.

    Example: ``A1_MAIN_final_v2.psd`` belongs to the shot ``A1_MAIN``.

    Args:
        name: name of the file. Folders before it are ignored.
        shots: name of the shot -> its other names, such as ``<sku>_<view>``; empty names are ignored. Give all shots,
            also those that do not wait for an editor, so that a name that could mean two of them is noticed.
    """
    stem = _COPY.sub("", PurePosixPath(name).stem)
    words = _words(stem)
    kept = [word for word in words if not _ADDED.match(word)]
    known = {shot: {shot, *(alias for alias in aliases if alias)} for shot, aliases in shots.items()}
    tries = (
        [shot for shot in known if stem == shot],
        [shot for shot, names in known.items() if any(_words(one) == words for one in names)],
        [shot for shot, names in known.items() if any("".join(_words(one)) == "".join(kept) for one in names)],
        _longest([(len(_words(one)), shot) for shot, names in known.items() for one in names if _begins(words, one)]),
    )
    for fitting in tries:
        if len(set(fitting)) == 1:
            return ReturnedName(shot=fitting[0])
        if fitting:
            return ReturnedName(why=f"the name fits several shots: {', '.join(sorted(set(fitting)))}")
    return ReturnedName(why="the name fits no shot")


def _longest(fitting: list[tuple[int, str]]) -> list[str]:
    """Return the shots with the longest match: ``A1_MAIN`` is preferred to ``A1``."""
    most = max((length for length, _ in fitting), default=0)
    return [shot for length, shot in fitting if length == most]


def _begins(words: list[str], known: str) -> bool:
    start = _words(known)
    rest = words[len(start) :]
    return bool(start) and words[: len(start)] == start and not any(_ANOTHER.match(word) for word in rest)


def _words(text: str) -> list[str]:
    folded = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(character for character in folded if not unicodedata.combining(character))
    return re.findall(r"[^\W_]+", plain)


def version_of(name: str) -> int:
    """Return the version that a file's name states: 3 for ``ring_v3.tif``; 0 if it states none.

    If it states several, the last one counts.
    """
    found = [int(word[1:]) for word in _words(PurePosixPath(name).stem) if re.fullmatch(r"v\d{1,4}", word)]
    return found[-1] if found else 0
