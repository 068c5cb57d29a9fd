"""A shot's own objects in storage: masters, mattes, edits, previews, plans, renditions."""

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
    """Return the media type of a file name, by its ending; ``application/octet-stream`` if the ending is not known."""
    return CONTENT_TYPES.get(name.rpartition(".")[2].lower(), "application/octet-stream")


def keep(shot: ShotId, files: Mapping[str, bytes], *, over: Mapping[str, str] | None = None) -> dict[str, str]:
    """Store a shot's objects, cache them on this machine, and return their SHA-256 by name, for its record.

    Args:
        files: name of the object below the shot's folder -> bytes.
        over: name -> SHA-256 of the objects that the shot has now. Objects that differ are replaced.
    Raises:
        LeaseLostError: another run has taken this work over. What it has stored meanwhile stays.
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
    """Return one of a shot's objects, with exactly the bytes whose hash is in its record.

    Args:
        name: of the object below the shot's folder, such as ``edit.tif``.
    Raises:
        ObjectMissingError: the record has no object of that name, or the stored bytes have another hash.
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
    """Return the plan that stage 1 resolved for a shot.

    Raises:
        ObjectMissingError: the shot has no plan yet.
        RecordDamagedError: the plan can't be read.
    """
    return read_stored(Plan, fetch(record, "plan.json"), name=shot_key(record.shot, "plan.json"))
