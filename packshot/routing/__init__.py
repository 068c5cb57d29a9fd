"""Routing: measure a master before any cut-out, and decide whether the machine or a person edits it."""
