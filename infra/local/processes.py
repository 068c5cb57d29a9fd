"""Child processes that start when asked, say when they are ready, and never outlive their starter."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.local import watchdog

POLL_S = 0.05
LOG_TAIL_CHARACTERS = 2000


class ServerError(RuntimeError):
    """A server did not start; the message holds the end of its log."""


def free_ports(count: int, *, preferred: int | None = None) -> list[int]:
    """Return ports on 127.0.0.1 that are free now, all different; the first is `preferred` where that is free."""
    with contextlib.ExitStack() as stack:
        taken: list[int] = []
        if preferred is not None and (port := _bind(stack, preferred)):
            taken.append(port)
        while len(taken) < count:
            port = _bind(stack, 0)
            if port:
                taken.append(port)
        return taken


def _bind(stack: contextlib.ExitStack, port: int) -> int:
    """The port that a socket got; 0 if it is taken. The socket stays open as long as the stack."""
    listener = stack.enter_context(socket.socket())
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        return 0
    return int(listener.getsockname()[1])


class Family:
    """Children of this process. They end with the block, with an exception, and with this process."""

    def __init__(self) -> None:
        self._watchdog = subprocess.Popen(
            [sys.executable, "-m", watchdog.__name__],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
            cwd=Path(watchdog.__file__).parent.parent.parent,
        )
        self._children: list[tuple[subprocess.Popen[bytes], int]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._children:
            child, stop_signal = self._children.pop()
            watchdog.end(child.pid, stop_signal, grace_s=watchdog.GRACE_S)
            child.wait()
        assert self._watchdog.stdin is not None
        self._watchdog.stdin.close()
        self._watchdog.wait()

    def start(
        self,
        command: Sequence[str | Path],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        user: int | None = None,
        group: int | None = None,
        cwd: Path | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a process whose output goes to a log file.

        Args:
            environment: added to this process's own.
            stop_signal: what makes it stop properly.
            user, group: numeric ids to run it as.
        """
        with log.open("ab") as output:
            child = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
                user=user,
                group=group,
                extra_groups=[] if user is not None else None,
                cwd=cwd,
            )
        assert self._watchdog.stdin is not None
        self._watchdog.stdin.write(f"watch {child.pid} {int(stop_signal)}\n")
        self._watchdog.stdin.flush()
        self._children.append((child, int(stop_signal)))
        return child


def wait_until(
    ready: Callable[[], bool], *, child: subprocess.Popen[bytes], name: str, log: Path, timeout_s: float
) -> None:
    """Return as soon as `ready` holds.

    Raises:
        ServerError: the process ended before, or the time is up.
    """
    deadline = time.monotonic() + timeout_s
    while not ready():
        code = child.poll()
        if code is not None or time.monotonic() > deadline:
            what = f"ended with status {code}" if code is not None else f"is not ready after {timeout_s:.0f} s"
            raise ServerError(f"{name} {what}. The end of {log}:\n{_tail(log)}")
        time.sleep(POLL_S)


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-LOG_TAIL_CHARACTERS:] if log.exists() else "(no log)"


def answers(url: str) -> Callable[[], bool]:
    """Return a check whether a GET on `url` is answered with status 200."""
    import urllib.error
    import urllib.request

    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def check() -> bool:
        try:
            with opener.open(url, timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError, TimeoutError):
            return False

    return check


@contextlib.contextmanager
def only_one(state_dir: Path) -> Iterator[None]:
    """Hold a state folder for this process.

    The lock goes with the process that holds it, so nothing is left over after a crash.

    Raises:
        ServerError: another process holds it; the message names it.
    """
    import fcntl

    state_dir.mkdir(parents=True, exist_ok=True)
    with (state_dir / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise ServerError(
                f"The servers of {state_dir} are already running, started by process {file.read().strip() or '?'}. "
                "Stop that one first, or use another state folder."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
