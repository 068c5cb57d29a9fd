"""Read the client's files, turn each picture into a master, and collect the facts about each shot (ingest).

A master is the photograph in one exact form: 16 bits, Adobe RGB, upright.
"""
