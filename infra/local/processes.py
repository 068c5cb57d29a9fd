"""Start child processes, and wait until they are ready. None outlives the process that started it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import psutil

from infra.local import watchdog

if TYPE_CHECKING:
    from infra.local.parts import Part

POLL_S = 0.05
MOST_BUSY = 10.0
LEAVING_S = 60.0
"""How long the servers of a dead starter may take to end, in seconds."""
PASSED_ON = ("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""Environment variables that every child gets. `Family.start` adds further ones."""
PYTHONS = ("LANG", "LC_*", "PYTHON*", "VIRTUAL_ENV", "XDG_*", "SSL_CERT_*")
"""Further variables that Python programs need."""
LOG_TAIL_CHARACTERS = 2000
ANSWER_S = 5.0
"""How long a server may take to say that it works; on a machine that is busy with a night two seconds are too few."""

# Below the ports that Linux (32768 and up) and macOS (49152 and up) take for outgoing connections: nothing comes in
# between a port's choice and the server that listens there seconds later.
FIRST_PORT, LAST_PORT = 20_000, 32_500


class ServerError(RuntimeError):
    """An embedded server cannot be started, used or ended. The message says why.

    If the server itself failed, the message contains the end of its log.
    """


def free_ports(count: int, *, preferred: int | None = None) -> list[int]:
    """Return free ports on 127.0.0.1, all different; the first is `preferred` if that is free.

    Until this process ends, the function gives these ports to no other process of this user, and a further call in this
    process returns other ports. Only `preferred` may be returned again, as long as no server listens on it.

    Args:
        count: how many ports.
        preferred: the port that is tried first; None means none.

    Raises:
        ServerError: fewer than `count` ports are free.
    """
    found = [preferred] if preferred is not None and _take(preferred) else []
    candidates = list(range(FIRST_PORT, LAST_PORT))
    # SystemRandom: two processes that a test seeded alike must not choose the same ports.
    random.SystemRandom().shuffle(candidates)
    for port in candidates:
        if len(found) >= count:
            return found[:count]
        if port not in _taken and _take(port):
            found.append(port)
    raise ServerError(f"Only {len(found)} of {count} ports are free on 127.0.0.1. Stop servers that you do not need.")


def kept_ports(state_dir: Path, name: str, count: int, *, preferred: int | None = None) -> list[int]:
    """Return ports for a server: those of its last start if they are still free, else other free ones.

    They are remembered for the next start. So addresses that were given to people, such as links to pictures, still
    work after a restart.

    Args:
        state_dir: the ports are remembered in the folder's file ``ports.json``.
        name: of the server, such as ``s3``.
        count: how many ports it needs.
        preferred: the port that is tried first if the last ones can't be used; None means none.

    Raises:
        ServerError: there are not enough free ports.
    """
    book = state_dir / "ports.json"
    noted: dict[str, list[int]] = {}
    with contextlib.suppress(OSError, ValueError):
        noted = json.loads(book.read_text())
    ports = noted.get(name, [])
    if len(ports) == count and all(is_free(port) for port in ports):
        for port in ports:
            _take(port)
    else:
        ports = free_ports(count, preferred=preferred)
    book.write_text(json.dumps({**noted, name: ports}))
    return ports


_taken: dict[int, int] = {}
"""Ports that this process has drawn, each with the descriptor of its locked file.

A server listens seconds after its port was drawn, so that the port's being free says nothing of who else drew it.
"""


def _take(port: int) -> bool:
    """Make a port this process's until it ends; return whether it is free and no other process's."""
    if port not in _taken:
        folder = Path(tempfile.gettempdir()) / f"packshot-ports-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        lock = os.open(folder / str(port), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return False
        _taken[port] = lock
    if is_free(port):
        return True
    os.close(_taken.pop(port))
    return False


