"""Make the names of a batch's shots (photographs) from their files' names, so that no two shots have one name."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from pathlib import PurePosixPath

from text_unidecode import unidecode

_LONGEST = 80


def plain_name(text: str) -> str:
    """Return a text as a name of ASCII letters and digits, ``.``, ``_`` and ``-``, as SKUs and names of shots use it.

    Letters of other scripts are replaced by Latin letters. A sign without a Latin form, such as a star, is dropped.
    Each run of other characters becomes one ``-``. ``.``, ``_`` and ``-`` at both ends are removed. A name gives the
    same text in composed and decomposed Unicode (NFC and NFD). If a letter has no Latin form, or nothing is left, eight
    hexadecimal digits of the name's hash are added, so that two such names stay different. The result is never empty.
    Examples: ``Größe 42`` is ``Grosse-42``, ``Кружка-1`` is ``Kruzhka-1``.
    """
    name = unicodedata.normalize("NFC", text)
    latin = {one: unidecode(one) for one in set(name)}
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", "".join(latin[one] for one in name)).strip("-._")
    plain = re.sub(r"\.{2,}", ".", plain)
    lost = any(one.isalnum() and not re.search("[A-Za-z0-9]", latin[one]) for one in latin)
    if lost or not plain:
        plain = f"{plain or 'shot'}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    return plain


def shot_names(files: Mapping[str, str]) -> dict[str, str]:
    """Return the shot names of a batch's files: path -> a name that no other file of the batch has.

    The name is the path without suffix in safe characters: ``front/BTL201.jpg`` becomes ``front--BTL201``. The same
    files give the same names, whatever their order. If two files would get the same name (ignoring case), the first
    eight digits of their hashes are added; two files with equal bytes also get a counter.

    Args:
        files: path inside the inbox folder -> hash of the content, in hex: its SHA-256, or the storage's ETag.
    """
    wanted: dict[str, list[str]] = {}
    for path in sorted(files):
        wanted.setdefault(_stem(path).lower(), []).append(path)
    names: dict[str, str] = {}
    for paths in wanted.values():
        for path in paths:
            alone = len(paths) == 1
            names[path] = _stem(path) if alone else f"{_stem(path)}-{files[path][:8]}"
    return _counted(names)


def _counted(names: dict[str, str]) -> dict[str, str]:
    """Make equal names unique with a counter, in the order of the paths."""
    taken: set[str] = set()
    unique: dict[str, str] = {}
    for path in sorted(names):
        name, n = names[path], 1
        while name.lower() in taken:
            n += 1
            name = f"{names[path]}-{n}"
        taken.add(name.lower())
        unique[path] = name
    return unique


def _stem(path: str) -> str:
    """Return the path without its last suffix as a plain name, with ``--`` for slashes."""
    pure = PurePosixPath(path)
    return plain_name("--".join([*pure.parent.parts, pure.stem]))[:_LONGEST].rstrip("-._")
