"""Migrations of the index, run by Alembic at the first use of the index after an upgrade."""
