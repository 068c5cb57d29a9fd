"""Keep packs of tiles on this machine's disk. A pack is all tiles of one picture.

A pack is made once, as a whole, and removed when nobody uses it any more. The folder can be deleted at any time.
Several processes may share it. A lock for each pack lets only one of them make the pack, and the pack gets its name
only when all of it is written.
"""

from __future__ import annotations

import fcntl
import os
import time
import uuid
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from packshot.looking.pack import HEAD_BYTES, Contents, Pack, Tile, header_bytes, read_contents
from tasks.environment.disk import writing_to

KEEP_S = 24 * 3600.0
"""A pack that nobody has asked for so long, in seconds, is removed."""
LOCKS = 64
_SUFFIX, _UNFINISHED = ".tiles", ".part"
_CONTENTS_KEPT = 64
_USED_AGAIN_AFTER_S = 60.0


class _Opened(NamedTuple):
    contents: Contents
    tiles_from: int


class DamagedPackError(Exception):
    """A pack on the disk is not as it was written: the disk was full or failed, or somebody changed the file."""


class TileShelf:
    """The folder with packs of tiles on this machine's disk, kept below a size.

    A pack holds all tiles of one picture. Its name begins with hex digits of a hash, because its lock is chosen by
    them: ``<32 digits>-14``. `previews.tiles_name` makes such names.

    Args:
        folder: it is made when the first pack is.
        max_bytes: largest total size; the pack that was made last stays even if it is larger.
        keep_s: how long an unused pack is kept, in seconds.
    """

    def __init__(self, folder: Path, *, max_bytes: int, keep_s: float = KEEP_S) -> None:
        self.folder, self.max_bytes, self.keep_s = folder, max_bytes, keep_s
        self._opened = lru_cache(_CONTENTS_KEPT)(self._open)

    def has(self, name: str) -> bool:
        """Return whether a pack is there. If it is, it counts as used now, so that it is not removed soon.

        Args:
            name: the pack's name.
        """
        path = self._path(name)
        try:
            used = path.stat().st_mtime
            if time.time() - used > _USED_AGAIN_AFTER_S:
                os.utime(path)
        except FileNotFoundError:
            return False
        return True

    def make(self, name: str, make: Callable[[], Pack]) -> None:
        """Make a pack, unless it is there. If somebody else is making it, wait for them.

        Afterwards, packs that nobody used for long, and packs beyond the folder's size, are removed.

        Args:
            name: the pack's name.
            make: called without arguments; returns the pack.

        Raises:
            DiskFullError: the pack could not be written, because the disk is full.
            OSError: the pack could not be written for another reason.
        """
        with writing_to(self.folder, "tiles of a picture"):
            self._make_whole(name, make)

    def _make_whole(self, name: str, make: Callable[[], Pack]) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._locked(name):
            if self.has(name):
                return
            path = self._path(name)
            part = path.with_name(f"{path.name}.{uuid.uuid4().hex}{_UNFINISHED}")
            try:
                with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123
                    file.write(make().data)
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)
            self._make_room(but=path)

    def contents(self, name: str) -> Contents:
        """Return the header of a pack: the picture's layout, each tile's place and checksum, and further data.

        Args:
            name: the pack's name.

        Raises:
            FileNotFoundError: the pack is not there (any more).
            DamagedPackError: the pack can't be read.
        """
        return self._opened(name).contents

    def remove(self, name: str) -> None:
        """Remove a pack if it is there, so that it is made again.

        Args:
            name: the pack's name.
        """
        self._path(name).unlink(missing_ok=True)
        self._opened.cache_clear()

    def tile(self, name: str, tile: Tile) -> bytes:
        """Return a tile's bytes; empty if the tile shows nothing.

        Args:
            name: the pack's name.
            tile: level, column and row.
        Raises:
            FileNotFoundError: the pack is not there (any more).
            DamagedPackError: the pack can't be read, or the tile's bytes are not those that were written.
            KeyError: the picture has no such tile.
        """
        opened = self._opened(name)
        start, length = opened.contents.places[tile]
        with self._path(name).open("rb") as file:
            data = os.pread(file.fileno(), length, opened.tiles_from + start)
        if zlib.crc32(data) != opened.contents.checks[tile]:
            raise DamagedPackError(name)
        return data

    def _open(self, name: str) -> _Opened:
        with self._path(name).open("rb") as file:
            try:
                length = header_bytes(file.read(HEAD_BYTES))
                return _Opened(read_contents(file.read(length)), HEAD_BYTES + length)
            except ValueError as error:
                raise DamagedPackError(name) from error

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}{_SUFFIX}"

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        """Wait until no other thread or process makes this pack (or one that shares its lock)."""
        path = self.folder / f".lock-{int(name[:8], 16) % LOCKS}"
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600), "wb") as file:  # noqa: PTH123
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _make_room(self, *, but: Path) -> None:
        """Remove packs that have expired, then those that were not used for longest until the rest fits."""
        now, packs = time.time(), []
        for path in self.folder.iterdir():
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            expired = now - status.st_mtime > self.keep_s
            if path != but and expired and path.suffix in (_SUFFIX, _UNFINISHED):
                path.unlink(missing_ok=True)
            elif path.suffix == _SUFFIX:
                packs.append((status.st_mtime, status.st_size, path))
        excess = sum(size for _, size, _ in packs) - self.max_bytes
        for _, size, path in sorted(packs):
            if excess <= 0:
                return
            if path != but:
                path.unlink(missing_ok=True)
                excess -= size
