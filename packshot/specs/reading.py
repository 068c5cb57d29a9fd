"""Read one YAML file into one validated model, or report all its problems with line numbers.

YAML is composed to nodes, so that each value keeps its line number. Then it is validated as JSON in strict mode, so
that ``min_px: yes`` is not read as 1.
"""

from __future__ import annotations

import datetime
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Generic, NamedTuple, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

from packshot.errors import ConfigError
from packshot.specs.nearest import did_you_mean, listed
from packshot.types import Value

T = TypeVar("T")
Path = tuple[str | int, ...]
"""Path of a value in a file: ``("canvas", "min_px")``."""


class Problem(Value):
    """One problem in a config file.

    Attributes:
        file: path of the file.
        line: counted from 1; 0 if it is about the whole file.
        field: dotted path of the value; empty if it is about the whole file.
        what: what is wrong.
        found, allowed: what stands there, and what would be accepted; empty if that needs no words.
    """

    file: str
    line: int
    field: str
    what: str
    found: str = ""
    allowed: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        text = f"{place}: {self.field}: {self.what}" if self.field else f"{place}: {self.what}"
        if self.found:
            text += f"; found {self.found}"
        return f"{text}; allowed {self.allowed}" if self.allowed else text


class Document(NamedTuple):
    """The plain values of a YAML file, and the line in which each key and item stands.

    Attributes:
        data: mappings, lists, texts, numbers and dates, as the file nests them.
        lines: path of a key or item, such as ``("canvas", "min_px")`` -> its line, counted from 1.
    """

    data: Any
    lines: Mapping[Path, int]

    def line(self, path: Path) -> int:
        """Return the line in which a value stands, counted from 1.

        If the value has none, the line of the nearest value around it counts.

        Args:
            path: keys and indices that lead to the value, such as ``("sources", 0, "ref")``.
        """
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


class Read(NamedTuple, Generic[T]):
    """The result of reading a config file: the model, or what is wrong with the file.

    Attributes:
        value: the model; None if there are problems.
        document: the file's plain values with their lines.
        problems: everything that is wrong, by line.
        rest: the model without the faulty parts, to look for further problems; None if that isn't valid either.
    """

    value: T | None
    document: Document
    problems: tuple[Problem, ...]
    rest: T | None


def config_error(problems: Sequence[Problem]) -> ConfigError:
    """Return one error whose message lists all problems, each with file, line and field.

    Args:
        problems: at least one.
    """
    first = problems[0]
    if len(problems) == 1:
        place = f"{first.file}:{first.line}" if first.line else first.file
        what = f"{first.field}: {first.what}" if first.field else first.what
        return ConfigError(what, place, first.found, first.allowed, next_step="Correct the file.")
    files = sorted({problem.file for problem in problems})
    listed = "\n  ".join(str(problem) for problem in problems)
    subject = files[0] if len(files) == 1 else f"{len(files)} config files"
    return ConfigError(f"{len(problems)} problems:\n  {listed}\n", subject, next_step="Correct them all.")


def read(text: str, model: type[T] | TypeAdapter[T], *, file: str, names: NamesOf | None = None) -> Read[T]:
    """Return a config file's text as a model, or all problems that the text has.

    Args:
        text: the file's content, in YAML.
        model: the model, or an adapter for another type.
        file: name of the file, for messages.
        names: where the entries get their ``name`` from: the file's name, or the file's top-level keys. None if the
            model has no such field.
    """
    document, problems = parse(text, file=file)
    if problems and not document.data:
        return Read(None, document, problems, None)
    adapter: TypeAdapter[T] = model if isinstance(model, TypeAdapter) else TypeAdapter(model)
    data, misplaced = names.put_into(document, file=file) if names else (document.data, ())
    if misplaced and not isinstance(data, dict):
        return Read(None, document, (*problems, *misplaced), None)
    rest, wrong = _validated(data, adapter)
    told = {problem.field for problem in problems}
    further = (_problem(one, document, adapter, file=file) for one in wrong)
    found = (*problems, *misplaced, *(one for one in further if one.field not in told))
    in_order = tuple(sorted(dict.fromkeys(found), key=lambda problem: (problem.line, problem.field)))
    return Read(None if in_order else rest, document, in_order, rest)


