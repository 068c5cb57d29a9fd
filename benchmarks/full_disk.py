"""Make a separate disk that can be filled to its last byte: a mounted ext4 file system in a file."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = ("mkfs.ext4", "mount", "umount")


class Disk:
    """A mounted disk that can be filled, to see what programs do when no byte is free.

    Attributes:
        folder: where it is mounted; every user of the machine may enter it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Fill the disk until no byte is free. Programs that write to it then fail, until `make_room` is called."""
        with self._ballast.open("ab", buffering=0) as ballast:
            size = shutil.disk_usage(self.folder).free
            while size:
                try:
                    os.posix_fallocate(ballast.fileno(), ballast.seek(0, os.SEEK_END), size)
                except OSError:
                    size //= 2

    def make_room(self) -> None:
        """Free the space on the disk that `fill` has taken."""
        self._ballast.unlink(missing_ok=True)


@contextmanager
def disk_of_its_own(folder: Path, *, gigabytes: int) -> Iterator[Disk | None]:
    """Mount a new disk at a folder during the block, and yield it.

    Yield None if that is not possible: it needs root, a loop device, and the programs mkfs.ext4, mount and umount.

    Args:
        folder: where it is mounted; it must not exist yet.
        gigabytes: size of the disk. The file that holds it grows with the written bytes. 0 means no disk: None is
            yielded.
    """
    image = folder.with_suffix(".ext4")
    if not gigabytes or os.geteuid() or not all(map(shutil.which, PROGRAMS)):
        yield None
        return
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(gigabytes * 10**9)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", "-F", image], check=True)
    if subprocess.run(["mount", "-o", "loop,discard", image, folder], check=False).returncode:
        yield None
        return
    folder.chmod(0o711)
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
