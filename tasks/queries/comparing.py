"""Compare the index (tables of all shots and batches) with the records in the bucket by ETags, and correct rows that
differ. This also fills a new index.

A listing of the bucket gives the ETag of every record. Only records whose ETag is not that of their row are read.
Nothing here writes to the bucket.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from sqlalchemy import Connection, Select, Table, delete, func, select, union, update

from packshot.errors import ObjectMissingError, RecordDamagedError
from packshot.figures import counted
from packshot.keys import batches_prefix
from packshot.naming import BatchId, ShotId, is_name
from packshot.record import DONE, State
from packshot.types import Value
from tasks.environment.logs import log
from tasks.index.database import Database
from tasks.index.keeping import put
from tasks.index.rows import batch_row, damaged_batch_row, damaged_shot_row, plain, shot_row
from tasks.index.tables import batches, buckets, shots
from tasks.records.bookkeeping import now
from tasks.records.stored import load_held, load_held_batch
from tasks.storage.bucket import Storage

OPEN_OBJECTS, ENDED_OBJECTS = 10_000, 2_000
"""At one look, batches are compared until so many objects were listed: of open batches, and of ended ones."""
_AT_REST = frozenset({*DONE, State.REFUSED})
_PART = 500
_BATCH = ""
"""Stands for the batch's own record among the names of its shots."""


class Compared(Value):
    """Numbers from a comparison of the index (tables of all shots and batches) with the records in the bucket.

    Two results can be added with ``+``.

    Attributes:
        batches: number of batches that were compared.
        records: number of records that were compared, of shots and of batches.
        objects: number of objects that were listed to find them.
        behind: number of rows that were wrong: older than their records, missing, or left over from a record that is
            gone. A batch that is gone counts once.
    """

    batches: int = 0
    records: int = 0
    objects: int = 0
    behind: int = 0

    @property
    def sentence(self) -> str:
        """The result in words, such as "2 of 1,200 records in 3 batches differed from their rows"."""
        of_all = f"{counted(self.records, 'record')} in {counted(self.batches, 'batch', 'batches')}"
        return f"{self.behind} of {of_all} differed from their rows"

    def __add__(self, other: Compared) -> Compared:
        return Compared(**{name: getattr(self, name) + getattr(other, name) for name in Compared.model_fields})


class _Listed(NamedTuple):
    """A batch as a listing shows it: the ETags of its records by name, and how many objects were listed."""

    batch: BatchId
    etags: Mapping[str, str]
    objects: int


def compare_all(
    index: Database,
    storage: Storage,
    *,
    client: str = "",
    batch: str = "",
    anew: bool = False,
    on_progress: Callable[[Compared], None] = lambda done: None,
) -> Compared:
    """Compare all rows of the index (tables of all shots and batches) with the records, and correct every row that
    differs. Return how many were compared, and how many were wrong.

    Args:
        index: the database with the index to correct.
        storage: the bucket with the records.
        client, batch: only batches of this client, or this one batch of it; empty means all.
        anew: True reads every record and writes every row, even if its ETag is the same.
        on_progress: called after each batch with the result so far.
    Raises:
        IndexAwayError: the index does not answer.
        StorageUnavailableError: the storage does not answer.
    """
    done, found = Compared(), set()
    prefix = "/".join([*filter(None, ("batches", client, client and batch)), ""])
    for listed in _listed(storage, prefix):
        found.add(listed.batch)
        done += _repair(index, storage, listed, anew=anew)
        on_progress(done)
    known = index.run(lambda connection: _known(connection, storage.bucket))
    scope = {one for one in known if client in ("", one.client) and batch in ("", one.batch)}
    done += _forget(index, storage.bucket, scope - found)
    if not client and not batch:
        row = {"bucket": storage.bucket, "whole_at": now()}
        index.run(lambda connection: put(connection, buckets, [row]))
    return done


def compare_some(index: Database, storage: Storage) -> Compared:
    """Compare some batches' rows of the index with the records, and correct the rows that differ.

    Return how many were compared, and how many were wrong.

    The index is a database with a table of all shots and one of all batches, made from the records in the bucket. New
    batches, which the index does not have yet, come first. Then come open ones: those that are not finished, or have
    shots that are neither delivered nor refused. Then come all others. Within each kind, the batch that was compared
    longest ago comes first. The number of listed objects is limited, so a call costs about the same for many batches
    and for few. Repeated calls compare all batches in the end.

    Args:
        index: the database with the index to correct.
        storage: the bucket with the records.
    Raises:
        IndexAwayError: the index does not answer.
        StorageUnavailableError: the storage does not answer.
    """
    folders = set(_folders(storage))
    known = index.run(lambda connection: _known(connection, storage.bucket))
    still_open = index.run(lambda connection: _open(connection, storage.bucket))
    done = _forget(index, storage.bucket, set(known) - folders)
    new = sorted(folders - set(known), key=str)
    for some, most in (
        (new, OPEN_OBJECTS),
        ([one for one in known if one in still_open and one in folders], OPEN_OBJECTS),
        ([one for one in known if one not in still_open and one in folders], ENDED_OBJECTS),
    ):
        listed = 0
        for batch in some:
            if listed >= most:
                break
            compared = _repair(index, storage, _list_one(storage, batch))
            listed += compared.objects
            done += compared
    return done


