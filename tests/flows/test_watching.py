"""The process that looks after the line: each step rests by what it cost, and an idle line is asked almost nothing."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client

from deployments.demo import environment
from deployments.registry import register
from flows import watching
from flows.nightly import nightly
from flows.watching import BUSY_RATIO, IDLE_RATIO, LONGEST_REST_S, Said, Step, look, watch
from infra.local.s3 import S3Access
from infra.local.stack import WORKER_POLL_S
from packshot.keys import COLLECTION_LEASE, NIGHT_LEASE
from packshot.lease import RENEWALS
from tasks.environment.settings import Settings, get_settings
from tasks.environment.troubles import Troubles
from tasks.runs import lost_runs
from tasks.runs.ends import STARTED_AGAIN_S
from tasks.runs.lost_runs import Lost
from tasks.runs.schedules import COLLECT, schedule_runs
from tasks.storage import leases
from tasks.storage.bucket import open_storage
from tasks.storage.connection import connect
from tasks.storage.leases import holding
from tasks.storage.leases import look as see
from tests.flows.line import poll

BUCKET = f"packshot-test-{uuid.uuid4().hex[:8]}"
TROUBLES = Troubles(logging.getLogger("packshot"))


class Day:
    """A clock, a processor and a step that costs seconds of it."""

    def __init__(self, cost_s: float) -> None:
        self.now_s = self.cpu_s = 0.0
        self.cost_s, self.taken, self.busy = cost_s, 0, False
        self.answer: object = "the same"
        self.step = Step("a step", self.work, asks=lambda: self.answer)

    def work(self) -> Said:
        self.taken += 1
        self.cpu_s += self.cost_s
        return Said("done", busy=self.busy)

    def passes(self, seconds: float, *, every_s: float = 60.0) -> int:
        """Let time pass with a look now and then; return how often the step was taken."""
        before, until = self.taken, self.now_s + seconds
        while self.now_s < until:
            assert look((self.step,), TROUBLES, clock=lambda: self.now_s, cpu=lambda: self.cpu_s)
            self.now_s += every_s
        return self.taken - before


def test_a_step_that_costs_little_is_taken_at_every_look() -> None:
    assert Day(cost_s=0.05).passes(3600) == 60


def test_a_step_that_costs_much_rests_as_long_as_nothing_changes() -> None:
    day = Day(cost_s=0.3)
    hour = day.passes(3600)
    assert day.cpu_s / 3600 <= 1.2 / IDLE_RATIO
    assert hour == pytest.approx(3600 / (0.3 * IDLE_RATIO), abs=1)


def test_it_never_rests_longer_than_ten_minutes() -> None:
    assert Day(cost_s=60).passes(3600) == 3600 / LONGEST_REST_S


def test_after_a_change_it_is_taken_soon() -> None:
    day = Day(cost_s=1.5)
    day.passes(120)
    day.answer = "another"
    assert day.passes(60) == 1
    assert day.passes(120) == 0
    assert 1.5 * BUSY_RATIO < 60


def test_while_there_is_more_to_come_it_is_taken_at_every_look() -> None:
    day = Day(cost_s=1.5)
    day.busy = True
    assert day.passes(600) == 10


def test_a_step_that_fails_stops_none_of_the_others_and_is_tried_again() -> None:
    def fail() -> Said:
        raise KeyError("a mistake")

    day = Day(cost_s=0.0)
    for _ in range(2):
        assert not look((Step("broken", fail), day.step), TROUBLES, clock=lambda: day.now_s, cpu=lambda: 0.0)
    assert day.taken == 2


@pytest.fixture(scope="module")
def line(line_environment: dict[str, str]) -> Iterator[None]:
    with environment(line_environment):
        open_storage().ensure_bucket()
        register()
        yield


def is_scheduled() -> bool:
    with get_client(sync_client=True) as client:
        return all(one.active for one in client.read_deployment_by_name(COLLECT).schedules)


def test_while_it_watches_no_runs_are_scheduled_and_afterwards_they_are(
    line: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []
    ended = threading.Event()

    def look_once(*_: object) -> bool:
        seen.append(is_scheduled())
        ended.set()
        return True

    monkeypatch.setattr(watching, "look", look_once)
    watch(ended, every_s=0.1)
    assert seen == [False]
    assert is_scheduled()


WATCH = """
import logging, threading
from flows import watching

