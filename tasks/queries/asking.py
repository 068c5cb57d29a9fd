"""Ask the index (a table of all shots and a table of all batches, made from their records) about many shots: the shared
index, or one on this machine's disk.

The index of this machine is used if there is no shared one, or if the shared index does not answer. Such an index is
compared with the bucket just before.

An answer may be some seconds old, and a row may be older than its record. So read a shot's record before you act on it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection, Select, and_, func, or_, select, tuple_

from packshot.errors import ObjectMissingError, RecordDamagedError
from packshot.keys import batch_record_key
from packshot.naming import BatchId
from packshot.record import DONE, ShotRecord, State
from tasks.environment.logs import log
from tasks.environment.threads import in_threads
from tasks.index.database import IndexAwayError, Shared, Work, own, own_in_memory, shared
from tasks.index.keeping import catch_up
from tasks.index.rows import plain, record_of
from tasks.index.tables import batches, buckets, shots
from tasks.queries.comparing import compare_all, compare_some, unsettled
from tasks.storage.bucket import Storage, open_storage

R = TypeVar("R")
MOST_FOUND = 100
LOOKED_THROUGH = 50_000
"""So many shots, those that changed last, are also found by the middle of a name: an index finds only beginnings."""
LEAST_INSIDE = 3
"""Signs of the shortest word that is looked for in the middle."""
_PART = 500
_NAMES = (shots.c.sku, shots.c.asin, shots.c.gtin, shots.c.file)
_LAST_SIGN = "\U0010ffff"


def ask(work: Work[R], *, client: str = "", batch: str = "", storage: Storage | None = None) -> R:
    """Return the answer to a question to the index (tables of all shots and batches, made from their records).

    The shared index is asked if it answers, else one of this machine.

    An index of this machine is first brought up to date with the bucket, and so is a shared one that is new. That takes
    time, as all records that changed are read. If no folder can be used, the index of this machine is made in memory.

    Args:
        work: the question: called with one argument, a SQLAlchemy connection to the index. What it returns is the
            answer.
        client, batch: names of the client and the batch that the question is about; empty means all. They limit how
            much an index of this machine has to compare.
        storage: the bucket that the question is about; None means the one that the settings name.
    Raises:
        StorageUnavailableError: the storage does not answer, and the index had to be compared with it.
    """
    opened, index = storage or open_storage(), shared()
    if index is not None:
        try:
            catch_up()
            _require_whole(index, opened)
            return index.run(work)
        except IndexAwayError:
            log().debug("the index is away; this machine makes its own")
    try:
        compare_all(own(), opened, client=client, batch=batch)
        return own().run(work)
    except IndexAwayError as error:
        log().warning("an index is made in memory: %s", error)
    compare_all(own_in_memory(), opened, client=client, batch=batch)
    return own_in_memory().run(work)


def _require_whole(index: Shared, storage: Storage) -> None:
    """Fill an index that is new: until then it lacks what is older than it."""
    known = select(buckets.c.whole_at).filter_by(bucket=storage.bucket)
    if index.run(lambda connection: connection.execute(known).scalar()) is None:
        log().info("the index of %s is new: every record is read once", storage.bucket)
        compare_all(index, storage)


def repair() -> None:
    """Compare some batches of the shared index (PostgreSQL tables of all shots and batches) with their records, and
    correct rows that differ.

    Call it before a decision that depends on counting rows. A call compares a limited number of batches; over many
    calls, all get their turn. If the settings name no shared index, or the index does not answer, nothing is done and
    nothing is raised.
    """
    index = shared()
    if index is not None:
        with suppress(IndexAwayError):
            compare_some(index, open_storage())


def finished_batches() -> Collection[BatchId]:
    """Return the batches that are finished, in no order; the nightly run skips them.

    The shared index (the table of all batches) says which. The result is empty if there is no shared index, or it does
    not answer. A batch may have been cancelled and submitted again after its row was written. Only a batch with
    unfinished shots can be cancelled; so such a batch is returned only if its record in storage is still the version
    from which the row was made. The versions are compared by their ETags, so no record is read.

    Raises:
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    index, storage = shared(), open_storage()
    if index is None:
        return ()
    wanted = select(batches.c.client, batches.c.batch, batches.c.etag).filter_by(bucket=storage.bucket)

    def work(connection: Connection) -> tuple[dict[BatchId, str], set[BatchId]]:
        found = connection.execute(wanted.where(batches.c.finished_at.is_not(None)))
        rows = {BatchId(client=one.client, batch=one.batch): one.etag for one in found}
        return rows, unsettled(connection, storage.bucket)

    try:
        rows, in_doubt = index.run(work)
    except IndexAwayError:
        return ()

    def is_older(batch: BatchId) -> bool:
        try:
            return plain(storage.head(batch_record_key(batch)).etag) != rows[batch]
        except ObjectMissingError:
            return True

    asked = [batch for batch in rows if batch in in_doubt]
    older = {batch for batch, is_so in zip(asked, in_threads(is_older, asked, name="batches"), strict=True) if is_so}
    return rows.keys() - older


