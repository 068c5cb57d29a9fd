"""A night dies at each of its writes, loses answers, races itself; nothing is lost or done twice.

What a process has done when it dies is the writes it made: dying before a write is dying after the one before it. So
each write is one point, tried with everything after it. A failure names its point or seed.
"""

from __future__ import annotations

import hashlib
import io
import json
import random
import threading
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, tzinfo
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from benchmarks.night import export_one_file
from packshot.decision import REASONS, Choice
from packshot.errors import (
    BatchCancelledError,
    LeaseHeldError,
    LeaseLostError,
    ObjectMissingError,
    RecordConflictError,
    StorageUnavailableError,
)
from packshot.keys import NIGHT_LEASE, batch_lease, delivery_key, record_key, run_lease, shot_key
from packshot.naming import BatchId, ShotId, batch_id
from packshot.record import State
from packshot.specs.handoff import LateDeliveries
from tasks.batches import cancelling, claiming, summing_up
from tasks.batches.approved import approved_shots
from tasks.batches.cancelling import cancel_batch, take_up_again
from tasks.batches.claiming import at_work_on
from tasks.batches.closed import closed_batches
from tasks.batches.restarting import restart_shot
from tasks.batches.stock import take_stock
from tasks.batches.summing_up import summarise, survey
from tasks.deliveries import delivering, late_deliveries
from tasks.deliveries.delivering import deliver, finish_open_deliveries
from tasks.deliveries.late_deliveries import gather
from tasks.environment import clocks
from tasks.environment.settings import get_settings
from tasks.people.forms import Answer
from tasks.records import bookkeeping, stored
from tasks.records.bookkeeping import Life, living
from tasks.records.stored import load_batch, load_record
from tasks.storage import bucket, leases, patience
from tasks.storage.bucket import open_storage
from tasks.storage.inbox import open_inbox
from tasks.storage.leases import holding, look
from tasks.storage.shot_objects import keep as keep_objects
from tests.tasks.by_people import follow
from tests.tasks.simulated_s3 import Actor, SimulatedS3, Stored, World

BATCH = batch_id("acme", "night")
NAMES = [f"S{n:02}" for n in range(20)]
REFUSED, TO_REVIEW, TO_EDITOR = {"S03", "S17"}, ("S01", "S05"), {"S06", "S14"}


HOURLY = LateDeliveries()

AT_EVERY = pytest.mark.parametrize(
    "step",
    [pytest.param(5, id="fifth", marks=pytest.mark.unless_slow), pytest.param(1, id="one", marks=pytest.mark.slow)],
)
"""How far a test's points are apart: `make test` tries every fifth of them, `make test-all` every one."""


class Nobody:
    """A thread that does nothing: leases are renewed where the work asks for them, which is when it writes."""

    def __init__(self, **_: Any) -> None:
        pass

    def start(self) -> None:
        pass


def one_at_a_time(function: Callable[[Any], Any], items: Iterable[Any], **_: Any) -> list[Any]:
    """What `in_threads` does, one thing after another, so that a seed always gives the same order."""
    return [function(one) for one in items]


class Runs:
    """What `prefect.runtime.flow_run` is to the code under test."""

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def id(self) -> str:
        return self._world.me.run


class Clock:
    """What `datetime` is to `tasks.records.bookkeeping`: each process's own, as far off as it is."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self, zone: tzinfo) -> datetime:
        return self._world.now + self._world.me.skew


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """A storage in memory in the place of the settings' own, with its clock; runs are those of its actors."""
    made = World()
    client = SimulatedS3(made)
    settings = get_settings()
    for module in (bucket, leases):
        monkeypatch.setattr(module, "get_settings", lambda: settings)  # read once: that is most of the time otherwise
    monkeypatch.setattr(bucket, "connect", lambda settings: client)
    for module in (leases, clocks):
        monkeypatch.setattr(module, "time", made)
    monkeypatch.setattr(stored, "time", made)
    monkeypatch.setattr(leases, "threading", SimpleNamespace(Thread=Nobody, Lock=threading.Lock, Event=threading.Event))
    monkeypatch.setattr(stored, "in_threads", one_at_a_time)
    monkeypatch.setattr(patience, "time", made)
    monkeypatch.setattr(bookkeeping, "datetime", Clock(made))
    monkeypatch.setattr(summing_up, "show_table", lambda *args: None)
    monkeypatch.setattr(late_deliveries, "promise_shown", lambda client: SimpleNamespace(late_deliveries=HOURLY))
    monkeypatch.setattr(late_deliveries, "_run_to_come", run_to_come)
    for module in (leases, bookkeeping, claiming, delivering):
        monkeypatch.setattr(module, "flow_run", Runs(made))
    return made


