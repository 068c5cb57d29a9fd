"""Keep the index up to date: each write of a record is followed by a write of its row.

The index is a database table of all shots and one of all batches.

If the write of the row fails, the write of the record still counts. This process remembers the row and writes it
together with the next one. If the process ends before that, the row stays older than its record.
`tasks.queries.comparing` finds such rows by their ETag.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Table, and_, or_
from sqlalchemy.dialects import postgresql, sqlite

from packshot.batch import BatchRecord
from packshot.record import ShotRecord
from tasks.index.database import WRITING_S, IndexAwayError, shared
from tasks.index.rows import Row, batch_row, shot_row
from tasks.index.tables import batches, shots

MOST_REMEMBERED = 1_000

_lock = threading.Lock()
_missed: dict[tuple[str, ...], tuple[Table, Row]] = {}


def note(record: ShotRecord | BatchRecord, etag: str, *, bucket: str) -> None:
    """Write a record that has just been stored also into the shared index (PostgreSQL tables of all shots and batches),
    from which lists and searches are answered.

    If the settings name no shared index, nothing is done. If the row can't be written now, this process remembers it
    for its next write; no error is raised.

    Args:
        record: the record as it was stored.
        etag: ETag of the record's object, with or without quotation marks.
        bucket: name of the bucket that holds the record.
    """
    if shared() is None:
        return
    if isinstance(record, ShotRecord):
        _note(shots, shot_row(bucket, record, etag))
    else:
        _note(batches, batch_row(bucket, record, etag))


def _note(table: Table, row: Row) -> None:
    with _lock:
        rows = {**_missed, _name(table, row): (table, row)}
        _missed.clear()
    if not _write(rows):
        _remember(rows)


def _remember(rows: Mapping[tuple[str, ...], tuple[Table, Row]]) -> None:
    with _lock:
        _missed.update({name: one for name, one in rows.items() if name not in _missed})
        for name in list(_missed)[: max(0, len(_missed) - MOST_REMEMBERED)]:
            del _missed[name]


def catch_up() -> None:
    """Write the rows of the index (tables of all shots and batches) that this process could not write before.

    Call it before a question to the index, so that the answer contains the changes that this process has made. If all
    rows were written, the database is not asked.

    Raises:
        IndexAwayError: the rows can't be written now either; they stay remembered.
    """
    with _lock:
        rows = dict(_missed)
        _missed.clear()
    if rows and not _write(rows):
        _remember(rows)
        raise IndexAwayError("rows of this process are still to be written")


def _write(rows: Mapping[tuple[str, ...], tuple[Table, Row]]) -> bool:
    index = shared()
    if index is None:
        return True

    def work(connection: Connection) -> None:
        for table in (shots, batches):
            put(connection, table, [row for kind, row in rows.values() if kind is table])

    try:
        index.run(work, within_s=WRITING_S)
    except IndexAwayError:
        return False
    return True


@atexit.register
def _write_missed() -> None:
    if _missed:
        _write(_missed)


def _name(table: Table, row: Row) -> tuple[str, ...]:
    return (table.name, *(row[column.name] for column in table.primary_key))


def put(connection: Connection, table: Table, rows: Iterable[Row], *, seen: Mapping[str, str] | None = None) -> None:
    """Write rows into a table of the index: each is inserted, or replaces the stored row of the same shot or batch.

    Rows may arrive in another order than their records were written. So a stored row of a shot is only replaced if it
    has at most as many events as the new one. A stored row of another table is always replaced. `seen` changes that.

    Args:
        connection: to the index, in a transaction.
        table: `shots`, `batches` or `buckets`.
        rows: each a mapping of column to value, from `tasks.index.rows`; all of this table.
        seen: if the caller compares one batch with the bucket: name of the shot -> ETag that the stored row had before
            the caller read the record; the key ``""`` has the ETag of the batch's row. A stored row that still has this
            ETag is always replaced, because nobody has written it meanwhile. A batch's row with another ETag stays.
            None or empty: nothing was compared.
    """
    new = list(rows)
    if not new:
        return
    insert = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(table)
    changed = {name: insert.excluded[name] for name in new[0] if name not in table.primary_key}
    newer = insert.excluded.events >= table.c.events if table is shots else None
    if not seen:
        connection.execute(_upsert(insert, table, changed, newer), new)
        return
    for row in new:
        as_seen = table.c.etag == seen.get(row.get("shot", ""), "")
        where = as_seen if newer is None else or_(as_seen, newer)
        connection.execute(_upsert(insert, table, changed, where), row)


def _upsert(insert: Any, table: Table, changed: Mapping[str, Any], where: Any) -> Any:
    named = list(table.primary_key)
    return insert.on_conflict_do_update(
        index_elements=named, set_=changed, where=None if where is None else and_(where)
    )