def find_shots(words: Sequence[str], *, client: str = "", batch: str = "", most: int = MOST_FOUND) -> list[ShotRecord]:
    """Return the shots that a person looks for by words, also those of ended batches.

    First come the shots that have a SKU, ASIN, GTIN or file name beginning with each word, sorted by client, batch and
    name. Then come shots that have each word only in the middle of one of these names. They are looked for among the
    50,000 shots that changed last, and only if each word has at least three characters. Each shot is returned as its
    record in short form: most facts, most measurements and the findings that passed are left out.

    Args:
        words: case does not matter. Without words, the first shots by name are returned.
        client, batch: only shots of this client, or of batches with this name; empty means all.
        most: the largest number of shots to return; by default 100.
    """
    wanted = [word.casefold() for word in words]
    begins = _of(client, batch)
    for first in wanted:
        begins = begins.where(or_(*(and_(column >= first, column < first + _LAST_SIGN) for column in _NAMES)))
    inside = _last_changed(client, batch, wanted)
    looked_for = bool(wanted) and min(map(len, wanted)) >= LEAST_INSIDE

    def work(connection: Connection) -> list[str]:
        found = [one.brief for one in connection.execute(begins.limit(most))]
        if looked_for and len(found) < most:
            found += [one.brief for one in connection.execute(inside.limit(most))]
        return list(dict.fromkeys(found))[:most]

    return _read(ask(work, client=client, batch=batch))


def _last_changed(client: str, batch: str, words: Sequence[str]) -> Select[tuple[str, str]]:
    """Return the query for those of the `LOOKED_THROUGH` shots that changed last whose names contain each word."""
    columns = (shots.c.client, shots.c.batch, shots.c.shot, shots.c.brief, *_NAMES)
    last = select(*columns).filter_by(bucket=open_storage().bucket, **_only(client, batch))
    some = last.order_by(shots.c.changed_at.desc()).limit(LOOKED_THROUGH).subquery()
    names = [some.c[one.name] for one in _NAMES]
    wanted = select(some.c.shot, some.c.brief).order_by(some.c.client, some.c.batch, some.c.shot)
    for word in words:
        wanted = wanted.where(or_(*(name.contains(word, autoescape=True) for name in names)))
    return wanted


def waiting_records(states: Collection[State], *, client: str = "", batch: str = "") -> list[ShotRecord]:
    """Return the shots that are in one of some states, sorted by client, batch and name.

    Each shot is returned as its record in short form: most facts, most measurements and the findings that passed are
    left out. Shots whose record can't be read are missing.

    Args:
        states: any states, not only those in which a shot waits.
        client, batch: only shots of this client, or of batches with this name; empty means all.
    """
    wanted = _of(client, batch).where(shots.c.state.in_([state.value for state in states]))
    return _records(wanted, client, batch)


def batch_records(batch: BatchId) -> list[ShotRecord]:
    """Return the shots of a batch, sorted by name; empty if it has none. Shots whose record can't be read are missing.

    Each shot is returned as its record in short form: most facts, most measurements and the findings that passed are
    left out.
    """
    return _records(_of(batch.client, batch.batch), batch.client, batch.batch)


def records_of_products(client: str, products: Collection[str]) -> list[ShotRecord]:
    """Return all shots of a client that show one of some products, from all batches, each once; empty if there is none.

    They are sorted by batch and name. Each shot is returned as its record in short form: most facts, most measurements
    and the findings that passed are left out. Shots whose record can't be read are missing.

    Args:
        client: the client's short name, for example ``acme``.
        products: SKU, ASIN or GTIN of each product. A shot matches if one of its own three is equal to one of these;
            case does not matter.
    """
    names = sorted({one.casefold() for one in products})
    found: dict[str, ShotRecord] = {}
    for start in range(0, len(names), _PART):
        some = names[start : start + _PART]
        wanted = _of(client, "").where(or_(*(column.in_(some) for column in (shots.c.sku, shots.c.asin, shots.c.gtin))))
        found |= {str(one.shot): one for one in _records(wanted, client, "")}
    return [found[shot] for shot in sorted(found)]


def records_since(moment: datetime) -> list[ShotRecord]:
    """Return the shots that have changed since a moment, or are not finished; sorted by client, batch and name.

    A shot is finished if it is delivered or refused. Each shot is returned as its record in short form: most facts,
    most measurements and the findings that passed are left out.

    Args:
        moment: a time with a time zone.
    """
    at_rest = [state.value for state in (*DONE, State.REFUSED)]
    of_now = or_(shots.c.changed_at >= moment, shots.c.changed_at.is_(None), shots.c.state.not_in(at_rest))
    return _records(_of("", "").where(of_now), "", "")


