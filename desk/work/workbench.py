"""Remember files that editors have uploaded and not handed in yet; only in memory, so a restart forgets them.

After a restart an editor drops the file on the page again. Nothing else is lost.
"""

from __future__ import annotations

import dataclasses
import threading

from packshot.types import Finding, Status
from tasks.people.uploads import Upload

MOST = 500
"""Uploads that are remembered; the oldest are forgotten first."""


@dataclasses.dataclass(frozen=True)
class Work:
    """A file that an editor has uploaded for a shot, before the editor hands it in.

    Attributes:
        person: name of the editor.
        file: the file's name, size in bytes and time of its last change, as one text with blanks between. If the editor
            drops the same file again, its broken-off upload is continued.
        upload: the upload of the file, finished or not.
        checks: results of the machine's checks; None until the file is uploaded and checked.
        trouble: why the file can't be read; empty if it can.
    """

    person: str
    file: str
    upload: Upload
    checks: tuple[Finding, ...] | None = None
    trouble: str = ""

    @property
    def is_checked(self) -> bool:
        """Whether the machine's checks of the file have ended, with results or because the file can't be read."""
        return self.checks is not None or bool(self.trouble)

    @property
    def may_be_handed_in(self) -> bool:
        """Whether the editor can hand the file in: it is checked, and no check failed."""
        return self.checks is not None and not self.trouble and not self.failed

    @property
    def failed(self) -> tuple[Finding, ...]:
        """The findings of the checks that failed; empty before the file is checked."""
        return tuple(one for one in self.checks or () if one.status is Status.FAILED)


class Workbench:
    """The store of files that editors have uploaded and not handed in yet: shot -> file, at most one for each shot.

    It is an object in the memory of the desk's process, safe to use from several threads.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self._lock = threading.Lock()
        self._works: dict[str, Work] = {}

    def of(self, shot: object, person: str) -> Work | None:
        """Return the file that a person has uploaded for a shot and not handed in; None if there is none.

        Args:
            shot: the shot's id, or its text CLIENT/BATCH/SHOT.
            person: name of the editor.
        """
        with self._lock:
            work = self._works.get(str(shot))
            return work if work and work.person == person else None

    def put(self, work: Work) -> None:
        """Keep an editor's file. It replaces any other file for the shot.

        Args:
            work: the file, with its upload, which names the shot.
        """
        with self._lock:
            self._works.pop(str(work.upload.shot), None)
            self._works[str(work.upload.shot)] = work
            while len(self._works) > MOST:
                self._works.pop(next(iter(self._works)))

    def clear(self, shot: object) -> None:
        """Forget the file that an editor has uploaded for a shot, if there is one.

        Args:
            shot: the shot's id, or its text CLIENT/BATCH/SHOT.
        """
        with self._lock:
            self._works.pop(str(shot), None)
