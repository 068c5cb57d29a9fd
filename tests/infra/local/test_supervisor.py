"""The supervisor's pauses, kills and logs, on processes that cost nothing to start."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from infra.local import parts, supervisor
from infra.local.parts import REFUSES, STOPPED, Child, Part
from infra.local.processes import MOST_BUSY
from infra.local.supervisor import STATUS_FILE, PartStatus, Supervisor, cut, read_status
from tests.flows.line import poll
from tests.patience import PATIENCE_S
from tests.small_disk import fill, make_room, small_disk

SLEEPS = [sys.executable, "-c", "import time; time.sleep(600)"]
FAILS = [sys.executable, "-c", "raise SystemExit(3)"]


class Clock:
    """A clock that a test sets forward."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(supervisor, "time", clock)
    monkeypatch.setattr(supervisor, "busy", lambda: 1.0)
    return clock


def part(
    name: str,
    command: list[str],
    log: Path,
    *,
    needs: tuple[str, ...] = (),
    trouble: str = "",
    needed: bool = True,
    start_s: float = 100,
) -> Part:
    def start() -> Child:
        return subprocess.Popen(command)

    return Part(name, start, lambda _: trouble, log, start_s=start_s, needs=needs, needed=needed)


def end(*parts: Part) -> None:
    for one in parts:
        one.child.kill()
        one.child.wait()


def test_pauses_grow_to_a_minute_while_a_part_goes_on_failing(tmp_path: Path, clock: Clock) -> None:
    failing = part("one", FAILS, tmp_path / "log")
    watching = Supervisor([failing], tmp_path, say=lambda _: None)
    pauses = []
    for _ in range(9):
        failing.child.wait()
        begun, restarts = clock.now, watching.status()[0].restarts
        while watching.status()[0].restarts == restarts:
            watching.look()
            clock.now += 0.5
        pauses.append(int(clock.now - begun))
    end(failing)
    assert pauses == [0, 1, 2, 4, 8, 16, 32, 60, 60]


def test_a_part_that_cannot_start_for_a_day_is_still_tried_each_minute(tmp_path: Path, clock: Clock) -> None:
    """The pause was a power of two of the number of tries: the 1,025th ended the supervisor, and the line with it."""
    tries: list[float] = []

    def start() -> Child:
        tries.append(clock.now)
        raise OSError("its port is taken")

    desk = Part("desk", start, lambda _: "", tmp_path / "log", start_s=30, needed=False)
    watching = Supervisor([desk], tmp_path, say=lambda _: None)
    for _ in range(1200):
        clock.now += supervisor.LONGEST_PAUSE_S
        watching.look()
    assert [later - earlier for earlier, later in pairwise(tries[-100:])] == [supervisor.LONGEST_PAUSE_S] * 99
    assert len(tries) > 1100


def test_whatever_a_start_or_a_check_raises_the_other_parts_are_looked_after(tmp_path: Path, clock: Clock) -> None:
    ill, well = part("ill", SLEEPS, tmp_path / "a"), part("well", SLEEPS, tmp_path / "b")
    watching, first = Supervisor([ill, well], tmp_path, say=lambda _: None), ill.child

    def raises(*_: object) -> Child:
        raise ValueError("unforeseen")

    ill.trouble, ill.launch = raises, raises
    end(well)
    watching.look()
    assert [one.trouble for one in watching.status()] == [
        "it cannot be asked: ValueError: unforeseen",
        "ended with status -9; is starting",
    ]
    clock.now += supervisor.HUNG_S + 1
    watching.look()
    assert first.poll() == -9, "one that cannot be asked is killed like one that does not answer"
    watching.look()
    assert [one.trouble for one in watching.status()] == ["cannot be started: unforeseen", ""]
    end(well)


def test_without_a_free_file_number_or_its_folder_the_line_lives_on(tmp_path: Path, clock: Clock) -> None:
    """Kind of test that was missing: one in which the supervisor itself can open nothing, and its disk is away."""
    folder, said = tmp_path / "state", list[str]()
    folder.mkdir()
    one, other = part("one", SLEEPS, tmp_path / "a"), part("other", SLEEPS, tmp_path / "b")
    watching = Supervisor([one, other], folder, say=said.append)
    watching.look()
    clock.now += supervisor.STEADY_CHECK_S + 1
    with no_more_files():
        watching.look()
    assert ["Too many open files" in known.trouble for known in watching.status()] == [True, True]
    folder.rename(tmp_path / "elsewhere")
    watching.look()
    watching.look()
    assert [known.trouble for known in watching.status()] == ["", ""]
    (unwritten,) = (line for line in said if "cannot be written to" in line and "No such file" in line)
    assert "its disk cannot be asked for its free space" in unwritten
    end(one, other)


