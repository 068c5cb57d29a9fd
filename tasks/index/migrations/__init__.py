"""Change the tables of the index (all shots, all batches) after an upgrade of Packshot.

Alembic runs these migrations at the first use of the index.
"""
