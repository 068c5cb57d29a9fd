"""Who has which shot open, so that two people don't work on one. Kept in memory, with an end.

A claim is a courtesy among people, not a lock: a decision is safe without it, since it is about one picture and is
followed once. A restart of the desk forgets all claims.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

LASTS_S = 300.0
"""A claim ends after this time without a sign of life from its page."""


class Claims:
    """Shots by their name CLIENT/BATCH/SHOT; each person has at most one."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin without claims.

        Args:
            clock: seconds that only go forward.
        """
        self._clock, self._lock = clock, threading.Lock()
        self._held: dict[str, tuple[str, float]] = {}

    def take(self, shot: str, person: str) -> str:
        """Claim a shot, or renew the claim, and give back the person's last one. Return who has it now."""
        with self._lock:
            holder = self._holder(shot)
            if holder in ("", person):
                self._free(person)
                self._held[shot] = (person, self._clock() + LASTS_S)
            return holder or person

    def release(self, person: str, *, shot: str = "") -> None:
        """Give back what a person has.

        Args:
            shot: only this one, if the person still has it; empty means whatever it is.
        """
        with self._lock:
            if not shot or self._holder(shot) == person:
                self._free(person)

    def who(self, shot: str) -> str:
        """Return who has a shot; empty if nobody has."""
        with self._lock:
            return self._holder(shot)

    def all(self) -> Mapping[str, str]:
        """Return who has what: shot -> person."""
        at = self._clock()
        with self._lock:
            return {shot: person for shot, (person, until) in self._held.items() if until > at}

    def _holder(self, shot: str) -> str:
        person, until = self._held.get(shot, ("", 0.0))
        return person if until > self._clock() else ""

    def _free(self, person: str) -> None:
        self._held = {shot: held for shot, held in self._held.items() if held[0] != person}
