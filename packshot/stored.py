"""What outlives the version that wrote it: records and plans in storage, their form, and how older forms are read.

    form 1   {"shot": ..., "state": ...}                      written before forms were numbered
    form 2   {"schema_version": 2, "shot": ..., "state": ...}

A new field with a default needs no new form. A field that goes, or changes its meaning, does: `SCHEMA_VERSION` grows by
one, and the value's `UPGRADES` gets the step that leads there. One file of each form is kept for good in
``tests/fixtures``, and every later version reads them all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeAlias, TypeVar

from pydantic import ValidationError

from packshot.errors import RecordDamagedError
from packshot.types import Value

SCHEMA_VERSION = 2
"""The form that this version writes."""

Upgrade: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]
"""Takes a value's JSON from one form to the next."""

S = TypeVar("S", bound="Stored")


class Stored(Value):
    """A value in storage that later versions read.

    Attributes:
        UPGRADES: form -> the step to the next one; a form without a step differs only by fields with defaults.
        schema_version: the form it is in; always today's, once it has been read.
    """

    UPGRADES: ClassVar[Mapping[int, Upgrade]] = {}

    schema_version: int = SCHEMA_VERSION


def read_stored(kind: type[S], data: bytes, *, name: str) -> S:
    """Return a value from its JSON, whichever version wrote it.

    Args:
        name: of the object, for messages.
    Raises:
        RecordDamagedError: it cannot be read, or a newer version wrote it; the message tells which, and what to do.
    """
    found = _json(kind, data, name=name)
    form = found.get("schema_version", 1)
    if not isinstance(form, int) or form < 1:
        raise _damaged(kind, name, found=f"schema_version: {form!r}")
    if form > SCHEMA_VERSION:
        raise RecordDamagedError(
            "a newer version of Packshot wrote this",
            name,
            found=f"schema version {form}",
            allowed=f"up to {SCHEMA_VERSION}",
            next_step="It is whole. Upgrade Packshot on this machine, then retry the run.",
        )
    for step in range(form, SCHEMA_VERSION):
        found = kind.UPGRADES.get(step, dict)(found)
    try:
        return kind.model_validate_json(json.dumps({**found, "schema_version": SCHEMA_VERSION}))
    except ValidationError as error:
        raise _invalid(kind, name, error) from error


def _json(kind: type[Stored], data: bytes, *, name: str) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except ValueError as error:
        raise _damaged(kind, name, found=f"no JSON: {error}") from error
    if not isinstance(found, dict):
        raise _damaged(kind, name, found=f"a {type(found).__name__}")
    return found


def _invalid(kind: type[Stored], name: str, error: ValidationError) -> RecordDamagedError:
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"])) or "the file"
    if first["type"] != "extra_forbidden":
        return _damaged(kind, name, found=f"{where}: {first['msg']}")
    return RecordDamagedError(
        "it has a field that this version of Packshot does not know",
        name,
        found=where,
        allowed=f"the fields of a {kind.__name__} of schema version {SCHEMA_VERSION}",
        next_step="If a newer version wrote it, upgrade this one and retry the run; else take the field out.",
    )


def _damaged(kind: type[Stored], name: str, *, found: str) -> RecordDamagedError:
    return RecordDamagedError(
        "this cannot be read",
        name,
        found=found,
        allowed=f"a {kind.__name__} as Packshot writes it",
        next_step="Restore it from the bucket's versions or backup, then retry the run.",
    )
