"""Read all config files in ``configs/`` into one object, and report every problem of all files at once.

configs/
  platforms/<name>.yaml   clients/<name>.yaml
  profiles/<name>.icc     of clients' presses
  categories.yaml  defaults.yaml  qc.yaml  routing.yaml  ingest.yaml  models.yaml
  handoff.yaml  returns.yaml  daily.yaml
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter

from packshot.errors import ConfigError, NamingError
from packshot.naming import checked_name
from packshot.specs.daily import DailyConfig
from packshot.specs.misspelt import misspelt_names
from packshot.specs.models import (
    Category,
    Client,
    Configs,
    HandoffConfig,
    IngestConfig,
    Model,
    Platform,
    PressProfile,
    Profile,
    QcConfig,
    ResolvedRules,
    RoutingConfig,
)
from packshot.specs.reading import Document, NamesOf, Problem, config_error, read
from packshot.specs.resolve import FALLBACK_CLIENT, normal_words, resolve_platforms
from packshot.specs.returns import ReturnsConfig

__all__ = ["Configs", "default_folder", "find_problems", "load_configs", "load_for_the_line"]

MOST_LOGO_BYTES = 100_000

T = TypeVar("T")

CATEGORIES: TypeAdapter[Mapping[str, Category]] = TypeAdapter(Mapping[str, Category])
MODELS: TypeAdapter[Mapping[str, Model]] = TypeAdapter(Mapping[str, Model])


def default_folder() -> Path:
    """Return the folder ``configs/`` that comes with Packshot, in a checkout or in an installed wheel."""
    package = Path(__file__).resolve().parents[1]
    checkout = package.parent / "configs"
    return checkout if (checkout / "platforms").is_dir() else package / "_configs"


def load_configs(folder: Path) -> Configs:
    """Return all configs of a folder.

    Args:
        folder: laid out like Packshot's own folder ``configs/``.

    Raises:
        ConfigError: something is wrong. The message lists every problem with file, line and field.
    """
    configs, problems = _load(folder)
    if configs is None or problems:
        raise config_error(problems)
    return configs


def load_for_the_line(folder: Path) -> Configs:
    """Return all configs of a folder, even if the file of a client is wrong.

    A client whose own file is wrong is left out of `Configs.clients` and named in `Configs.broken_clients`. So a
    mistake in one client's file does not stop the work for other clients.

    Args:
        folder: laid out like Packshot's own folder ``configs/``.

    Raises:
        ConfigError: a file that all clients depend on is wrong.
    """
    configs, problems = _load(folder)
    broken: dict[str, list[Problem]] = {}
    for problem in problems:
        broken.setdefault(_only_client_of(problem, folder), []).append(problem)
    if configs is None or "" in broken:
        raise config_error(problems)
    whole = {name: client for name, client in configs.clients.items() if name not in broken}
    said = {name: str(config_error(found)) for name, found in broken.items()}
    return configs.model_copy(update={"clients": whole, "broken_clients": said})


def _only_client_of(problem: Problem, folder: Path) -> str:
    """Return the only client that a problem affects; empty if it may affect all."""
    file = Path(problem.file)
    alone = file.parent == folder / "clients" and file.suffix == ".yaml" and file.stem != FALLBACK_CLIENT
    return file.stem if alone else ""


def find_problems(folder: Path) -> tuple[Problem, ...]:
    """Return every problem in a folder of configs, each with file, line and field; empty if there is none.

    Args:
        folder: laid out like Packshot's own folder ``configs/``.
    """
    return _load(folder)[1]


def _load(folder: Path) -> tuple[Configs | None, tuple[Problem, ...]]:
    reader = _Reader(folder)
    parts: dict[str, Any] = {
        "platforms": reader.folder("platforms", Platform),
        "categories": reader.file("categories.yaml", CATEGORIES, names=NamesOf()),
        "defaults": reader.file("defaults.yaml", ResolvedRules),
        "qc": reader.file("qc.yaml", QcConfig),
        "routing": reader.file("routing.yaml", RoutingConfig),
        "ingest": reader.file("ingest.yaml", IngestConfig),
        "models": reader.file("models.yaml", MODELS, names=NamesOf()),
        "handoff": reader.file("handoff.yaml", HandoffConfig),
        "returns": reader.file("returns.yaml", ReturnsConfig),
        "daily": reader.file("daily.yaml", DailyConfig),
        "clients": reader.folder("clients", Client),
    }
    parts["press_profiles"] = reader.press_profiles(parts["clients"])
    problems = [*reader.problems, *misspelt_names(reader.documents, reader.problem)]
    whole = all(part is not None for part in parts.values())
    configs = Configs(**parts) if whole else None
    if configs:
        problems += _cross_check(configs, reader)
    return configs, tuple(problems)


class _Reader:
    """Read files and collect their problems; keep the documents, which know the line numbers.

    For a file with problems, return it without the faulty parts. So all further problems are found too.
    """

    def __init__(self, folder: Path) -> None:
        self.problems: list[Problem] = []
        self.documents: dict[str, Document] = {}
        self._folder = folder

    def file(self, path: str, model: type[T] | TypeAdapter[T], *, names: NamesOf | None = None) -> T | None:
        shown = str(self._folder / path)
        try:
            text = (self._folder / path).read_text(encoding="utf-8")
        except FileNotFoundError:
            self.problems.append(Problem(file=shown, line=0, field="", what="this config file is missing"))
            return None
        except (OSError, UnicodeDecodeError) as error:
            self.problems.append(Problem(file=shown, line=0, field="", what=f"cannot be read: {error}"))
            return None
        found = read(text, model, file=shown, names=names)
        self.documents[path] = found.document
        self.problems += found.problems
        return found.rest

    def folder(self, kind: str, model: type[T]) -> dict[str, T]:
        paths = sorted((self._folder / kind).glob("*.yaml"))
        if not paths:
            shown = str(self._folder / kind)
            self.problems.append(Problem(file=shown, line=0, field="", what="no .yaml file in this folder"))
        entries: dict[str, T] = {}
        for path in paths:
            try:
                name = checked_name(path.stem, what="config file")
            except NamingError as error:
                self.problems.append(
                    Problem(file=str(path), line=0, field="", what=error.what, found=path.stem, allowed=error.allowed)
                )
                continue
            value = self.file(f"{kind}/{path.name}", model, names=NamesOf(name))
            if value is not None:
                entries[name] = value
        return entries

    def press_profiles(self, clients: Mapping[str, Client]) -> dict[str, PressProfile]:
        """Return the ICC profiles that clients' style guides name: file name -> profile. A wrong one becomes a problem.

        Args:
            clients: name of the client -> style guide.
        """
        found: dict[str, PressProfile] = {}
        for client in clients.values():
            if not client.cmyk_profile:
                continue
            try:
                icc = (self._folder / "profiles" / client.cmyk_profile).read_bytes()
            except OSError:
                icc = b""
            if icc[36:40] == b"acsp" and icc[12:20] == b"prtrCMYK":
                text = base64.b64encode(icc).decode("ascii")
                found[client.cmyk_profile] = PressProfile(file=client.cmyk_profile, icc_base64=text)
            else:
                what = "no such profile" if not icc else "this is not the ICC profile of a CMYK press"
                allowed = f"a file in {self._folder / 'profiles'}"
                path, field = f"clients/{client.name}.yaml", ("cmyk_profile",)
                self.problems.append(self.problem(path, field, what, found=client.cmyk_profile, allowed=allowed))
        return found

    def folder_of(self, kind: str) -> Path:
        """Return the path of a folder of the configs whose files are not YAML, such as ``profiles``.

        Args:
            kind: the folder's name.
        """
        return self._folder / kind

    def problem(self, path: str, field: tuple[str | int, ...], what: str, **rest: str) -> Problem:
        dotted = ".".join(str(part) for part in field)
        line = self.documents[path].line(field)
        return Problem(file=str(self._folder / path), line=line, field=dotted, what=what, **rest)


def _cross_check(configs: Configs, reader: _Reader) -> Iterator[Problem]:
    """Yield problems that involve more than one file or entry."""
    yield from _shared_synonyms(configs, reader)
    if all(model.fallback for model in configs.models.values()):
        yield reader.problem("models.yaml", (), "no model that is not a fallback")
    if FALLBACK_CLIENT not in configs.clients:
        yield reader.problem("ingest.yaml", (), f"clients/{FALLBACK_CLIENT}.yaml is missing")
    for client in configs.clients.values():
        yield from _unmet_wishes(configs, client, reader)


def _shared_synonyms(configs: Configs, reader: _Reader) -> Iterator[Problem]:
    owner: dict[str, str] = {}
    for name, category in configs.categories.items():
        for index, word in enumerate((name, *category.synonyms)):
            other = owner.setdefault(normal_words(word), name)
            field = (name, "synonyms", index - 1) if index else (name,)
            if other != name:
                yield reader.problem("categories.yaml", field, "means two categories", found=f"{word!r} in {other} too")
            if not normal_words(word):
                yield reader.problem("categories.yaml", field, "has no letters or digits", found=repr(word))


def _unmet_wishes(configs: Configs, client: Client, reader: _Reader) -> Iterator[Problem]:
    """Yield a client's unusable logo, unknown categories, and edit rules that one of its platforms refuses for all."""
    path = f"clients/{client.name}.yaml"
    if client.logo:
        file = reader.folder_of("logos") / client.logo
        size = file.stat().st_size if file.is_file() else 0
        if not 0 < size <= MOST_LOGO_BYTES:
            found = f"{client.logo}, {size:,} bytes" if size else f"{client.logo}, which is not there"
            allowed = f"a file in configs/logos of at most {MOST_LOGO_BYTES:,} bytes"
            yield reader.problem(path, ("logo",), "this logo cannot be used", found=found, allowed=allowed)
    for name in client.sets.by_category:
        if name not in configs.categories:
            field_of = ("sets", "by_category", name)
            allowed = ", ".join(configs.categories)
            yield reader.problem(path, field_of, "no such category", found=name, allowed=allowed)
    refused: dict[tuple[tuple[str, ...], str, str, str], list[str]] = {}
    for name in client.platforms:
        platform = configs.platforms.get(name)
        if platform is None or not platform.enabled:
            continue
        if platform.profile is Profile.CMYK and not client.cmyk_profile:
            what = f"{name} is printed in CMYK: without the profile of the press nothing is delivered to it"
            yield reader.problem(path, ("platforms",), what, allowed="cmyk_profile: a file in configs/profiles")
            continue
        try:
            resolve_platforms(configs, client=client, category=None, platforms=(platform,))
        except ConfigError as error:
            field: tuple[str, ...] = ("platform_rules", name) if name in client.platform_rules else ("rules",)
            refused.setdefault((field, error.what, error.found, error.allowed), []).append(name)
    for (field, what, found, allowed), names in refused.items():
        yield reader.problem(path, field, what, found=f"{found}, for {', '.join(names)}", allowed=allowed)
