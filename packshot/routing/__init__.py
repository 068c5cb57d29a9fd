"""Routing: what a master looks like before any cut-out, and who should edit it."""
