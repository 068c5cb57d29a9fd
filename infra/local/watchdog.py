"""End the servers when the process that started them is gone, for whatever reason.

The watchdog is a separate process in its own session, so Ctrl-C doesn't reach it. It reads lines ``watch PID SIGNAL
GRACE_S`` from standard input. When the pipe closes, the starter has exited, crashed or been killed. Then each watched
process gets its signal. After its grace period it is killed with all its descendants. Processes that were not
announced, or that left their parent, are found by a mark in their environment.
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
"""Environment variable of all processes of a family; its value is the state folder."""


def main(mark: str) -> None:
    """Wait until the process that started this one is gone, then end the servers that it named on standard input.

    Servers that were not named are ended too: they are found by a mark in their environment.

    Args:
        mark: value of the environment variable ``PACKSHOT_FAMILY``, which all servers of one start have: the path of
            the folder with their data.
    """
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    watched: list[tuple[psutil.Process, int, float]] = []
    for line in sys.stdin:
        _, pid, number, grace_s = line.split()
        with contextlib.suppress(psutil.NoSuchProcess):
            # Keep the object: psutil compares start times, so a later process with the same id is not confused with it.
            watched.append((psutil.Process(int(pid)), int(number), float(grace_s)))
    for process, number, grace_s in reversed(watched):
        end(process, number, grace_s=grace_s)
    end_strays(mark)


def end(process: psutil.Process, number: int, *, grace_s: float) -> None:
    """End a process and all its descendants, and wait until it has ended. A process that is gone already is no error.

    The process gets a signal first. If it still runs after `grace_s`, it is killed. Then its descendants are killed.

    Args:
        process: the process.
        number: the signal's number.
        grace_s: time for a clean end, in seconds.
    """
    try:
        family = [process, *process.children(recursive=True)]
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
    _wait_until_ended([process], timeout_s=grace_s)
    _kill(family)


def end_strays(mark: str) -> None:
    """Kill every process that is marked as belonging to one group of servers. Nothing comes back.

    The mark is the environment variable ``PACKSHOT_FAMILY``. This process and its ancestors are spared.

    Args:
        mark: value of the variable: the path of the folder with the servers' data.
    """
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
    """Return whether a process has released its files and ports: it no longer exists, or it is a zombie.

    A zombie is a process that has ended and that its parent has not asked about yet. Some parents, such as a
    container's first process, ask late or never.

    Args:
        process: the process.
    """
    try:
        # The main thread may have ended while another one still holds the files.
        return not process.is_running() or (process.status() == psutil.STATUS_ZOMBIE and process.num_threads() <= 1)
    except psutil.NoSuchProcess:  # also raised for a zombie
        return True


if __name__ == "__main__":
    main(sys.argv[1])
