"""Migrations of the index: one module for each, the oldest first."""