logging.basicConfig(level=logging.INFO)
watching.steps, watching.sweeping = tuple, lambda: watching.Step("nothing", lambda: watching.Said(""))
watching.watch(threading.Event(), every_s=0.1)
"""


def test_after_a_watch_was_killed_the_next_night_has_its_checks_made_again(line: None) -> None:
    """Kind of test that was missing: what a process has switched off, after a kill -9 of it that nobody mends."""
    assert is_scheduled()
    brief = {**os.environ, "PACKSHOT_LEASE_S": "4"}
    watching_process = subprocess.Popen([sys.executable, "-c", WATCH], env=brief)
    try:
        poll(lambda: not is_scheduled() or None, until="it has switched the schedule off")
    finally:
        watching_process.kill()
        watching_process.wait()
    poll(lambda: not leases.is_held(COLLECTION_LEASE) or None, until="its lease has expired")
    nobody = ["nobody-has-this-name"]
    assert nightly(clients=nobody, return_state=True).is_completed()
    assert is_scheduled()

    schedule_runs(COLLECT, active=False)  # by a person: no process was killed since
    with holding(COLLECTION_LEASE):
        assert nightly(clients=nobody, return_state=True).is_completed()
    assert nightly(clients=nobody, return_state=True).is_completed()
    assert not is_scheduled()
    schedule_runs(COLLECT, active=True)


def test_dead_runs_are_looked_for_while_another_step_takes_its_time(
    line: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look into large hot folders takes minutes; a dead run must not wait for its end."""
    ended, looks = threading.Event(), threading.Semaphore(0)

    def swept() -> Lost:
        looks.release()
        return Lost()

    def takes_its_time(*_: object) -> bool:
        for _ in range(3):
            assert looks.acquire(timeout=60)
        ended.set()
        return True

    monkeypatch.setattr(watching, "SWEEP_S", 0.1)
    monkeypatch.setattr(watching, "end_lost_runs", SimpleNamespace(fn=swept))
    monkeypatch.setattr(watching, "look", takes_its_time)
    watch(ended, every_s=0.1)
    assert ended.is_set()


