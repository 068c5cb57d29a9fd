"""Read stored values that an earlier version of Packshot wrote: check their schema version, and upgrade them.

    form 1   {"shot": ..., "state": ...}                      written before forms were numbered
    form 2   {"schema_version": 2, "shot": ..., "state": ...}
    form 3   the same, with decisions of clients about delivered pictures
    form 4   the same, with corrections on hold, and answers to a client that a picture has no fault

A new field with a default needs no new version. If a field is removed or its meaning changes, raise `SCHEMA_VERSION` by
one and add a step to the value's `UPGRADES`. A new value of an enumeration raises it too. An earlier version then
reports a newer version instead of a damaged record. One file of each version is kept in ``tests/fixtures`` for ever,
and every later version must read them all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeAlias, TypeVar

from pydantic import ValidationError

from packshot.errors import NamingError, RecordDamagedError
from packshot.types import Value

SCHEMA_VERSION = 4
"""The schema version that this code writes."""

Upgrade: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]
"""Converts a value's JSON from one schema version to the next."""

S = TypeVar("S", bound="Stored")


class Stored(Value):
    """Base class of values that are stored as JSON and that later versions of Packshot must be able to read.

    Attributes:
        UPGRADES: schema version -> function that turns JSON of this version into JSON of the next one. If two
            versions have no such function between them, they differ only in fields with defaults.
        schema_version: version of the form of the JSON. After reading it is always the newest one.
    """

    UPGRADES: ClassVar[Mapping[int, Upgrade]] = {}

    schema_version: int = SCHEMA_VERSION


def read_stored(kind: type[S], data: bytes, *, name: str) -> S:
    """Return a value from its stored JSON, upgraded to the newest schema version.

    Any version of Packshot up to this one may have written the JSON.

    Args:
        kind: the value's class.
        data: the JSON.
        name: name of the object, for messages.

    Raises:
        RecordDamagedError: the content can't be read, or a newer version wrote it. The message says which of the two,
            and what to do.
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
    except NamingError as error:
        raise _damaged(kind, name, found=str(error)) from error


def _json(kind: type[Stored], data: bytes, *, name: str) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except ValueError as error:
        raise _damaged(kind, name, found="no JSON") from error
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