# --- the night ---


def submit(shots: int = len(NAMES)) -> None:
    for name in NAMES[:shots]:
        open_inbox().upload(BATCH, f"{name}.jpg", name.encode(), content_type="image/jpeg")
    open_inbox().close(BATCH)


def night() -> None:
    """What `nightly` and `process-batch` do, with pictures of a few bytes."""
    with holding(NIGHT_LEASE):
        for batch in closed_batches.fn().batches:
            with at_work_on(batch):
                for ref in take_stock.fn(batch).shots:
                    take_to_its_verdict(ref.shot)
                hand_over(batch, [])
                summarise.fn(batch)


def take_to_its_verdict(shot: ShotId) -> None:
    name = shot.shot
    if name in REFUSED:
        Life(shot).reach(State.REFUSED, why="too small")
        return
    Life(shot).reach(State.MASTERED, State.ROUTED, why="simple", objects=keep(shot, "master.tif", MASTER))
    if name in TO_EDITOR:
        Life(shot).reach(State.AWAITING_EDITOR, why="hair")
        return
    kept = keep(shot, "edit.tif", edit_of(name))
    verdict = State.IN_REVIEW if name in TO_REVIEW else State.APPROVED
    Life(shot).reach(State.EDITING_AUTO, State.SCORED, verdict, why="scored", objects=kept)


MASTER = b"master"


def keep(shot: ShotId, name: str, data: bytes) -> dict[str, str]:
    open_storage().put(shot_key(shot, name), data, content_type="image/tiff")
    return {name: hashlib.sha256(data).hexdigest()}


def edit_of(name: str) -> bytes:
    return f"edit of {name}".encode()


def hand_over(batch: BatchId, only: list[str]) -> None:
    """What `deliver-batch` does."""
    finish_open_deliveries.fn(batch)
    approved = approved_shots.fn(batch, only=only)
    for one in approved:
        export_one_file(one.shot)
    deliver.fn(batch, only=[one.name for one in approved])


def people() -> None:
    """What `human-edit` does with a reviewer's answers; an answer is kept until it has been followed."""
    asked = {ref.shot.shot for ref in load_batch(BATCH).shots}.intersection(TO_REVIEW)
    for name in sorted(asked):
        shot = BATCH.shot(name)
        given = Answer(
            decision=Choice.APPROVE,
            person="Ada",
            reason=REASONS[Choice.APPROVE][0],
            picture=hashlib.sha256(edit_of(name)).hexdigest(),
        )
        outcome = follow(shot, given, question=f"{name}-1")
        assert not outcome.objection, outcome.objection
        if gather.fn(shot).goes_now:
            hand_over(BATCH, [])


def run_to_come(batch: BatchId, rule: LateDeliveries) -> datetime | None:
    """What Prefect does: it keeps a run for the next hour, the same for all who ask."""
    open_storage().put(TO_COME, b"{}", content_type="application/json")
    return bookkeeping.now() + timedelta(hours=1)


TO_COME = "prefect/late-delivery"


def the_hour_comes() -> None:
    if open_storage().exists(TO_COME):
        hand_over(BATCH, [])


def all_of_it() -> None:
    """The night, what people do in the morning, and the next hour. What is done already is found to be done."""
    night()
    people()
    the_hour_comes()


# --- what must hold ---


class Delivered(NamedTuple):
    """What the client has: path -> SHA-256 of each file, and for each shot how many deliveries hold it."""

    files: dict[str, str]
    times: dict[str, int]


def delivered() -> Delivered:
    record = load_batch(BATCH)
    files: dict[str, str] = {}
    times: dict[str, int] = {}
    numbers = [one.number for one in record.deliveries]
    assert numbers == sorted(set(numbers)), "each number once"
    for one in record.deliveries:
        certificate = open_storage().get(delivery_key(BATCH, one.number, "certificate.json"))
        assert hashlib.sha256(certificate).hexdigest() == one.certificate_sha256, f"delivery {one.number} is not closed"
        package = zipfile.ZipFile(io.BytesIO(open_storage().get(delivery_key(BATCH, one.number, "package.zip"))))
        said = json.loads(certificate)
        assert {shot["shot"] for shot in said["shots"]} == set(one.shots)
        for file in said["files"]:
            data = open_storage().get(delivery_key(BATCH, one.number, file["path"]))
            assert hashlib.sha256(data).hexdigest() == file["sha256"]
            assert package.read(file["path"]) == data
            assert file["path"] not in files, "delivered twice"
            files[file["path"]] = file["sha256"]
        for shot in one.shots:
            times[shot] = times.get(shot, 0) + 1
    return Delivered(files, times)


