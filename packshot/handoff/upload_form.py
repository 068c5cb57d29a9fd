"""Define a form by which a browser uploads one file to a fixed place in storage, without an access key.

Everybody who has the form can use it.
"""

from __future__ import annotations

from collections.abc import Mapping

from packshot.types import Value

FILE_TYPE = "application/octet-stream"
"""The only content type that is accepted. A browser never shows it as a page. The kind is detected from the bytes."""


class UploadForm(Value):
    """A form with which a browser or ``curl -F`` uploads one file to a fixed place in storage, without an access key.

    It is an S3 POST policy. Everybody who has the form can use it until it expires.

    Attributes:
        url: address to post to.
        fields: name of a form field -> its value, to be sent in this order. The file comes last, in a field ``file``.
        most_bytes: storage refuses a larger file.
    """

    url: str
    fields: Mapping[str, str]
    most_bytes: int