def _validated(data: Any, adapter: TypeAdapter[Any]) -> tuple[Any, list[Any]]:
    """Return the model and all of pydantic's errors, including those that only show once faulty parts are removed."""
    errors: list[Any] = []
    taken: set[Path] = set()
    while True:
        try:
            return adapter.validate_json(json.dumps(data, default=_iso), strict=True), errors
        except ValidationError as error:
            found = error.errors(include_url=False)
        new = [one for one in found if _path(one) not in taken and not _follows(one, found)]
        errors += new
        faulty = {_path(one) for one in new if one["type"] not in ("missing", "value_error") or _is_plain(one["input"])}
        rest = _without(data, faulty - {()})
        if not new or rest == data:
            return None, errors
        taken |= faulty
        data = rest


def _path(details: Any) -> Path:
    return tuple(part for part in details["loc"] if part != "[key]")


def _follows(details: Any, all_of_them: Sequence[Any]) -> bool:
    """Return whether an error only follows from a wrong item: a list is too short without it."""
    path = _path(details)
    inside = (_path(one) for one in all_of_them)
    return details["type"] == "too_short" and any(len(one) > len(path) and one[: len(path)] == path for one in inside)


def _is_plain(value: Any) -> bool:
    return not isinstance(value, dict | list)


def _without(data: Any, paths: set[Path], at: Path = ()) -> Any:
    """Return plain values without those at some paths."""
    if isinstance(data, dict):
        return {key: _without(one, paths, (*at, key)) for key, one in data.items() if (*at, key) not in paths}
    if isinstance(data, list):
        return [_without(one, paths, (*at, n)) for n, one in enumerate(data) if (*at, n) not in paths]
    return data


class NamesOf(NamedTuple):
    """Where the entries of a config file get their ``name`` from: the file's name, or the file's top-level keys.

    Attributes:
        stem: the file's name, used as ``name``. If it is None, each top-level key is the name of its entry.
    """

    stem: str | None = None

    def put_into(self, document: Document, *, file: str) -> tuple[Any, tuple[Problem, ...]]:
        """Return (the file's values, in which each entry has its ``name``; the problems that were found).

        With a `stem`, the file is one entry. A file must not state a name itself; a ``name`` in it is a problem. If the
        values are not a mapping, they come back unchanged, with one problem.

        Args:
            document: the file's plain values.
            file: name of the file, for messages.
        """
        data = document.data
        if not isinstance(data, dict):
            return data, (Problem(file=file, line=1, field="", what="not a mapping of fields", found=_short(data)),)
        if self.stem is not None:
            return {**data, "name": self.stem}, _stated_name(data, (), document, file)
        named: dict[str, Any] = {}
        problems: list[Problem] = []
        for key, entry in data.items():
            if isinstance(entry, dict):
                problems += _stated_name(entry, (key,), document, file)
                named[key] = {**entry, "name": key}
            else:
                named[key] = entry
        return named, tuple(problems)


def _stated_name(entry: Mapping[str, Any], path: Path, document: Document, file: str) -> tuple[Problem, ...]:
    if "name" not in entry:
        return ()
    line = document.line((*path, "name"))
    told = "nothing: the name is that of the file or entry"
    return (Problem(file=file, line=line, field=_dotted((*path, "name")), what="not stated here", allowed=told),)


def parse(text: str, *, file: str) -> tuple[Document, tuple[Problem, ...]]:
    """Return (the plain values of a YAML text with their lines, problems).

    Problems are errors of syntax, keys that are given twice, keys that YAML does not read as text, anchors that are
    used twice, tags, and numbers that are not finite. A text that is not YAML gives an empty mapping as its values, and
    one problem.

    Args:
        text: the file's content.
        file: name of the file, for messages.
    """
    try:
        return _composed(text, file)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        why = error.problem or error.context
    except (yaml.YAMLError, ValueError, KeyError, AttributeError, RecursionError) as error:
        # Values with an explicit tag that does not fit, such as `!!bool x`, end in any of these.
        line, why = 0, " ".join(str(error).split())
    return Document({}, {}), (Problem(file=file, line=line, field="", what=f"not readable as YAML: {why}"),)


