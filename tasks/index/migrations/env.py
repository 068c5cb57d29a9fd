"""Run the migrations of the index's tables for Alembic, on the connection that it was given, in one transaction."""

from __future__ import annotations

from alembic import context

from tasks.index.tables import SCHEMA, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table_schema=SCHEMA,
)
with context.begin_transaction():
    context.run_migrations()
