"""Create Prefect's artifacts (pages and tables in its UI), and make their parts: keys and pictures.

Checked in both user interfaces of Prefect 3.8. Markdown shows pictures from ``data:`` addresses and from links, and raw
HTML after scripts are removed. A cell of a table is Markdown in one UI and plain text in the other, so cells get text
that looks the same in both.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import httpx
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import ArtifactCreate
from prefect.exceptions import PrefectException
from prefect.runtime import flow_run, task_run

from packshot.escaping import cell, markdown
from tasks.environment.logs import log
from tasks.storage.links import LONGEST_LINK_S, link_to

INLINE_MAX_BYTES = 24_000
"""Largest picture to embed. Artifacts stay in Prefect's database for ever; 7,500 shots a night at this size add up to
240 MB.
"""

_NOT_IN_KEYS = re.compile(r"[^a-z0-9]+")
_MEDIA_TYPES = ("image/webp", "image/jpeg", "image/png")


@contextmanager
def only_shown() -> Iterator[None]:
    """Return a context manager. In its block, errors of Prefect's API and of the network are logged instead of raised.

    Use it around code that only shows something in Prefect's UI: a result must not be lost because it can't be shown.
    The rest of the block is skipped after such an error. Other errors are raised.
    """
    try:
        yield
    except (httpx.HTTPError, OSError, PrefectException) as error:
        log().warning("the Prefect UI could not be updated (%s); the work goes on", type(error).__name__)


def artifact_key(*parts: str) -> str:
    """Return a key for an artifact, as Prefect accepts it: lower case letters, digits and dashes.

    ``artifact_key("shot", "acme")`` is ``shot--acme``. If a part had to be changed, for example to lower case, a hash
    of all parts is added; so different parts give different keys.

    Args:
        parts: the kind of the artifact, then the names of what it is about.
    """
    readable = tuple(_NOT_IN_KEYS.sub("-", part.lower()).strip("-") for part in parts)
    if readable == parts:
        return "--".join(readable)
    return "--".join((*readable, hashlib.sha256("/".join(parts).encode()).hexdigest()[:8]))


def page_artifact(text: str, *, key: str, description: str) -> None:
    """Create a Markdown page in Prefect's UI, for the current run. If Prefect does not answer, that is only logged.

    Args:
        text: Markdown. Text from outside must already be escaped with `packshot.escaping`.
        key: of the artifact, from `artifact_key`; artifacts with the same key are versions of one page.
        description: one plain sentence; it is escaped here.
    """
    with only_shown():
        create_markdown_artifact(text, key=key, description=cell(description))


def table_artifact(rows: Sequence[Mapping[str, object]], *, key: str, description: str) -> None:
    """Create a table in Prefect's UI, for the current run. If Prefect does not answer, that is only logged.

    Args:
        rows: each maps column heading to cell; all rows have the same columns. Text in cells is escaped here.
        key: of the artifact, from `artifact_key`; artifacts with the same key are versions of one table.
        description: one plain sentence; it is escaped here.
    Raises:
        ValueError: a column has no heading. Prefect's default UI does not show such a table.
    """
    shown = _cells(rows, key=key)
    with only_shown():
        create_table_artifact(shown, key=key, description=cell(description))


def table_artifact_if_new(rows: Sequence[Mapping[str, object]], *, key: str, description: str) -> bool:
    """Create a table in Prefect's UI, unless the newest table with this key is equal; return True if one was created.

    Artifacts stay in Prefect's database for ever, so a table that is made every minute must not be stored every minute.
    The function works outside a run, too. If Prefect does not answer, that is only logged, and the result is True.

    Args:
        rows: each maps column heading to cell; all rows have the same columns. Text in cells is escaped here.
        key: of the artifact, from `artifact_key`; artifacts with the same key are versions of one table.
        description: one plain sentence; it is escaped here.
    Raises:
        ValueError: a column has no heading.
    """
    data, words = json.dumps(_cells(rows, key=key)), cell(description)
    with only_shown(), get_client(sync_client=True) as client:
        wanted = {"artifacts": {"key": {"any_": [key]}}, "sort": "CREATED_DESC", "limit": 1}
        newest = client.request("POST", "/artifacts/filter", json=wanted).json()
        if newest and (newest[0]["data"], newest[0]["description"]) == (data, words):
            return False
        of_run = {"flow_run_id": flow_run.id, "task_run_id": task_run.id}
        client.create_artifact(ArtifactCreate(type="table", key=key, description=words, data=data, **of_run))
    return True


def _cells(rows: Sequence[Mapping[str, object]], *, key: str) -> list[dict[str, object]]:
    if any(not head for row in rows for head in row):
        raise ValueError(f"every column of {key} needs a heading")
    return [{head: cell(value) if isinstance(value, str) else value for head, value in row.items()} for row in rows]


def picture(key: str, *, alt: str, inline: bytes = b"", media_type: str = "image/webp") -> str:
    """Return Markdown that shows a picture from storage: ``![alt](address)``.

    Args:
        key: the object's key in storage.
        alt: text for those who don't see the picture; it is escaped here.
        inline: the picture's bytes, if the caller has them. Up to 24,000 bytes (`INLINE_MAX_BYTES`) are embedded in the
            text and never expire. Otherwise the address is a presigned link, valid for seven days.
        media_type: of the bytes in `inline`: WebP, JPEG or PNG.
    Raises:
        ValueError: not every browser shows this media type.
    """
    if media_type not in _MEDIA_TYPES:
        raise ValueError(f"{media_type} is not one of {', '.join(_MEDIA_TYPES)}")
    if 0 < len(inline) <= INLINE_MAX_BYTES:
        address = f"data:{media_type};base64,{base64.b64encode(inline).decode()}"
    else:
        address = link_to(key, expires_s=LONGEST_LINK_S)
    return f"![{markdown(alt)}]({address})"
