"""A form that lets whoever has it put files into one place in storage, without a key."""

from __future__ import annotations

from collections.abc import Mapping

from packshot.types import Value

FILE_TYPE = "application/octet-stream"
"""The only type of an uploaded file: no browser that opens it takes it for a page. What it is, its bytes say."""


class UploadForm(Value):
    """What a browser or ``curl -F`` posts (an S3 POST policy).

    Attributes:
        url: where to.
        fields: before the file, in this order; the file comes last, as ``file``.
        most_bytes: a larger file is refused by the storage.
    """

    url: str
    fields: Mapping[str, str]
    most_bytes: int
