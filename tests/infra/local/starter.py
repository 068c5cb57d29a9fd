"""Starts servers, says so, and waits: a process for tests to kill.

Usage: ``python starter.py family|s3|stack STATE_DIR``.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from infra.local.processes import Family, only_one
from infra.local.stack import Ports, running, start_worker, wait_for_worker

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
)
SLOW_TO_END = "import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda n, f: (time.sleep(0.3), sys.exit()))\n"
"""Takes a moment to end."""
FORSAKEN = f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {STUBBORN!r}], start_new_session=True)\n"
"""Leaves a stubborn process behind that is nobody's child, in a session of its own."""


def main(what: str, state_dir: Path) -> None:
    if what == "family":
        with only_one(state_dir) as lock, Family(str(state_dir), lock=lock) as family:
            for number, code in enumerate(
                (STUBBORN, FORSAKEN, SLOW_TO_END + "print('up', flush=True)\ntime.sleep(600)")
            ):
                log = state_dir / f"{number}.log"
                family.start([sys.executable, "-c", code], log=log, grace_s=1)
                wait_for_line(log)
            report_and_wait()
    with running(state_dir, prefect=what == "stack", ports=Ports(prefect=_port())) as stack:
        if what == "stack":
            wait_for_worker(stack, start_worker(stack, work_pool="tests"), work_pool="tests")
        report_and_wait()


def report_and_wait() -> None:
    sys.stdout.write(f"ready {os.getpid()}\n")
    sys.stdout.flush()
    signal.pause()


def wait_for_line(log: Path) -> None:
    while "up" not in log.read_text():
        time.sleep(0.01)


def _port() -> int | None:
    return int(sys.argv[3]) if len(sys.argv) > 3 else None


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