def received_since(moment: datetime) -> Mapping[BatchId, datetime]:
    """Return the batches that came in at a moment or later, in no order: batch -> the time when it came in.

    Args:
        moment: a time with a time zone.
    Raises:
        StorageUnavailableError, StorageDeniedError: the index had to be compared with the storage, which does not
            answer or refuses the request.
    """
    wanted = select(batches.c.client, batches.c.batch, batches.c.received_at).filter_by(bucket=open_storage().bucket)
    wanted = wanted.where(batches.c.received_at >= moment)

    def work(connection: Connection) -> Mapping[BatchId, datetime]:
        found = connection.execute(wanted)
        return {BatchId(client=one.client, batch=one.batch): one.received_at for one in found}

    return ask(work)


class Changed(NamedTuple):
    """The shots that are in certain states now, and which of them have changed since the last look.

    Attributes:
        etags: name (CLIENT/BATCH/SHOT) of every such shot -> the ETag of its record.
        records: the shots that have another ETag than at the last look, or were not in it. Each is a record in short
            form: most facts, most measurements and the findings that passed are left out.
    """

    etags: Mapping[str, str]
    records: list[ShotRecord]


def changed_records(states: Collection[State], known: Mapping[str, str]) -> Changed:
    """Return the shots that are in some states, and the records of those that have changed since the last call.

    Args:
        states: the states to look at.
        known: the `etags` that the last call returned; empty the first time.
    Raises:
        StorageUnavailableError, StorageDeniedError: the index had to be compared with the storage, which does not
            answer or refuses the request.
    """
    wanted = select(shots.c.client, shots.c.batch, shots.c.shot, shots.c.etag).filter_by(bucket=open_storage().bucket)
    wanted = wanted.where(shots.c.state.in_([state.value for state in states]))

    def work(connection: Connection) -> tuple[dict[str, str], list[str]]:
        found = {(one.client, one.batch, one.shot): one.etag for one in connection.execute(wanted)}
        named = {"/".join(name): etag for name, etag in found.items()}
        new = [name for name, etag in found.items() if known.get("/".join(name)) != etag]
        briefs: list[str] = []
        for start in range(0, len(new), _PART):
            some = tuple_(shots.c.client, shots.c.batch, shots.c.shot).in_(new[start : start + _PART])
            briefs += connection.execute(_briefs().where(some)).scalars()
        return named, briefs

    etags, briefs = ask(work)
    return Changed(etags, _read(briefs))


def mark_of(states: Collection[State]) -> object:
    """Return a value that changes whenever something happens to a shot in some states, or a shot enters or leaves them.

    Compare the results of two calls with ``==``. The result is None if the settings name no shared index (the
    PostgreSQL table of all shots), or if the index does not answer. The call is cheap, however many shots there are.

    Args:
        states: the states to look at.
    """
    index, etag = shared(), shots.c.etag
    if index is None:
        return None
    here = and_(shots.c.bucket == open_storage().bucket, shots.c.state.in_([state.value for state in states]))
    wanted = select(func.count(), func.sum(func.hashtextextended(etag, 0))).where(here)
    try:
        catch_up()
        return tuple(index.run(lambda connection: connection.execute(wanted).one()))
    except IndexAwayError:
        return None


def judged_records(*, client: str = "", batch: str = "") -> list[ShotRecord]:
    """Return the shots about which a person has decided, sorted by client, batch and name.

    Each shot is returned as its record in short form, with the measurements from which the routing model learns: most
    facts and the findings that passed are left out.

    Args:
        client, batch: only shots of this client, or of batches with this name; empty means all.
    """
    return _records(_of(client, batch).where(shots.c.judged), client, batch)


def _of(client: str, batch: str) -> Select[tuple[str, str]]:
    found = select(shots.c.shot, shots.c.brief).filter_by(bucket=open_storage().bucket, **_only(client, batch))
    return found.order_by(shots.c.client, shots.c.batch, shots.c.shot)


def _only(client: str, batch: str) -> dict[str, str]:
    return {name: value for name, value in (("client", client), ("batch", batch)) if value}


def _briefs() -> Select[tuple[str]]:
    return select(shots.c.brief).filter_by(bucket=open_storage().bucket)


def _records(wanted: Select[tuple[str, str]], client: str, batch: str) -> list[ShotRecord]:
    def work(connection: Connection) -> list[str]:
        return [one.brief for one in connection.execute(wanted)]

    return _read(ask(work, client=client, batch=batch))


def _read(briefs: Iterable[str]) -> list[ShotRecord]:
    found = []
    for brief in filter(None, briefs):
        try:
            found.append(record_of(brief))
        except RecordDamagedError as error:
            log().error("%s", error)  # a newer version of Packshot wrote it; the others count
    return found
