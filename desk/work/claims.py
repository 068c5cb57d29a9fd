"""Keep which person has which shot open (a claim), so that two people don't work on one.

Claims are kept in memory and expire.

A claim only informs people about each other. It is not a lock. Decisions are safe without it: a decision is about one
picture, and is followed only once. A restart of the desk forgets all claims.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from tasks.environment.clocks import passed_s

LASTS_S = 300.0
"""A claim ends after this time without a sign of life from its page."""


class Claims:
    """Which person has which shot (CLIENT/BATCH/SHOT) open at the desk. Each person has at most one.

    So two people don't work on one shot. A claim ends after five minutes without a sign of life from the page.
    """

    def __init__(self, *, clock: Callable[[], float] = passed_s) -> None:
        """Begin without claims.

        Args:
            clock: seconds that only go forward, also while this machine is suspended.
        """
        self._clock, self._lock = clock, threading.Lock()
        self._held: dict[str, tuple[str, float]] = {}

    def take(self, shot: str, person: str) -> str:
        """Claim a shot for a person, unless somebody else has it; return the name of the person who has it then.

        If the claim succeeds, the person's claim on another shot ends. A repeated claim is renewed.

        Args:
            shot: CLIENT/BATCH/SHOT.
            person: the person's name.
        """
        with self._lock:
            holder = self._holder(shot)
            if holder in ("", person):
                self._free(person)
                self._held[shot] = (person, self._clock() + LASTS_S)
            return holder or person

    def release(self, person: str, *, shot: str = "") -> None:
        """End a person's claim, if there is one: the person has closed the shot.

        Args:
            person: the person's name.
            shot: CLIENT/BATCH/SHOT. If it is given, the claim ends only if it is on this shot. Empty ends any claim.
        """
        with self._lock:
            if not shot or self._holder(shot) == person:
                self._free(person)

    def who(self, shot: str) -> str:
        """Return the name of the person who has a shot open; empty if nobody has.

        Args:
            shot: CLIENT/BATCH/SHOT.
        """
        with self._lock:
            return self._holder(shot)

    def all(self) -> Mapping[str, str]:
        """Return all claims: shot (CLIENT/BATCH/SHOT) -> name of the person."""
        at = self._clock()
        with self._lock:
            return {shot: person for shot, (person, until) in self._held.items() if until > at}

    def _holder(self, shot: str) -> str:
        person, until = self._held.get(shot, ("", 0.0))
        return person if until > self._clock() else ""

    def _free(self, person: str) -> None:
        self._held = {shot: held for shot, held in self._held.items() if held[0] != person}
