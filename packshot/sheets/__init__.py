"""Read tables that clients and shops send: which encoding, separator, date order and decimal sign they are written in.

Every value is text until its whole column has been looked at. What the values leave open is an error that names both
readings; nothing is guessed.
"""
