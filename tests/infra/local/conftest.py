"""A process that runs servers, to be killed, and a look at what is left of it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from infra.local import watchdog
from tests.patience import PATIENCE_S

Starter = Callable[..., subprocess.Popen[str]]
STARTER = Path(__file__).parent / "starter.py"


@pytest.fixture
def start() -> Iterator[Starter]:
    """A function that starts what ``starter.py`` offers and returns the process once it says that it is ready."""
    started: list[subprocess.Popen[str]] = []

    def start(*words: object) -> subprocess.Popen[str]:
        command = [sys.executable, str(STARTER), *map(str, words)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("ready"), line
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def left_over(state_dir: Path) -> list[str]:
    """Every process that belongs to a state folder: by the mark in its environment, or by naming the folder."""
    found = []
    for process in psutil.process_iter():
        try:
            command = process.cmdline()
            marked = process.environ().get(watchdog.MARK) == str(state_dir)
        except psutil.Error:
            continue
        if (marked or any(str(state_dir) in word for word in command)) and process.status() != psutil.STATUS_ZOMBIE:
            found.append(f"{process.pid} {' '.join(command)[:200]}")
    return found


def wait_until_nothing_is_left(state_dir: Path, *, timeout_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + timeout_s
    while left := left_over(state_dir):
        assert time.monotonic() < deadline, f"still running: {left}"
        time.sleep(0.05)
