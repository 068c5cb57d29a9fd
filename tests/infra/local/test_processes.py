"""Ports, locks, and children that cannot outlive their starter."""

from __future__ import annotations

import contextlib
import http.server
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psutil
import pytest

from infra.local import processes, watchdog
from infra.local.parts import Part
from infra.local.processes import (
    PASSED_ON,
    Family,
    ServerError,
    answers,
    free_ports,
    is_free,
    kept_ports,
    listens,
    only_one,
)
from infra.local.processes import wait_until as wait
from tests.infra.local.conftest import Starter, left_over, wait_until_nothing_is_left
from tests.patience import PATIENCE_S

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


@contextmanager
def family_of(folder: Path) -> Iterator[Family]:
    with only_one(folder) as lock, Family(str(folder), lock=lock) as family:
        yield family


@contextmanager
def listening(port: int = 0) -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", port))
        listener.listen()
        yield listener.getsockname()[1]


def test_free_ports_are_different_and_can_be_listened_on() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    assert all(is_free(port) for port in ports)


def test_a_preferred_port_comes_first_unless_it_is_taken() -> None:
    (wanted,) = free_ports(1)
    assert free_ports(3, preferred=wanted)[0] == wanted
    with listening(wanted):
        assert not is_free(wanted)
        assert wanted not in free_ports(3, preferred=wanted)


def test_a_port_that_one_process_drew_is_not_drawn_by_another_though_nobody_listens_yet() -> None:
    (drawn,) = free_ports(1)
    assert is_free(drawn)
    code = f"from infra.local.processes import free_ports; print(free_ports(1, preferred={drawn})[0])"
    others = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(others.stdout) != drawn
    assert drawn not in free_ports(20)
    assert free_ports(1, preferred=drawn) == [drawn]


def test_ports_of_a_process_that_has_ended_are_free_again() -> None:
    code = "from infra.local.processes import free_ports; print(free_ports(1)[0])"
    drawn = int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    assert free_ports(1, preferred=drawn) == [drawn]


def test_ports_are_kept_until_somebody_else_takes_one(tmp_path: Path) -> None:
    first = kept_ports(tmp_path, "s3", 3)
    other = kept_ports(tmp_path, "prefect", 1)
    assert kept_ports(tmp_path, "s3", 3) == first
    assert kept_ports(tmp_path, "prefect", 1) == other
    with listening(first[1]):
        assert first[1] not in kept_ports(tmp_path, "s3", 3)


def test_a_server_is_known_from_a_stranger_on_its_port(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)]
    with family_of(tmp_path) as family:
        server = family.start(command, log=tmp_path / "log", cwd=tmp_path)
        wait(lambda: listens(server, port), child=server, name="it", log=tmp_path / "log", timeout_s=PATIENCE_S)
        assert answers(f"http://127.0.0.1:{port}/")()
        stranger = family.start(SLEEP, log=tmp_path / "other")
        assert not listens(stranger, port)
    assert not answers(f"http://127.0.0.1:{port}/")()


def test_a_proxy_in_the_environment_is_not_asked_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    with server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        assert not answers(f"http://127.0.0.1:{server.server_port}/")()  # 501, from the server itself
        thread.join(timeout=PATIENCE_S)
        assert not thread.is_alive()


