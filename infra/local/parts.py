"""Describe a part of the system: a server or worker that can be restarted on the same port with the same data."""

from __future__ import annotations

import contextlib
import dataclasses
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil

from infra.local.processes import ServerError, wait_until

Child = subprocess.Popen[bytes]
CANNOT_START = (OSError, ServerError, subprocess.SubprocessError)
"""Errors of a start."""
REFUSES = "it refuses every write"
"""Trouble of a server that answers, and only a new start helps."""


STOPPED = "its process is stopped (SIGSTOP)"
KILLED_S = 5.0
"""How long a killed process is waited for, in seconds."""


@dataclasses.dataclass
class Part:
    """One server or worker on this machine: how to start its process, and how to check that it works.

    Making a `Part` starts its process. If the process can't be started, and the part is needed, an error is raised.

    Attributes:
        name: one word for logs and people, such as ``s3``.
        launch: called without arguments; starts the process and returns it at once.
        trouble: called with a running process; returns what is wrong with it, in words, or an empty text if it works.
        log: file for its output.
        start_s: how long a start may take, in seconds.
        needs: names of the parts that it depends on.
        runs_others: True if its child processes do other work. Their processor time then does not show that the part
            works.
        needed: True if nothing else can start without it. A part that is not needed may fail to start: a supervisor
            goes on trying.
        child: the process that runs now, or ran last; None if it could never be started.
        failure: why the last start failed; empty if it did not.
    """

    name: str
    launch: Callable[[], Child]
    trouble: Callable[[Child], str]
    log: Path
    start_s: float
    needs: tuple[str, ...] = ()
    runs_others: bool = False
    needed: bool = True
    child: Child | None = dataclasses.field(init=False, default=None)
    failure: str = dataclasses.field(init=False, default="")

    def __post_init__(self) -> None:
        try:
            self.start()
        except CANNOT_START:
            if self.needed:
                raise

    def start(self) -> None:
        """Start the part's process. The last one must have ended before.

        Raises:
            OSError, ServerError, subprocess.SubprocessError: it cannot be started.
        """
        try:
            self.child, self.failure = self.launch(), ""
        except CANNOT_START as error:
            self.failure = str(error)
            raise

    @property
    def pid(self) -> int:
        """The id of the part's process; 0 if it could never be started."""
        return self.child.pid if self.child else 0

    @property
    def ended(self) -> str:
        """How the part's process ended, such as ``ended with status 1``; empty while it runs."""
        if self.child is None:
            return f"cannot be started: {self.failure}"
        return "" if self.child.poll() is None else f"ended with status {self.child.returncode}"

    def what_is_wrong(self) -> str:
        """Return what is wrong with the part, in words; empty if it works.

        If its process does not run, or can't be asked, the text says so. No error is raised.
        """
        if self.ended or self.child is None:
            return self.ended
        if _is_stopped(self.child):
            return STOPPED
        try:
            return self.trouble(self.child)
        except Exception as error:  # noqa: BLE001  a server that is dying answers anything; its supervisor must not end
            return f"it cannot be asked: {type(error).__name__}: {error}"

    def kill(self) -> None:
        """Kill the part's process, and wait up to 5 seconds for its end. Its child processes go on.

        A process that waits for a disk or a network folder may end later.
        """
        if self.child is not None:
            self.child.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.child.wait(KILLED_S)

    def wait(self) -> None:
        """Wait until the part works; `start_s` seconds at most, more on a busy machine.

        Raises:
            ServerError: its process cannot be started, has ended, or does not work in time.
        """
        if self.child is None:
            raise ServerError(f"{self.name} {self.ended}")
        wait_until(
            lambda: not self.what_is_wrong(),
            child=self.child,
            name=self.name,
            log=self.log,
            timeout_s=self.start_s,
        )


def _is_stopped(child: Child) -> bool:
    try:
        return bool(psutil.Process(child.pid).status() == psutil.STATUS_STOPPED)
    except psutil.NoSuchProcess:
        return False
