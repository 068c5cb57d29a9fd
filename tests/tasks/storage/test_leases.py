"""Leases on a real S3 server: one owner at a time, the dead are taken over, the living never."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from packshot.batch import BatchRecord, Cancellation
from packshot.errors import BatchCancelledError, LeaseHeldError, LeaseLostError, PackshotError
from packshot.keys import NIGHT_LEASE, batch_lease, lease_key, part_lease, run_lease, shot_key
from packshot.naming import batch_id
from packshot.record import ShotRecord, Source
from tasks.records.bookkeeping import now
from tasks.records.stored import (
    change_batch,
    change_record,
    create_batch,
    create_record,
    load_batch,
    load_record,
    looks_for_cancellation,
)
from tasks.storage import leases, shot_objects
from tasks.storage.bucket import Storage
from tasks.storage.leases import Holder, Patience, holding, look
from tests.flows.line import poll
from tests.patience import PATIENCE_S

BATCH = batch_id("acme", "spring")


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lease that runs out while a test can wait for it."""
    monkeypatch.setenv("PACKSHOT_LEASE_S", "4")
    monkeypatch.setattr(leases, "POLL_S", 0.1)


def die(holder: Holder) -> None:
    """End like a process that was killed: it renews nothing more, and says nothing."""
    holder._over.set()
    holder._thread.join()


def dead(name: str) -> Holder:
    """Somebody who got a lease and died."""
    holder = Holder(name)
    holder.claim(Patience.NONE)
    die(holder)
    return holder


def test_of_many_at_once_one_gets_it_and_the_others_are_told_who_has_it(storage: Storage) -> None:
    all_tried = threading.Barrier(8, timeout=PATIENCE_S)

    def try_it() -> int | str:
        try:
            with holding(NIGHT_LEASE, Patience.NONE) as holder:
                all_tried.wait()
                return holder.lease.number
        except LeaseHeldError as error:
            all_tried.wait()
            return error.found

    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda _: try_it(), range(8)))
    assert sorted(got, key=str) == [1, *["flow run command line"] * 7]
    after = look(NIGHT_LEASE)
    assert after is not None
    assert not after.is_alive


def test_the_living_are_seen_to_renew_and_the_dead_are_taken_over(storage: Storage) -> None:
    with holding(NIGHT_LEASE) as living:
        first = look(NIGHT_LEASE)
        with pytest.raises(LeaseHeldError), holding(NIGHT_LEASE, Patience.WATCH):
            pass
        renewed = look(NIGHT_LEASE)
        assert first is not None
        assert renewed is not None
        assert renewed.etag != first.etag
        die(living)
        with holding(NIGHT_LEASE, Patience.WATCH) as heir:
            assert heir.lease.number == living.lease.number + 1
            living._renew()
            with pytest.raises(LeaseLostError, match=f"number {heir.lease.number}"):
                living.require()


