"""The audit log: who did what at the desk and when, one line each, in the process's log."""

from __future__ import annotations

import logging

from packshot.escaping import terminal

_LOG = logging.getLogger("packshot.desk.audit")


def note(what: str, *, person: str = "", shot: object = "", more: str = "") -> None:
    """Write one event to the audit log.

    Text from outside can't begin a line of its own there.

    Args:
        what: the act, for example a decision.
        person: name of the person who acts; empty if it is not known.
        shot: the shot that it is about; empty if it is about none.
        more: details.
    """
    parts = (("person", person), ("shot", str(shot)), ("more", more))
    said = " ".join(f"{name}={value!r}" for name, value in parts if value)
    _LOG.info("%s", terminal(f"{what} {said}".strip()))
