"""Add to the index's tables when a shot last changed and when a batch came in (the second migration).

All rows are filled again from the records.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

SCHEMA = "packshot_index"


def upgrade() -> None:
    """Add columns for when a shot last changed and when a batch came in, and empty the tables of the index.

    The next question to the index fills the tables again from all records. Alembic calls this function.
    """
    op.add_column("shots", sa.Column("changed_at", sa.DateTime(timezone=True)), schema=SCHEMA)
    op.create_index("shots_changed", "shots", ["bucket", "changed_at"], schema=SCHEMA)
    op.add_column("batches", sa.Column("received_at", sa.DateTime(timezone=True)), schema=SCHEMA)
    for table in ("shots", "batches", "buckets"):
        op.execute(f"DELETE FROM {SCHEMA}.{table}")  # noqa: S608  (no input)