def is_free(port: int) -> bool:
    """Return whether a port of 127.0.0.1 is free: nobody answers on it, and a server can bind it.

    Args:
        port: the TCP port.
    """
    with socket.socket() as caller:
        caller.settimeout(1)
        if caller.connect_ex(("127.0.0.1", port)) == 0:
            return False
    with socket.socket() as listener:
        # As servers do: a port with connections in TIME_WAIT is free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Family:
    """Child processes that all end when the ``with`` block of the family ends.

    They also end after an exception, and if this process is killed: another process, the watchdog, ends them then. A
    new family also ends processes that an earlier one of the same state folder has left behind.

    Attributes:
        parts: the servers and workers that a supervisor starts again, in the order of their first start.
    """

    def __init__(self, mark: str, *, lock: int) -> None:
        """Start a family, and end processes that an earlier one with the same mark left behind.

        Args:
            mark: identifies this family's processes; the state folder.
            lock: file descriptor of a lock to hold until the last child has ended, even if this process is killed.
        """
        self._mark, self._lock = mark, lock
        watchdog.end_strays(mark)
        self._watchdog = self._new_watchdog()
        self._children: list[tuple[subprocess.Popen[bytes], int, float]] = []
        self._afterwards: list[Callable[[], None]] = []
        self.parts: list[Part] = []
        """What a supervisor starts again, in the order of the first start."""

    def _new_watchdog(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", watchdog.__name__, self._mark],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
            cwd=Path(watchdog.__file__).parent.parent.parent,
            pass_fds=(self._lock,),
        )

    def _tell_watchdog(self, *children: tuple[subprocess.Popen[bytes], int, float]) -> None:
        assert self._watchdog.stdin is not None
        for child, number, grace_s in children:
            self._watchdog.stdin.write(f"watch {child.pid} {number} {grace_s}\n")
        self._watchdog.stdin.flush()

    def _end_watchdog(self) -> int:
        """Let the watchdog end left-over processes and itself; return its exit status, not 0 if it was killed."""
        assert self._watchdog.stdin is not None
        with contextlib.suppress(OSError):
            self._watchdog.stdin.close()
        return self._watchdog.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._children:
            child, stop_signal, grace_s = self._children.pop()
            _reap_while_ending(child, stop_signal, grace_s)
        if self._end_watchdog():  # it was killed, and ended nothing
            watchdog.end_strays(self._mark)
        for tidy in self._afterwards:
            tidy()

    def keep(self, part: Part) -> Part:
        """Register a part of this family, so that a supervisor restarts it when it dies, and return it.

        Args:
            part: a server or worker that is already started.
        """
        self.parts.append(part)
        return part

    def afterwards(self, tidy: Callable[[], None]) -> None:
        """Register a function to call once all children have ended, to tidy up.

        It isn't called if this process is killed.

        Args:
            tidy: called without arguments.
        """
        self._afterwards.append(tidy)

    def start(
        self,
        command: Sequence[str | Path],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        passed_on: tuple[str, ...] = (),
        stop_signal: signal.Signals = signal.SIGTERM,
        grace_s: float = watchdog.GRACE_S,
        user: int | None = None,
        group: int | None = None,
        cwd: Path | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a process that appends its output to a log file, and return it.

        The log of the last start is kept as ``<log>.old``. The process ends with the family. Of this process's
        environment variables it gets only a few, such as PATH, HOME, TMPDIR and TZ (`PASSED_ON`).

        Args:
            command: the program and its arguments.
            log: the file; only this user can read it.
            environment: further variables for the child.
            passed_on: names of further variables of this process that the child gets; `*` is a wildcard.
            stop_signal: signal for a clean stop.
            grace_s: time for a clean stop before the process is killed, in seconds.
            user, group: numeric ids to run it as; None means those of this process.
            cwd: its working folder; None means that of this process.

        Raises:
            OSError: the program can't be started.
        """
        if log.exists():
            log.replace(log.with_name(log.name + ".old"))
        kept = (*PASSED_ON, *passed_on)
        inherited = {name: os.environ[name] for name in os.environ if any(fnmatchcase(name, one) for one in kept)}
        log.touch(mode=0o600)
        with log.open("ab") as output:  # append mode, so that `cut` can truncate the log
            child = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**inherited, **(environment or {}), watchdog.MARK: self._mark},
                start_new_session=True,
                user=user,
                group=group,
                extra_groups=[] if user is not None else None,
                cwd=cwd,
                umask=0o077,  # only its user may access its files and sockets
            )
        self._children = [known for known in self._children if known[0].poll() is None]
        self._children.append((child, int(stop_signal), grace_s))
        try:
            self._tell_watchdog(self._children[-1])
        except OSError:  # it was killed; without one, whoever kills this process would leave its servers behind
            self._end_watchdog()
            self._watchdog = self._new_watchdog()
            self._tell_watchdog(*self._children)
        return child


def _reap_while_ending(child: subprocess.Popen[bytes], stop_signal: int, grace_s: float) -> None:
    if child.poll() is None:
        watchdog.end(psutil.Process(child.pid), stop_signal, grace_s=grace_s)
    child.wait()


def wait_until(
    ready: Callable[[], bool], *, child: subprocess.Popen[bytes], name: str, log: Path, timeout_s: float
) -> None:
    """Wait until a process that was just started works.

    Args:
        ready: called again and again without arguments; returns whether the process works.
        child: the process.
        name, log: its name and its log file, for the message.
        timeout_s: longest wait on an idle machine; a busy one gets more, see `busy`.

    Raises:
        ServerError: the process ended, or the time is up. The message has the end of the log.
    """
    began = time.monotonic()
    while not ready():
        code, waited_s = child.poll(), time.monotonic() - began
        if code is not None or waited_s > timeout_s * busy():
            what = f"ended with status {code}" if code is not None else f"is not ready after {waited_s:.0f} s"
            raise ServerError(f"{name} {what}. The end of {log}:\n{_tail(log)}")
        time.sleep(POLL_S)


def busy() -> float:
    """Return by what factor a process may take longer than on an idle machine: the load per core, 1 to 10.

    A server that is only slow because the machine is busy must not be killed: it would have to begin again.
    """
    return min(max(os.getloadavg()[0] / (os.cpu_count() or 1), 1.0), MOST_BUSY)


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-LOG_TAIL_CHARACTERS:] if log.exists() else "(no log)"


def answers(url: str) -> Callable[[], bool]:
    """Return a function that says whether a server answers.

    The function is called without arguments, and returns True if a GET on the URL gives status 200 within 5 seconds.

    Args:
        url: the URL.
    """
    import urllib.error
    import urllib.request

    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def check() -> bool:
        try:
            with opener.open(url, timeout=ANSWER_S) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError, TimeoutError):
            return False

    return check


def listens(child: subprocess.Popen[bytes], port: int) -> bool:
    """Return whether a child process, or a process that it started, listens on a TCP port of this machine.

    It is False if another program has the port, so that this is not taken for the server.

    Args:
        child: the process that should listen.
        port: the TCP port.
    """
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(child.pid)
        for member in (process, *process.children(recursive=True)):
            found = member.net_connections(kind="tcp")
            if any(link.status == psutil.CONN_LISTEN and link.laddr.port == port for link in found):
                return True
    return False


@contextlib.contextmanager
def only_one(state_dir: Path) -> Iterator[int]:
    """Hold the lock of a state folder during the block, and yield the lock's file descriptor.

    So only one process runs the servers of the folder. The lock is freed when the last process that holds it ends, so
    no lock is left after a crash. If the process that started the servers was killed, they may still be ending; this
    function waits for them, at most one minute.

    Args:
        state_dir: the folder; made if it is missing.

    Raises:
        ServerError: another process holds the lock; the message names it.
    """
    import fcntl

    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (state_dir / "lock").open("a+") as file:
        deadline = time.monotonic() + LEAVING_S
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                file.seek(0)
                holder = file.read().strip()
            if _is_alive(holder) or time.monotonic() > deadline:
                raise ServerError(
                    f"The servers of {state_dir} are already running, started by process {holder or '?'}. "
                    "Stop that one first, or use another state folder."
                )
            time.sleep(POLL_S)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield file.fileno()


def holder_of(state_dir: Path) -> int | None:
    """Return the id of the process that runs the servers of a state folder.

    It is 0 while the servers are ending, and None if no servers run.

    Args:
        state_dir: the folder with the servers' data and the lock.
    """
    import fcntl

    try:
        with (state_dir / "lock").open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = file.read().strip()
                return int(holder) if _is_alive(holder) else 0
    except FileNotFoundError:
        pass
    return None


def _is_alive(pid: str) -> bool:
    """Return whether a process still runs. A zombie doesn't count: it holds nothing any more."""
    try:
        return not watchdog.has_ended(psutil.Process(int(pid)))
    except (ValueError, psutil.NoSuchProcess):  # not a number: it was only partly written
        return False