def test_it_gives_a_sign_of_life(line: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()

    def look_once(*_: object) -> bool:
        ended.set()
        return True

    monkeypatch.setattr(watching, "look", look_once)
    watch(ended, every_s=0.1, alive=tmp_path / "alive")
    assert (tmp_path / "alive").exists()


def test_while_another_one_watches_it_waits(line: None, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()
    monkeypatch.setattr(watching, "look", lambda *_: pytest.fail("two at once"))
    with holding(COLLECTION_LEASE):
        threading.Timer(1.0, ended.set).start()
        watch(ended, every_s=0.1)
    assert is_scheduled()


def test_while_the_storage_is_away_it_says_so_once_and_no_runs_are_scheduled(
    s3_server: S3Access, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Kind of test that was missing: one that reads what a part logs while a server is away.

    It logged a traceback of a hundred lines twice a minute, and started a run each minute that waited for the storage.
    """
    keys = {"ACCESS_KEY": s3_server.access_key, "SECRET_KEY": s3_server.secret_key, "REGION": s3_server.region}
    for name, value in {**keys, "ENDPOINT_URL": s3_server.endpoint_url, "BUCKET": BUCKET}.items():
        monkeypatch.setenv(f"PACKSHOT_S3_{name}", value)
    open_storage().ensure_bucket()
    ended, schedule, rests = threading.Event(), list[bool](), list[int]()

    def said(step: str) -> list[str]:
        lines = [one.getMessage() for one in caplog.records if one.name == "packshot" and not one.exc_info]
        return [line for line in lines if line.startswith(step)]

    def swept() -> Lost:
        see(NIGHT_LEASE)
        return Lost()

    def rest(*_: object) -> None:
        rests.append(len(schedule))
        assert len(rests) < 20
        if len(rests) == 1:
            storage.setenv("PACKSHOT_S3_ENDPOINT_URL", "http://127.0.0.1:9")
            missed = ("end lost runs", "renew the lease")
            away_at = time.monotonic()
            poll(
                lambda: (all(map(said, missed)) and time.monotonic() - away_at > get_settings().lease_s) or None,
                until="the storage is missed, and the lease has run out",
            )
        elif len(rests) == 4:
            storage.undo()
        elif said("look after the line")[1:]:
            poll(lambda: len(said("end lost runs")) > 1 or None, until="dead runs are looked for again")
            ended.set()

    monkeypatch.setenv("PACKSHOT_LEASE_S", "4")
    monkeypatch.setattr(leases, "_OUTAGE_S", 0.2)
    monkeypatch.setattr(watching, "_rest", rest)
    monkeypatch.setattr(watching, "SWEEP_S", 0.1)
    monkeypatch.setattr(watching, "look", lambda *_: True)
    monkeypatch.setattr(watching, "end_lost_runs", SimpleNamespace(fn=swept))
    monkeypatch.setattr(watching, "schedule_runs", lambda _, active: schedule.append(active))
    with pytest.MonkeyPatch.context() as storage, caplog.at_level(logging.INFO):
        watch(ended, every_s=0.1)
    assert schedule == [False, True]
    assert set(rests) == {1}, "it is paused all the time"
    for step in ("look after the line", "end lost runs"):
        assert [line.partition(": ")[2][:11] for line in said(step)] == ["this failed", "works again"]
    assert not [one for one in caplog.records if one.exc_info]


def test_an_idle_line_is_asked_for_a_handful_of_things(line: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second look finds nothing new: it asks the same few questions however many shots wait, and writes nothing."""
    every = watching.steps()
    assert look(every, TROUBLES)
    monkeypatch.setattr(watching, "IDLE_RATIO", 1e9)  # every step that has a cost rests now
    asked: Counter[str] = Counter()
    send = SyncPrefectClient.request

    def request(self: SyncPrefectClient, method: Any, path: Any, *rest: Any, **more: Any) -> Any:
        asked[f"prefect {path}"] += 1
        return send(self, method, path, *rest, **more)

    def stored(model: Any, **_: Any) -> None:
        asked[f"storage {model.name}"] += 1

    monkeypatch.setattr(SyncPrefectClient, "request", request)
    events = connect(get_settings()).meta.events
    events.register("after-call.s3", stored, unique_id="asked")
    try:
        assert look(every, TROUBLES)
    finally:
        events.unregister("after-call.s3", unique_id="asked")
    assert sum(asked.values()) <= 2, asked


def test_everything_is_asked_through_one_client(line: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """To make a client costs more processor time than what it asks."""
    ended, looks, made, init = threading.Event(), list[bool](), list[int](), SyncPrefectClient.__init__

    def begin(self: SyncPrefectClient, *args: Any, **more: Any) -> None:
        made.append(threading.get_ident())
        init(self, *args, **more)

    def look_three_times(*args: Any) -> bool:
        looks.append(look(*args))
        if len(looks) == 3:
            ended.set()
        return looks[-1]

    monkeypatch.setattr(SyncPrefectClient, "__init__", begin)
    monkeypatch.setattr(watching, "SWEEP_S", 0.1)
    monkeypatch.setattr(watching, "look", look_three_times)
    watch(ended, every_s=0.3)
    assert looks == [True, True, True]
    assert len(made) == 1
    assert is_scheduled()


def test_what_adds_up_until_a_dead_run_is_started_again_leaves_its_process_a_minute_of_three() -> None:
    """From the death to the question of a worker. Kind of test that was missing: one of the sum, not of each part."""
    lease_s = Settings.model_fields["lease_s"].default
    found_s = lease_s + watching.SWEEP_S + lease_s / RENEWALS * lost_runs.SECOND_LOOK_RENEWALS
    asked_s = WORKER_POLL_S * 4 / 3  # Prefect makes the pause up to a third longer
    assert found_s + asked_s <= 180 - 60
    assert found_s <= STARTED_AGAIN_S / 1.5, "a night that waits for the run gives it up only later"
    assert lost_runs.SECOND_LOOK_RENEWALS > 1, "whoever lives renews its lease between the two looks"


def test_a_look_for_dead_runs_is_never_put_off_by_what_the_last_one_cost() -> None:
    """A step rests longer the more it has cost; this one at most until the sweeper's next look."""
    took, at, cost = list[float](), [0.0], iter(range(0, 1000, 3))  # three seconds of processor time for each look

    def work() -> Said:
        took.append(at[0])
        return Said("")

    step = watching.sweeping()
    step.work = work
    for _ in range(5):
        step.take(lambda: at[0], lambda: next(cost))
        at[0] += watching.SWEEP_S
    assert took == [number * watching.SWEEP_S for number in range(5)]
