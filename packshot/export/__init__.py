"""Make the files that clients get: encode renditions, verify them, name them, and pack them for delivery.

A rendition is the file of one shot for one platform.
"""

from __future__ import annotations

from packshot.export.check import check_file
from packshot.export.encode import Encoded, encode
from packshot.export.labels import Labels
from packshot.export.render import Rendered, render, render_all
from packshot.export.verify import Verification, verify, verify_file

__all__ = [
    "Encoded",
    "Labels",
    "Rendered",
    "Verification",
    "check_file",
    "encode",
    "render",
    "render_all",
    "verify",
    "verify_file",
]