def require_all_well(shots: int = len(NAMES)) -> None:
    """In = delivered + waiting + refused + failed, each once, with the bytes of an undisturbed night."""
    names = NAMES[:shots]
    refused, waiting = (len(some.intersection(names)) for some in (REFUSED, TO_EDITOR))
    counts = survey(BATCH).counts
    assert counts == {"delivered": shots - refused - waiting, "waiting": waiting, "refused": refused, "failed": 0}
    found = delivered()
    expected = [name for name in names if name not in REFUSED | TO_EDITOR]
    assert found.times == dict.fromkeys(expected, 1)
    assert not load_batch(BATCH).gathered
    assert found.files == {
        f"shopify/{name}.jpg": hashlib.sha256(f"rendition of {name}".encode()).hexdigest() for name in expected
    }
    for name in names:
        record = load_record(BATCH.shot(name))
        assert len(record.decisions) == (name in TO_REVIEW), name
        steps = [event.to_state for event in record.events if event.to_state is not event.from_state]
        assert len(steps) == len(set(steps)), f"{name} took a step twice: {steps}"


# --- the points ---


def again(world: World, objects: dict[str, Stored], seconds: float, *, dies_at: int = -1) -> bool:
    """A new process, a minute and a half after the last one died; return whether it came to the end."""
    world.objects, world.seconds = dict(objects), seconds + 90
    return world.act(Actor(run=f"run at {seconds:.2f}", dies_at=dies_at), all_of_it)


def undisturbed(world: World, shots: int = len(NAMES)) -> list[tuple[dict[str, Stored], float]]:
    """The objects after each write of a night that nothing disturbs."""
    world.act(Actor(run="client"), lambda: submit(shots))
    world.history = [(dict(world.objects), world.seconds)]
    assert world.act(Actor(run="first"), all_of_it)
    require_all_well(shots)
    assert [one.shots for one in load_batch(BATCH).deliveries[1:]] == [TO_REVIEW], "what people approve is one package"
    points, world.history = world.history, None
    return points


@pytest.mark.parametrize(
    ("shots", "step"),
    [
        pytest.param(7, 5, id="fifth", marks=pytest.mark.unless_slow),
        pytest.param(20, 1, id="one", marks=pytest.mark.slow),  # 70 s of processor time
    ],
)
def test_it_dies_at_every_write_and_the_next_run_brings_it_to_the_same_end(world: World, shots: int, step: int) -> None:
    """All 20 shots and every write; `make test` tries every fifth write of seven shots, of every kind."""
    points = undisturbed(world, shots)
    assert len(points) > 9 * shots
    for number, (objects, seconds) in list(enumerate(points))[::step]:
        with said(f"after write {number} of {len(points) - 1}"):
            assert again(world, objects, seconds)
            require_all_well(shots)


def test_it_dies_twice(world: World) -> None:
    points, chosen = undisturbed(world), random.Random(18)
    for _ in range(15):
        number, second = chosen.randrange(len(points)), chosen.randrange(60)
        with said(f"after write {number} of {len(points) - 1}, and again after {second} more"):
            again(world, *points[number], dies_at=second)
            assert again(world, world.objects, world.seconds)
            require_all_well()


