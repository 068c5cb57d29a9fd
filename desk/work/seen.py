"""Remember which pictures each person at the desk has had on the screen.

The memory is not stored; a restart of the desk forgets everything.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

MOST = 2000
"""Shots that are remembered of one person; the oldest are forgotten first."""


class PicturesSeen:
    """Which picture of each shot each person has last had on their screen.

    A picture is known by the first 16 hex digits of its hash. So a decision about a picture that nobody looked at can
    be refused. For each person the last 2,000 shots are remembered.
    """

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self._lock = threading.Lock()
        self._pictures: dict[str, OrderedDict[str, str]] = {}

    def note(self, person: str, shot: str, picture: str) -> None:
        """Note that a person has seen a picture of a shot. Only the last picture of each shot is kept.

        Args:
            person: the person's name.
            shot: CLIENT/BATCH/SHOT.
            picture: the first 16 hex digits of the picture's hash.
        """
        with self._lock:
            mine = self._pictures.setdefault(person, OrderedDict())
            mine.pop(shot, None)
            mine[shot] = picture
            while len(mine) > MOST:
                mine.popitem(last=False)

    def picture(self, person: str, shot: str) -> str:
        """Return the first 16 hex digits of the hash of the picture of a shot that a person saw last.

        The result is empty if they saw none since the desk was started.

        Args:
            person: the person's name.
            shot: CLIENT/BATCH/SHOT.
        """
        with self._lock:
            mine = self._pictures.get(person)
            return mine.get(shot, "") if mine else ""
