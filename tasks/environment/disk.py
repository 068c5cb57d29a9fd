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
    """Return True if an error means that a disk is full, or that this user's quota of disk space is used up.

    Args:
        error: anything; what is not an `OSError` gives False.
    """
    return isinstance(error, OSError) and error.errno in _FULL


def free_at(folder: Path) -> str:
    """Return in words how much space is free on a folder's disk, for example "1,234 MB free".

    Args:
        folder: it need not exist; then the disk of its nearest existing parent folder is looked at.
    """
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    return f"{shutil.disk_usage(there).free / 1e6:,.0f} MB free"


@contextmanager
def writing_to(folder: Path, what: str) -> Iterator[None]:
    """Return a context manager. An error of a full disk in its block is raised as a `DiskFullError` instead.

    The `DiskFullError` names the folder and its free space. All other errors leave the block unchanged.

    Args:
        folder: the folder that the block writes to.
        what: the thing that the block writes, for the message, such as "the master".
    Raises:
        DiskFullError: the disk is full, or this user's quota is used up. The error is transient: the work is tried
            again, and there may be space by then.
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
