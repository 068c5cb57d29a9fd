"""Find names in the configs that don't exist: platforms, clients, categories, rules, codecs, services.

This works on the plain values of the files, so these names are found even if something else in a file is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from packshot.specs.nearest import listed
from packshot.specs.reading import Document, Problem
from packshot.specs.rule_names import RING_CODECS, RULE_NAMES
from packshot.specs.services import WORDS, normal_word

Tell = Callable[..., Problem]
"""Creates a problem: (path of the file, field, what is wrong, found=..., allowed=...)."""


def misspelt_names(documents: Mapping[str, Document], tell: Tell) -> Iterator[Problem]:
    """Yield a problem for each name in the configs that doesn't exist, with the most similar name that does.

    It checks names of platforms, clients, categories, rules, codecs and services. A rule that is missing in
    ``qc.yaml`` is a problem too.

    Args:
        documents: path of the file, relative to the configs folder -> its content.
        tell: makes the `Problem`. It is called with the path of the file, the keys that lead to the value, and what
            is wrong, in words; then, by keyword, ``found`` and ``allowed``.
    """
    plain = {path: document.data for path, document in documents.items()}
    yield from _in_clients(plain, tell)
    categories, clients = _keys(plain, "categories.yaml"), _stems(plain, "clients")
    mappings: tuple[tuple[str, tuple[str, ...], Collection[str], str], ...] = (
        ("qc.yaml", ("rules",), RULE_NAMES, "no such rule"),
        ("qc.yaml", ("ring_floor",), RING_CODECS, "no such codec"),
        ("qc.yaml", ("ring_distance_px",), RING_CODECS, "no such codec"),
        ("routing.yaml", ("audit", "by_category"), categories, "no such category"),
        ("routing.yaml", ("audit", "by_client"), clients, "no such client"),
    )
    for path, field, known, what in mappings:
        for name in _at(plain.get(path), field):
            if name not in known:
                yield tell(path, (*field, name), what, found=name, allowed=listed(name, known))
    rules = _at(plain.get("qc.yaml"), ("rules",))
    for name in sorted(RULE_NAMES - set(rules)) if rules else ():
        yield tell("qc.yaml", ("rules",), f"the limits of the rule {name} are missing")
    for category in categories:
        for place, word in enumerate(_texts(_at(plain["categories.yaml"], (category, "services")))):
            if normal_word(word) not in WORDS:
                spot = (category, "services", place)
                yield tell("categories.yaml", spot, "no such service", found=word, allowed=listed(word, WORDS))


def _in_clients(plain: Mapping[str, Any], tell: Tell) -> Iterator[Problem]:
    platforms, categories = _stems(plain, "platforms"), _keys(plain, "categories.yaml")
    enabled = [name for name in platforms if _at(plain[f"platforms/{name}.yaml"], ("enabled",)) is not False]
    for client in _stems(plain, "clients"):
        path = f"clients/{client}.yaml"
        own = _texts(_at(plain[path], ("platforms",)))
        for place, name in enumerate(own):
            if name not in enabled:
                what = "this platform is disabled" if name in platforms else "no such platform"
                yield tell(path, ("platforms", place), what, found=name, allowed=listed(name, enabled))
        for kind in ("naming", "platform_rules"):
            for name in _at(plain[path], (kind,)) if own else ():
                if name not in own:
                    what = "not one of the client's platforms"
                    yield tell(path, (kind, name), what, found=name, allowed=listed(name, own))
        category = _at(plain[path], ("default_category",))
        if category and isinstance(category, str) and category not in categories:
            allowed = listed(category, categories)
            yield tell(path, ("default_category",), "no such category", found=category, allowed=allowed)


def _stems(plain: Mapping[str, Any], folder: str) -> list[str]:
    return [PurePosixPath(path).stem for path in plain if path.startswith(f"{folder}/")]


def _keys(plain: Mapping[str, Any], path: str) -> list[str]:
    data = plain.get(path)
    return list(data) if isinstance(data, dict) else []


def _at(data: Any, field: Iterable[str]) -> Any:
    """Return the value at a field; an empty tuple if there is none."""
    for key in field:
        data = data.get(key, ()) if isinstance(data, dict) else ()
    return data if data is not None else ()


def _texts(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
