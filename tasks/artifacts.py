"""Artifacts in the Prefect UI, and the pieces that they are made of: keys, pictures.

Looked at in both of Prefect 3.8's user interfaces: Markdown shows pictures from ``data:`` addresses and from links,
and raw HTML after removing scripts. Cells of a table artifact are Markdown in one and plain text in the other, so
they get texts that look the same in both.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import httpx
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.exceptions import PrefectException

from packshot.escaping import cell, markdown
from tasks.logs import log
from tasks.storage import LONGEST_LINK_S, open_storage

INLINE_MAX_BYTES = 24_000
"""An artifact stays in Prefect's database for good: 7,500 shots a night at this size are 240 MB."""

_NOT_IN_KEYS = re.compile(r"[^a-z0-9]+")
_MEDIA_TYPES = ("image/webp", "image/jpeg", "image/png")


@contextmanager
def only_shown() -> Iterator[None]:
    """Let what is done inside fail without harm: what only shows a result must not fail what made it.

    An error of Prefect's API is logged and forgotten; any other error is raised.
    """
    try:
        yield
    except (httpx.HTTPError, OSError, PrefectException) as error:
        log().warning("the Prefect UI could not be told (%s); the work goes on", type(error).__name__)


def artifact_key(*parts: str) -> str:
    """Return a key that Prefect accepts (lower case letters, digits, dashes), different for different parts."""
    readable = tuple(_NOT_IN_KEYS.sub("-", part.lower()).strip("-") for part in parts)
    if readable == parts:
        return "--".join(readable)
    return "--".join((*readable, hashlib.sha256("/".join(parts).encode()).hexdigest()[:8]))


def page_artifact(text: str, *, key: str, description: str) -> None:
    """Show Markdown; what in it is from outside was escaped by `packshot.escaping`."""
    with only_shown():
        create_markdown_artifact(text, key=key, description=cell(description))


def table_artifact(rows: Sequence[Mapping[str, object]], *, key: str, description: str) -> None:
    """Show a table, whose cells may hold whatever somebody wrote."""
    shown = [{head: cell(value) if isinstance(value, str) else value for head, value in row.items()} for row in rows]
    with only_shown():
        create_table_artifact(shown, key=key, description=cell(description))


def picture(key: str, *, alt: str, inline: bytes = b"", media_type: str = "image/webp") -> str:
    """Return Markdown that shows a picture from storage.

    Args:
        key: of the object.
        inline: its bytes, where they are at hand: up to `INLINE_MAX_BYTES` they go into the artifact itself and
            show for ever. Otherwise the picture is a signed link and shows for seven days.
    Raises:
        ValueError: this media type is not shown everywhere.
    """
    if media_type not in _MEDIA_TYPES:
        raise ValueError(f"{media_type} is not one of {', '.join(_MEDIA_TYPES)}")
    if 0 < len(inline) <= INLINE_MAX_BYTES:
        address = f"data:{media_type};base64,{base64.b64encode(inline).decode()}"
    else:
        address = open_storage().presign(key, expires_s=LONGEST_LINK_S)
    return f"![{markdown(alt)}]({address})"
