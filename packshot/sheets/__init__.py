"""Read tables that clients and shops send, and detect their encoding, separator, date order and decimal sign.

Every value stays text until its whole column has been read. If a column can be read in two ways, that is an error, and
its message gives both. Nothing is guessed.
"""
