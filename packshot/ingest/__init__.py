"""Ingest: from a client's file to a master, and from a client's words to facts."""
