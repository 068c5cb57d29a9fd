"""Read picture files of any format: their headers, and their pixels as they are stored. Each format has a module.

This package knows no limits of its own, such as the largest picture that Packshot takes. `packshot.ingest` sets them.
"""
