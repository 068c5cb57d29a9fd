"""Turn a folder of photographs into a closed batch in the inbox. This runs on the client's side."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from packshot.errors import NamingError
from packshot.handoff.upload_form import UploadForm
from packshot.keys import inbox_key, inbox_prefix
from packshot.naming import READY, BatchId, path_trouble
from tasks.batches.cancelling import take_up_again
from tasks.environment.configs import configs_in_force
from tasks.storage.inbox import open_inbox
from tasks.storage.links import upload_form

Progress = Callable[[str, int, int], None]
"""Called with (file, files so far, all files)."""
LeftOut = Callable[[str, str], None]
"""Called with (file, why it is not uploaded)."""


def submit_folder(folder: Path, batch: BatchId, *, on_progress: Progress, on_left_out: LeftOut) -> int:
    """Upload the files of a folder and its subfolders as a batch, close the batch, and return the number of files.

    The call can be repeated: files that are already uploaded are not sent again. A cancelled batch is taken up again.
    Symbolic links are skipped, because a link could point to any file of this machine. Files whose name is not allowed
    are skipped too.

    Args:
        on_progress: called after each file with (its name without folders, files so far, all files).
        on_left_out: called for each skipped file with (its path in the folder, why it is not uploaded).
    Raises:
        NamingError: the folder holds no files that can be uploaded.
        StorageDeniedError: the batch is already closed, and a file is new or has changed.
    """
    files = list(_to_upload(folder, on_left_out))
    if not files:
        raise NamingError("there are no files to submit", str(folder), next_step="Name the folder that holds them.")
    inbox = open_inbox()
    for number, path in enumerate(files, start=1):
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        inbox.upload(batch, path.relative_to(folder).as_posix(), _bytes_of(path), content_type=kind)
        on_progress(path.name, number, len(files))
    inbox.close(batch)
    take_up_again(batch)
    return len(files)


def invite(batch: BatchId, *, hours: float) -> dict[str, UploadForm]:
    """Return two upload forms by which a client without an access key can upload and close a batch.

    The keys of the result are ``files`` and ``close``. The form ``files`` takes any number of files, including the
    manifest, one in each POST request. The form ``close`` takes one empty file, which becomes ``READY``.

    Args:
        hours: how long the forms are valid; at most seven days.
    Raises:
        StorageDeniedError: there are no credentials to sign the forms with.
    """
    seconds = int(hours * 3600)
    files = upload_form(inbox_prefix(batch), most_bytes=configs_in_force().ingest.max_bytes, expires_s=seconds)
    close = upload_form(inbox_key(batch, READY), least_bytes=0, most_bytes=0, expires_s=seconds)
    return {"files": files, "close": close}


def _to_upload(folder: Path, on_left_out: LeftOut) -> Iterator[Path]:
    """Yield the files of a folder and its subfolders, sorted. Symbolic links are reported and not followed."""
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
    """Return a file's bytes. O_NOFOLLOW: if a link has replaced the file meanwhile, opening it fails."""
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:  # noqa: PTH123
        return file.read()
