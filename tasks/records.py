"""Records in storage: read, and changed so that nobody's change is ever lost.

A change is a function of the record as it is. It is applied to what was read and written only if the record is
still that one; otherwise it is applied again to what the other wrote. So it must not do anything else.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from packshot.batch import BatchRecord
from packshot.errors import ObjectMissingError, RecordConflictError, RecordDamagedError
from packshot.naming import BatchId, ShotId, batch_record_key, record_key
from packshot.record import ShotRecord
from packshot.stored import Stored, read_stored
from tasks.leases import require_not_lost
from tasks.logs import log
from tasks.storage import Storage, open_storage

V = TypeVar("V", bound=Stored)

PATIENCE_S = 60.0
"""How long a change is tried again while others keep changing the same record."""

_JSON = "application/json"
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.01, 1.0
_AT_ONCE = 16


def load_record(shot: ShotId, *, storage: Storage | None = None) -> ShotRecord:
    """Return a shot's record.

    Raises:
        ObjectMissingError: it has none.
        RecordDamagedError: it cannot be read.
    """
    return _load(record_key(shot), ShotRecord, storage)


def find_record(shot: ShotId, *, storage: Storage | None = None) -> ShotRecord | None:
    """Return a shot's record, or None where it has none yet."""
    return _or_none(partial(load_record, shot, storage=storage))


def load_records(shots: Iterable[ShotId], *, storage: Storage | None = None) -> list[ShotRecord]:
    """Return the records of many shots in their order, several at a time.

    Shots without a record are left out, and so are those whose record cannot be read: one must not stop the others.
    """
    find = partial(_find_readable, storage=storage or open_storage())
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="records") as pool:
        return [record for record in pool.map(find, shots) if record is not None]


def _find_readable(shot: ShotId, *, storage: Storage) -> ShotRecord | None:
    try:
        return find_record(shot, storage=storage)
    except RecordDamagedError as error:
        log().error("%s", error)
        return None


def create_record(record: ShotRecord, *, storage: Storage | None = None) -> ShotRecord:
    """Store a new shot's record and return it; where there is one already, return that one unchanged."""
    return _create(record_key(record.shot), record, storage)


def change_record(
    shot: ShotId, change: Callable[[ShotRecord], ShotRecord], *, storage: Storage | None = None
) -> ShotRecord:
    """Apply a change to a shot's record and return the result. A change that changes nothing writes nothing.

    Raises:
        ObjectMissingError: there is no record.
        RecordConflictError: others changed it over and over for `PATIENCE_S`.
        LeaseLostError: this run was at work on the batch, and another one has taken it over.
    """

    def guarded(record: ShotRecord) -> ShotRecord:
        require_not_lost(shot.in_batch)
        return change(record)

    return _change(record_key(shot), ShotRecord, guarded, storage)


def load_batch(batch: BatchId, *, storage: Storage | None = None) -> BatchRecord:
    """Return a batch's record.

    Raises:
        ObjectMissingError: it has none.
        RecordDamagedError: it cannot be read.
    """
    return _load(batch_record_key(batch), BatchRecord, storage)


def find_batch(batch: BatchId, *, storage: Storage | None = None) -> BatchRecord | None:
    """Return a batch's record, or None where it has none yet."""
    return _or_none(partial(load_batch, batch, storage=storage))


def create_batch(record: BatchRecord, *, storage: Storage | None = None) -> BatchRecord:
    """Store a new batch's record and return it; where there is one already, return that one unchanged."""
    return _create(batch_record_key(record.batch), record, storage)


def change_batch(
    batch: BatchId, change: Callable[[BatchRecord], BatchRecord], *, storage: Storage | None = None
) -> BatchRecord:
    """Apply a change to a batch's record and return the result, as `change_record` does.

    The record keeps the numbers of the leases it was changed under, so that a run that was taken over changes nothing.
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
        opened.put_if_absent(key, _bytes_of(record), content_type=_JSON)
    except RecordConflictError:
        return _load(key, type(record), opened)
    return record


def _change(key: str, kind: type[V], change: Callable[[V], V], storage: Storage | None) -> V:
    opened = storage or open_storage()
    deadline = time.monotonic() + PATIENCE_S
    pause_s = _FIRST_PAUSE_S
    while True:
        data, etag = opened.get_with_etag(key)
        before = read_stored(kind, data, name=key)
        after = change(before)
        if after == before:
            return before
        try:
            opened.replace_if(key, _bytes_of(after), etag=etag, content_type=_JSON)
        except RecordConflictError:
            if time.monotonic() > deadline:
                raise
            time.sleep(random.uniform(0, pause_s))
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        else:
            return after


def _bytes_of(record: Stored) -> bytes:
    return record.model_dump_json(indent=1).encode()