@contextmanager
def no_more_files() -> Iterator[None]:
    """This process can open no further file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_part_whose_process_is_stopped_does_not_count_as_healthy(tmp_path: Path, clock: Clock) -> None:
    """The watch says by a file that it lives; what it said last stayed true for a quarter of an hour."""
    one = part("watch", SLEEPS, tmp_path / "log")
    watching, first = Supervisor([one], tmp_path, say=lambda _: None), one.child
    watching.look()
    first.send_signal(signal.SIGSTOP)
    poll(lambda: psutil.Process(first.pid).status() == psutil.STATUS_STOPPED or None, until="it has stopped")
    clock.now += supervisor.STEADY_CHECK_S + 1
    watching.look()
    assert watching.status()[0].trouble == STOPPED
    clock.now += supervisor.HUNG_S + 1
    watching.look()
    assert first.poll() == -9
    watching.look()
    assert (watching.status()[0].restarts, one.what_is_wrong()) == (1, "")
    end(one)


def test_a_process_that_outlives_its_kill_for_a_while_keeps_the_supervisor_from_nothing(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that waits for a disk that is gone cannot end: here, for a file system that is frozen."""
    monkeypatch.setattr(parts, "KILLED_S", 0.2)
    with frozen_disk(tmp_path) as frozen:
        writes = f"open({str(frozen / 'file')!r}, 'w').write('x')"
        stuck = part("stuck", [sys.executable, "-c", writes], tmp_path / "log", trouble="no answer")
        poll(lambda: psutil.Process(stuck.pid).status() == psutil.STATUS_DISK_SLEEP or None, until="it waits")
        watching = Supervisor([stuck], tmp_path, say=lambda _: None)
        watching.look()
        clock.now += supervisor.HUNG_S + 1
        watching.look()
        assert stuck.child.poll() is None
        assert watching.status()[0].trouble == "no answer"
    assert stuck.child.wait(PATIENCE_S) == -9
    watching.look()
    assert watching.status()[0].restarts == 1
    end(stuck)


@contextmanager
def frozen_disk(folder: Path) -> Iterator[Path]:
    """Yield a folder on a file system that takes no writes before the block's end; skip where that is not allowed."""
    image, disk = folder / "image", folder / "disk"
    disk.mkdir()
    image.touch()
    os.truncate(image, 20_000_000)
    made = (["mkfs.ext4", "-q", image], ["mount", "-o", "loop", image, disk], ["fsfreeze", "--freeze", disk])
    try:
        for command in made:
            if shutil.which(command[0]) is None or subprocess.run(command, capture_output=True, check=False).returncode:
                pytest.skip(f"{command[0]} is not possible here, so a process that cannot be killed is not tried")
        yield disk
    finally:
        subprocess.run(["fsfreeze", "--unfreeze", disk], capture_output=True, check=False)
        subprocess.run(["umount", "--lazy", disk], capture_output=True, check=False)


def test_a_part_waits_for_what_it_needs(tmp_path: Path, clock: Clock) -> None:
    base, other = part("base", SLEEPS, tmp_path / "a"), part("other", SLEEPS, tmp_path / "b", needs=("base",))
    watching = Supervisor([base, other], tmp_path, say=lambda _: None)
    base.trouble = lambda _: "it is ill"
    end(other)
    clock.now += 10
    watching.look()
    assert watching.status()[1].restarts == 0
    assert watching.status()[1].trouble == "ended with status -9; waits for base"
    base.trouble = lambda _: ""
    watching.look()
    assert watching.status()[1].restarts == 1
    end(base, other)


def test_a_part_that_has_long_worked_is_asked_less_often_and_its_patience_begins_when_it_fails(
    tmp_path: Path, clock: Clock
) -> None:
    checks: list[float] = []
    trouble = ""

    def check(_: Child) -> str:
        checks.append(clock.now)
        return trouble

    one = part("one", SLEEPS, tmp_path / "log")
    one.trouble = check
    watching = Supervisor([one], tmp_path, say=lambda _: None)
    written = 0
    for _ in range(2 * 600):
        (tmp_path / STATUS_FILE).unlink(missing_ok=True)
        watching.look()
        written += (tmp_path / STATUS_FILE).exists()
        clock.now += 0.5
    assert len(checks) <= supervisor.STEADY_S / supervisor.CHECK_S + 600 / supervisor.STEADY_CHECK_S
    assert written <= 600 / supervisor.KEEP_S
    trouble, first = "no answer", one.child
    clock.now += supervisor.STEADY_CHECK_S
    watching.look()
    clock.now += supervisor.HUNG_S - 1
    watching.look()
    assert first.poll() is None
    clock.now += 2
    watching.look()
    assert first.poll() == -9
    end(one)