class Standing(NamedTuple):
    """How well the index (tables of all shots and batches) agrees with the records in the bucket.

    Attributes:
        whole_at: when every record was last compared, or the index was rebuilt. None if it does not have every shot
            yet.
        shots, batches: number of rows in each table.
        behind: the comparison of open batches (those that are not finished, or have shots that are neither delivered
            nor refused) as of now, up to 10,000 objects (`OPEN_OBJECTS`). Nothing was corrected.
    """

    whole_at: datetime | None
    shots: int
    batches: int
    behind: Compared


def standing_of(index: Database, storage: Storage) -> Standing:
    """Return how well the index (tables of all shots and batches) agrees with a bucket's records: whether it has every
    shot, and how many rows are old.

    Nothing is corrected.

    Args:
        index: the index.
        storage: the bucket with the records.
    Raises:
        IndexAwayError: the index does not answer.
        StorageUnavailableError: the storage does not answer.
    """

    def work(connection: Connection) -> tuple[datetime | None, int, int, set[BatchId]]:
        here = {"bucket": storage.bucket}
        whole_at = connection.execute(select(buckets.c.whole_at).filter_by(**here)).scalar()
        of_shots, of_batches = (_count(connection, one, storage.bucket) for one in (shots, batches))
        return whole_at, of_shots, of_batches, _open(connection, storage.bucket)

    whole_at, of_shots, of_batches, still_open = index.run(work)
    behind = Compared()
    for batch in sorted(still_open, key=str):
        if behind.objects < OPEN_OBJECTS:
            listed = _list_one(storage, batch)
            behind += _counted(listed, _differing(index, storage.bucket, listed))
    return Standing(whole_at, of_shots, of_batches, behind)


def _count(connection: Connection, table: Table, bucket: str) -> int:
    return int(connection.execute(select(func.count()).select_from(table).filter_by(bucket=bucket)).scalar() or 0)


def _listed(storage: Storage, prefix: str) -> Iterator[_Listed]:
    """Yield the batches below a prefix from one listing."""
    for folders, objects in groupby(storage.list(prefix), key=lambda one: one.key.split("/")[:3]):
        keys = {one.key: one.etag for one in objects}
        if len(folders) == 3 and all(map(is_name, folders[1:])):
            yield _of(BatchId(client=folders[1], batch=folders[2]), keys)


def _list_one(storage: Storage, batch: BatchId) -> _Listed:
    prefix = f"{batches_prefix(batch.client)}{batch.batch}/"
    return _of(batch, {one.key: one.etag for one in storage.list(prefix)})


def _of(batch: BatchId, keys: Mapping[str, str]) -> _Listed:
    etags = {}
    for key, etag in keys.items():
        _, _, _, *rest = key.split("/")
        if rest == ["batch.json"]:
            etags[_BATCH] = plain(etag)
        elif len(rest) == 3 and rest[0] == "shots" and rest[2] == "record.json" and is_name(rest[1]):
            etags[rest[1]] = plain(etag)
    return _Listed(batch, etags, len(keys))


def _folders(storage: Storage) -> Iterator[BatchId]:
    for client in filter(is_name, storage.folders(batches_prefix())):
        for name in filter(is_name, storage.folders(batches_prefix(client))):
            yield BatchId(client=client, batch=name)


def _known(connection: Connection, bucket: str) -> list[BatchId]:
    """Return the batches that have rows; those that were compared longest ago, or never, come first."""
    here = batches.c.bucket == bucket
    of_batches = select(batches.c.client, batches.c.batch).where(here)
    found = connection.execute(of_batches.order_by(batches.c.compared_at.asc().nulls_first()))
    return [BatchId(client=one.client, batch=one.batch) for one in found]


def _open(connection: Connection, bucket: str) -> set[BatchId]:
    """Return the batches that are not finished, or have shots that are not at rest."""
    unfinished = select(batches.c.client, batches.c.batch).where(
        batches.c.bucket == bucket, batches.c.finished_at.is_(None)
    )
    found = connection.execute(union(unfinished, _unsettled(bucket)))
    return {BatchId(client=one.client, batch=one.batch) for one in found}


