"""Make the rows of the index, the database tables of all shots and batches: the fields of a record that the tables
keep.

A row is a dictionary: column of the table -> value.
"""

from __future__ import annotations

import json
from typing import Any, TypeAlias

from packshot.batch import BatchRecord
from packshot.naming import BatchId, ShotId
from packshot.outcomes.indexed import ids_of, indexed
from packshot.record import ShotRecord
from packshot.stored import read_stored
from tasks.index.tables import DAMAGED

Row: TypeAlias = dict[str, Any]


def shot_row(bucket: str, record: ShotRecord, etag: str) -> Row:
    """Return a shot's row for the index's table of shots: column -> value, made from the shot's record.

    Args:
        bucket: name of the bucket that holds the record.
        record: the shot's record.
        etag: ETag of the record's object, with or without quotation marks.
    """
    return {
        **_shot(bucket, record.shot),
        "etag": plain(etag),
        "events": len(record.events),
        "state": record.state.value,
        "judged": bool(record.decisions),
        "changed_at": record.events[-1].at if record.events else None,
        **ids_of(record),
        "brief": _brief(record),
    }


def damaged_shot_row(bucket: str, shot: ShotId, etag: str) -> Row:
    """Return the row of a shot whose record can't be read: column -> value. Its state is ``damaged``.

    Because the index (the table of all shots) has this row, the record is not read again until it changes.

    Args:
        bucket: name of the bucket that holds the record.
        etag: ETag of the record's object, with or without quotation marks.
    """
    nothing = {"judged": False, "changed_at": None}
    empty = dict.fromkeys(("sku", "asin", "gtin", "file", "brief"), "")
    return {**_shot(bucket, shot), "etag": plain(etag), "events": 0, "state": DAMAGED, **nothing, **empty}


def batch_row(bucket: str, record: BatchRecord, etag: str) -> Row:
    """Return a batch's row for the index's table of batches: column -> value, made from the batch's record.

    Args:
        bucket: name of the bucket that holds the record.
        record: the batch's record.
        etag: ETag of the record's object, with or without quotation marks.
    """
    times = {"received_at": record.received_at, "finished_at": record.finished_at}
    return {**_batch(bucket, record.batch), "etag": plain(etag), **times}


def damaged_batch_row(bucket: str, batch: BatchId, etag: str) -> Row:
    """Return the row of a batch whose record is missing or can't be read: column -> value. It counts as not finished.

    Args:
        bucket: name of the bucket that holds the record.
        etag: ETag of the record's object, with or without quotation marks; empty if there is no record.
    """
    return {**_batch(bucket, batch), "etag": plain(etag), "received_at": None, "finished_at": None}


def record_of(brief: str) -> ShotRecord:
    """Return a shot's record in short form, as the index (the table of all shots) keeps it: enough for lists, counts
    and searches.

    Most facts, most measurements and the findings that passed are left out. So the result must not be stored as the
    shot's record.

    Args:
        brief: the value of the row's column ``brief``, as JSON.
    Raises:
        RecordDamagedError: the text is not a record.
    """
    return read_stored(ShotRecord, brief.encode(), name="a row of the index")


def _brief(record: ShotRecord) -> str:
    said = indexed(record).model_dump(mode="json", exclude_defaults=True)
    return json.dumps({**said, "schema_version": record.schema_version}, separators=(",", ":"))


def plain(etag: str) -> str:
    """Return an ETag without quotation marks. Storage returns it with them or without, depending on the request."""
    return etag.strip('"')


def _batch(bucket: str, batch: BatchId) -> Row:
    return {"bucket": bucket, "client": batch.client, "batch": batch.batch}


def _shot(bucket: str, shot: ShotId) -> Row:
    return {**_batch(bucket, shot.in_batch), "shot": shot.shot}
