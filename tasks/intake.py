"""The client's side: a folder of photographs becomes a closed batch in the inbox."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from packshot.errors import NamingError
from packshot.handoff.upload_form import UploadForm
from packshot.naming import READY, BatchId, inbox_key, inbox_prefix, path_trouble
from tasks.configs import configs_in_force
from tasks.storage import open_storage

Progress = Callable[[str, int, int], None]
"""Called with (file, files so far, all files)."""
LeftOut = Callable[[str, str], None]
"""Called with (file, why it is not uploaded)."""


def submit_folder(folder: Path, batch: BatchId, *, on_progress: Progress, on_left_out: LeftOut) -> int:
    """Upload a folder's files as a batch, close it and return how many there are. Again is quick and changes nothing.

    A symbolic link is not followed: it could name any file of this machine. It is told and left out, and so is a file
    whose name cannot be used.

    Raises:
        NamingError: the folder holds no files.
        StorageDeniedError: the batch is closed already and a file is new or has changed.
    """
    files = list(_to_upload(folder, on_left_out))
    if not files:
        raise NamingError("there are no files to submit", str(folder), next_step="Name the folder that holds them.")
    storage = open_storage()
    for number, path in enumerate(files, start=1):
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        storage.upload_to_inbox(batch, path.relative_to(folder).as_posix(), _bytes_of(path), content_type=kind)
        on_progress(path.name, number, len(files))
    storage.close_inbox(batch)
    return len(files)


def invite(batch: BatchId, *, hours: float) -> dict[str, UploadForm]:
    """Return the forms by which a client puts a batch into the inbox and closes it, without a key.

    ``files`` takes any number of files, one a post, and the manifest among them; ``close`` takes one empty file.
    """
    storage, seconds = open_storage(), int(hours * 3600)
    files = storage.upload_form(inbox_prefix(batch), most_bytes=configs_in_force().ingest.max_bytes, expires_s=seconds)
    close = storage.upload_form(inbox_key(batch, READY), least_bytes=0, most_bytes=0, expires_s=seconds)
    return {"files": files, "close": close}


def _to_upload(folder: Path, on_left_out: LeftOut) -> Iterator[Path]:
    """The folder's own files, sorted; what lies behind a link is none of them."""
    for place, folders, names in os.walk(folder, followlinks=False):
        folders.sort()
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        for path in (Path(place) / name for name in sorted([*names, *links])):
            below = path.relative_to(folder).as_posix()
            if path.is_symlink():
                on_left_out(below, "it is a symbolic link")
            elif trouble := path_trouble(below):
                on_left_out(below, trouble)
            elif path.is_file() and path.name != READY:
                yield path


def _bytes_of(path: Path) -> bytes:
    """A file's bytes; a link that was put in its place meanwhile is not followed."""
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:  # noqa: PTH123
        return file.read()