def test_a_part_that_hangs_is_killed_and_started_again(tmp_path: Path, clock: Clock) -> None:
    said: list[str] = []
    hanging = part("one", SLEEPS, tmp_path / "log", trouble="no answer")
    watching = Supervisor([hanging], tmp_path, say=said.append)
    first = hanging.child
    watching.look()
    clock.now += supervisor.HUNG_S - 1
    watching.look()
    assert first.poll() is None
    clock.now += 2
    watching.look()
    assert first.poll() == -9
    watching.look()
    assert hanging.child is not first
    assert said == [
        "one: no answer",
        f"one: no answer, for {supervisor.HUNG_S + 1:.0f} s; its process is killed",
        "one: ended with status -9; started again (restart 1)",
    ]
    end(hanging)


def test_a_part_that_never_becomes_ready_is_tried_again_and_again_and_the_others_work_on(
    tmp_path: Path, clock: Clock
) -> None:
    """Kind of test that was missing: one in which a part does not work from the start."""
    said: list[str] = []
    base = part("base", SLEEPS, tmp_path / "a")
    desk = part("desk", SLEEPS, tmp_path / "b", trouble="no answer", needed=False, start_s=30)
    watching, others, tries = Supervisor([base, desk], tmp_path, say=said.append), base.child, []
    try:
        for _ in range(4):
            begun, restarts = clock.now, watching.status()[1].restarts
            while watching.status()[1].restarts == restarts:
                watching.look()
                clock.now += 0.5
            tries.append(int(clock.now - begun))
        assert tries == [31, 32, 33, 35]
        assert base.child is others
        assert others.poll() is None
        status = watching.status()
        assert (status[0].trouble, status[1].needed) == ("", False)
        assert "desk: no answer, for 30 s; its process is killed" in said
        assert read_status(tmp_path)[1].startswith("desk: ")
        desk.trouble = lambda _: ""
        watching.look()
        assert said[-1] == "desk: works"
        assert read_status(tmp_path)[1] == ""
    finally:
        end(base, desk)


def test_a_part_whose_program_cannot_be_run_ends_the_start_only_if_nothing_works_without_it(
    tmp_path: Path, clock: Clock
) -> None:
    program = tmp_path / "program"
    with pytest.raises(OSError, match="program"):
        part("s3", [str(program)], tmp_path / "log")
    desk = part("desk", [str(program)], tmp_path / "log", needed=False)
    watching = Supervisor([desk], tmp_path, say=lambda _: None)
    watching.look()
    assert watching.status()[0].trouble.startswith("cannot be started: ")
    program.write_text("#!/bin/sh\nexec sleep 600\n")
    program.chmod(0o755)
    clock.now += supervisor.LONGEST_PAUSE_S
    watching.look()
    watching.look()
    assert watching.status()[0].trouble == ""
    end(desk)


@pytest.mark.parametrize(("load", "times"), [(0.5, 1), (3.0, 3), (1000.0, MOST_BUSY)])
def test_a_part_that_is_slow_on_a_busy_machine_is_given_time(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, load: float, times: float
) -> None:
    monkeypatch.undo()  # also the idle machine of the clock's fixture
    monkeypatch.setattr(supervisor, "time", clock)
    monkeypatch.setattr(os, "getloadavg", lambda: (load * (os.cpu_count() or 1), 0.0, 0.0))
    monkeypatch.setattr(supervisor, "processor_s", lambda part: clock.now / times)  # as much as it can get
    slow = part("one", SLEEPS, tmp_path / "log", trouble="no answer")
    watching = Supervisor([slow], tmp_path, say=lambda _: None)
    watching.look()
    clock.now += supervisor.HUNG_S * times - 1
    watching.look()
    assert slow.child.poll() is None
    clock.now += 2
    watching.look()
    assert slow.child.poll() == -9