def test_a_storage_without_a_clock_is_watched_for_as_long_as_a_lease_holds(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead(NIGHT_LEASE)
    read = Storage._read

    def timeless(self: Storage, key: str) -> tuple[bytes, object]:
        data, answer = read(self, key)
        answer["ResponseMetadata"]["HTTPHeaders"].pop("date", None)
        return data, answer

    monkeypatch.setattr(Storage, "_read", timeless)
    with holding(NIGHT_LEASE, Patience.WATCH) as heir:
        assert heir.lease.number == 2


def test_a_renewal_whose_answer_was_lost_is_known_as_ones_own(storage: Storage) -> None:
    with holding(NIGHT_LEASE) as holder:
        with holder._lock:
            before = holder._etag
            holder._renew()
            holder._etag = before  # it was written, but nobody heard of it
            holder._renew()
        assert holder.require().number == 1


def test_one_that_was_removed_is_written_again_by_its_owner(storage: Storage) -> None:
    with holding(NIGHT_LEASE) as holder:
        storage.remove_lease(NIGHT_LEASE)
        with holder._lock:
            holder._renew()
        assert look(NIGHT_LEASE) is not None
        assert holder.require()


def test_whoever_was_taken_over_changes_no_record(storage: Storage) -> None:
    """Even if it has not noticed: the record knows the number of the later owner."""
    create_batch(BatchRecord(batch=BATCH, received_at=now()))
    with holding(batch_lease(BATCH)) as first:
        change_batch(BATCH, lambda record: record.model_copy(update={"claimed_by": "first"}))
        die(first)
        poll(lambda: expired(batch_lease(BATCH)), until="it has run out")

        def take_over() -> None:
            with holding(batch_lease(BATCH)):
                change_batch(BATCH, lambda record: record.model_copy(update={"claimed_by": "second"}))

        worker = threading.Thread(target=take_over)
        worker.start()
        worker.join()
        first._asked_at += 3600  # it believes that it renewed in time
        with pytest.raises(LeaseLostError):
            change_batch(BATCH, lambda record: record.model_copy(update={"claimed_by": "first again"}))
    record = load_batch(BATCH)
    assert (record.claimed_by, record.fences) == ("second", {batch_lease(BATCH): 2})


def test_whoever_lost_a_part_of_a_batch_changes_none_of_its_records(storage: Storage) -> None:
    shot = BATCH.shot("A1_MAIN")
    source = Source(key="inbox/acme/spring/A1_MAIN.jpg", sha256="", size_bytes=1)
    create_record(ShotRecord(shot=shot, source=source))
    with holding(part_lease(BATCH, "edit-1")) as first:
        change_record(shot, lambda record: record.note(at=now(), actor="first", why="its own part"))
        die(first)
        poll(lambda: expired(part_lease(BATCH, "edit-1")), until="it has run out")
        worker = threading.Thread(target=lambda: dead(part_lease(BATCH, "edit-1")))
        worker.start()
        worker.join()
        # Storage tells ages in whole seconds: for others it may have run out a second before its owner asks again.
        first._asked_at -= first.lease.holds_s
        with pytest.raises(LeaseLostError):
            change_record(shot, lambda record: record.note(at=now(), actor="first", why="too late"))
    assert [event.why for event in load_record(shot).events] == ["its own part"]


def cancel() -> None:
    said = Cancellation(at=now(), by="Max", why="the client has withdrawn it")
    change_batch(BATCH, lambda record: record.model_copy(update={"cancellations": (said,)}))


def test_whoever_is_at_work_on_a_part_of_a_batch_that_is_cancelled_stops_by_itself(storage: Storage) -> None:
    """Kind of test that was missing: a cancellation of which the process that works is not told by anybody."""
    shot, part = BATCH.shot("A1_MAIN"), part_lease(BATCH, "edit-1")
    create_batch(BatchRecord(batch=BATCH, received_at=now()))
    create_record(ShotRecord(shot=shot, source=Source(key="inbox/acme/spring/A1", sha256="", size_bytes=1)))
    with holding(part, wanted=looks_for_cancellation(BATCH)) as holder:
        change_record(shot, lambda record: record.note(at=now(), actor="run", why="before"))
        worker = threading.Thread(target=cancel)  # somebody else, who holds no lease of it
        worker.start()
        worker.join()
        poll(lambda: expired(part), until="it has let go, so that nobody waits for it")
        with pytest.raises(BatchCancelledError, match="the client has withdrawn it"):
            holder.require()
        with pytest.raises(BatchCancelledError):
            change_record(shot, lambda record: record.note(at=now(), actor="run", why="too late"))
    assert [event.why for event in load_record(shot).events] == ["before"]
    with pytest.raises(BatchCancelledError), holding(part, wanted=looks_for_cancellation(BATCH)):
        pytest.fail("nobody begins it")


def test_whether_a_batch_is_cancelled_is_looked_at_without_reading_its_record_again(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = looks_for_cancellation(BATCH)
    look()  # there is no such batch
    create_batch(BatchRecord(batch=BATCH, received_at=now()))
    look()
    with monkeypatch.context() as patch:
        patch.setattr(Storage, "_read", lambda *_: pytest.fail("it has not changed"))
        look()
    cancel()
    for _ in range(2):
        with pytest.raises(BatchCancelledError):
            look()


@pytest.mark.parametrize("name", [run_lease("one"), batch_lease(BATCH)])
def test_whoever_was_taken_over_leaves_the_shot_s_pictures_as_they_are(storage: Storage, name: str) -> None:
    """Kind of test that was missing: one in which a process wakes up with a picture instead of with a change."""
    shot = BATCH.shot("A1_MAIN")
    with holding(name) as first:
        had = shot_objects.keep(shot, {"edit.tif": b"the machine's"})
        die(first)
        poll(lambda: expired(name), until="it has run out")
        worker = threading.Thread(target=lambda: dead(name))
        worker.start()
        worker.join()
        shot_objects.store_object(shot_key(shot, "edit.tif"), b"an editor's", content_type="image/tiff", replaces=True)
        first._asked_at -= first.lease.holds_s
        with pytest.raises(LeaseLostError):
            shot_objects.keep(shot, {"edit.tif": b"the machine's, too late"}, over=had)
    assert storage.get(shot_key(shot, "edit.tif")) == b"an editor's"


def expired(name: str) -> bool | None:
    seen = look(name)
    return True if seen is not None and not seen.is_alive else None


def test_something_that_is_no_lease_stops_nobody(storage: Storage) -> None:
    storage.put_if_absent(lease_key(NIGHT_LEASE), b"{}", content_type="application/json")
    with holding(NIGHT_LEASE) as holder:
        assert holder.lease.number == 1


def test_a_storage_that_is_away_is_waited_for_and_then_said(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACKSHOT_S3_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(leases, "_OUTAGE_S", 0.2)
    with pytest.raises(PackshotError, match="did not answer"), holding(NIGHT_LEASE):
        pass
