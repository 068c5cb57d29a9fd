"""Read tables that clients and shops send: which encoding, separator, date order and decimal sign they are written in.

Every value stays text until its whole column has been read. If a column can be read in two ways, that is an error that
names both. Nothing is guessed.
"""
