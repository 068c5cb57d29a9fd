from __future__ import annotations

import errno
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from packshot import PIPELINE_VERSION
from packshot.batch import ShotRef
from packshot.errors import DiskFullError, EmptySubjectError, IllegalTransitionError, StorageUnavailableError
from packshot.keys import inbox_key
from packshot.naming import ShotId
from packshot.record import FOLLOWS, MACHINE, ShotRecord, Source, State
from packshot.types import Finding, Sourced, Status
from tasks.batches.summing_up import fate_of
from tasks.records.bookkeeping import _RANKS, Life, living, now, revived
from tasks.records.stored import create_record, load_record
from tasks.storage.bucket import Storage

SHOT = ShotId(client="acme", batch="spring", shot="A1_MAIN")
STAGES = (
    (State.MASTERED,),
    (State.ROUTED,),
    (State.EDITING_AUTO,),
    (State.EDITING_AUTO, State.SCORED, State.APPROVED),
    (State.EXPORTED, State.VERIFIED),
    (State.DELIVERED,),
)
"""What the stages of an automated shot ask for, in their order."""


@pytest.fixture
def received(storage: Storage) -> ShotRecord:
    source = Source(key=inbox_key(SHOT.in_batch, "A1_MAIN.jpg"), sha256="", size_bytes=1)
    return create_record(ShotRecord(shot=SHOT, source=source))


def path(record: ShotRecord) -> list[State]:
    return [event.to_state for event in record.events]


def test_every_state_on_the_way_is_an_event_with_who_and_why(received: ShotRecord) -> None:
    Life(SHOT).reach(State.MASTERED, State.ROUTED, why="all went well")
    record = load_record(SHOT)
    assert path(record) == [State.MASTERED, State.ROUTED]
    assert {(event.actor, event.why) for event in record.events} == {("command line", "all went well")}
    assert record.pipeline_version == PIPELINE_VERSION


def test_a_person_s_name_stands_where_it_was_a_person(received: ShotRecord) -> None:
    Life(SHOT).reach(State.MASTERED, why="by hand", who="Ada")
    assert load_record(SHOT).events[0].actor == "Ada"


def test_what_a_stage_found_stands_in_the_record_and_earlier_findings_stay(received: ShotRecord) -> None:
    first, second = (Finding(code=code, status=Status.WARNING, message=code) for code in ("first", "second"))
    sku = Sourced(value="A1", source="manifest")
    Life(SHOT).reach(
        State.MASTERED,
        why="",
        facts={"sku": sku},
        source_sha256="f" * 64,
        plan_fingerprint="p",
        findings=(first,),
        reports={"reading": {"kind": "JPEG"}},
        objects={"master.tif": "a"},
    )
    record = Life(SHOT).reach(State.ROUTED, why="", findings=(second,), reports={"routing": {}}, objects={"x": "b"})
    assert record == load_record(SHOT)
    assert (record.facts, record.source.sha256, record.plan_fingerprint) == ({"sku": sku}, "f" * 64, "p")
    assert record.findings == (first, second)
    assert set(record.reports) == {"reading", "routing"}
    assert record.objects == {"master.tif": "a", "x": "b"}


def test_reaching_a_state_again_changes_nothing(received: ShotRecord) -> None:
    finding = Finding(code="gap_suspected", status=Status.WARNING, message="Look at it.")
    reach = partial(Life(SHOT).reach, State.MASTERED, State.ROUTED, why="", findings=(finding,), objects={"a": "b"})
    assert reach() == reach() == load_record(SHOT)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(STAGES), max_size=8))
def test_stages_that_run_again_in_any_order_never_take_a_shot_back(
    storage: Storage, again: list[tuple[State, ...]]
) -> None:
    storage._client.delete_object(Bucket=storage.bucket, Key="batches/acme/spring/shots/A1_MAIN/record.json")
    create_record(ShotRecord(shot=SHOT, source=Source(key="inbox/acme/spring/a.jpg", sha256="", size_bytes=1)))
    reached = 0
    for states in again:
        try:
            record = Life(SHOT).reach(*states, why="")
        except IllegalTransitionError:
            record = load_record(SHOT)  # it skipped a stage: refused, and nothing was written
        assert _RANKS[record.state] >= reached
        reached = _RANKS[record.state]
    steps = path(load_record(SHOT))
    assert len(steps) == len(set(steps))


def test_a_stage_cannot_be_skipped(received: ShotRecord) -> None:
    with pytest.raises(IllegalTransitionError, match="cannot go from 'received' to 'exported'"):
        Life(SHOT).reach(State.EXPORTED, why="")
    assert load_record(SHOT) == received


def test_of_many_stages_at_once_each_step_is_taken_once(received: ShotRecord) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: Life(SHOT).reach(State.MASTERED, State.ROUTED, why=""), range(8)))
    assert path(load_record(SHOT)) == [State.MASTERED, State.ROUTED]


def test_an_error_is_written_into_the_record_and_raised_again(received: ShotRecord) -> None:
    Life(SHOT).reach(State.MASTERED, why="")
    error = EmptySubjectError("no product was found", str(SHOT), next_step="Look at the photograph.")
    with pytest.raises(EmptySubjectError), living(SHOT):
        raise error
    record = load_record(SHOT)
    assert (record.state, record.failed_from) == (State.FAILED, State.MASTERED)
    assert record.events[-1].why == str(error)


FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        (StorageUnavailableError("no answer", "s3"), True),
        (DiskFullError("the disk is full", "/tmp"), True),
        (FULL, True),
        (EmptySubjectError("no product was found", str(SHOT)), False),
        (ZeroDivisionError("division by zero"), False),
    ],
)
def test_the_record_says_whether_the_failure_may_pass_by_itself(
    received: ShotRecord, error: Exception, passing: bool
) -> None:
    with pytest.raises(type(error)), living(SHOT):
        raise error
    record = load_record(SHOT)
    assert record.failed_in_passing is passing
    fate = fate_of(ShotRef(shot=SHOT, path="A1_MAIN.jpg", key=record.source.key, etag="e", size_bytes=1), record)
    assert (fate.kind, fate.passing) == ("failed", passing)
    assert not revived(record, by="Ada").failed_in_passing


def test_an_error_that_nobody_expected_is_named_with_its_kind(received: ShotRecord) -> None:
    with pytest.raises(ZeroDivisionError), living(SHOT):
        _ = 1 / 0
    assert load_record(SHOT).events[-1].why == "ZeroDivisionError: division by zero"


def test_every_try_that_fails_stands_in_the_record(received: ShotRecord) -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match="odd"), living(SHOT):
            raise ValueError("odd")
    assert path(load_record(SHOT)) == [State.FAILED, State.RECEIVED, State.FAILED]


@pytest.mark.parametrize("failed_in", [state for state in State if FOLLOWS[state]])
def test_no_stage_ever_meets_a_shot_that_is_failed(storage: Storage, failed_in: State) -> None:
    source = Source(key=inbox_key(SHOT.in_batch, "A1_MAIN.jpg"), sha256="", size_bytes=1)
    create_record(ShotRecord(shot=SHOT, source=source, state=failed_in))
    with pytest.raises(ValueError, match="odd"), living(SHOT):
        raise ValueError("odd")
    assert load_record(SHOT).failed_from is failed_in
    with living(SHOT):
        assert load_record(SHOT).state is failed_in


def test_a_failed_shot_goes_on_from_where_it_failed(received: ShotRecord) -> None:
    Life(SHOT).reach(State.MASTERED, why="")
    with pytest.raises(ValueError, match="odd"), living(SHOT):
        raise ValueError("odd")
    with living(SHOT) as life:
        life.reach(State.ROUTED, why="now it works")
    record = load_record(SHOT)
    assert path(record) == [State.MASTERED, State.FAILED, State.MASTERED, State.ROUTED]
    assert record.events[2].why == "tried again"


def test_only_a_failed_record_is_revived(received: ShotRecord) -> None:
    assert revived(received, by="Ada") is received


def test_what_has_ended_stays_ended_when_something_fails_later(received: ShotRecord) -> None:
    Life(SHOT).reach(State.REFUSED, why="too small")
    before = load_record(SHOT)
    with pytest.raises(ValueError, match="odd"), living(SHOT):
        raise ValueError("odd")
    assert load_record(SHOT) == before


@pytest.mark.parametrize("last", [State.VERIFIED, State.DELIVERED])
def test_a_stage_that_fails_takes_nothing_back_from_another_run_that_did_the_same(
    received: ShotRecord, last: State
) -> None:
    """Kind of test that was missing: one in which two runs do a stage at once, and the slower one fails."""
    for states in STAGES[:4]:
        Life(SHOT).reach(*states, why="")

    def slower() -> None:
        with living(SHOT) as life:
            assert life.record.state is State.APPROVED
            further = (State.EXPORTED, State.VERIFIED, State.DELIVERED)
            Life(SHOT).reach(*further[: further.index(last) + 1], why="each verified", who="flow run of another")
            raise StorageUnavailableError("the storage is overloaded", str(SHOT))

    with pytest.raises(StorageUnavailableError):
        slower()
    assert load_record(SHOT).state is last


def test_the_first_error_is_raised_even_if_it_cannot_be_written(
    received: ShotRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        monkeypatch.setenv("PACKSHOT_S3_BUCKET", "a-bucket-that-is-not-there")
        raise ValueError("the first")

    with pytest.raises(ValueError, match="the first"), living(SHOT):
        fail()


def test_a_stage_of_the_machine_leaves_its_time_in_the_record(received: ShotRecord) -> None:
    with living(SHOT, stage="master") as life:
        life.reach(State.MASTERED, why="")
    with living(SHOT, stage="route") as life:
        life.reach(State.ROUTED, why="")
    times = load_record(SHOT).reports[MACHINE]
    assert set(times) == {"master", "route"}
    assert all(0 <= one["seconds"] < 60 and datetime.fromisoformat(one["at"]) <= now() for one in times.values())


def test_people_and_bookkeeping_leave_no_time(received: ShotRecord) -> None:
    with living(SHOT) as life:
        life.reach(State.MASTERED, why="", who="Ada")
    assert MACHINE not in load_record(SHOT).reports
