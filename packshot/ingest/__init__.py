"""Ingest: reads the client's files. It turns each picture into a master and collects the facts about each shot."""
