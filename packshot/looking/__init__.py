"""Make pictures for people who look closely: tiles of every size, and overlays that show what a check has measured.

Nothing here is delivered, and nothing changes a measurement: overlays use the checks' own functions.
"""
