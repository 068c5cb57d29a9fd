"""Change the index's tables after an upgrade of Packshot.

Alembic runs these migrations at the first use of the index.
"""
