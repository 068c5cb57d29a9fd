"""Ingest: read the client's files, turn each picture into a master, and collect the facts about each shot."""
