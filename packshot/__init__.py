"""Packshot's craft: pixels, colour, matting, quality control, routing, naming and records.

Pure: values in, values out. Nothing here knows Prefect, S3, the network, the environment or the clock.
"""

__version__ = "0.1.0"

PIPELINE_VERSION = "7"
"""Raised by every change that alters pixels, measurements or decisions; part of each cache key and certificate."""
