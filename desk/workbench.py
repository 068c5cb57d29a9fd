"""What editors have brought to the desk and not handed in yet. Kept in memory; a restart of the desk forgets it.

Nothing is lost by that but a look: the file is dragged in again.
"""

from __future__ import annotations

import dataclasses
import threading

from packshot.types import Finding, Status
from tasks.uploads import Upload

MOST = 500
"""Uploads that are remembered; the oldest are forgotten first."""


@dataclasses.dataclass(frozen=True)
class Work:
    """An editor's file for a shot.

    Attributes:
        file: by what the browser knows the file again: name, size, time of its last change.
        checks: what the machine's checks say; None until the file is there and was checked.
        trouble: why it can't be read at all; empty if it can.
    """

    person: str
    file: str
    upload: Upload
    checks: tuple[Finding, ...] | None = None
    trouble: str = ""

    @property
    def is_checked(self) -> bool:
        return self.checks is not None or bool(self.trouble)

    @property
    def may_be_handed_in(self) -> bool:
        return self.checks is not None and not self.trouble and not self.failed

    @property
    def failed(self) -> tuple[Finding, ...]:
        return tuple(one for one in self.checks or () if one.status is Status.FAILED)


class Workbench:
    """The work on each shot, by its name CLIENT/BATCH/SHOT. Each shot has at most one."""

    def __init__(self) -> None:
        """Begin empty."""
        self._lock = threading.Lock()
        self._works: dict[str, Work] = {}

    def of(self, shot: object, person: str) -> Work | None:
        """Return a person's work on a shot; None if there is none of theirs."""
        with self._lock:
            work = self._works.get(str(shot))
            return work if work and work.person == person else None

    def put(self, work: Work) -> None:
        """Keep a work, in place of any other on the shot."""
        with self._lock:
            self._works.pop(str(work.upload.shot), None)
            self._works[str(work.upload.shot)] = work
            while len(self._works) > MOST:
                self._works.pop(next(iter(self._works)))

    def clear(self, shot: object) -> None:
        """Forget the work on a shot."""
        with self._lock:
            self._works.pop(str(shot), None)