def test_a_second_process_of_a_run_waits_for_the_first_however_long_that_works(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an hour it ended the run as *Skipped*, while the run worked on."""
    monkeypatch.setattr(leases, "POLL_S", 2.0)
    order: list[str] = []

    def first() -> None:
        with holding(run_lease("night")) as holder:
            order.append("first begins")
            until = world.seconds + 2 * leases.LONGEST_WAIT_S
            while world.seconds < until:
                world.sleep(5)
                holder.require()
            order.append("first ends")

    def second() -> None:
        while not order:
            world.sleep(1)
        with holding(run_lease("night")):
            order.append("second begins")

    world.race((Actor(run="night"), first), (Actor(run="night"), second))
    assert order == ["first begins", "first ends", "second begins"]


def test_a_shot_that_failed_after_its_files_were_verified_is_delivered_by_the_next_run(world: World) -> None:
    """Kind of test that was missing: one in which a stage is not done again, as its result is known, for a failed shot.

    The run that asks for the export does no work then, so it does not put the shot back into its state.
    """
    names = [name for name in NAMES if name not in {*REFUSED, *TO_EDITOR, *TO_REVIEW}]

    def exported_and_failed() -> None:
        with at_work_on(BATCH):
            take_stock.fn(BATCH)
            for shot in map(BATCH.shot, names):
                take_to_its_verdict(shot)
                export_one_file(shot)
            with suppress(StorageUnavailableError), living(BATCH.shot(names[0])):
                raise StorageUnavailableError("the storage is overloaded", names[0])

    def delivered_next() -> None:
        assert load_record(BATCH.shot(names[0])).failed_from is State.VERIFIED
        assert [one.name for one in approved_shots.fn(BATCH, only=names)] == names
        deliver.fn(BATCH, only=names)
        assert delivered().times == dict.fromkeys(names, 1)
        assert load_record(BATCH.shot(names[0])).state is State.DELIVERED

    world.act(Actor(run="client"), submit)
    assert world.act(Actor(run="first"), exported_and_failed)
    assert world.act(Actor(run="next"), delivered_next)


def test_a_run_whose_machine_was_suspended_for_hours_does_not_overwrite_what_another_has_made_meanwhile(
    world: World,
) -> None:
    """Kind of test that was missing: one in which the clock of a process stands still while the time goes on."""
    shot, refused = BATCH.shot("S00"), []

    def suspended() -> None:
        with holding(batch_lease(BATCH)):
            world.suspend(3 * 3600)
            try:
                keep_objects(shot, {"edit.tif": b"of before"})
            except LeaseLostError:
                refused.append("before any renewal")

    def takes_over() -> None:
        while look(batch_lease(BATCH)) is None:
            world.sleep(1)
        with holding(batch_lease(BATCH)):
            keep_objects(shot, {"edit.tif": b"by an editor"})

    world.race((Actor(run="suspended"), suspended), (Actor(run="other"), takes_over))
    assert refused == ["before any renewal"]
    assert world.objects[shot_key(shot, "edit.tif")].data == b"by an editor"


@pytest.mark.parametrize("seed", range(3))
def test_answers_of_the_storage_are_lost_and_nothing_is_done_twice(world: World, seed: int) -> None:
    """Every third write is sent again after it was carried out; the condition then fails against its own write."""
    world.act(Actor(run="client"), submit)
    assert world.act(Actor(run="first", loses_answer_at=seed, loses_every=3), all_of_it)
    require_all_well()


@pytest.mark.parametrize("seed", range(6))
def test_two_nights_and_a_reviewer_at_once_with_clocks_that_are_minutes_apart(world: World, seed: int) -> None:
    """One of the nights may stand still in the middle for longer than its lease holds, and wake up again."""
    world.random = random.Random(seed)
    world.act(Actor(run="client"), submit)

    stands_still = world.random.randrange(200)
    world.race(
        (Actor(run="a", skew=timedelta(minutes=7), sleeps_at=stands_still), quietly(night)),
        (Actor(run="b", skew=timedelta(minutes=-9)), quietly(night)),
        (Actor(run="c", skew=timedelta(minutes=3)), quietly(lambda: hand_over(BATCH, []))),
    )
    with said(f"seed {seed}"):
        assert again(world, world.objects, world.seconds)
        require_all_well()


def quietly(work: Callable[[], object]) -> Callable[[], None]:
    """Do something until another run has the work."""

    def run() -> None:
        with suppress(LeaseHeldError, LeaseLostError, RecordConflictError, ObjectMissingError):
            work()

    return run


# --- the storage goes away ---


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done is done by a flow, outside its tasks."""
    monkeypatch.setattr(patience, "FlowRunContext", SimpleNamespace(get=lambda: object()))


LONGER_THAN_A_LEASE = 12
"""So many requests a run makes in vain before it has waited for longer than its lease holds."""


@AT_EVERY
def test_the_storage_goes_away_at_any_request_of_a_flow_and_it_ends_as_if_undisturbed(
    world: World, patient: None, step: int
) -> None:
    world.act(Actor(run="client"), lambda: submit(2))
    begun, seconds = dict(world.objects), world.seconds
    first = Actor(run="first")
    assert world.act(first, all_of_it)
    require_all_well(2)
    assert first.requests > 100
    undisturbed_s, waited_s = world.seconds - seconds, 0.0
    for number in range(0, first.requests, step):
        world.objects, world.seconds = dict(begun), seconds
        with said(f"at request {number} of {first.requests}"):
            assert world.act(Actor(run="first", away_at=number, away_for=LONGER_THAN_A_LEASE), all_of_it)
            waited_s = max(waited_s, world.seconds - seconds - undisturbed_s)
            require_all_well(2)
    assert waited_s > get_settings().lease_s


@pytest.mark.parametrize("seed", range(6))
def test_while_it_waits_for_the_storage_another_takes_over(world: World, patient: None, seed: int) -> None:
    """The storage is away from one of them only, as behind a broken line: the other is not to be disturbed by it."""
    world.random = random.Random(seed)
    world.act(Actor(run="client"), submit)
    cut = Actor(run="a", away_at=world.random.randrange(5, 300), away_for=12)
    world.race((cut, quietly(night)), (Actor(run="b"), quietly(lambda: (world.sleep(1), night()))))
    with said(f"seed {seed}"):
        assert again(world, world.objects, world.seconds)
        require_all_well()


@contextmanager
def said(where: str) -> Iterator[None]:
    """Name the point at which something does not hold."""
    try:
        yield
    except Exception as error:
        error.add_note(where)
        raise


# --- cancelled ---


@pytest.fixture
def questions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prefect is not there: ending its runs has a test of its own."""
    monkeypatch.setattr(cancelling, "_with_its_runs_ended", lambda found, *_: found)
    monkeypatch.setattr(cancelling, "batch_records", lambda batch: [])


def cancel() -> None:
    cancel_batch(BATCH, person="Max", reason="the client has withdrawn it")


def files_of_the_client() -> dict[str, str]:
    return {one.key: one.etag for one in open_storage().list("deliveries/") if one.key.endswith("certificate.json")}


@AT_EVERY
@pytest.mark.usefixtures("questions")
def test_it_is_cancelled_after_every_write_and_nothing_more_is_delivered_until_it_is_submitted_again(
    world: World, step: int
) -> None:
    """Kind of test that was missing: one in which somebody changes their mind in the middle of a night."""
    for number, (objects, seconds) in list(enumerate(undisturbed(world, 7)))[::step]:
        with said(f"after write {number}"):
            world.objects, world.seconds = dict(objects), seconds + 90
            originals = {key: one for key, one in objects.items() if key.startswith("inbox/")}
            if not any(key.endswith("READY") for key in originals):
                continue
            assert world.act(Actor(run="a manager"), cancel)
            before: dict[str, str] = {}
            assert world.act(Actor(run="somebody"), lambda: before.update(files_of_the_client()))  # noqa: B023
            world.act(Actor(run="the next night"), lambda: refused(night))
            world.act(Actor(run="by hand"), lambda: refused(lambda: hand_over(BATCH, [])))
            after: dict[str, str] = {}
            world.act(Actor(run="somebody"), lambda: after.update(files_of_the_client()))  # noqa: B023
            assert after == before
            assert {key: one for key, one in world.objects.items() if key.startswith("inbox/")} == originals
            assert world.act(Actor(run="the client"), lambda: require(take_up_again(BATCH)))
            world.seconds += 90
            assert world.act(Actor(run="the night after"), all_of_it)
            require_all_well(7)
            (cancelled,) = load_batch(BATCH).cancellations
            assert (cancelled.by, cancelled.why) == ("Max", "the client has withdrawn it")
            assert cancelled.taken_up_at


@pytest.mark.usefixtures("questions")
@pytest.mark.parametrize("after", [False, True])
def test_a_cancelling_that_dies_is_done_again_and_keeps_the_first_reason(world: World, after: bool) -> None:
    world.act(Actor(run="client"), lambda: submit(3))
    for write in range(3):
        world.act(Actor(run="a manager", dies_at=write, dies_after=after), cancel)
        assert world.act(Actor(run="the same"), cancel)
        assert len(load_batch(BATCH).cancellations) == 1
    world.act(Actor(run="the next night"), night)
    assert not load_batch(BATCH).shots


def refused(work: Callable[[], None]) -> None:
    with suppress(BatchCancelledError):
        work()


def require(well: bool) -> None:
    assert well


# --- started again by a person ---


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_restart_that_dies_has_not_begun_or_uses_no_result_of_before(world: World, after: bool) -> None:
    """Kind of test that was missing: one in which what a person asks for dies between its writes."""
    shot = BATCH.shot("S05")
    world.act(Actor(run="client"), submit)
    assert world.act(Actor(run="first"), lambda: (night(), people()))
    begun, seconds = dict(world.objects), world.seconds
    died = []

    def start_again() -> None:
        restart_shot.fn(shot, person="Ada", reason="again")

    def look_at_it() -> None:
        batch, record = load_batch(BATCH), load_record(shot)
        assert (ref := batch.ref(shot.shot))
        is_restarted = record.state is State.RECEIVED
        assert is_restarted or record.objects, "a shot that has not begun anew keeps its files"
        assert ref.generation > 0 or not is_restarted, "it would take the results of before"

    for write in range(10):
        world.objects, world.seconds = dict(begun), seconds + 90
        died.append(not world.act(Actor(run="a person", dies_at=write, dies_after=after), start_again))
        with said(f"{'after' if after else 'before'} write {write}"):
            assert world.act(Actor(run="somebody"), look_at_it)
            assert world.act(Actor(run="tried again"), start_again)
            assert world.act(Actor(run="somebody"), lambda: require(load_record(shot).state is State.RECEIVED))
            assert world.act(Actor(run="somebody"), lambda: require(shot.shot not in load_batch(BATCH).gathered))
    assert died == sorted(died, reverse=True)
    assert died.count(True) >= 3, "the generation, the record, what is gathered"
    assert not died[-1]


# --- put back from a copy ---


@pytest.mark.parametrize("seed", range(6))
def test_a_bucket_is_put_back_while_workers_are_at_work(world: World, seed: int) -> None:
    """Records first, `READY` last, all else in any order, as the runbook says; a night and a run of the batch between.

    Kind of test that was missing: one in which a part of the bucket is there.
    """
    draw = random.Random(seed)
    points = [point for point in undisturbed(world, 7) if record_key(BATCH.shot("S00")) in point[0]]
    for number in draw.sample(range(len(points)), 3):
        saved, seconds = points[number]
        order = {key: (key.endswith("/READY"), not key.startswith("batches/"), draw.random()) for key in saved}
        keys = sorted(saved, key=order.__getitem__)
        cut = draw.randrange(sum(key.startswith("batches/") for key in keys), len(keys))
        world.objects, world.seconds = {key: saved[key] for key in keys[:cut]}, seconds + 90
        with said(f"seed {seed}, after write {number}, {cut} of {len(keys)} objects are there"):
            world.act(Actor(run="a night"), night)
            world.act(Actor(run="started again"), missing(process_again))
            world.objects |= {key: saved[key] for key in keys[cut:]}
            assert again(world, world.objects, world.seconds)
            require_all_well(7)


def process_again() -> None:
    """What a run of `process-batch` does that was found dead: it does not ask whether the batch is closed."""
    with at_work_on(BATCH):
        for ref in take_stock.fn(BATCH).shots:
            take_to_its_verdict(ref.shot)
        hand_over(BATCH, [])
        summarise.fn(BATCH)


def missing(work: Callable[[], None]) -> Callable[[], None]:
    """Do something that may find that nothing is there."""

    def attempt() -> None:
        with suppress(ObjectMissingError):
            work()

    return attempt


# --- lost updates ---


@pytest.mark.parametrize("seed", range(25))
def test_of_two_writers_of_a_batch_s_record_none_loses_the_other_s_change(world: World, seed: int) -> None:
    """Each change is made of the record as it is when it is written, in whatever order the requests come."""
    world.random = random.Random(seed)
    world.act(Actor(run="first"), lambda: (submit(3), night()))
    first, second, untouched = NAMES[:3]

    def start_again(name: str, *, times: int) -> None:
        for _ in range(times):
            restart_shot.fn(BATCH.shot(name), person="Ada", reason="again")

    world.race(
        (Actor(run="a"), lambda: start_again(first, times=2)),
        (Actor(run="b"), lambda: (start_again(second, times=1), take_stock.fn(BATCH), start_again(second, times=1))),
        (Actor(run="c"), lambda: take_stock.fn(BATCH)),
    )
    found: dict[str, int] = {}
    world.act(Actor(run="d"), lambda: found.update({ref.shot.shot: ref.generation for ref in load_batch(BATCH).shots}))
    with said(f"seed {seed}"):
        assert found == {first: 2, second: 2, untouched: 0}