@pytest.mark.parametrize("answer", [b"no HTTP at all\r\n", b"HTTP/1.1 2"])
def test_a_part_whose_server_answers_no_http_is_ill_and_nothing_is_raised(tmp_path: Path, answer: bytes) -> None:
    """A server that is killed in the middle of its answer: the error was none of the expected ones."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        asks = answers(f"http://127.0.0.1:{listener.getsockname()[1]}/")

        def answer_once() -> None:
            caller, _ = listener.accept()
            with caller:
                caller.recv(1000)
                caller.sendall(answer)

        thread = threading.Thread(target=answer_once)
        thread.start()
        with family_of(tmp_path) as family:
            start = partial(family.start, SLEEP, log=tmp_path / "log")
            part = Part("one", start, lambda _: "" if asks() else "no answer", tmp_path / "log", start_s=1)
            assert part.what_is_wrong()
        thread.join(timeout=PATIENCE_S)


def test_a_watchdog_that_was_killed_keeps_no_server_from_its_start_and_is_started_again(tmp_path: Path) -> None:
    """Kind of test that was missing: one in which what looks after the processes dies."""
    with family_of(tmp_path) as family:
        first = family.start(SLEEP, log=tmp_path / "first")
        killed = family._watchdog
        killed.kill()
        killed.wait()
        second = family.start(SLEEP, log=tmp_path / "second")
        assert second.poll() is None
        family._watchdog.stdin.close()  # type: ignore[union-attr]  # as if this process were gone
        assert family._watchdog.wait(PATIENCE_S) == 0
        assert (first.wait(PATIENCE_S), second.wait(PATIENCE_S)) == (-signal.SIGTERM, -signal.SIGTERM)


def test_a_family_whose_watchdog_was_killed_leaves_nothing_behind(tmp_path: Path) -> None:
    forsaken = f"import subprocess, sys; print(subprocess.Popen({SLEEP!r}, start_new_session=True).pid)"
    with family_of(tmp_path) as family:
        family.start([sys.executable, "-c", forsaken], log=tmp_path / "log").wait(PATIENCE_S)
        stray = psutil.Process(int((tmp_path / "log").read_text()))
        family._watchdog.kill()
        family._watchdog.wait()
    assert watchdog.has_ended(stray)


def test_a_server_that_ends_at_once_is_an_error_with_the_end_of_its_log(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print('the disk is full'); raise SystemExit(3)"]
    with family_of(tmp_path) as family:
        child = family.start(command, log=tmp_path / "log")
        with pytest.raises(ServerError, match=r"it ended with status 3(?s:.)*the disk is full"):
            wait(lambda: False, child=child, name="it", log=tmp_path / "log", timeout_s=PATIENCE_S)


def test_a_server_that_is_never_ready_is_an_error(tmp_path: Path) -> None:
    with family_of(tmp_path) as family:
        child = family.start(SLEEP, log=tmp_path / "log")
        with pytest.raises(ServerError, match="it is not ready after"):
            wait(lambda: False, child=child, name="it", log=tmp_path / "log", timeout_s=0.1)


def test_the_log_of_the_start_before_is_kept(tmp_path: Path) -> None:
    for word in ("first", "second"):
        with family_of(tmp_path) as family:
            family.start([sys.executable, "-c", f"print({word!r})"], log=tmp_path / "log").wait(PATIENCE_S)
    assert (tmp_path / "log").read_text().strip() == "second"
    assert (tmp_path / "log.old").read_text().strip() == "first"


def test_a_child_gets_the_variables_that_are_named_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PREFECT_API_KEY", "AWS_SECRET_ACCESS_KEY", "ANYTHING", "TZ", "KEPT", "SORT_1"):
        monkeypatch.setenv(name, "the user's own")
    show = [sys.executable, "-I", "-c", "import os; print(*sorted(os.environ))"]
    with family_of(tmp_path) as family:
        child = family.start(show, log=tmp_path / "log", passed_on=("KEPT", "SORT_*"), environment={"OWN": "x"})
        child.wait(PATIENCE_S)
    found = set((tmp_path / "log").read_text().split())
    assert {"TZ", "KEPT", "SORT_1", "OWN"} <= found
    assert found <= {*PASSED_ON, "KEPT", "SORT_1", "OWN", watchdog.MARK, "LC_CTYPE"}  # Python sets the last one


def test_a_folder_has_one_holder_and_the_error_names_it(tmp_path: Path, start: Starter) -> None:
    with only_one(tmp_path), pytest.raises(ServerError, match=f"started by process {os.getpid()}"), only_one(tmp_path):
        pass
    holder = start("family", tmp_path)
    with pytest.raises(ServerError, match=f"started by process {holder.pid}"), only_one(tmp_path):
        pass


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_outlives_a_starter_that_is_killed(number: signal.Signals, tmp_path: Path, start: Starter) -> None:
    starter = start("family", tmp_path)
    # A stubborn child, one that is slow to end, an orphan in a session of its own, and the watchdog.
    assert len(left_over(tmp_path)) >= 5
    starter.send_signal(number)
    wait_until_nothing_is_left(tmp_path)


def test_the_next_start_waits_for_the_servers_of_a_killed_starter(tmp_path: Path, start: Starter) -> None:
    starter = start("family", tmp_path)
    starter.kill()
    starter.wait()
    with only_one(tmp_path):
        assert left_over(tmp_path) == []


def test_a_killed_starter_that_nobody_has_reaped_does_not_count_as_running(tmp_path: Path, start: Starter) -> None:
    starter = start("family", tmp_path)
    starter.kill()
    while psutil.Process(starter.pid).status() != psutil.STATUS_ZOMBIE:
        pass
    with only_one(tmp_path):
        assert left_over(tmp_path) == []


def test_the_next_start_ends_what_a_killed_watchdog_left(tmp_path: Path, start: Starter) -> None:
    starter = start("family", tmp_path)
    for child in psutil.Process(starter.pid).children():
        with contextlib.suppress(psutil.ZombieProcess):  # the parent of the forsaken one
            if "infra.local.watchdog" in child.cmdline():
                child.kill()
    starter.kill()
    starter.wait()
    assert left_over(tmp_path) != []
    with family_of(tmp_path):
        stubborn = [line for line in left_over(tmp_path) if "watchdog" not in line]
        assert stubborn == []


def test_leaving_the_block_ends_even_the_stubborn_and_the_forsaken(tmp_path: Path) -> None:
    from tests.infra.local.starter import FORSAKEN, STUBBORN, wait_for_line

    with family_of(tmp_path) as family:
        for name, code in {"stubborn": STUBBORN, "forsaken": FORSAKEN}.items():
            log = tmp_path / f"{name}.log"
            child: subprocess.Popen[bytes] = family.start([sys.executable, "-c", code], log=log, grace_s=0.2)
            wait_for_line(log)
        child.wait(PATIENCE_S)
    assert left_over(tmp_path) == []


def test_a_server_that_starts_slowly_on_a_busy_machine_is_given_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as child:
        answers = iter([False, False, True])
        monkeypatch.setattr(processes, "busy", lambda: 1e9)
        wait(lambda: next(answers), child=child, name="slow", log=tmp_path / "log", timeout_s=1e-6)
        monkeypatch.setattr(processes, "busy", lambda: 1.0)
        with pytest.raises(ServerError, match="slow is not ready"):
            wait(lambda: False, child=child, name="slow", log=tmp_path / "log", timeout_s=1e-6)
        child.kill()
