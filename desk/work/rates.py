"""Count how much of an editor's own work was approved at the first look, and keep the number for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from packshot.handoff.people import same_person
from packshot.outcomes.first_time import By, Rate
from tasks.people.job_commands import first_time_rates

KEPT_S = 600.0
"""Counting reads the record of every shot, so it isn't done for each look."""


class Rates:
    """The rates of first-time approval of all editors, from the last count.

    An editor's rate is the share of the editor's shots that a second person did not reject at the first judgement, and
    that no client sent back as faulty.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin without a count.

        Args:
            clock: seconds that only go forward.
        """
        self._clock, self._lock = clock, threading.Lock()
        self._counted: tuple[float, tuple[Rate, ...]] | None = None

    def of(self, person: str) -> Rate | None:
        """Return an editor's rate of first-time approval; None if no work of theirs has been judged.

        If the last count is older than ten minutes, all rates are counted anew, which reads every shot's record.

        Args:
            person: the editor's name. Names that look alike count as the same
                (`packshot.handoff.people.same_person`).
        """
        with self._lock:
            if self._counted is None or self._clock() - self._counted[0] > KEPT_S:
                self._counted = (self._clock(), first_time_rates(by=By.EDITOR))
            rates = self._counted[1]
        return next((one for one in rates if same_person(one.name, person)), None)