def _composed(text: str, file: str) -> tuple[Document, tuple[Problem, ...]]:
    loader = _LOADER(text)
    try:
        root = loader.get_single_node()
        walk = _Walk(loader, file)
        data = walk.plain(root, ()) if root is not None else {}
        return Document(data, walk.lines), tuple(walk.problems)
    finally:
        loader.dispose()


_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's parser, quicker than the one in Python. Each wheel of PyYAML has it; a build without it may not."""

_PLAIN_TAGS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


class _Walk:
    """Converts nodes into plain values, and collects lines and problems."""

    def __init__(self, loader: yaml.SafeLoader, file: str) -> None:
        self.lines: dict[Path, int] = {}
        self.problems: list[Problem] = []
        self._loader = loader
        self._file = file
        self._seen: set[int] = set()

    def plain(self, node: yaml.Node, path: Path) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if id(node) in self._seen:
            self._note(node, path, "an anchor is used twice", allowed="each value written out")
            return None
        self._seen.add(id(node))
        if isinstance(node, yaml.CollectionNode) and node.tag not in _PLAIN_TAGS:
            self._note(node, path, "not plain YAML", found=node.tag)
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.plain(item, (*path, index)) for index, item in enumerate(node.value)]
        value = self._loader.construct_object(node)
        if isinstance(value, float) and not math.isfinite(value):
            self._note(node, path, "not a finite number", found=node.value)
        return value

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        plain: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if not isinstance(key, str) or key_node.tag != "tag:yaml.org,2002:str":
                self._note(key_node, path, "a key that YAML does not read as text", found=str(key), allowed="quotes")
            elif key in plain:
                first = f"one {key!r}; the first is in line {self.lines[(*path, key)]}"
                self._note(key_node, (*path, key), "given twice", allowed=first)
            else:
                self.lines[(*path, key)] = key_node.start_mark.line + 1
                plain[key] = self.plain(value_node, (*path, key))
        return plain

    def _note(self, node: yaml.Node, path: Path, what: str, *, found: str = "", allowed: str = "") -> None:
        line = node.start_mark.line + 1
        self.problems.append(
            Problem(file=self._file, line=line, field=_dotted(path), what=what, found=found, allowed=allowed)
        )


def _problem(details: Any, document: Document, adapter: TypeAdapter[Any], *, file: str) -> Problem:
    """Convert a pydantic error into a problem with file, line, field, found and allowed."""
    path = _path(details)
    kind, message = details["type"], str(details["msg"])
    found, allowed, what = _short(details["input"]), message.removeprefix("Input should be "), "not accepted"
    if kind == "missing":
        what, found, allowed = "missing", "", ""
    elif kind == "extra_forbidden":
        schema = adapter.json_schema()
        fields = _fields_at(schema, path[:-1], schema.get("$defs", {}))
        what, found, allowed = "unknown field", "", listed(str(path[-1]), fields)
    elif kind in ("enum", "literal_error"):
        allowed += did_you_mean(str(details["input"]), re.findall("'([^']*)'", message))
    elif kind == "value_error":
        allowed = message.removeprefix("Value error, ")
        found = "" if isinstance(details["input"], dict) else found
    line = document.line(path)
    return Problem(file=file, line=line, field=_dotted(path), what=what, found=found, allowed=allowed)


def _fields_at(schema: Mapping[str, Any], path: Path, definitions: Mapping[str, Any]) -> list[str]:
    """Return the field names of the object at a path of a JSON schema; none if there is no object."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rsplit("/", 1)[-1]]
    if "anyOf" in schema:
        return next((fields for one in schema["anyOf"] if (fields := _fields_at(one, path, definitions))), [])
    if not path:
        return [name for name in schema.get("properties", {}) if name != "name"]
    inner = schema.get("properties", {}).get(path[0]) or schema.get("additionalProperties") or schema.get("items")
    return _fields_at(inner, path[1:], definitions) if isinstance(inner, dict) else []


def _dotted(path: Path) -> str:
    """Return ``("sources", 0, "ref")`` as ``sources[0].ref``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _iso(value: Any) -> str:
    if isinstance(value, datetime.date):
        return value.isoformat()
    raise ValueError(f"{value!r} is not a text, number, list or mapping")