def test_a_part_that_does_nothing_is_not_given_more_time_on_a_busy_machine(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stopped server on a machine with fifty processes for each core: it was waited for 25 minutes."""
    monkeypatch.setattr(supervisor, "busy", lambda: MOST_BUSY)
    hanging = part("one", SLEEPS, tmp_path / "log", trouble="no answer")
    hanging.child.send_signal(signal.SIGSTOP)
    watching = Supervisor([hanging], tmp_path, say=lambda _: None)
    watching.look()
    clock.now += supervisor.HUNG_S + 1
    watching.look()
    assert hanging.child.poll() == -9


def test_what_a_worker_s_runs_do_says_nothing_about_the_worker(tmp_path: Path) -> None:
    spins = f"import subprocess; subprocess.Popen([{sys.executable!r}, '-c', 'while True: pass']).wait()"
    one = part("one", [sys.executable, "-c", spins], tmp_path / "log")
    try:
        poll(lambda: supervisor.processor_s(one) > 1 or None, until="its child is at work")
        one.runs_others = True
        assert supervisor.processor_s(one) < 1
    finally:
        for process in psutil.Process(one.child.pid).children():
            process.kill()
        end(one)


def test_a_server_that_refuses_every_write_is_started_anew_once_its_disk_has_room(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing = part("one", SLEEPS, tmp_path / "log", trouble=REFUSES)
    watching, first = Supervisor([refusing], tmp_path, say=lambda _: None), refusing.child
    with monkeypatch.context() as full:
        full.setattr(supervisor, "room_at", lambda folder: "no room")
        watching.look()
        clock.now += supervisor.HUNG_S - 1
        watching.look()
        assert first.poll() is None
    clock.now += 1
    watching.look()
    assert first.poll() == -9
    watching.look()
    assert refusing.child is not first
    end(refusing)


def test_the_status_tells_of_its_own_end(tmp_path: Path) -> None:
    one = part("one", SLEEPS, tmp_path / "log")
    watching = Supervisor([one], tmp_path, say=lambda _: None)
    watching.look()
    assert read_status(tmp_path)[1] == ""
    text = (tmp_path / STATUS_FILE).read_text()
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    (tmp_path / STATUS_FILE).write_text(text.replace(str(watching_process(text)), ended.stdout.decode().strip()))
    assert "which looks after the parts, was last heard of" in read_status(tmp_path)[1]
    stop = threading.Event()
    stop.set()
    watching.run(stop)
    assert read_status(tmp_path) == ([], f"nothing runs in {tmp_path}")
    end(one)


def test_what_a_killed_supervisor_said_is_not_taken_for_the_next_one_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = part("one", SLEEPS, tmp_path / "log")
    Supervisor([one], tmp_path, say=lambda _: None).look()
    monkeypatch.setattr(supervisor, "holder_of", lambda folder: os.getpid() + 1)
    starting: tuple[list[PartStatus], str] = ([], f"process {os.getpid() + 1} is starting the parts")
    assert read_status(tmp_path) == starting
    (tmp_path / STATUS_FILE).unlink()
    assert read_status(tmp_path) == starting
    end(one)


def watching_process(status: str) -> int:
    import json

    return int(json.loads(status)["process"])


def test_a_full_disk_is_said_once_and_parts_are_started_again_all_the_same(tmp_path: Path, clock: Clock) -> None:
    said: list[str] = []
    with small_disk(tmp_path / "disk", megabytes=1) as disk:
        log = disk / "log"
        log.write_bytes(b"x" * 300_000)
        one = part("one", SLEEPS, log)

        def say(sentence: str) -> None:
            said.append(sentence)
            with (disk / "serve.log").open("a") as own_log:
                own_log.write(sentence)

        watching = Supervisor([one], disk, say=say)
        watching.look()
        fill(disk)
        end(one)
        for _ in range(3):
            watching.look()
        assert [words for words in said if "cannot be written to" in words] == [
            f"{disk} cannot be written to: [Errno 28] No space left on device; its disk has only 0 MB free: make room"
        ]
        assert watching.status()[0].restarts == 1
        assert "has only 0 MB free: make room" in read_status(disk)[1]
        with pytest.raises(OSError, match="No space left"):
            cut(log, longest=5)
        assert log.stat().st_size == 0, "a log gives its room back"
        make_room(disk)
        watching.look()
        assert "one" in (disk / STATUS_FILE).read_text()
        end(one)


def test_a_log_that_grew_too_long_is_cut_and_its_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("ab", buffering=0) as writer:
        for letter in (b"a", b"b", b"c", b"d", b"e"):
            writer.write(letter * 10)
            cut(log, longest=5, kept=3)
            assert log.stat().st_size == 0
        writer.write(b"new")
    assert log.read_bytes() == b"new"
    assert [(tmp_path / f"log.{n}").read_bytes()[:1] for n in (1, 2, 3)] == [b"e", b"d", b"c"]
    assert not (tmp_path / "log.4").exists()
