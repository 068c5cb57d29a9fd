"""Find the picture of a shot that an address names, and its tiles.

Tiles are made once, when they are first asked for or a little earlier.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

from desk.pictures.tile_cache import TileShelf
from packshot import PIPELINE_VERSION
from packshot.errors import NamingError, ObjectMissingError
from packshot.ingest.master import read_master
from packshot.looking.pack import Pack
from packshot.looking.pyramid import picture_pack
from packshot.naming import ShotId, batch_id
from packshot.record import EDIT, MACHINE_EDIT, ShotRecord
from tasks.processing.memory import room_for
from tasks.records.stored import load_record
from tasks.stages.stored_edits import CORRECTED
from tasks.storage import shot_objects

KINDS = {
    "edit": (EDIT,),
    "master": (CORRECTED, "master.tif"),
    "machine": (MACHINE_EDIT,),
}
"""Kind of picture in an address -> the shot's objects that it may mean."""
DIGEST = 16
"""Hex digits of an object's SHA-256 in an address."""
RECORD_KEPT_S = 10.0
"""How long a record that was read answers for all tiles of its pictures, in seconds."""
AT_ONCE = 2
MOST_AHEAD = 4
"""Most pictures that are made, or wait to be made, before anybody has opened them."""
_RECORDS_KEPT = 256


class Found(NamedTuple):
    """A picture of a shot that an address names, and that is there.

    Attributes:
        record: the shot's record.
        name: name of the picture's object below the shot's folder, such as ``edit.tif``.
        sha256: hash of the object, hex.
    """

    record: ShotRecord
    name: str
    sha256: str


class Pictures:
    """The pictures of all shots, and their tiles on this machine's disk. Thread-safe.

    Tiles are the parts in which a viewer loads a large picture. All tiles of a picture are one pack. A pack is made
    when somebody first asks for it.
    """

    def __init__(self, tile_shelf: TileShelf) -> None:
        self.shelf = tile_shelf
        self._lock = threading.Lock()
        self._making: dict[str, Future[None]] = {}
        self._records: dict[ShotId, tuple[float, ShotRecord]] = {}
        self._makers = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="tiles")

    def find(self, client: str, batch: str, shot: str, kind: str, digest: str) -> Found | None:
        """Return the picture of a shot that an address names.

        None if there is no such shot or picture, or if the shot has a newer picture.

        Args:
            client, batch, shot: the shot's names.
            kind: "edit", "master" or "machine" (the machine's edit, beside an editor's).
            digest: the first 16 hex digits of the object's SHA-256.

        Raises:
            RecordDamagedError: the shot's record can't be read.
        """
        try:
            wanted = batch_id(client, batch).shot(shot)
            record = self._remembered(wanted)
            if record is None or not _named(record, kind, digest):
                record = self._read(wanted)
        except (NamingError, ObjectMissingError):
            return None
        names = _named(record, kind, digest)
        return Found(record, names[0], record.objects[names[0]]) if names else None

    def ready(self, name: str, make: Callable[[], Pack]) -> Future[None] | None:
        """Return None if a pack of tiles is there, otherwise a future that is done when the pack is there.

        The pack is made once, however many requests wait for it. If making it fails, the future has the error.

        Args:
            name: the pack's name.
            make: called without arguments in a thread; returns the pack.
        """
        if self.shelf.has(name):
            return None
        with self._lock:
            if name not in self._making:
                self._making[name] = self._makers.submit(self._make, name, make)
            return self._making[name]

    def ahead(self, name: str, make: Callable[[], Pack]) -> bool:
        """Have a pack of tiles made before anybody needs it; return whether it is there or being made.

        False if too many other packs are being made already.

        Args:
            name: the pack's name.
            make: called without arguments in a thread; returns the pack.
        """
        with self._lock:
            busy = len(self._making) >= MOST_AHEAD and name not in self._making
        if busy:
            return False
        self.ready(name, make)
        return True

    def make_ahead(self, record: ShotRecord, kinds: Mapping[str, str]) -> int:
        """Make the tiles of a shot that nobody has opened yet. Return how many pictures got tiles.

        The tiles of the pictures are made one after the other. A picture that has its tiles already, or that the shot
        does not have with this hash, is not counted.

        Args:
            record: the shot's record.
            kinds: kind of picture ("edit", "master" or "machine") -> first 16 hex digits of its SHA-256.
        Raises:
            ObjectMissingError: a picture is gone, or was changed.
            DiskFullError: the tiles could not be written.
        """
        made = 0
        for kind, digest in kinds.items():
            for name in _named(record, kind, digest)[:1]:
                found = Found(record, name, record.objects[name])
                under_way = self.ready(tiles_name(found), partial(make_tiles, found))
                if under_way is not None:
                    under_way.result()
                    made += 1
        return made

    def _make(self, name: str, make: Callable[[], Pack]) -> None:
        try:
            self.shelf.make(name, make)
        finally:
            with self._lock:
                self._making.pop(name, None)

    def _remembered(self, shot: ShotId) -> ShotRecord | None:
        """Return a shot's record if it was read at most `RECORD_KEPT_S` ago."""
        with self._lock:
            read_at, record = self._records.get(shot, (0.0, None))
        return record if time.monotonic() - read_at < RECORD_KEPT_S else None

    def _read(self, shot: ShotId) -> ShotRecord:
        """Return a shot's record as it is now, and remember it."""
        now, record = time.monotonic(), load_record(shot)
        with self._lock:
            self._records.pop(shot, None)
            self._records[shot] = (now, record)
            while len(self._records) > _RECORDS_KEPT:
                self._records.pop(next(iter(self._records)))
        return record


def tiles_name(found: Found) -> str:
    """Return the name under which a picture's tiles are kept on this machine's disk: ``<hash>-<pipeline version>``.

    The hash is the first 32 hex digits of the picture's SHA-256. So a changed picture gets tiles of its own.

    Args:
        found: the picture.
    """
    return f"{found.sha256[:32]}-{PIPELINE_VERSION}"


def make_tiles(found: Found) -> Pack:
    """Return a picture's tiles of all sizes, as one pack.

    Args:
        found: the picture.

    Raises:
        ObjectMissingError: the picture is gone, or was changed.
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    with room_for(found.record):
        return picture_pack(read_master(shot_objects.fetch(found.record, found.name)))


def _named(record: ShotRecord, kind: str, digest: str) -> list[str]:
    if len(digest) != DIGEST:
        return []
    return [name for name in KINDS.get(kind, ()) if record.objects.get(name, "").startswith(digest)]
