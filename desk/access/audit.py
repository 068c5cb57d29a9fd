"""Log who did what at the desk and when, one line each, in the process's log (the audit log)."""

from __future__ import annotations

import logging

from packshot.escaping import terminal

_LOG = logging.getLogger("packshot.desk.audit")


def note(what: str, *, person: str = "", shot: object = "", more: str = "") -> None:
    """Write one line to the desk's audit log: what was done, by whom, about which shot.

    Each value is written with quotes and without control characters, so that no text from outside can begin a line of
    its own.

    Args:
        what: the act in words, for example ``signed in``.
        person: name of the person who acts; empty if it is not known.
        shot: the shot that the act is about, as an id or as its text CLIENT/BATCH/SHOT; empty if it is about none.
        more: details in words; empty if there are none.
    """
    parts = (("person", person), ("shot", str(shot)), ("more", more))
    said = " ".join(f"{name}={value!r}" for name, value in parts if value)
    _LOG.info("%s", terminal(f"{what} {said}".strip()))
