"""File formats: read headers, and decode pixels as they are stored. There is one module per format.

This package knows no limits of its own, such as the largest picture that Packshot takes. `packshot.ingest` sets them.
"""
