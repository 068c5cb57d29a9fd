"""The audit log: who did what at the desk and when, one line each, in the process's log."""

from __future__ import annotations

import logging

from packshot.escaping import terminal

_LOG = logging.getLogger("packshot.desk.audit")


def note(what: str, *, person: str = "", shot: object = "", more: str = "") -> None:
    """Write down an event. Text from outside can't begin a line of its own."""
    parts = (("person", person), ("shot", str(shot)), ("more", more))
    said = " ".join(f"{name}={value!r}" for name, value in parts if value)
    _LOG.info("%s", terminal(f"{what} {said}".strip()))
