"""Make links and upload forms, by which somebody without a key reads one object, or uploads files to one place.

They are valid for a limited time. They are signed on this machine; the storage is asked nothing.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from packshot.handoff.upload_form import FILE_TYPE, UploadForm
from tasks.environment.settings import Settings, get_settings
from tasks.storage.connection import connect_for_links
from tasks.storage.s3_errors import s3_errors

LONGEST_LINK_S = 7 * 24 * 3600
"""Longest lifetime of a presigned URL (AWS Signature Version 4), in seconds."""


def link_to(key: str, *, expires_s: int, download_name: str = "", settings: Settings | None = None) -> str:
    """Return a link (presigned URL) by which anyone can read one object until the link expires, without signing in.

    Whether there is such an object is not checked.

    Args:
        expires_s: how long the link is valid, in seconds; more than seven days is shortened to seven days.
        download_name: file name under which a browser saves the object; empty: the browser displays it.
        settings: those that name the storage; None means those of the environment.
    Raises:
        StorageDeniedError: there are no credentials to sign with.
    """
    chosen = settings or get_settings()
    parameters = {"Bucket": chosen.s3_bucket, "Key": key}
    if download_name:
        parameters["ResponseContentDisposition"] = _as_attachment(download_name)
    with s3_errors(key):
        return connect_for_links(chosen).generate_presigned_url(
            "get_object", Params=parameters, ExpiresIn=min(expires_s, LONGEST_LINK_S)
        )


def upload_form(
    key: str,
    *,
    most_bytes: int,
    expires_s: int,
    least_bytes: int = 1,
    content_type: str = FILE_TYPE,
    settings: Settings | None = None,
) -> UploadForm:
    """Return the address and the fields of an HTML form by which a browser uploads files straight into the storage.

    The form is signed (presigned POST): key, media type and size are fixed, and the storage refuses anything else.

    Args:
        key: where the file goes. If it ends with ``/``, any number of files can be uploaded below it, each under
            its own file name.
        most_bytes, least_bytes: greatest and smallest size of one file.
        expires_s: how long the form is valid, in seconds; more than seven days is shortened to seven days.
        content_type: media type that the form must state for each file.
        settings: those that name the storage; None means those of the environment.
    Raises:
        StorageDeniedError: there are no credentials to sign with.
    """
    chosen = settings or get_settings()
    below = key.endswith("/")
    bound: list[Any] = [
        {"Content-Type": content_type},
        ["content-length-range", least_bytes, most_bytes],
        *([["starts-with", "$key", key]] if below else []),
    ]
    with s3_errors(key):
        post = connect_for_links(chosen).generate_presigned_post(
            chosen.s3_bucket,
            f"{key}${{filename}}" if below else key,
            Fields={"Content-Type": content_type},
            Conditions=bound,
            ExpiresIn=min(expires_s, LONGEST_LINK_S),
        )
    return UploadForm(url=post["url"], fields=post["fields"], most_bytes=most_bytes)


def _as_attachment(name: str) -> str:
    """Return the header that makes a browser save a file under a name of any script (RFC 6266)."""
    plain = re.sub(r"[^ !#-\[\]-~]", "_", name)
    further = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    return f'attachment; filename="{plain}"{further}'
