"""Edit product photographs and judge the edits: pixels, colour, matting, quality control, routing, naming, records.

The package consists of pure functions on values. Nothing in it uses Prefect, S3, the network, the environment or the
clock.
"""

__version__ = "0.1.0"
"""The release. This line alone states it: the package's metadata are made from it (docs/releasing.md)."""

PIPELINE_VERSION = "18"
"""Raise it with every change of pixels, measurements or decisions. It is part of each cache key and certificate."""
