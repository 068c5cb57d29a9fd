"""Ends the servers when the process that started them is gone, however it went.

Runs as a process of its own, in a session of its own, so that Ctrl-C does not reach it. It reads lines on standard
input, ``watch PID SIGNAL`` and ``forget PID``. The pipe's end means that the starter has exited, crashed or was
killed: then every watched process gets its signal, and what is left after the grace period is killed, with all its
descendants.
"""

from __future__ import annotations

import signal
import sys

import psutil

GRACE_S = 8.0


def main() -> None:
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    watched: dict[int, int] = {}
    for line in sys.stdin:
        verb, pid, *rest = line.split()
        if verb == "watch":
            watched[int(pid)] = int(rest[0])
        else:
            watched.pop(int(pid), None)
    for pid, number in reversed(watched.items()):
        end(pid, number, grace_s=GRACE_S)


def end(pid: int, number: int, *, grace_s: float) -> None:
    """Send a process the signal that ends it; kill it and its descendants if they are still there after `grace_s`."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
    _, alive = psutil.wait_procs([process], timeout=grace_s)
    for left in [*alive, *family]:
        if left.is_running():
            try:
                left.kill()
            except psutil.NoSuchProcess:
                continue
    psutil.wait_procs(family, timeout=grace_s)


if __name__ == "__main__":
    main()
