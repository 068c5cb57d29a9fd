"""Recognise a full disk, and report which folder is full and how much space is free there."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from packshot.errors import DiskFullError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def is_full(error: object) -> bool:
    """Return whether an error means that a disk is full, or that this user's quota is used up."""
    return isinstance(error, OSError) and error.errno in _FULL


def free_at(folder: Path) -> str:
    """Return in words how much space is free on a folder's disk, for example "1,234 MB free".

    If the folder is missing, its nearest parent is used.
    """
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    return f"{shutil.disk_usage(there).free / 1e6:,.0f} MB free"


@contextmanager
def writing_to(folder: Path, what: str) -> Iterator[None]:
    """In the block, turn the system's error of a full disk into a `DiskFullError`.

    It names the folder and its free space.

    Args:
        folder: the folder that the block writes to.
        what: the thing that the block writes, for the message.
    Raises:
        DiskFullError: the disk is full. The error is transient: there may be space at the next try.
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
