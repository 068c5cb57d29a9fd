"""Keep copies of objects from storage on this machine's disk, found by the SHA-256 of their bytes.

A stage usually runs on the same machine as the stage before it, so the master that it needs is still on disk. The cache
is never trusted: each read checks the hash. It is never needed: it may be deleted at any time. Several processes may
share the folder.

When the folder is full, a tenth of it is freed; the least recently used files go first. Nobody lists the folder to know
when it is full: the written bytes are counted by the length of a file beside the copies.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from packshot.errors import ObjectMissingError
from tasks.environment.disk import free_at
from tasks.environment.settings import Settings, get_settings
from tasks.storage.bucket import Storage, open_storage

LEFTOVER_AFTER_S = 3600.0
"""An unfinished file older than this, in seconds, belongs to a process that died."""

COUNTED_BYTES = 65_536
"""How many bytes one byte of the counting file stands for."""
FREED_RATIO = 0.1
"""Share of the cache that is freed when it is full."""

_UNFINISHED = ".part"
_log = logging.getLogger(__name__)


class _Copy(NamedTuple):
    used_at: float
    size_bytes: int
    path: Path


class Scratch:
    """The cache folder: copies of stored objects, kept below a total size. `open_scratch` makes it from the settings.

    Args:
        folder: where the copies are; it is made when the first one is written.
        max_bytes: largest total size of the copies; 0 turns the cache off.
    """

    def __init__(self, folder: Path, *, max_bytes: int) -> None:
        self.folder = folder
        self.max_bytes = max_bytes

    def find(self, sha256: str) -> bytes | None:
        """Return the bytes that have this SHA-256, from the cache; None if they are not cached.

        A copy whose bytes have another hash is damaged: it is removed, and None is returned.

        Args:
            sha256: 64 hex digits.
        """
        path = self._path(sha256)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        if hashlib.sha256(data).hexdigest() != sha256:
            _log.warning("a damaged copy was removed: %s", path)
            path.unlink(missing_ok=True)
            return None
        self._mark_used(path)
        return data

    def keep(self, data: bytes) -> str:
        """Cache the bytes, and return their SHA-256 in hex (64 digits).

        Bytes that are more than the whole cache may hold are not kept. If the disk is full or broken, that is logged,
        not raised: the cache is never needed.
        """
        sha256 = hashlib.sha256(data).hexdigest()
        if len(data) > self.max_bytes:
            return sha256
        try:
            if self._write(self._path(sha256), data) and self._may_be_full():
                self._make_room()
        except OSError as error:
            _log.warning("no copy kept in %s, %s: %s", self.folder, free_at(self.folder), error)
        return sha256

    def _path(self, sha256: str) -> Path:
        return self.folder / sha256[:2] / sha256

    def _write(self, path: Path, data: bytes) -> bool:
        """Write a file unless it is there; return whether it was written."""
        if path.exists():
            self._mark_used(path)
            return False
        for folder in (self.folder, path.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{uuid.uuid4().hex}{_UNFINISHED}")
        try:
            self._count(len(data))
            with _own(part) as file:
                file.write(data)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return True

    def _mark_used(self, path: Path) -> None:
        try:
            os.utime(path)
        except OSError:
            _log.debug("%s went away meanwhile", path)

    def _count(self, size_bytes: int) -> None:
        """Count bytes that are about to be written. Several processes can do so at once: the file is appended to."""
        try:
            counter = os.open(self._counter, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)
        except FileNotFoundError:
            return  # nobody has looked through the folder yet
        with open(counter, "ab") as file:  # noqa: PTH123
            file.write(b"." * _counted(size_bytes))

    def _may_be_full(self) -> bool:
        try:
            return self._counter.stat().st_size * COUNTED_BYTES > self.max_bytes
        except FileNotFoundError:
            return True

    def _make_room(self) -> None:
        """Remove the least recently used files if all together are too large. Then count the remaining ones.

        Only one process does this at a time; others skip it.
        """
        with _only_one(self.folder / ".lock") as alone:
            if not alone:
                return
            copies = sorted(self._copies())
            total = sum(copy.size_bytes for copy in copies)
            allowed = self.max_bytes * (1 - FREED_RATIO) if total > self.max_bytes else total
            for copy in copies:
                if total <= allowed:
                    break
                copy.path.unlink(missing_ok=True)
                total -= copy.size_bytes
            with _own(self._counter, exclusive=False) as file:
                file.truncate(_counted(total))

    @property
    def _counter(self) -> Path:
        return self.folder / ".counted"

    def _copies(self) -> Iterator[_Copy]:
        now = time.time()
        for path in self.folder.glob("??/*"):
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            if path.suffix == _UNFINISHED:
                if now - status.st_mtime > LEFTOVER_AFTER_S:
                    path.unlink(missing_ok=True)
                continue
            yield _Copy(status.st_mtime, status.st_size, path)


def _counted(size_bytes: int) -> int:
    """Return how many bytes of the counting file represent a size, rounded up."""
    return -(-size_bytes // COUNTED_BYTES)


def open_scratch(settings: Settings | None = None) -> Scratch:
    """Return this machine's cache of stored objects, in the folder and of the size that the settings name.

    Args:
        settings: None means the settings that the environment variables give.
    """
    chosen = settings or get_settings()
    return Scratch(chosen.scratch_dir, max_bytes=chosen.scratch_max_bytes)


def store_object(
    key: str, data: bytes, *, content_type: str, replaces: bool = False, storage: Storage | None = None
) -> str:
    """Store an object, cache its bytes on this machine for the next stage, and return their SHA-256 in hex.

    Args:
        key: the object's key in storage.
        content_type: media type of the bytes, such as ``image/tiff``.
        replaces: True if the caller knows that the key has other bytes now. It only saves a request.
        storage: None means the one that the settings name.
    Raises:
        StorageDeniedError: the key is in the inbox.
        StorageUnavailableError: the storage does not answer.
    """
    (storage or open_storage()).put(key, data, content_type=content_type, replaces=replaces)
    return open_scratch().keep(data)


def fetch_object(key: str, *, sha256: str, storage: Storage | None = None) -> bytes:
    """Return the bytes of an object that have a known hash, from this machine's cache or else from storage.

    Bytes from storage are cached for the next time.

    Args:
        key: the object's key in storage.
        sha256: hash that the bytes must have, 64 hex digits; usually from the shot's record.
        storage: None means the one that the settings name.
    Raises:
        ObjectMissingError: there is no such object, or its bytes have another hash.
        StorageUnavailableError: the storage does not answer.
    """
    scratch = open_scratch()
    data = scratch.find(sha256)
    if data is not None:
        return data
    data = (storage or open_storage()).get(key)
    if scratch.keep(data) != sha256:
        raise ObjectMissingError(
            "the object in storage differs from what its record says",
            key,
            found=f"SHA-256 {hashlib.sha256(data).hexdigest()[:8]}",
            allowed=sha256[:8],
            next_step="Somebody replaced it without changing its record. Reprocess the shot.",
        )
    return data


@contextmanager
def _only_one(path: Path) -> Iterator[bool]:
    """Yield whether this process got the lock; it doesn't wait."""
    with _own(path, exclusive=False) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _own(path: Path, *, exclusive: bool = True) -> BinaryIO:
    """Open a file for writing that only this user can read. The process's umask does not matter."""
    how = os.O_EXCL if exclusive else 0
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | how, 0o600), "wb")  # noqa: PTH123
