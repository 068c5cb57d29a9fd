"""Create the index's tables of shots, batches and buckets (the first migration)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

SCHEMA = "packshot_index"
WORD = sa.Text(collation="C")


def upgrade() -> None:
    """Make the tables of shots, buckets and batches, and their database indexes. Alembic calls it."""
    op.create_table(
        "shots",
        *(sa.Column(name, WORD, primary_key=True) for name in ("bucket", "client", "batch", "shot")),
        sa.Column("etag", sa.Text, nullable=False),
        sa.Column("events", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("judged", sa.Boolean, nullable=False),
        *(sa.Column(name, WORD, nullable=False) for name in ("sku", "asin", "gtin", "file")),
        sa.Column("brief", sa.Text, nullable=False),
        schema=SCHEMA,
    )
    for name in ("state", "judged", "sku", "asin", "gtin", "file"):
        op.create_index(f"shots_{name}", "shots", ["bucket", name], schema=SCHEMA)
    op.create_table(
        "buckets",
        sa.Column("bucket", WORD, primary_key=True),
        sa.Column("whole_at", sa.DateTime(timezone=True), nullable=False),
        schema=SCHEMA,
    )
    op.create_table(
        "batches",
        *(sa.Column(name, WORD, primary_key=True) for name in ("bucket", "client", "batch")),
        sa.Column("etag", sa.Text, nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("compared_at", sa.DateTime(timezone=True)),
        schema=SCHEMA,
    )
    op.create_index("batches_finished", "batches", ["bucket", "finished_at"], schema=SCHEMA)
