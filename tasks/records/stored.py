"""Read records in storage, and change them with conditional writes so that no update is lost.

A change is a function from the old record to the new one. The result is written only if the record has not changed
since it was read (If-Match with its ETag). Otherwise the function is called again with the new record. So it may run
more than once and must have no side effects.

    change_record(shot, lambda record: record.note(at=now(), actor=actor(), why="looked at"))

After each write, the record's row in the index, a database table of all shots, is written (`tasks.index.keeping`). If
that fails, the record stays as written.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple, TypeVar

from packshot.batch import BatchRecord
from packshot.errors import ObjectMissingError, RecordConflictError, RecordDamagedError
from packshot.keys import batch_record_key, record_key
from packshot.naming import BatchId, ShotId
from packshot.record import ShotRecord
from packshot.stored import read_stored
from tasks.environment.logs import log
from tasks.environment.threads import in_threads
from tasks.index.keeping import note
from tasks.storage.bucket import Storage, open_storage
from tasks.storage.leases import require_not_lost

V = TypeVar("V", ShotRecord, BatchRecord)

PATIENCE_S = 60.0
"""How long, in seconds, a change is retried while others keep changing the same record."""

_JSON = "application/json"
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.01, 1.0


def load_record(shot: ShotId, *, storage: Storage | None = None) -> ShotRecord:
    """Return a shot's record: its state, its history, its findings, and the hashes of its objects.

    Args:
        storage: None means the one that the settings name.
    Raises:
        ObjectMissingError: the shot has no record.
        RecordDamagedError: the record can't be read.
    """
    return _load(record_key(shot), ShotRecord, storage)


def find_record(shot: ShotId, *, storage: Storage | None = None) -> ShotRecord | None:
    """Return a shot's record; None if the shot has none yet.

    Args:
        storage: None means the one that the settings name.
    Raises:
        RecordDamagedError: the record can't be read.
    """
    return _or_none(partial(load_record, shot, storage=storage))


def load_records(shots: Iterable[ShotId], *, storage: Storage | None = None) -> list[ShotRecord]:
    """Return the records of many shots, in the given order. Several are read at a time.

    A shot whose record is missing or can't be read is left out, so that it doesn't stop the others; a record that can't
    be read is logged.

    Args:
        storage: None means the one that the settings name.
    """
    find = partial(_find_readable, storage=storage or open_storage())
    return [record for record in in_threads(find, shots, name="records") if record is not None]


def _find_readable(shot: ShotId, *, storage: Storage) -> ShotRecord | None:
    try:
        return find_record(shot, storage=storage)
    except RecordDamagedError as error:
        log().error("%s", error)
        return None


def load_held(shots: Iterable[ShotId], *, storage: Storage | None = None) -> list[Held]:
    """Return the records of many shots, each with its ETag for the next change, in the given order.

    A shot whose record is missing or can't be read is left out; a record that can't be read is logged.

    Args:
        storage: None means the one that the settings name.
    """
    opened = storage or open_storage()

    def find(shot: ShotId) -> Held | None:
        try:
            return Held(*_load_with_etag(record_key(shot), ShotRecord, opened))
        except ObjectMissingError:
            return None
        except RecordDamagedError as error:
            log().error("%s", error)
            return None

    return [held for held in in_threads(find, shots, name="records") if held is not None]


def create_record(record: ShotRecord, *, storage: Storage | None = None) -> ShotRecord:
    """Store a new shot's record and return it. If the shot has a record already, that one is returned, unchanged.

    Args:
        storage: None means the one that the settings name.
    Raises:
        RecordDamagedError: there is a record already, and it can't be read.
    """
    return _create(record_key(record.shot), record, storage)


def change_record(
    shot: ShotId, change: Callable[[ShotRecord], ShotRecord], *, storage: Storage | None = None
) -> ShotRecord:
    """Apply a change to a shot's record, and return the record after it. If the record stays equal, nothing is written.

    Args:
        change: gets the present record and returns the new one. It is called again if somebody else changed the record
            meanwhile, so it must have no side effects.
        storage: None means the one that the settings name.
    Raises:
        ObjectMissingError: there is no record.
        RecordDamagedError: the record can't be read.
        RecordConflictError: others kept changing the record for a minute (`PATIENCE_S`).
        LeaseLostError: this run worked on the batch, and another run has taken it over.
        BatchCancelledError: this run works on the batch, and somebody has cancelled it.
    """

    def guarded(record: ShotRecord) -> ShotRecord:
        require_not_lost(shot.in_batch)
        return change(record)

    return _change(record_key(shot), ShotRecord, guarded, storage)


class Held(NamedTuple):
    """A shot's record as it was read or written, with its ETag. With both, the next change needs no read.

    Attributes:
        record: the shot's record.
        etag: the storage's mark of this version of the record.
    """

    record: ShotRecord
    etag: str


def change_held(shot: ShotId, change: Callable[[ShotRecord], ShotRecord], held: Held | None) -> Held:
    """Apply a change to a shot's record, and return the record after it, with its ETag.

    If the record stays equal, nothing is written. Unlike `change_record`, it saves a read if the caller has just read
    or written the record.

    Args:
        change: gets the present record and returns the new one. It may be called several times, so it must have no side
            effects.
        held: the record as the caller last read or wrote it; None: it is read. If somebody else has changed the record
            since, it is read again, and the change is applied to that.
    Raises:
        ObjectMissingError: there is no record.
        RecordDamagedError: the record can't be read.
        RecordConflictError: others kept changing the record for a minute (`PATIENCE_S`).
        LeaseLostError: this run worked on the batch, and another run has taken it over.
        BatchCancelledError: this run works on the batch, and somebody has cancelled it.
    """

    def guarded(record: ShotRecord) -> ShotRecord:
        require_not_lost(shot.in_batch)
        return change(record)

    return Held(*_change_held(record_key(shot), ShotRecord, guarded, None, held))


def load_batch(batch: BatchId, *, storage: Storage | None = None) -> BatchRecord:
    """Return a batch's record: its shots, groups and deliveries, and who is at work on it.

    Args:
        storage: None means the one that the settings name.
    Raises:
        ObjectMissingError: the batch has no record.
        RecordDamagedError: the record can't be read.
    """
    return _load(batch_record_key(batch), BatchRecord, storage)


def find_batch(batch: BatchId, *, storage: Storage | None = None) -> BatchRecord | None:
    """Return a batch's record; None if the batch has none yet.

    Args:
        storage: None means the one that the settings name.
    Raises:
        RecordDamagedError: the record can't be read.
    """
    return _or_none(partial(load_batch, batch, storage=storage))


def looks_for_cancellation(batch: BatchId) -> Callable[[], None]:
    """Return a function that raises a `BatchCancelledError` as soon as somebody has cancelled the batch.

    A run calls this function now and then, without arguments. The function returns nothing, and reads the batch's
    record only if the record has changed since the last call. A batch without a record counts as not cancelled. The
    function also raises a `StorageUnavailableError` or `StorageDeniedError` if the storage does not answer, or refuses
    the request.
    """
    storage, key, seen = open_storage(), batch_record_key(batch), ""

    def look() -> None:
        nonlocal seen
        try:
            etag = storage.head(key).etag
            if etag != seen:
                load_batch(batch, storage=storage).require_not_cancelled()
                seen = etag
        except ObjectMissingError:
            return

    return look


def load_held_batch(batch: BatchId, *, storage: Storage) -> tuple[BatchRecord, str]:
    """Return (a batch's record, its ETag). The ETag marks this version of the record.

    Raises:
        ObjectMissingError: the batch has no record.
        RecordDamagedError: the record can't be read.
    """
    return _load_with_etag(batch_record_key(batch), BatchRecord, storage)


def create_batch(record: BatchRecord, *, storage: Storage | None = None) -> BatchRecord:
    """Store a new batch's record and return it. If the batch has a record already, that one is returned, unchanged.

    Args:
        storage: None means the one that the settings name.
    Raises:
        RecordDamagedError: there is a record already, and it can't be read.
    """
    return _create(batch_record_key(record.batch), record, storage)


def change_batch(
    batch: BatchId, change: Callable[[BatchRecord], BatchRecord], *, storage: Storage | None = None
) -> BatchRecord:
    """Apply a change to a batch's record, and return the record after it.

    If the record stays equal, nothing is written. The record keeps the numbers of the leases under which it was changed
    (fencing tokens). So a run that has lost its lease can't overwrite the changes of the next one.

    Args:
        change: gets the present record and returns the new one. It may be called several times, so it must have no side
            effects.
        storage: None means the one that the settings name.
    Raises:
        ObjectMissingError: there is no record.
        RecordDamagedError: the record can't be read.
        RecordConflictError: others kept changing the record for a minute (`PATIENCE_S`).
        LeaseLostError: this run worked on the batch, and another run has taken it over.
        BatchCancelledError: this run works on the batch, and somebody has cancelled it.
    """

    def guarded(record: BatchRecord) -> BatchRecord:
        for lease in require_not_lost(batch):
            record = record.written_under(lease)
        return change(record)

    return _change(batch_record_key(batch), BatchRecord, guarded, storage)


def _load(key: str, kind: type[V], storage: Storage | None) -> V:
    return read_stored(kind, (storage or open_storage()).get(key), name=key)


def _or_none(load: Callable[[], V]) -> V | None:
    try:
        return load()
    except ObjectMissingError:
        return None


def _create(key: str, record: V, storage: Storage | None) -> V:
    opened = storage or open_storage()
    try:
        etag = opened.put_if_absent(key, _bytes_of(record), content_type=_JSON).etag
    except RecordConflictError:
        return _load(key, type(record), opened)
    note(record, etag, bucket=opened.bucket)
    return record


def _change(key: str, kind: type[V], change: Callable[[V], V], storage: Storage | None) -> V:
    return _change_held(key, kind, change, storage, None)[0]


def _change_held(
    key: str, kind: type[V], change: Callable[[V], V], storage: Storage | None, held: tuple[V, str] | None
) -> tuple[V, str]:
    opened = storage or open_storage()
    deadline = time.monotonic() + PATIENCE_S
    pause_s = _FIRST_PAUSE_S
    while True:
        before, etag = held or _load_with_etag(key, kind, opened)
        after = change(before)
        if after == before:
            return before, etag
        try:
            etag = opened.replace_if(key, _bytes_of(after), etag=etag, content_type=_JSON).etag
        except RecordConflictError:
            if held is None and time.monotonic() > deadline:
                raise
            if held is None:
                time.sleep(random.uniform(0, pause_s))
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            held = None
        else:
            note(after, etag, bucket=opened.bucket)
            return after, etag


def _load_with_etag(key: str, kind: type[V], storage: Storage) -> tuple[V, str]:
    data, etag = storage.get_with_etag(key)
    return read_stored(kind, data, name=key), etag


def _bytes_of(record: ShotRecord | BatchRecord) -> bytes:
    return record.model_dump_json(indent=1).encode()
