"""Define the tables of the index: all shots, all batches, and what was compared.

A change of them needs a migration in ``migrations/versions``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Boolean, Column, DateTime, Dialect, Index, Integer, MetaData, Table, Text, TypeDecorator

SCHEMA = "packshot_index"
"""The tables' schema in PostgreSQL. One named like Prefect's user would come first in that user's search path."""
REVISION = "0002"
"""The migration that makes the tables what they are here."""
DAMAGED = "damaged"
"""``state`` of a shot whose record can't be read."""


class Moment(TypeDecorator[datetime]):
    """A column type for a time in UTC.

    SQLite does not keep the time zone; so UTC is added again when a value is read.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return a stored time with its time zone, UTC; None if the column is empty.

        SQLAlchemy calls it for each value that it reads.
        """
        if not isinstance(value, datetime):
            return None
        return value if value.tzinfo else value.replace(tzinfo=UTC)


WORD = Text().with_variant(Text(collation="C"), "postgresql")
"""A text that is compared sign by sign, so that an index finds what begins with a word."""

metadata = MetaData(schema=SCHEMA)

shots = Table(
    "shots",
    metadata,
    Column("bucket", WORD, primary_key=True),
    Column("client", WORD, primary_key=True),
    Column("batch", WORD, primary_key=True),
    Column("shot", WORD, primary_key=True),
    Column("etag", Text, nullable=False),
    Column("events", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("judged", Boolean, nullable=False),
    Column("changed_at", Moment),
    Column("sku", WORD, nullable=False),
    Column("asin", WORD, nullable=False),
    Column("gtin", WORD, nullable=False),
    Column("file", WORD, nullable=False),
    Column("brief", Text, nullable=False),
    Index("shots_state", "bucket", "state"),
    Index("shots_judged", "bucket", "judged"),
    Index("shots_changed", "bucket", "changed_at"),
    Index("shots_sku", "bucket", "sku"),
    Index("shots_asin", "bucket", "asin"),
    Index("shots_gtin", "bucket", "gtin"),
    Index("shots_file", "bucket", "file"),
)
"""One row a shot: the ETag of its record, how many events that has, its state, when its last
event was, its names, and the record in brief."""

buckets = Table(
    "buckets",
    metadata,
    Column("bucket", WORD, primary_key=True),
    Column("whole_at", Moment, nullable=False),
)
"""One row a bucket, once every record in it has been compared: before that the other tables lack what is older."""

batches = Table(
    "batches",
    metadata,
    Column("bucket", WORD, primary_key=True),
    Column("client", WORD, primary_key=True),
    Column("batch", WORD, primary_key=True),
    Column("etag", Text, nullable=False),
    Column("received_at", Moment),
    Column("finished_at", Moment),
    Column("compared_at", Moment),
    Index("batches_finished", "bucket", "finished_at"),
)
"""One row a batch: the ETag of its record, when it came in and was finished, when its rows were last
compared with the bucket."""
