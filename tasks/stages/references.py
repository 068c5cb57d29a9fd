"""Read reference photographs: files that a client's manifest names as the colour reference of its shots.

A reference is read only if the client has not replaced the file since the batch's files were listed. A copy of what was
read is kept beside the batch's record, so that an editor compares with the same picture as Packshot, whatever the
client uploads later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import NamedTuple

from packshot.batch import BatchRecord
from packshot.errors import ObjectMissingError, RefusedInputError
from packshot.ingest.manifest import plain_path
from packshot.ingest.shoot_groups import ReferencePhoto
from packshot.ingest.stock import REFERENCE_FILE
from packshot.keys import inbox_key, reference_key
from packshot.naming import BatchId
from packshot.pipeline import opening
from tasks.environment.configs import configs_in_force
from tasks.processing.children import children
from tasks.storage.bucket import open_storage
from tasks.storage.shot_objects import content_type


class ListedFile(NamedTuple):
    """A file of a batch as it was listed: its path in the batch's inbox folder, and its ETag without quotation marks.

    The ETag is empty if the record of an earlier version does not have it.
    """

    path: str
    etag: str


def reference_photos(record: BatchRecord, named: Iterable[str]) -> dict[str, ReferencePhoto]:
    """Return what was measured on a batch's reference photographs: name in the manifest -> colour target or swatch.

    The files are read from storage. A name for which the batch has no file is left out. A shot that is named as a
    reference is not read: its result only says what it is (`ReferencePhoto.is_shot`). If a name fits several files, its
    result only says which (`ReferencePhoto.several`). If a file was deleted or replaced
    since it was listed, its result only says so (`ReferencePhoto.replaced`). If a file can't be used, nothing was
    measured, and no error is raised.

    Args:
        record: the batch's record, with the files that were listed.
        named: texts from the manifest's column `reference`; empty ones are ignored. Each is matched with the path of a
            file in the batch, or else with the file's name without folders; case does not matter.
    """
    files, shots = _files(record), {one.path for one in record.shots}
    found = {}
    for name in sorted({one for one in named if one}):
        fitting = _of_name(name, files)
        if len(fitting) > 1:
            found[name] = ReferencePhoto(several=tuple(one.path for one in fitting))
        elif fitting:
            (file,) = fitting
            found[name] = ReferencePhoto(is_shot=True) if file.path in shots else _read(record.batch, file)
    return found


def listed_reference(record: BatchRecord, named: str) -> ListedFile | None:
    """Return the file that a shot's colour reference names; None if it fits no file of the batch, or several.

    The file may be a reference photograph, or a photograph of the batch.

    Args:
        record: the batch's record, with the files that were listed.
        named: text from the manifest's column `reference`. It is matched with the path of a file in the batch, or else
            with the file's name without folders; case does not matter.
    """
    fitting = _of_name(named, _files(record))
    return fitting[0] if len(fitting) == 1 else None


def _files(record: BatchRecord) -> dict[str, ListedFile]:
    """Return the files that a reference may be, shots too, by path in small letters."""
    photographs = [ListedFile(one.path, one.etag) for one in record.shots]
    ignored = [
        ListedFile(path, record.references.get(path, ""))
        for path, why in record.ignored.items()
        if why == REFERENCE_FILE
    ]
    return {plain_path(one.path).casefold(): one for one in (*photographs, *ignored)}


def _of_name(named: str, files: dict[str, ListedFile]) -> list[ListedFile]:
    """Return the file with this path; or else all files with this name, whatever folder they lie in."""
    wanted = plain_path(named).casefold()
    if wanted in files:
        return [files[wanted]]
    bare = wanted.rsplit("/", 1)[-1]
    return [file for path, file in sorted(files.items()) if path.rsplit("/", 1)[-1] == bare]


def _read(batch: BatchId, file: ListedFile) -> ReferencePhoto:
    """Return what a reference photograph shows, and keep a copy of it.

    If nothing was measured, the shots that name it get a finding.
    """
    storage = open_storage()
    try:
        data, found = storage.get_with_etag(inbox_key(batch, file.path))
    except ObjectMissingError:
        return ReferencePhoto(replaced=True)
    if file.etag and found.strip('"') != file.etag:
        return ReferencePhoto(replaced=True)
    kept = hashlib.sha256(data).hexdigest() + PurePosixPath(file.path).suffix.casefold()
    try:
        limits = configs_in_force().ingest
        answer = children().call(
            opening.REFERENCE, data, about=file.path, within=limits.apart, path=file.path, limits=limits
        )
        photo = opening.received_reference(answer.value)
    except RefusedInputError:
        photo = ReferencePhoto()
    storage.put(reference_key(batch, kept), data, content_type=content_type(kept))
    return photo.model_copy(update={"kept": kept})