def unsettled(connection: Connection, bucket: str) -> set[BatchId]:
    """Return the batches with shots that are neither delivered nor refused, as the index (the table of all shots) says.

    Only these can be cancelled.

    Args:
        connection: a connection to the database with the index, in a transaction.
        bucket: name of the bucket that holds the records.
    """
    return {BatchId(client=one.client, batch=one.batch) for one in connection.execute(_unsettled(bucket).distinct())}


def _unsettled(bucket: str) -> Select[tuple[str, str]]:
    states = [state.value for state in State if state not in _AT_REST]
    return select(shots.c.client, shots.c.batch).where(shots.c.bucket == bucket, shots.c.state.in_(states))


class _Differing(NamedTuple):
    """Names of records whose rows are missing or have another ETag; rows whose records are gone; all rows' ETags."""

    changed: list[str]
    gone: list[str]
    seen: Mapping[str, str]


def _differing(index: Database, bucket: str, listed: _Listed, *, anew: bool = False) -> _Differing:
    seen = index.run(lambda connection: _etags(connection, bucket, listed.batch))
    changed = [name for name, etag in listed.etags.items() if anew or seen.get(name) != etag]
    return _Differing(changed, [name for name in seen if name not in listed.etags], seen)


def _etags(connection: Connection, bucket: str, batch: BatchId) -> dict[str, str]:
    where = {"bucket": bucket, "client": batch.client, "batch": batch.batch}
    own = connection.execute(select(batches.c.etag).filter_by(**where)).scalar()
    of_shots = connection.execute(select(shots.c.shot, shots.c.etag).filter_by(**where))
    return {**({} if own is None else {_BATCH: own}), **{one.shot: one.etag for one in of_shots}}


def _counted(listed: _Listed, differing: _Differing) -> Compared:
    behind = len(differing.changed) + len(differing.gone)
    return Compared(batches=1, records=len(listed.etags), objects=listed.objects, behind=behind)


def _repair(index: Database, storage: Storage, listed: _Listed, *, anew: bool = False) -> Compared:
    batch, bucket = listed.batch, storage.bucket
    if not listed.etags:
        return _forget(index, bucket, [batch])
    differing = _differing(index, bucket, listed, anew=anew)
    names = [name for name in differing.changed if name != _BATCH]
    for start in range(0, len(names), _PART):
        _repair_shots(index, storage, listed, names[start : start + _PART], differing.seen)
    own = _batch_row(storage, listed) if _BATCH in differing.changed or _BATCH not in listed.etags else None

    def work(connection: Connection) -> None:
        if own is not None:
            put(connection, batches, [own], seen={_BATCH: differing.seen.get(_BATCH, "")})
        where = {"bucket": bucket, "client": batch.client, "batch": batch.batch}
        for name in set(differing.gone) - {_BATCH}:
            connection.execute(delete(shots).filter_by(**where, shot=name, etag=differing.seen[name]))
        connection.execute(update(batches).filter_by(**where).values(compared_at=now()))

    index.run(work)
    return _counted(listed, differing)


def _repair_shots(
    index: Database, storage: Storage, listed: _Listed, names: Iterable[str], seen: Mapping[str, str]
) -> None:
    wanted: dict[str, ShotId] = {name: listed.batch.shot(name) for name in names}
    rows = {
        held.record.shot.shot: shot_row(storage.bucket, held.record, held.etag)
        for held in load_held(wanted.values(), storage=storage)
    }
    for name, shot in wanted.items():
        if name not in rows:
            rows[name] = damaged_shot_row(storage.bucket, shot, listed.etags[name])
    index.run(lambda connection: put(connection, shots, rows.values(), seen=seen))


def _batch_row(storage: Storage, listed: _Listed) -> dict[str, object]:
    try:
        record, etag = load_held_batch(listed.batch, storage=storage)
    except ObjectMissingError:
        return damaged_batch_row(storage.bucket, listed.batch, "")
    except RecordDamagedError as error:
        log().error("%s", error)
        return damaged_batch_row(storage.bucket, listed.batch, listed.etags.get(_BATCH, ""))
    return batch_row(storage.bucket, record, etag)


def _forget(index: Database, bucket: str, gone: Iterable[BatchId]) -> Compared:
    """Remove the rows of batches that are no longer in the bucket; each that had any counts once."""

    def work(connection: Connection) -> int:
        count = 0
        for batch in gone:
            where = {"bucket": bucket, "client": batch.client, "batch": batch.batch}
            removed = [connection.execute(delete(table).filter_by(**where)).rowcount for table in (shots, batches)]
            count += any(removed)
        return count

    return Compared(behind=index.run(work))
