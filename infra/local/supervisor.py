"""Restart parts (servers and workers) that died, with growing pauses, and write a status file.

The supervisor is one loop in the process that started the parts. A part that has ended is restarted at once, then after
1, 2, 4 ... seconds, at most a minute. After the part has worked for a minute the count starts again at zero. A part
that runs but doesn't work is killed after a while and restarted. If a part needs other parts, they are started first.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from infra.local.parts import REFUSES, Part
from infra.local.processes import busy, holder_of

POLL_S = 1.0
CHECK_S = 5.0
"""Interval between checks of a part that works, until it has worked for a minute."""
STEADY_CHECK_S = 60.0
"""The same from then on. A check costs processor time here, at the part and at others that it asks."""
KEEP_S = 5.0
"""Interval between two writes of the status file if nothing has changed; logs that are too long are cut then, too."""
HUNG_S = 120.0
"""Longest time that a part may fail its check before it is killed; more if it is at work on a busy machine, see `busy`.
"""
LEAST_SHARE = 0.2
"""A part that is at work takes at least this part of what a busy machine has for each process that waits for a core."""
REFUSES_S = 20.0
"""The same for one that answers and refuses every write, although its disk has room."""
STEADY_S = 60.0
LONGEST_PAUSE_S = 60.0
STATUS_FILE = "status.json"
OWN_LOG = "serve.log"
"""Log of the supervising process when it runs in the background."""
STALE_S = 30.0
"""A status older than this is ignored: its writer hangs or is gone."""
LOG_BYTES, LOGS_KEPT = 20_000_000, 3
LEAST_FREE_BYTES = 200_000_000
"""Below this the servers' disk counts as full: the next batch's pictures would not fit."""


@dataclasses.dataclass(frozen=True)
class PartStatus:
    """The status of one part (a server or worker) of the system, as of its last check.

    Attributes:
        name: name of the part, one word, such as ``s3`` or ``worker``.
        process: id of its present or last process; 0 if it could never be started.
        since: when its present or last process was started (UTC).
        restarts: how many times this supervisor has restarted it.
        trouble: what is wrong, in words; empty if it works.
        needed: True if the other parts cannot start without this one.
    """

    name: str
    process: int
    since: datetime
    restarts: int
    trouble: str
    needed: bool = True


@dataclasses.dataclass
class _Watch:
    """A part and the supervisor's knowledge about it. Times are from `time.monotonic`, except `since`.

    Attributes:
        good: when it last worked, was started, or had to wait for others.
        doubted: when it began to fail its check, and how many seconds of the processor it had taken then.
        works_from: since when it works; None if it doesn't.
        start_at: when it is to be restarted; None if it runs.
        failures: restarts since it last worked for a minute.
    """

    part: Part
    since: datetime
    good: float
    works_from: float | None
    doubted: tuple[float, float] | None = None
    checked: float = 0.0
    trouble: str = ""
    ended: str = ""
    start_at: float | None = None
    has_worked: bool = True
    restarts: int = 0
    failures: int = 0


class Supervisor:
    """Keeps the parts of the system (servers and workers) running: restarts those that die, kills those that hang.

    Example: ``Supervisor(parts, state_dir, say=print).run(until=event)``. It works as long as `run` runs.

    Args:
        parts: the parts to look after; their processes have been started.
        state_dir: folder for its status file, which `read_status` reads.
        say: called with one line of text for each end, restart and change of health.
    """

    def __init__(self, parts: Sequence[Part], state_dir: Path, *, say: Callable[[str], None]) -> None:
        """Begin with parts that work, and with others that are not needed and may still have to start.

        Args:
            say: called with one line for each end, restart and change of health.
        """
        now = time.monotonic()
        self._watches = [
            _Watch(part, _born(part), good=now, works_from=now)
            if part.needed
            else _Watch(part, _born(part), good=now, works_from=None, has_worked=False, trouble="is starting")
            for part in parts
        ]
        self._file, self._listener = state_dir / STATUS_FILE, say
        self._unwritten = ""
        self._kept: tuple[float, object] = (float("-inf"), None)

    def _say(self, sentence: str) -> None:
        with contextlib.suppress(OSError):  # its log may lie on a full disk
            self._listener(sentence)

    def run(self, until: threading.Event) -> None:
        """Look after the parts until the event is set; then delete the status file.

        Args:
            until: an event that another thread or a signal handler sets, so that this method returns.
        """
        try:
            self.look()
            while not until.wait(POLL_S):
                self.look()
        finally:
            self._file.unlink(missing_ok=True)

    def look(self) -> None:
        """Restart the parts that have died, check those whose check is due, and kill those that hang.

        The status file is kept up to date, and logs that are too long are cut.

        `run` calls it every second.
        """
        for watch in self._watches:
            worked, restarts = not watch.trouble, watch.restarts
            try:
                self._look_at(watch)
            except Exception as error:  # noqa: BLE001  such as no free file number: the line must not end by that
                watch.trouble = f"cannot be looked after: {type(error).__name__}: {error}"
            if worked != (not watch.trouble) and restarts == watch.restarts:
                self._say(f"{watch.part.name}: {watch.trouble or 'works'}")
        self._keep()

    def _look_at(self, watch: _Watch) -> None:
        if watch.part.ended:
            self._bring_back(watch)
        elif watch.trouble or time.monotonic() - watch.checked > _pace_s(watch):
            self._check(watch)

    def _keep(self) -> None:
        """Write the status file and cut logs, if the status has changed, a while has passed, or it failed before."""
        status, now = self.status(), time.monotonic()
        if status == self._kept[1] and now - self._kept[0] < KEEP_S:
            return
        self._kept = now, None
        try:
            for watch in self._watches:
                cut(watch.part.log)
            cut(self._file.with_name(OWN_LOG))
            self._write(status)
            self._unwritten, self._kept = "", (now, status)
        except OSError as error:  # a full disk must not end the process that starts parts again
            said, self._unwritten = self._unwritten, f"{self._file.parent} cannot be written to: {error}"
            if said != self._unwritten:
                self._say("; ".join(filter(None, (self._unwritten, room_at(self._file.parent)))))

    def _bring_back(self, watch: _Watch) -> None:
        """Restart a part whose process has ended, once the pause is over and its dependencies work."""
        now = time.monotonic()
        if watch.start_at is None:
            watch.start_at, watch.works_from = now + _pause_s(watch.failures), None
            watch.ended = watch.part.ended
        missing = self._missing(watch)
        watch.trouble = f"{watch.ended}; " + (f"waits for {missing}" if missing else "is started again")
        if missing or now < watch.start_at:
            return
        watch.failures += 1
        watch.start_at = now + _pause_s(watch.failures)
        try:
            watch.part.start()
        except Exception as error:  # noqa: BLE001  whatever it is, the other parts are looked after
            watch.trouble = f"cannot be started: {error}"
            return
        watch.trouble = f"{watch.ended}; is starting"
        watch.start_at, watch.good, watch.has_worked = None, now, False
        watch.since, watch.restarts = datetime.now(UTC), watch.restarts + 1
        self._say(f"{watch.part.name}: {watch.ended}; started again (restart {watch.restarts})")

    def _check(self, watch: _Watch) -> None:
        """Check whether a running part works; kill it if it has not worked for too long."""
        watch.checked = now = time.monotonic()
        missing = self._missing(watch)
        watch.trouble = f"waits for {missing}" if missing else watch.part.what_is_wrong()
        if not watch.trouble:
            watch.works_from, watch.has_worked = watch.works_from or now, True
            if now - watch.works_from > STEADY_S:
                watch.failures = 0
        else:
            if watch.works_from is not None:
                watch.good = now  # it worked at the last check, which may be a while ago
            watch.works_from = None
        if missing or not watch.trouble:
            watch.good, watch.doubted = now, None
            return
        if watch.doubted is None:
            watch.doubted = now, processor_s(watch.part)
        if now - watch.good > self._patience_s(watch):
            self._say(f"{watch.part.name}: {watch.trouble}, for {now - watch.good:.0f} s; its process is killed")
            watch.part.kill()  # only this process: a worker's runs go on
            watch.good, watch.doubted = now, None

    def _patience_s(self, watch: _Watch) -> float:
        """Return how long a part may go on failing its check before it is killed, in seconds."""
        if watch.trouble == REFUSES and not room_at(self._file.parent):
            return REFUSES_S
        longest_s = HUNG_S if watch.has_worked else watch.part.start_s
        return longest_s * busy() if _is_at_work(watch) else longest_s

    def _missing(self, watch: _Watch) -> str:
        return ", ".join(one.part.name for one in self._watches if one.part.name in watch.part.needs and one.trouble)

    def status(self) -> list[PartStatus]:
        """Return the status of each part, as of its last check, in the order in which the parts were given."""
        return [
            PartStatus(one.part.name, one.part.pid, one.since, one.restarts, one.trouble, one.part.needed)
            for one in self._watches
        ]

    def _write(self, status: Sequence[PartStatus]) -> None:
        content = {
            "process": os.getpid(),
            "at": datetime.now(UTC).isoformat(),
            "parts": [{**dataclasses.asdict(one), "since": one.since.isoformat()} for one in status],
        }
        partial = self._file.with_suffix(".new")
        partial.write_text(json.dumps(content, indent=1))
        partial.replace(self._file)


def _pause_s(failures: int) -> float:
    """Return the pause before a part is started that has failed so many times since it last worked, in seconds."""
    doublings = min(failures - 1, 10)  # without this limit the power is no number any more after 1,024 tries
    return min(2.0**doublings, LONGEST_PAUSE_S) if failures else 0.0


def _pace_s(watch: _Watch) -> float:
    """Return how long a part that works is left alone."""
    worked_s = time.monotonic() - watch.works_from if watch.works_from is not None else 0.0
    return STEADY_CHECK_S if worked_s > STEADY_S else CHECK_S


def _is_at_work(watch: _Watch) -> bool:
    """Return whether a part that fails its check has taken its share of the processor since then, or waits for a disk.

    If not, it hangs: it is stopped, or waits for what never comes.
    """
    if watch.doubted is None:
        return True
    since, taken_s = watch.doubted
    share = (time.monotonic() - since) / busy()
    return processor_s(watch.part) - taken_s >= LEAST_SHARE * share or _waits_for_disk(watch.part)


def processor_s(part: Part) -> float:
    """Return the processor seconds that a part's process and its child processes have used so far.

    Only processes that still run count. If the child processes do other work (`Part.runs_others`), as the flow runs of
    a worker do, only the part's own process counts. The result is 0 if the process is gone.

    Args:
        part: the server or worker.
    """
    taken = 0.0
    for process in _processes(part):
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            taken += times.user + times.system
    return taken


def _waits_for_disk(part: Part) -> bool:
    for process in _processes(part):
        with contextlib.suppress(psutil.Error):
            if process.status() == psutil.STATUS_DISK_SLEEP:
                return True
    return False


def _processes(part: Part) -> list[psutil.Process]:
    try:
        own = psutil.Process(part.pid)
        return [own] if part.runs_others else [own, *own.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def room_at(folder: Path) -> str:
    """Return a sentence that warns of too little free space on a folder's disk; empty if there is enough.

    Less than `LEAST_FREE_BYTES` (200 MB) is too little. If the disk can't be asked, the sentence says so.

    Args:
        folder: a folder on the disk.
    """
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return f"its disk cannot be asked for its free space: {error.strerror}"
    return f"its disk has only {free / 1e6:,.0f} MB free: make room" if free < LEAST_FREE_BYTES else ""


def _born(part: Part) -> datetime:
    """Return when the part's process was started; the present time if it is gone."""
    try:
        return datetime.fromtimestamp(psutil.Process(part.pid).create_time(), tz=UTC)
    except psutil.NoSuchProcess:
        return datetime.now(UTC)


