"""Change the tables of the index (all shots, all batches) to their newest form. Alembic runs this script.

All steps run in one transaction, on the database connection that the caller has put into Alembic's config.
"""

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
