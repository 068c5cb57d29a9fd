"""A full disk: recognise it, and say which folder is full and what is free there."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from packshot.errors import DiskFullError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def is_full(error: object) -> bool:
    """Return whether an error says that a disk is full, or this user's share of it."""
    return isinstance(error, OSError) and error.errno in _FULL


def free_at(folder: Path) -> str:
    """Return in words how much is free on a folder's disk. If the folder is missing, its nearest parent counts."""
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    return f"{shutil.disk_usage(there).free / 1e6:,.0f} MB free"


@contextmanager
def writing_to(folder: Path, what: str) -> Iterator[None]:
    """Turn the error of a full disk into Packshot's own, which names the folder and what is free there.

    Args:
        folder: where the block writes.
        what: what it writes, for the message.
    Raises:
        DiskFullError: the disk is full. The error is transient: there may be room at the next try.
    """
    try:
        yield
    except OSError as error:
        if not is_full(error):
            raise
        raise DiskFullError(
            f"the disk is full: {what} could not be written",
            str(folder),
            found=free_at(folder),
            next_step="Make room, or point the folder at another disk. Nothing half-written stays; failed work is "
            "tried again.",
        ) from error
