from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial

import pytest

from packshot.batch import BatchRecord
from packshot.errors import IllegalTransitionError, ObjectMissingError, RecordConflictError, RecordDamagedError
from packshot.keys import record_key
from packshot.naming import BatchId, ShotId, batch_id
from packshot.record import ShotRecord, Source, State
from packshot.types import Sourced
from tasks.records import stored
from tasks.storage.bucket import Storage

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
BATCH = batch_id("acme", "spring")


def shot(name: str = "BOX1_MAIN") -> ShotId:
    return ShotId(client="acme", batch="spring", shot=name)


def new_record(name: str = "BOX1_MAIN") -> ShotRecord:
    return ShotRecord(shot=shot(name), source=Source(key="inbox/acme/spring/a.jpg", sha256="0" * 64, size_bytes=1))


def with_fact(record: ShotRecord, *, name: str) -> ShotRecord:
    return record.model_copy(update={"facts": {**record.facts, name: Sourced(value="1", source="config")}})


def mastered(record: ShotRecord) -> ShotRecord:
    return record.advance(State.MASTERED, at=AT, actor="run", why="developed", reports={"master": {"size": [3, 4]}})


def test_a_record_comes_back_as_it_was_written(storage: Storage) -> None:
    record = mastered(new_record())
    assert stored.create_record(record) == record
    assert stored.load_record(shot()) == record


def test_creating_again_keeps_the_record_that_is_there(storage: Storage) -> None:
    stored.create_record(new_record())
    advanced = stored.change_record(shot(), mastered)
    assert stored.create_record(new_record()) == advanced


def test_a_missing_record_is_missing(storage: Storage) -> None:
    assert stored.find_record(shot()) is None
    assert stored.find_batch(BATCH) is None
    with pytest.raises(ObjectMissingError):
        stored.load_record(shot())
    with pytest.raises(ObjectMissingError):
        stored.change_record(shot(), mastered)


def test_sixteen_threads_lose_none_of_their_changes(storage: Storage) -> None:
    stored.create_record(new_record())
    names = [f"{who}-{n}" for who in range(16) for n in range(10)]

    def add(who: int) -> None:
        for n in range(10):
            stored.change_record(shot(), partial(with_fact, name=f"{who}-{n}"))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(add, range(16)))
    assert sorted(stored.load_record(shot()).facts) == sorted(names)


def test_only_one_of_many_takes_a_step_that_can_be_taken_once(storage: Storage) -> None:
    stored.create_record(new_record())

    def take(_: int) -> bool:
        try:
            stored.change_record(shot(), mastered)
        except IllegalTransitionError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, range(8))) == 1
    assert len(stored.load_record(shot()).events) == 1


def test_a_change_that_changes_nothing_writes_nothing(storage: Storage) -> None:
    stored.create_record(new_record())
    before = storage.head(record_key(shot()))
    stored.change_record(shot(), lambda record: record)
    assert storage.head(record_key(shot())) == before


def test_endless_conflict_ends_in_an_error(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "PATIENCE_S", 0.0)
    stored.create_record(new_record())

    def overtaken(record: ShotRecord) -> ShotRecord:
        data, etag = storage.get_with_etag(record_key(shot()))
        storage.replace_if(record_key(shot()), data + b" ", etag=etag, content_type="application/json")
        return mastered(record)

    with pytest.raises(RecordConflictError):
        stored.change_record(shot(), overtaken)


ODD_NAME = (
    b'{"shot": {"client": "a", "batch": "b", "shot": "A!"}, "source": {"key": "k", "sha256": "", "size_bytes": 1}}'
)


@pytest.mark.parametrize("data", [b"", b"{", b"{}", b'{"shot": 1}', b"\xff\xfe", ODD_NAME])
def test_a_damaged_record_is_said_to_be_damaged(storage: Storage, data: bytes) -> None:
    storage.put(record_key(shot()), data, content_type="application/json")
    with pytest.raises(RecordDamagedError, match=r"record\.json"):
        stored.load_record(shot())


def test_many_records_come_in_the_order_asked_for_without_the_missing(storage: Storage) -> None:
    names = [f"S{n:03}" for n in range(40)]
    for name in names:
        stored.create_record(new_record(name))
    asked = [*names, "missing"]
    random.Random(1).shuffle(asked)
    found = [record.shot.shot for record in stored.load_records(shot(name) for name in asked)]
    assert found == [name for name in asked if name != "missing"]


def test_a_batch_is_claimed_by_one(storage: Storage) -> None:
    stored.create_batch(BatchRecord(batch=BATCH, received_at=AT))

    def claim(who: int) -> str:
        def take(record: BatchRecord) -> BatchRecord:
            return record if record.claimed_by else record.model_copy(update={"claimed_by": f"run-{who}"})

        return stored.change_batch(BATCH, take).claimed_by

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(claim, range(8)))) == 1
    assert stored.load_batch(BatchId(client="acme", batch="spring")).claimed_by.startswith("run-")
