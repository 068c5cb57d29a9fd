"""The client's side: a folder of photographs becomes a closed batch in the inbox."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable
from pathlib import Path

from packshot.errors import NamingError
from packshot.naming import READY, BatchId
from tasks.storage import open_storage

Progress = Callable[[str, int, int], None]
"""Called with (file, files so far, all files)."""


def submit_folder(folder: Path, batch: BatchId, *, on_progress: Progress) -> int:
    """Upload a folder's files as a batch, close it and return how many there are. Again is quick and changes nothing.

    Raises:
        NamingError: the folder holds no files.
        StorageDeniedError: the batch is closed already and a file is new or has changed.
    """
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != READY]
    if not files:
        raise NamingError("there are no files to submit", str(folder), next_step="Name the folder that holds them.")
    storage = open_storage()
    for number, path in enumerate(files, start=1):
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        storage.upload_to_inbox(batch, path.relative_to(folder).as_posix(), path.read_bytes(), content_type=kind)
        on_progress(path.name, number, len(files))
    storage.close_inbox(batch)
    return len(files)
