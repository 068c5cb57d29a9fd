"""Read and write a shot's own objects in storage: masters, mattes, edits, previews, plans, renditions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from packshot.errors import ObjectMissingError
from packshot.keys import shot_key
from packshot.naming import ShotId
from packshot.record import ShotRecord
from packshot.specs.models import Plan
from packshot.stored import read_stored
from tasks.storage.leases import require_none_lost
from tasks.storage.scratch import fetch_object, store_object

PLAN = "plan.json"
"""Name of a shot's plan among its objects."""
CONTENT_TYPES = {
    "tif": "image/tiff",
    "png": "image/png",
    "webp": "image/webp",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "json": "application/json",
    "csv": "text/csv",
    "html": "text/html; charset=utf-8",
    "zip": "application/zip",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def content_type(name: str) -> str:
    """Return the media type for a file name's ending, in upper or lower case: "edit.tif" -> "image/tiff".

    For an ending that is not in `CONTENT_TYPES` it is "application/octet-stream".
    """
    return CONTENT_TYPES.get(name.rpartition(".")[2].lower(), "application/octet-stream")


def keep(shot: ShotId, files: Mapping[str, bytes], *, over: Mapping[str, str] | None = None) -> dict[str, str]:
    """Store a shot's objects, and return the SHA-256 of each by its name, for the shot's record.

    Names are those below the shot's folder, such as ``edit.tif``; hashes are 64 hex digits. Each object is also cached
    on this machine for the next stage.

    Args:
        files: each object's bytes by its name.
        over: the names and SHA-256 of the objects that the shot has now; None: it has none. An object that differs is
            replaced.
    Raises:
        LeaseLostError: another run has taken this work over. What was stored before that stays.
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    had, kept = over or {}, {}
    for name, data in files.items():
        require_none_lost()  # before each one: the picture of an editor may have taken this one's place
        kept[name] = store_object(
            shot_key(shot, name),
            data,
            content_type=content_type(name),
            replaces=name in had and had[name] != hashlib.sha256(data).hexdigest(),
        )
    return kept


def fetch(record: ShotRecord, name: str) -> bytes:
    """Return the bytes of one of a shot's objects. They are exactly those whose hash is in the shot's record.

    Args:
        record: the shot's record.
        name: the object's name below the shot's folder, such as ``edit.tif``.
    Raises:
        ObjectMissingError: the record names no such object, storage has none, or its bytes have another hash.
    """
    if name not in record.objects:
        raise ObjectMissingError(
            "the shot's record does not name such an object",
            f"{record.shot}: {name}",
            found=", ".join(sorted(record.objects)),
            next_step="Reprocess the shot.",
        )
    return fetch_object(shot_key(record.shot, name), sha256=record.objects[name])


def plan_of(record: ShotRecord) -> Plan:
    """Return the plan of a shot: its platforms and what is done for each, as stage 1 resolved it from the configs.

    Raises:
        ObjectMissingError: the shot has no plan yet.
        RecordDamagedError: the plan can't be read.
    """
    return read_stored(Plan, fetch(record, PLAN), name=shot_key(record.shot, PLAN))