def read_status(state_dir: Path) -> tuple[list[PartStatus], str]:
    """Return (the status of each part, what is wrong in words) of the servers whose data are in a folder.

    A part is a server or worker. The parts come from the status file that a supervisor writes, in its order. The text
    is empty if all is well. The text names each part that doesn't work with its trouble, and a full disk, joined by ";
    ". If the supervisor has not written for 30 s, or is gone, it says so instead. There are no parts if nothing runs,
    if a process is still starting them, or if the status file can't be read; the text then says which.

    Args:
        state_dir: the folder with the servers' data.
    """
    holder = holder_of(state_dir)
    try:
        content: dict[str, Any] = json.loads((state_dir / STATUS_FILE).read_text())
        age_s = (datetime.now(UTC) - datetime.fromisoformat(content["at"])).total_seconds()
        parts = [PartStatus(**{**one, "since": datetime.fromisoformat(one["since"])}) for one in content["parts"]]
    except FileNotFoundError:
        return [], _starting(holder) if holder else f"nothing runs in {state_dir}"
    except (OSError, ValueError, KeyError, TypeError) as error:
        return [], f"{state_dir / STATUS_FILE} cannot be read: {error}"
    if holder and holder != content["process"]:  # an earlier one was killed and could not delete what it said
        return [], _starting(holder)
    full = f"{state_dir}: {room}" if (room := room_at(state_dir)) else ""
    if psutil.pid_exists(content["process"]) and age_s > STALE_S and full:
        return parts, f"{full}; what is said of the parts is {age_s:.0f} s old"
    if age_s > STALE_S or not psutil.pid_exists(content["process"]):
        return parts, f"process {content['process']}, which looks after the parts, was last heard of {age_s:.0f} s ago"
    return parts, "; ".join(filter(None, (full, *(f"{one.name}: {one.trouble}" for one in parts if one.trouble))))


def _starting(holder: int) -> str:
    return f"process {holder} is starting the parts"


def cut(log: Path, *, longest: int = LOG_BYTES, kept: int = LOGS_KEPT) -> None:
    """Shorten a log that is too long, while its writer goes on writing to it.

    The log is copied to ``<log>.1``, an earlier ``.1`` becomes ``.2`` and so on. Then the log is emptied. A log that
    is short enough stays as it is.

    Args:
        log: the file; it need not exist.
        longest: largest size of the log, in bytes.
        kept: how many earlier logs are kept.
    """
    if not log.exists() or log.stat().st_size <= longest:
        return
    for number in range(kept, 1, -1):
        earlier = log.with_name(f"{log.name}.{number - 1}")
        if earlier.exists():
            earlier.replace(log.with_name(f"{log.name}.{number}"))
    first = log.with_name(f"{log.name}.1")
    first.touch(mode=0o600)
    try:
        shutil.copyfile(log, first)
    finally:
        os.truncate(log, 0)  # also on a full disk: what is lost of a log is worth less than the room
