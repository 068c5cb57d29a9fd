"""Run the servers and a worker in the background: `up` starts ``packshot serve`` as a process, `down` ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from infra.local.processes import POLL_S, ServerError, holder_of, wait_until
from infra.local.supervisor import OWN_LOG, read_status
from infra.local.watchdog import has_ended

START_S = 900.0
END_S = 90.0


def up(state_dir: Path) -> tuple[int, str]:
    """Start ``packshot serve`` in the background and wait; return (the id of its process, what does not work).

    The call waits until all servers and processes work. A process that the others do not need, such as the desk, is
    waited for only until its first start has failed. It is then tried again in the background, and the second text says
    that it does not work. The text is empty if all work.

    Args:
        state_dir: folder of the servers' data; made if it is missing.
    Raises:
        ServerError: the servers run already, or did not start. The message contains the end of the log.
    """
    folder = state_dir.resolve()
    holder = holder_of(folder)
    if holder:
        raise ServerError(f"The servers of {folder} are already running, started by process {holder}: packshot status")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = folder / OWN_LOG
    log.touch(mode=0o600)
    log.write_text("")
    with log.open("ab") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "deployments", "serve", "--state", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
    wait_until(
        lambda: holder_of(folder) == child.pid and _is_started(folder),
        child=child,
        name="packshot serve",
        log=log,
        timeout_s=START_S,
    )
    return child.pid, read_status(folder)[1]


def _is_started(folder: Path) -> bool:
    parts, _ = read_status(folder)
    return bool(parts) and not any(one.trouble and (one.needed or not one.restarts) for one in parts)


def down(state_dir: Path) -> int | None:
    """End the servers whose data are in a folder, however they were started; return the id of their main process.

    None if they did not run.

    Args:
        state_dir: folder of the servers' data.
    Raises:
        ServerError: the servers have not ended within 90 s.
    """
    folder = state_dir.resolve()
    holder = holder_of(folder)
    if holder:
        os.kill(holder, signal.SIGTERM)
    deadline = time.monotonic() + END_S
    while holder_of(folder) is not None or (holder and not _is_gone(holder)):
        if time.monotonic() > deadline:
            raise ServerError(f"The servers of {folder}, of process {holder}, have not ended within {END_S:.0f} s.")
        time.sleep(POLL_S)
    return holder


def _is_gone(process: int) -> bool:
    try:
        return has_ended(psutil.Process(process))
    except psutil.NoSuchProcess:
        return True
