"""Ends the servers when the process that started them is gone, however it went.

Runs as a process of its own, in a session of its own, so that Ctrl-C does not reach it. It reads lines on standard
input, ``watch PID SIGNAL GRACE_S``. The pipe's end means that the starter has exited, crashed or was killed: then every
watched process gets its signal, and what is left after its grace is killed, with all its descendants. What was started
but not announced any more, or has slipped away from its parent, is known by a mark in its environment.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time

import psutil

GRACE_S = 8.0
POLL_S = 0.02
MARK = "PACKSHOT_FAMILY"
"""The environment variable that the members of a family carry; its value is the state folder."""


def main(mark: str) -> None:
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    watched: list[tuple[psutil.Process, int, float]] = []
    for line in sys.stdin:
        _, pid, number, grace_s = line.split()
        with contextlib.suppress(psutil.NoSuchProcess):
            # Kept as an object: psutil compares start times, so that a later process with the same id is not meant.
            watched.append((psutil.Process(int(pid)), int(number), float(grace_s)))
    for process, number, grace_s in reversed(watched):
        end(process, number, grace_s=grace_s)
    end_strays(mark)


def end(process: psutil.Process, number: int, *, grace_s: float) -> None:
    """Send a process the signal that ends it; kill it and its descendants if they are still there after `grace_s`."""
    try:
        family = [process, *process.children(recursive=True)]
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
    _wait_until_ended([process], timeout_s=grace_s)
    _kill(family)


def end_strays(mark: str) -> None:
    """Kill every process that carries the mark: what a family left behind. Never this process or one above it."""
    ours = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    _kill([process for process in psutil.process_iter() if process.pid not in ours and _carries(process, mark)])


def _carries(process: psutil.Process, mark: str) -> bool:
    try:
        return bool(process.environ().get(MARK) == mark)
    except (psutil.Error, OSError):  # gone, or another user's
        return False


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    _wait_until_ended(processes, timeout_s=GRACE_S)


def _wait_until_ended(processes: list[psutil.Process], *, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while not all(has_ended(process) for process in processes) and time.monotonic() < deadline:
        time.sleep(POLL_S)


def has_ended(process: psutil.Process) -> bool:
    """Return whether a process has let go of its files and ports: it is gone, or its parent has yet to take note.

    What a container runs as its first process may be slow to take note of orphans, or never do it.
    """
    try:
        # The first of several threads may have ended while another still holds the files.
        return not process.is_running() or (process.status() == psutil.STATUS_ZOMBIE and process.num_threads() <= 1)
    except psutil.NoSuchProcess:  # also says: ended, not taken note of
        return True


if __name__ == "__main__":
    main(sys.argv[1])
