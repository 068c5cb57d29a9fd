"""Apply a person's corrections of a photograph that is on hold: the right file name, and the services that were meant.

A photograph is on hold while something is missing that its client must send.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any

from packshot.decision import Choice, Decision
from packshot.errors import DecisionRefusedError
from packshot.ingest.facts import listed, plain_value, read_by_pattern
from packshot.specs.models import Client
from packshot.specs.services import WORDS, unknown_services
from packshot.types import Sourced

BY_PERSON = "person"
"""Source of a fact that a person gave. It comes before what the manifest and the file's name say."""
PRODUCT_FACTS = ("sku", "asin", "gtin")


def corrected_facts(
    facts: Mapping[str, Sourced], decisions: Iterable[Decision], *, client: Client, path: str
) -> dict[str, Sourced]:
    """Return the facts about a shot with people's corrections: name of the fact -> value with its source.

    A corrected fact replaces the one of the same name; all other facts stay. If several corrections give one fact, the
    last one wins. A correction that cannot be used (`facts_given` refuses it) is left out without an error.

    Args:
        facts: name of the fact -> value with its source, as `gather_facts` returns them.
        decisions: people's decisions about the shot, oldest first. Only corrections count.
        client: the client's style guide.
        path: the file's path in its batch.
    """
    corrected = dict(facts)
    for one in decisions:
        if one.choice is Choice.CORRECT:
            with suppress(DecisionRefusedError):
                corrected |= facts_given(one, client=client, path=path)
    return corrected


def facts_given(decision: Decision, *, client: Client, path: str) -> dict[str, Sourced]:
    """Return the facts that a person's correction gives: name of the fact -> value, with the source ``person``.

    The client's pattern for file names reads facts such as "sku" from a new name. New services (kinds of handwork) give
    the fact "services", for example "retouch,shadow".

    Args:
        decision: the correction: a new file name, the services that were meant, or both.
        client: the client's style guide; its `file_name_pattern` reads the new name.
        path: the file's path in its batch. If the new name ends like it, for example in ``.jpg``, the ending is
            ignored.
    Raises:
        DecisionRefusedError: the correction cannot be used: there is a new name, but the client has no pattern or the
            pattern finds no product in it; or a service is unknown.
    """
    given = {**_named(decision.new_name, client, path), **_meant(decision.new_services, path)}
    return {name: Sourced(value=value, source=BY_PERSON) for name, value in given.items()}


def _named(new_name: str, client: Client, path: str) -> dict[str, str]:
    """Return the facts that a client's pattern reads from a new name; none without one."""
    if not new_name:
        return {}
    if not client.file_name_pattern:
        raise _refused(
            "this client's file names are not read, so a new name says nothing",
            path,
            found=repr(new_name),
            next_step="Correct the services, or have the client send the photograph again with a row in the manifest.",
        )
    extension = PurePosixPath(path).suffix
    stem = new_name[: -len(extension)] if extension and new_name.lower().endswith(extension.lower()) else new_name
    read = {name: plain_value(name, value) for name, value in read_by_pattern(client.file_name_pattern, stem)}
    read = {name: value for name, value in read.items() if value}
    if not any(read.get(name) for name in PRODUCT_FACTS):
        raise _refused(
            "the client's pattern reads no product from this name",
            path,
            found=repr(new_name),
            allowed=f"names that {client.file_name_pattern!r} reads, with a right check digit where it is a GTIN",
            next_step="Write it as the client's other files are named.",
        )
    return read


def _meant(new_services: str, path: str) -> dict[str, str]:
    """Return the services that are meant, as a fact; none without a word."""
    if not new_services:
        return {}
    unknown = unknown_services(listed(new_services))
    if unknown:
        raise _refused(
            "nobody knows this service",
            path,
            found=", ".join(unknown),
            allowed=", ".join(sorted(WORDS)),
            next_step="Use one of these words.",
        )
    return {"services": ",".join(listed(new_services))}


def _refused(what: str, path: str, **more: Any) -> DecisionRefusedError:
    return DecisionRefusedError(what, path, **more)
