"""A disk of some megabytes that a test can fill."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

BALLAST = "ballast"


@contextmanager
def small_disk(folder: Path, *, megabytes: int) -> Iterator[Path]:
    """Mount a disk in memory at a folder, which everybody can pass through; skip the test where that is not allowed."""
    mount = shutil.which("mount")
    if os.geteuid() or mount is None:
        pytest.skip("a disk can be mounted by root only: a full disk is not tried here")
    folder.mkdir(exist_ok=True)
    options = f"size={megabytes}m,mode=711"
    done = subprocess.run([mount, "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"no disk can be mounted here, so a full one is not tried: {done.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(disk: Path) -> None:
    """Fill a disk to its last byte."""
    with (disk / BALLAST).open("ab", buffering=0) as ballast:
        size = 1 << 20
        while size:
            try:
                ballast.write(b"x" * size)
            except OSError:
                size //= 2


def make_room(disk: Path) -> None:
    """Take away what filled a disk."""
    with contextlib.suppress(FileNotFoundError):
        (disk / BALLAST).unlink()
